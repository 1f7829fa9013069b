"""Features and labels in the columns FreqAI expects, from the same pure functions in backtest and live."""

from __future__ import annotations

from pandas import DataFrame

from coordinator.learning.labels import forward_direction
from coordinator.settings import Settings
from coordinator.signals.candles import Candles
from coordinator.signals.features import compute_features

__all__ = ["LABEL", "with_features", "with_label"]

LABEL = "&s-direction"


def with_features(dataframe: DataFrame, timeframe: str) -> DataFrame:
    """Add the 31 features."""
    features = compute_features(Candles.from_frame(dataframe, timeframe))
    return dataframe.assign(**{f"%-{name}": values for name, values in features.items()})


def with_label(dataframe: DataFrame, settings: Settings) -> DataFrame:
    """Add the label; the rows whose horizon ends after the frame are NaN and train nothing."""
    label = forward_direction(dataframe["close"].to_numpy(dtype=float), settings.learning)
    return dataframe.assign(**{LABEL: label})
