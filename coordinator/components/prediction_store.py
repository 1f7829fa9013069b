"""Predictions of a stretch of history on disk: a Feather file for each pair."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from coordinator.components.model_files import as_file_name

__all__ = ["PredictionStore"]


class PredictionStore:
    """Reads and writes a folder of predictions.

    Parameters
    ----------
    folder : Path
    columns : the predictions' columns, beside ``date`` and ``do_predict``
    """

    def __init__(self, folder: Path, columns: Sequence[str]) -> None:
        self._folder, self._columns = folder, {*columns, "date", "do_predict"}

    def read(self, pairs: Sequence[str]) -> dict[str, pd.DataFrame] | None:
        """The pairs' predictions; None where one is missing, cannot be read or has other columns."""
        frames = {}
        for pair in pairs:
            try:
                frames[pair] = pd.read_feather(self._path(pair))
            except (OSError, ValueError):
                return None
            if set(frames[pair]) != self._columns:
                return None
        return frames

    def write(self, frames: Mapping[str, pd.DataFrame]) -> None:
        """Write every pair's, each whole or not at all."""
        self._folder.mkdir(parents=True, exist_ok=True)
        for pair, frame in frames.items():
            part = self._path(pair).with_suffix(".part")
            frame.to_feather(part)
            part.replace(self._path(pair))

    def _path(self, pair: str) -> Path:
        return self._folder / f"{as_file_name(pair)}.feather"
