"""Predictions of a stretch of history on disk: a Feather file for each pair."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from coordinator.components.model_files import as_file_name
from coordinator.types import Times

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

    def read(self, times: Mapping[str, Times]) -> dict[str, pd.DataFrame] | None:
        """The predictions of pairs' candles; None where a pair's are missing, cannot be read or are of other candles.

        Parameters
        ----------
        times : mapping of pair to the open times of its candles, seconds
        """
        frames = {}
        for pair, own in times.items():
            try:
                frame = frames[pair] = pd.read_feather(self._path(pair))
            except (OSError, ValueError):
                return None
            if set(frame) != self._columns:
                return None
            if not np.array_equal(frame["date"].to_numpy(dtype="datetime64[s]").astype(np.int64), own):
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
