"""Features and labels in the columns FreqAI expects, from the same pure functions in backtest and live."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
from pandas import DataFrame

from coordinator.learning.labels import CLASSES, forward_direction
from coordinator.settings import Settings

__all__ = ["LABEL", "most_likely_class", "with_feature", "with_label"]

LABEL = "&s-direction"


def with_feature(dataframe: DataFrame) -> DataFrame:
    """Add the one feature that FreqAI must have; the components compute their own from the market's candles."""
    return dataframe.assign(**{"%-return": dataframe["close"].pct_change().fillna(0.0)})


def with_label(dataframe: DataFrame, settings: Settings) -> DataFrame:
    """Add the label; the rows whose horizon ends after the frame are NaN and train nothing."""
    label = forward_direction(dataframe["close"].to_numpy(dtype=float), settings.learning)
    return dataframe.assign(**{LABEL: label})


def most_likely_class(frame: DataFrame, components: Iterable[str]) -> npt.NDArray[np.float64]:
    """FreqAI wants the label's column: the first network's likeliest class, HOLD without one."""
    network = next((name for name in components if f"{name}_hold" in frame), None)
    if network is None:
        return np.zeros(len(frame))
    columns = [f"{network}_{name}" for name in ("hold", "buy", "sell")]
    probabilities = frame[columns].to_numpy(dtype=np.float64)
    return np.array(CLASSES, dtype=np.float64)[np.nan_to_num(probabilities).argmax(axis=1)]
