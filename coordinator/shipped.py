"""Where the files are that Freqtrade loads: strategies, models, losses, protections and the shipped config."""

from __future__ import annotations

from pathlib import Path

__all__ = ["IGNORE_PARAMETER_FILES", "shipped_folder"]

IGNORE_PARAMETER_FILES = "ignore_parameter_files"
"""Key of a config whose strategies do not read what hyperopt left beside them: a comparison is of the settings."""

INSTALLED = Path(__file__).resolve().parent / "freqtrade_files"


def shipped_folder() -> Path:
    """The folder with ``config.json``, ``strategies/``, ``freqai_models/``, ``hyperopts/`` and ``protections/``.

    An installed package holds it within itself (``setup.py``); in a checkout it is what is around the library.

    Examples
    --------
    >>> (shipped_folder() / "strategies" / "MLCoordinator.py").is_file()
    True
    """
    return INSTALLED if INSTALLED.is_dir() else INSTALLED.parents[1]
