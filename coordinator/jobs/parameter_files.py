"""The files in which hyperopt leaves a strategy's best parameters, and which Freqtrade reads at its every start."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

__all__ = ["parameter_files"]


def parameter_files(config: Mapping[str, Any], strategies: Sequence[str]) -> list[Path]:
    """Those of some strategies that are there, beside the strategies' own files (``strategy_path``)."""
    folder = Path(config.get("strategy_path") or ".")
    return [path for name in strategies if (path := folder / f"{name}.json").is_file()]
