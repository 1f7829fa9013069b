"""FreqAI's model interface: ``CompositeFreqaiModel`` is the class to inherit from."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from coordinator.adapters.freqai.model import CompositeFreqaiModel

__all__ = ["CompositeFreqaiModel"]


def __getattr__(name: str) -> Any:
    # Loaded when asked for: a strategy without ML needs a neighbour of the model, not torch and the trees.
    if name == "CompositeFreqaiModel":
        from coordinator.adapters.freqai.model import CompositeFreqaiModel

        return CompositeFreqaiModel
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
