"""The panel as rows that a quality model learns from: every pair at every candle of the clock, not only at signals.

A slow clock has few signals, about a hundred a year for eight pairs, and a trend's outcome hangs on its one or two best
days. What the price did next, in its own volatility, is known of every day.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from coordinator.learning.quality_rows import QualityRows
from coordinator.signals.breaks import crosses_break
from coordinator.signals.candles import Candles
from coordinator.signals.panel_features import PANEL_SCHEMA, candle_volatility
from coordinator.types import Floats, Times

__all__ = ["PanelPart", "forward_return", "panel_part", "panel_rows"]

CLIP = 3.0


def forward_return(candles: Candles, horizon: int) -> Floats:
    """Log return of the next ``horizon`` candles in their expected volatility, -3..3, shape (n,).

    NaN where it is unknown, or a break of the history lies between.
    """
    price = np.log(candles.close)
    out = np.full(len(price), np.nan)
    out[: max(0, len(price) - horizon)] = price[horizon:] - price[: max(0, len(price) - horizon)]
    scaled: Floats = np.clip(out / (candle_volatility(candles) * np.sqrt(horizon)), -CLIP, CLIP)
    return np.where(crosses_break(candles, horizon), np.nan, scaled)


class PanelPart(NamedTuple):
    """One pair's rows: time, the last candle that the label uses (-1 while unknown), features and label."""

    time: Times
    known_at: Times
    x: Floats
    label: Floats


def panel_part(candles: Candles, features: Floats, horizon: int, base_seconds: int) -> PanelPart:
    """One row for each clock candle of a pair; parameters as ``panel_rows`` takes them."""
    label = forward_return(candles, horizon)
    use = np.isfinite(features[:, PANEL_SCHEMA.names.index("return_90")])
    last = candles.time + candles.seconds - base_seconds
    later = np.minimum(np.arange(len(candles)) + horizon, max(len(candles) - 1, 0))
    known = np.where(np.isfinite(label), last[later], -1)
    return PanelPart(last[use], known[use], features[use], label[use])


def panel_rows(
    clocks: Mapping[str, Candles], features: Mapping[str, Floats], horizon: int, base_seconds: int
) -> QualityRows:
    """One row for each clock candle of each pair, as a long from there on; any order.

    Parameters
    ----------
    clocks : each pair's candles of the clock
    features : of the same candles (``signals.panel_features``); rows without a 90-candle return are left out
    horizon : candles of the clock that the label looks ahead
    base_seconds : length of a base candle; a row's time is that of the last base candle in its clock candle

    Notes
    -----
    ``r`` is the forward return, which has no stop: nothing here is in units of risk.
    """
    parts = [panel_part(clocks[pair], features[pair], horizon, base_seconds) for pair in clocks]
    time, known, x, r = (list(part) for part in zip(*parts, strict=True))
    return QualityRows(
        schema=PANEL_SCHEMA,
        x=np.vstack(x),
        time=np.concatenate(time),
        outcome_time=np.concatenate(known),
        r=np.concatenate(r),
        exit_kind=np.zeros(sum(map(len, r)), dtype=np.int64),
        reward_risk=1.0,
        candle_seconds=base_seconds,
    )
