"""The market simulator: spot candles of any number of pairs, deterministic by seed.

One hour's log return of a pair is a market, a sector and an own part, each with its own slowly varying
volatility (:mod:`coordinator.sandbox.market_conditions`), Student-t hours (a normal times an inverse-gamma scale) and
rare jumps. It is walked in sub-steps with the exact extremes of the Brownian bridge between them, so that
high and low are those of a continuous price; a little transient noise on the quotes gives the wicks and the
faint reversal of real hours. Conditional on all volatilities the expected simple return of an hour is the
regime's drift, so nothing but costs and luck separates trading rules.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from coordinator.sandbox.market_conditions import MarketConditions, log_volatility, market_conditions
from coordinator.sandbox.profiles import PairProfile, profile_of
from coordinator.sandbox.spec import MarketSpec
from coordinator.sandbox.streams import ar1, stream

__all__ = ["MarketSpec", "SimulatedPair", "hourly_frame", "resample_candles", "simulate", "simulate_pairs"]

Floats = npt.NDArray[np.float64]

_STEPS: Final = 6
_JUMPS_PER_YEAR: Final = 12.0
_JUMP_SIZE: Final = 4.0  # standard deviations of an average hour
_QUOTE_NOISE: Final = 0.16  # of the hour's usual volatility
_WICK: Final = 0.08
_TAIL: Final = {"market": 4.5, "sector": 4.5, "own": 3.6}
_HOURS_PER_YEAR: Final = 8766.0


@dataclass(frozen=True)
class SimulatedPair:
    """One pair's price before rounding; arrays of shape (hours,), outages included.

    Attributes
    ----------
    profile : PairProfile
        Price level, tick, turnover.
    open, high, low, close : numpy.ndarray
        Log prices as quoted.
    fair_close : numpy.ndarray
        Log price without quote noise.
    volatility : numpy.ndarray
        Standard deviation of the hour's log return, before tails and jumps.
    volume : numpy.ndarray
        Traded amount, base currency.
    """

    profile: PairProfile
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    fair_close: Floats
    volatility: Floats
    volume: Floats


@dataclass(frozen=True)
class _Factor:
    """Sub-step normals (hours, _STEPS) and the hour's relative scale and jump (hours,)."""

    steps: Floats
    log_volatility: Floats
    tail: Floats
    jump: Floats


def simulate(spec: MarketSpec) -> dict[str, pd.DataFrame]:
    """Simulate hourly spot candles.

    Returns
    -------
    dict of str to pandas.DataFrame
        By pair, in the spec's order; each of shape (hours traded, 6): date (UTC, open time), open, high, low,
        close (multiples of the pair's tick), volume (base currency). Outage hours are missing for all pairs.
    """
    conditions, walks = simulate_pairs(spec)
    return {pair: hourly_frame(conditions, walk) for pair, walk in walks.items()}


def simulate_pairs(spec: MarketSpec) -> tuple[MarketConditions, dict[str, SimulatedPair]]:
    """The shared hours and every pair's walk, from which spot and futures candles are made."""
    market = _factor(spec, ("market",), "market")
    conditions = market_conditions(spec, market.steps.sum(axis=1) / np.sqrt(_STEPS))
    sectors: dict[str, _Factor] = {}
    walks = {}
    for pair in spec.pairs:
        base = pair.split("/")[0]
        profile = profile_of(base)
        sector = spec.sectors.get(base, profile.sector)
        if sector not in sectors:
            sectors[sector] = _factor(spec, ("sector", sector), "sector")
        walks[pair] = _walk(spec, pair, profile, conditions, market, sectors[sector])
    return conditions, walks


def _factor(spec: MarketSpec, names: tuple[str, ...], kind: str) -> _Factor:
    steps = stream(spec.seed, *names, "steps").standard_normal((spec.hours, _STEPS))
    # A third of the market's variance of log volatility is enough for the sector's and the pair's own.
    volatility = log_volatility(spec, names, steps.sum(axis=1) / np.sqrt(_STEPS), 0.6)
    freedom = _TAIL[kind]
    chi_square = stream(spec.seed, *names, "tails").chisquare(freedom, spec.hours)
    tail = np.sqrt((freedom - 2.0) / np.maximum(chi_square, 1e-3 * freedom))
    uniform = stream(spec.seed, *names, "jumps").random(spec.hours)
    sizes = stream(spec.seed, *names, "jump sizes").standard_normal(spec.hours)
    jump = np.where(uniform < _JUMPS_PER_YEAR / _HOURS_PER_YEAR, _JUMP_SIZE * sizes, 0.0)
    return _Factor(steps, volatility, tail, jump)


def _walk(
    spec: MarketSpec,
    pair: str,
    profile: PairProfile,
    conditions: MarketConditions,
    market: _Factor,
    sector: _Factor,
) -> SimulatedPair:
    own = _factor(spec, ("pair", pair), "own")
    shares = (profile.market_share, profile.sector_share, 1.0 - profile.market_share - profile.sector_share)
    steps = np.zeros((spec.hours, _STEPS))
    jump = np.zeros(spec.hours)
    usual = np.zeros(spec.hours)
    variance = np.zeros(spec.hours)
    for factor, share in zip((market, sector, own), shares, strict=True):
        relative = conditions.log_volatility + (0.0 if factor is market else factor.log_volatility)
        scale = profile.volatility * np.sqrt(share) * np.exp(relative)
        steps += (scale * factor.tail)[:, None] * factor.steps / np.sqrt(_STEPS)
        jump += profile.volatility * np.sqrt(share) * factor.jump
        usual += scale**2
        variance += (scale * factor.tail) ** 2
    jump_variance = _JUMPS_PER_YEAR / _HOURS_PER_YEAR * (_JUMP_SIZE * profile.volatility) ** 2
    steps[:, 0] += jump - 0.5 * jump_variance
    # Half the variance makes the expected simple return, not the log return, the drift.
    steps += ((conditions.drift - 0.5 * variance) / _STEPS)[:, None]
    path = np.log(profile.price) + np.cumsum(steps.ravel()).reshape(steps.shape)
    volatility = np.sqrt(usual)
    candles = _candles(spec, pair, profile, path, np.sqrt(variance), volatility)
    size = np.abs(steps.sum(axis=1)) / volatility
    volume = _volume(spec, pair, profile, conditions, volatility, size, candles[3])
    return SimulatedPair(profile, *candles, fair_close=path[:, -1], volatility=volatility, volume=volume)


def _candles(
    spec: MarketSpec, pair: str, profile: PairProfile, path: Floats, hour_scale: Floats, volatility: Floats
) -> tuple[Floats, Floats, Floats, Floats]:
    """Open, high, low, close as log prices, from the sub-step path of shape (hours, _STEPS)."""
    quotes = stream(spec.seed, "pair", pair, "quotes").standard_normal(spec.hours)
    extremes = stream(spec.seed, "pair", pair, "extremes").random((spec.hours, _STEPS, 2))
    wicks = stream(spec.seed, "pair", pair, "wicks").standard_exponential((spec.hours, 2))
    close = path[:, -1] + _QUOTE_NOISE * volatility * quotes
    opening = np.concatenate(([np.log(profile.price)], close[:-1]))
    before = np.concatenate(([np.log(profile.price)], path.ravel()[:-1])).reshape(path.shape)
    # Extremes of a Brownian bridge from a to b with variance v: ((a + b) +- sqrt((b - a)^2 - 2 v ln U)) / 2.
    spread = -2.0 * ((hour_scale**2) / _STEPS)[:, None, None] * np.log(np.maximum(extremes, 1e-300))
    swing = np.sqrt(((path - before) ** 2)[:, :, None] + spread)
    middle = path + before
    top = ((middle + swing[:, :, 0]) / 2.0).max(axis=1)
    bottom = ((middle - swing[:, :, 1]) / 2.0).min(axis=1)
    wick = _WICK * volatility[:, None] * wicks
    high = np.maximum(top + wick[:, 0], np.maximum(opening, close))
    low = np.minimum(bottom - wick[:, 1], np.minimum(opening, close))
    return opening, high, low, close


def _volume(
    spec: MarketSpec,
    pair: str,
    profile: PairProfile,
    conditions: MarketConditions,
    volatility: Floats,
    size: Floats,
    log_price: Floats,
) -> Floats:
    """Base-currency volume: follows volatility and the size of the move, with persistence of its own."""
    relative = np.log(volatility / profile.volatility)
    noise = stream(spec.seed, "pair", pair, "volume").standard_normal((spec.hours, 3))
    shared = ar1(stream(spec.seed, "market", "volume").standard_normal(spec.hours), 300.0)
    log_turnover = (
        np.log(profile.turnover)
        + 0.75 * relative
        + 0.30 * conditions.rhythm
        + 0.80 * np.log1p(size)
        + 0.23 * shared
        + 0.23 * ar1(noise[:, 0].copy(), 200.0)
        + 0.22 * ar1(noise[:, 1].copy(), 6.0)
        + 0.24 * noise[:, 2]
    )
    return np.asarray(np.exp(log_turnover - log_price), dtype=np.float64)


def hourly_frame(conditions: MarketConditions, walk: SimulatedPair) -> pd.DataFrame:
    """Candles of a walk: prices rounded to the tick (at least one), volume to eight digits or whole units."""
    tick = walk.profile.tick
    digits = max(0, round(-np.log10(tick)))
    columns: dict[str, object] = {"date": pd.to_datetime(conditions.times, unit="ms", utc=True).as_unit("ns")}
    for name in ("open", "high", "low", "close"):
        ticks = np.maximum(np.rint(np.exp(getattr(walk, name)) / tick), 1.0)
        columns[name] = np.round(ticks * tick, digits)
    # A unit that is worth much is traded in small fractions.
    lot_digits = int(np.clip(round(np.log10(walk.profile.price)) + 1, 0, 5))
    columns["volume"] = np.round(walk.volume, lot_digits)
    return pd.DataFrame(columns).loc[conditions.trading].reset_index(drop=True)


def resample_candles(hourly: pd.DataFrame, timeframe: str) -> pd.DataFrame:
    """Candles of a longer timeframe from hourly ones, labelled by open time, as Binance builds them.

    A candle with some hours missing is made of the others; one with all of them missing does not exist.

    Parameters
    ----------
    hourly : pandas.DataFrame
        Columns date, open, high, low, close, volume.
    timeframe : str
        A multiple of an hour, e.g. ``"4h"``, ``"1d"``.
    """
    rule = timeframe.replace("d", "D")
    parts = hourly.resample(rule, on="date", label="left", closed="left")
    how = {"open": "first", "high": "max", "low": "min", "close": "last", "volume": "sum"}
    return parts.agg(how).dropna().reset_index()
