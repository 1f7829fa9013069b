"""Where a pair stands among the pairs present at the same candle: ranks, breadth, crowding of signals.

All of it needs the other pairs' candles of the same open time, closed: a live bot asks for it once every pair's
candle has arrived. Any set of pairs will do; with a pair alone the ranks are NaN.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from coordinator.signals.breaks import floats_by_history
from coordinator.signals.candles import Candles
from coordinator.signals.pair_view import PairView
from coordinator.signals.series import lag, rolling_std
from coordinator.types import Floats, Ints, Times

__all__ = ["CROSS_FEATURES", "CrossSection", "cross_features", "cross_section"]

RANKED = {
    "rank_return_4": True,
    "rank_return_24": True,
    "rank_return_168": True,
    "rank_trend_gap": True,
    "rank_volatility": False,
    "rank_volume": False,
}
"""Ranked quantities, and whether the rank is oriented."""

CROWD_WINDOW = 24  # candles
CROSS_FEATURES = (
    *RANKED,
    *("breadth_trend", "breadth_168", "breadth_score", "market_return_24", "dispersion_24"),
    *("crowd_now", "crowd_same", "crowd_opposite"),
)


@dataclass(frozen=True)
class CrossSection:
    """All pairs on one grid of candles.

    Attributes
    ----------
    time : ndarray of shape (n_times,)
        Open times at which any pair has a candle.
    ranks : mapping of name to ndarray of shape (n_times, n_pairs)
        -1 (lowest) .. 1 (highest); NaN where the pair is absent or alone.
    market : mapping of name to ndarray of shape (n_times,)
        What is common to all pairs.
    column : mapping of pair to its column
    """

    time: Times
    ranks: Mapping[str, Floats]
    market: Mapping[str, Floats]
    column: Mapping[str, int]


def cross_section(views: Mapping[str, PairView]) -> CrossSection:
    """Put all pairs side by side. O(n_times x n_pairs)."""
    time = np.unique(np.concatenate([view.candles.time for view in views.values()]))
    views = dict(
        sorted(views.items())
    )  # sums over pairs come out the same to the bit, whatever the order given
    column = {pair: number for number, pair in enumerate(views)}
    tables = _tables(views, time)
    present = np.isfinite(tables["present"])
    count = present.sum(axis=1)
    market = {
        "breadth_trend": _mean(tables["above_trend"]),
        "breadth_168": _mean(tables["above_168"]),
        "breadth_score": _mean(tables["score"]),
        "market_return_24": _mean(tables["z_return_24"]),
        "dispersion_24": np.log(_spread(tables["rank_return_24"]) + 1e-3),
    }
    for name, sign in (("long", 1.0), ("short", -1.0)):
        signals = (tables["signal"] == sign).sum(axis=1)
        market[f"{name}_now"] = signals / np.maximum(count, 1)
        market[f"{name}_crowd"] = _sum_of_last(signals, CROWD_WINDOW) / np.maximum(count, 1)
    ranks = {name: _rank(tables[name]) for name in RANKED}
    return CrossSection(time, ranks, market, column)


def cross_features(pair: str, view: PairView, section: CrossSection) -> dict[str, Floats]:
    """The features of one pair's signals, each of shape (n_signals,).

    ``crowd_*`` are signals per pair present: at this candle in this direction, and in the last 24 candles in this
    and in the other direction, the signal itself included.
    """
    rows = np.searchsorted(section.time, view.candles.time[view.index])
    d, column, market = view.direction, section.column[pair], section.market
    out = {
        name: section.ranks[name][rows, column] * (d if oriented else 1) for name, oriented in RANKED.items()
    }
    for name in ("breadth_trend", "breadth_168", "breadth_score", "market_return_24"):
        out[name] = d * market[name][rows]
    out["dispersion_24"] = market["dispersion_24"][rows]
    long = d > 0
    out["crowd_now"] = np.where(long, market["long_now"][rows], market["short_now"][rows])
    out["crowd_same"] = np.where(long, market["long_crowd"][rows], market["short_crowd"][rows])
    out["crowd_opposite"] = np.where(long, market["short_crowd"][rows], market["long_crowd"][rows])
    return out


def _tables(views: Mapping[str, PairView], time: Times) -> dict[str, Floats]:
    tables: dict[str, Floats] = {}
    for number, view in enumerate(views.values()):
        rows = np.searchsorted(time, view.candles.time)
        for name, values in _quantities(view).items():
            if name not in tables:
                tables[name] = np.full((len(time), len(views)), np.nan)
            tables[name][rows, number] = values
    return tables


def _quantities(view: PairView) -> dict[str, Floats]:
    """What is compared between pairs, each of shape (n_candles,)."""
    features = view.features
    return {
        "present": np.zeros(len(view.candles)),
        **floats_by_history(view.candles, lambda own, _: _changes(own)),
        "rank_trend_gap": features["trend_ma_gap"],
        "rank_volume": features["volume_ratio_week"],
        "above_trend": np.sign(features["trend_ma_gap"]),
        "above_168": np.sign(features["sma_168_gap"]),
        "score": view.technical.score,
        "z_return_24": features["return_24"],
        "signal": view.technical.signal.astype(float),
    }


def _changes(candles: Candles) -> dict[str, Floats]:
    price = np.log(candles.close)
    return {
        "rank_return_4": price - lag(price, 4),
        "rank_return_24": price - lag(price, 24),
        "rank_return_168": price - lag(price, 168),
        "rank_volatility": rolling_std(price - lag(price, 1), 24),
    }


def _rank(table: Floats) -> Floats:
    """Ranks of each row from -1 to 1, ties sharing theirs."""
    frame = pd.DataFrame(table)
    count = frame.count(axis=1).to_numpy()[:, None]
    rank: Floats = frame.rank(axis=1).to_numpy()
    return np.where(count > 1, 2.0 * (rank - 1.0) / np.maximum(count - 1, 1) - 1.0, np.nan)


def _mean(table: Floats) -> Floats:
    known = np.isfinite(table)
    count = known.sum(axis=1)
    total = np.where(known, table, 0.0).sum(axis=1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _spread(table: Floats) -> Floats:
    """Standard deviation over the pairs; NaN with fewer than two."""
    known = np.isfinite(table)
    off = np.where(known, table - _mean(table)[:, None], 0.0)
    count = known.sum(axis=1)
    return np.where(count > 1, np.sqrt((off * off).sum(axis=1) / np.maximum(count, 1)), np.nan)


def _sum_of_last(values: Ints, window: int) -> Floats:
    total = np.concatenate((np.zeros(window, dtype=np.int64), np.cumsum(values)))
    return (total[window:] - total[:-window]).astype(np.float64)
