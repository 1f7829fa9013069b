"""Features and labels in the columns FreqAI expects, from the same pure functions in backtest and live."""

from __future__ import annotations

from pandas import DataFrame

from coordinator.learning.labels import forward_direction
from coordinator.settings import Settings

__all__ = ["LABEL", "with_feature", "with_label"]

LABEL = "&s-direction"


def with_feature(dataframe: DataFrame) -> DataFrame:
    """Add the one feature that FreqAI must have; the components compute their own from the market's candles."""
    return dataframe.assign(**{"%-return": dataframe["close"].pct_change().fillna(0.0)})


def with_label(dataframe: DataFrame, settings: Settings) -> DataFrame:
    """Add the label; the rows whose horizon ends after the frame are NaN and train nothing."""
    label = forward_direction(dataframe["close"].to_numpy(dtype=float), settings.learning)
    return dataframe.assign(**{LABEL: label})
