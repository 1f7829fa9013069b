"""FreqAI's model interface: ``CompositeFreqaiModel`` is the class to inherit from."""

from coordinator.adapters.freqai.model import CompositeFreqaiModel

__all__ = ["CompositeFreqaiModel"]
