"""Perpetual futures of a simulated market: price basis, mark price and eight-hourly funding rates."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from coordinator.sandbox.market import SimulatedPair, hourly_frame, simulate_pairs
from coordinator.sandbox.market_conditions import MarketConditions
from coordinator.sandbox.spec import MarketSpec
from coordinator.sandbox.streams import ar1, stream

__all__ = ["FUNDING_HOURS", "FuturesCandles", "simulate_futures"]

Floats = npt.NDArray[np.float64]

FUNDING_HOURS: Final = 8
# Binance's formula: rate = premium + clamp(interest - premium, -0.05 %, 0.05 %), interest 0.01 % per 8 hours.
_INTEREST: Final = 1e-4
_DAMPER: Final = 5e-4
_FUNDING_CAP: Final = 3e-3
# Mean and standard deviations of the parts of the basis (log futures over spot), after BTC ETH ADA LTC
# 2019..2023: in all 0.0008 to 0.0011, autocorrelation 0.71 to 0.79 after an hour, 0.57 to 0.69 after a day;
# correlation of the funding rate with the past week's return 0.31 to 0.40.
_BASIS_MEAN: Final = 6e-5
_BASIS_TREND: Final = 8.0e-4
_BASIS_SLOW: Final = 5.0e-4
_BASIS_FAST: Final = 6.0e-4
_TREND_HOURS: Final = 168.0
_VOLUME_RATIO: Final = 4.0


@dataclass(frozen=True)
class FuturesCandles:
    """One perpetual's tables, with the columns of Freqtrade's files.

    Attributes
    ----------
    futures : pandas.DataFrame
        Hourly candles: date, open, high, low, close, volume (base currency).
    mark : pandas.DataFrame
        Hourly mark prices, volume 0.
    funding : pandas.DataFrame
        One row per settlement (00, 08, 16 UTC): the rate (a fraction, longs pay shorts if positive) in open,
        0 in the other columns.
    """

    futures: pd.DataFrame
    mark: pd.DataFrame
    funding: pd.DataFrame


def simulate_futures(spec: MarketSpec) -> dict[str, FuturesCandles]:
    """Simulate the perpetuals of the spec's pairs; the spot market beneath is that of ``simulate(spec)``.

    Returns
    -------
    dict of str to FuturesCandles
        By futures pair, e.g. ``"BTC/USDT:USDT"``.
    """
    conditions, walks = simulate_pairs(spec)
    return {
        f"{pair}:{pair.split('/')[1]}": _perpetual(spec, pair, conditions, walk)
        for pair, walk in walks.items()
    }


def _perpetual(
    spec: MarketSpec, pair: str, conditions: MarketConditions, walk: SimulatedPair
) -> FuturesCandles:
    persistent, fleeting = _basis(spec, pair, walk)
    futures = hourly_frame(conditions, _shifted(walk, persistent + fleeting, _VOLUME_RATIO))
    # The exchange smooths what is fleeting out of the mark price, so that a wick cannot force liquidations.
    mark = hourly_frame(conditions, _shifted(walk, persistent + 0.4 * fleeting, 0.0))
    return FuturesCandles(futures, mark, _funding(conditions, persistent + fleeting))


def _basis(spec: MarketSpec, pair: str, walk: SimulatedPair) -> tuple[Floats, Floats]:
    """Log futures over spot at each close: the persistent and the fleeting part, each of shape (hours,).

    Both react to what has happened and say nothing about what comes.
    """
    noise = stream(spec.seed, "pair", pair, "basis").standard_normal((spec.hours, 2))
    returns = np.diff(walk.fair_close, prepend=walk.fair_close[0]) / walk.volatility
    # A clipped return makes a crash move the basis, not tear it off.
    trend = ar1(np.clip(returns, -3.0, 3.0), _TREND_HOURS)
    persistent = _BASIS_MEAN + _BASIS_TREND * np.tanh(trend) + _BASIS_SLOW * ar1(noise[:, 0].copy(), 480.0)
    return persistent, _BASIS_FAST * ar1(noise[:, 1].copy(), 0.8)


def _shifted(walk: SimulatedPair, basis: Floats, volume_ratio: float) -> SimulatedPair:
    """The walk moved by a basis that changes within the hour from the last close's to this one's."""
    before = np.concatenate((basis[:1], basis[:-1]))
    opening, close = walk.open + before, walk.close + basis
    high = np.maximum(walk.high + (before + basis) / 2.0, np.maximum(opening, close))
    low = np.minimum(walk.low + (before + basis) / 2.0, np.minimum(opening, close))
    volume = volume_ratio * walk.volume
    return replace(walk, open=opening, high=high, low=low, close=close, volume=volume)


def _funding(conditions: MarketConditions, basis: Floats) -> pd.DataFrame:
    """Rates from the mean basis of the eight hours before each settlement; outages do not stop them."""
    hours = conditions.times // 3_600_000
    whole = (len(hours) // FUNDING_HOURS) * FUNDING_HOURS
    # Simulations start at midnight, so blocks of eight hours end at settlements.
    premium = basis[:whole].reshape(-1, FUNDING_HOURS).mean(axis=1)
    rate = premium + np.clip(_INTEREST - premium, -_DAMPER, _DAMPER)
    settled = conditions.times[:whole:FUNDING_HOURS] + FUNDING_HOURS * 3_600_000
    columns: dict[str, object] = {
        "date": pd.to_datetime(settled, unit="ms", utc=True).as_unit("ns"),
        "open": np.round(np.clip(rate, -_FUNDING_CAP, _FUNDING_CAP), 8),
    }
    columns |= dict.fromkeys(("high", "low", "close", "volume"), 0.0)
    # The settlement at the end belongs to the candle that opens there, which is not part of the simulation.
    return pd.DataFrame(columns).iloc[:-1].reset_index(drop=True)
