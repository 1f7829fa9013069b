"""Where Freqtrade's own SampleStrategy lies."""

from pathlib import Path

import freqtrade

__all__ = ["sample_strategy_folder"]


def sample_strategy_folder() -> Path:
    """Folder of ``sample_strategy.py`` in the installed Freqtrade."""
    return Path(freqtrade.__file__).parent / "templates"
