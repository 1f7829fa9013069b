"""Features of every pair at every candle of the clock: what a model of the whole panel, pairs by days, learns from.

Pair-neutral (returns and distances in the pair's own volatility), causal, and looking back over windows that a bot's
frames hold: 200 candles of the clock, and 30 days of base candles.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
import talib

from coordinator.signals.breaks import floats_by_history
from coordinator.signals.candles import Candles
from coordinator.signals.feature_schema import FeatureSchema
from coordinator.signals.series import lag, rolling_std, safe_divide
from coordinator.types import Floats, Times

__all__ = ["PANEL_SCHEMA", "PanelPair", "candle_volatility", "panel_features"]

VERSION = 1
LIMIT = 20.0
RETURNS = (1, 3, 7, 14, 30, 60, 90)
AVERAGES = (10, 20, 50, 100, 200)
CHANNELS = (10, 20, 55)
VOLATILITY = 30  # candles of the clock
OWN = (
    *(f"return_{n}" for n in RETURNS),
    *(f"average_{n}" for n in AVERAGES),
    *(f"{side}_{n}" for n in CHANNELS for side in ("high", "low")),
    *("sigma", "sigma_7_30", "sigma_30_90", "skew", "falling", "volume_1", "volume_7"),
)
RANKED = ("return_7", "return_30", "return_90", "average_50", "sigma")
REFERENCE = ("return_7", "return_30", "return_90", "average_50", "average_200", "sigma", "falling")
PANEL_SCHEMA = FeatureSchema(
    (*OWN, *(f"rank_{name}" for name in RANKED), *(f"btc_{name}" for name in REFERENCE), "breadth"), VERSION
)


class PanelPair(NamedTuple):
    """A pair's candles of the clock, and the base candles within them."""

    clock: Candles
    base: Candles


def candle_volatility(candles: Candles) -> Floats:
    """Standard deviation of the last 30 candles' log returns, shape (n,); NaN until they are there, never 0.

    The candles after a break are a history of their own.
    """
    return floats_by_history(candles, lambda own, _: _volatility(own))


def _volatility(candles: Candles) -> Floats:
    price = np.log(candles.close)
    sigma = rolling_std(price - lag(price, 1), VOLATILITY)
    return np.where(sigma > 0, sigma, np.nan)


def panel_features(pairs: Mapping[str, PanelPair], reference: str | None) -> dict[str, Floats]:
    """Features of each pair at each of its clock's candles, shape (n, len(PANEL_SCHEMA)) by pair; -20..20 or NaN.

    Parameters
    ----------
    pairs : those that are ranked among each other at candles of the same open time
    reference : the pair whose state is a feature of all ("btc_"); NaN where it is None or not among them
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        own = {pair: _since_breaks(*candles) for pair, candles in pairs.items()}
    empty = np.zeros(0, dtype=np.int64)
    grid: Times = np.unique(np.concatenate([empty, *(p.clock.time for p in pairs.values())]))
    ranks = {name: _ranks(pairs, own, grid, name) for name in RANKED}
    above = _on_grid(pairs, {pair: np.sign(x["average_50"]) for pair, x in own.items()}, grid)
    known = np.isfinite(above)
    breadth = safe_divide((above > 0).sum(axis=1).astype(float), known.sum(axis=1).astype(float), np.nan)
    out = {}
    for number, (pair, candles) in enumerate(pairs.items()):
        rows = np.searchsorted(grid, candles.clock.time)
        columns = [own[pair][name] for name in OWN]
        columns += [ranks[name][rows, number] for name in RANKED]
        columns += [_of_reference(pairs, own, reference, candles.clock.time, name) for name in REFERENCE]
        values = np.column_stack([*columns, breadth[rows]]) if len(rows) else np.empty((0, len(PANEL_SCHEMA)))
        out[pair] = np.clip(np.where(np.isfinite(values), values, np.nan), -LIMIT, LIMIT)
    return out


def _since_breaks(clock: Candles, base: Candles) -> dict[str, Floats]:
    """A pair's own features; the candles after a break are a history of their own, frozen ones say nothing."""
    return floats_by_history(clock, lambda own, began: _own(own, base.since(began)))


def _own(clock: Candles, base: Candles) -> dict[str, Floats]:
    n = len(clock)
    if n < 2:  # TA-Lib computes on air
        return {name: np.full(n, np.nan) for name in OWN}
    price, sigma = np.log(clock.close), candle_volatility(clock)
    change = price - lag(price, 1)
    out = {f"return_{k}": (price - lag(price, k)) / (sigma * np.sqrt(k)) for k in RETURNS}
    out |= {f"average_{k}": (price - talib.SMA(price, k)) / (sigma * np.sqrt(k)) for k in AVERAGES}
    for k in CHANNELS:
        out[f"high_{k}"] = (price - np.log(talib.MAX(clock.high, k))) / sigma
        out[f"low_{k}"] = (price - np.log(talib.MIN(clock.low, k))) / sigma
    realised, falling = _within(clock, base)
    volume = np.log(clock.volume + 1.0)
    out["sigma"] = np.log(sigma)
    out["sigma_7_30"] = np.log(_mean(realised, 7) / _mean(realised, 30))
    out["sigma_30_90"] = np.log(sigma / rolling_std(change, 90))
    out["skew"] = _skew(change, VOLATILITY)
    out["falling"] = _mean(falling / realised, 7)
    out["volume_1"] = volume - talib.SMA(volume, 30)
    out["volume_7"] = talib.SMA(volume, 7) - talib.SMA(volume, 60)
    return out


def _within(clock: Candles, base: Candles) -> tuple[Floats, Floats]:
    """Root of the sum of squared base returns, and of the falling ones, in each clock candle; NaN where it is cut."""
    price = np.log(base.close)
    change = price - lag(price, 1)
    inside = base.time // clock.seconds
    begun = clock.time // clock.seconds
    rows = np.searchsorted(begun, inside)
    fits = (rows < len(begun)) & np.isfinite(change)
    fits[fits] = begun[rows[fits]] == inside[fits]
    per_candle = max(1, clock.seconds // base.seconds)
    count = np.bincount(rows[fits], minlength=len(begun))[: len(begun)]

    def root(values: Floats) -> Floats:
        total = np.bincount(rows[fits], weights=values[fits], minlength=len(begun))[: len(begun)]
        # A candle of which much is missing says nothing; an hour that was not traded does no harm.
        return np.where((count >= 0.75 * per_candle) & (total > 0), np.sqrt(total), np.nan)

    squares = change * change
    whole = root(squares)
    half = root(np.where(change < 0, squares, 0.0))
    return whole, np.where(np.isfinite(whole), np.nan_to_num(half), np.nan)


def _mean(values: Floats, window: int) -> Floats:
    """Mean of the last ``window`` values, each window summed afresh; NaN while it holds a NaN."""
    out = np.full(len(values), np.nan)
    if len(values) >= window:
        out[window - 1 :] = np.lib.stride_tricks.sliding_window_view(values, window).mean(axis=1)
    return out


def _skew(values: Floats, window: int) -> Floats:
    out = np.full(len(values), np.nan)
    if len(values) >= window:
        view = np.lib.stride_tricks.sliding_window_view(values, window)
        off = view - view.mean(axis=1, keepdims=True)
        out[window - 1 :] = (off**3).mean(axis=1) / (off**2).mean(axis=1) ** 1.5
    return out


def _on_grid(pairs: Mapping[str, PanelPair], values: Mapping[str, Floats], grid: Times) -> Floats:
    table = np.full((len(grid), len(pairs)), np.nan)
    for number, (pair, candles) in enumerate(pairs.items()):
        table[np.searchsorted(grid, candles.clock.time), number] = values[pair]
    return table


def _ranks(
    pairs: Mapping[str, PanelPair], own: Mapping[str, Mapping[str, Floats]], grid: Times, name: str
) -> Floats:
    """Rank of each pair among those present, 0 (lowest) .. 1, ties sharing theirs; NaN where it is alone."""
    table = pd.DataFrame(_on_grid(pairs, {pair: x[name] for pair, x in own.items()}, grid))
    count = table.count(axis=1).to_numpy()[:, None]
    rank: Floats = table.rank(axis=1).to_numpy(dtype=float)
    return np.where(count > 1, (rank - 1.0) / np.maximum(count - 1, 1), np.nan)


def _of_reference(
    pairs: Mapping[str, PanelPair],
    own: Mapping[str, Mapping[str, Floats]],
    reference: str | None,
    time: Times,
    name: str,
) -> Floats:
    if reference is None or reference not in pairs or not len(pairs[reference].clock):
        return np.full(len(time), np.nan)
    known = pairs[reference].clock.time
    rows = np.minimum(np.searchsorted(known, time), len(known) - 1)
    return np.where(known[rows] == time, own[reference][name][rows], np.nan)
