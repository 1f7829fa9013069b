"""What all pairs share hour by hour: regime, drift, volatility, the daily and weekly rhythm, outages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from coordinator.sandbox.spec import MarketSpec
from coordinator.sandbox.streams import ar1, stream

__all__ = ["BEAR", "BULL", "RANGE", "MarketConditions", "log_volatility", "market_conditions"]

Floats = npt.NDArray[np.float64]

BULL: Final = 0
BEAR: Final = 1
RANGE: Final = 2

_HOURS_PER_YEAR: Final = 8766.0
# Log volatility of a regime relative to the average: markets fall nervously and range quietly.
_REGIME_LOG_VOLATILITY: Final = np.array([0.0, 0.12, -0.12])
# Mean |log return| by UTC hour and by weekday (Monday first) over the overall mean: mean of the eight default
# pairs, Binance spot 1h, 2019..2023.
_HOURS: Final = np.array(
    [[1.25, 1.07, 0.94, 0.90, 0.85, 0.87, 0.88, 0.90, 1.00, 0.94, 0.95, 0.93],
     [1.08, 1.10, 1.20, 1.13, 1.15, 0.99, 0.95, 0.94, 1.01, 0.99, 0.98, 1.00]]
).ravel()  # fmt: skip
_WEEKDAYS: Final = np.array([1.05, 1.04, 1.08, 1.06, 1.03, 0.85, 0.89])
# Half-life in hours and variance of the parts of log volatility: together they decay about as slowly as the
# autocorrelation of real |returns| does (0.28 after an hour, 0.17 after a day, 0.11 after a week).
_PARTS: Final = ((5.0, 0.14), (96.0, 0.17), (720.0, 0.13))


@dataclass(frozen=True)
class MarketConditions:
    """Hour by hour, all of shape (hours,).

    Attributes
    ----------
    times : numpy.ndarray
        Open times, milliseconds since the epoch.
    regimes : numpy.ndarray
        BULL, BEAR or RANGE.
    drift : numpy.ndarray
        Expected simple return of the hour, a fraction.
    log_volatility : numpy.ndarray
        Log of the market's volatility over its long-run level, rhythm included.
    rhythm : numpy.ndarray
        The daily and weekly part of it.
    trading : numpy.ndarray
        False while the exchange is down.
    """

    times: npt.NDArray[np.int64]
    regimes: npt.NDArray[np.int64]
    drift: Floats
    log_volatility: Floats
    rhythm: Floats
    trading: npt.NDArray[np.bool_]


def market_conditions(spec: MarketSpec, market_shocks: Floats) -> MarketConditions:
    """The shared state of every hour.

    Parameters
    ----------
    spec : MarketSpec
        What to simulate.
    market_shocks : numpy.ndarray
        Shape (hours,), standard normal: the market factor's return shocks. Falls raise the volatility of the
        hours that follow, rises lower it a little (the leverage effect).
    """
    start = int(spec.start.timestamp()) * 1000
    times = start + 3_600_000 * np.arange(spec.hours, dtype=np.int64)
    regimes = _regimes(spec)
    rhythm = _rhythm(times)
    volatility = log_volatility(spec, ("market",), market_shocks)
    per_hour = np.array([spec.bull_drift, spec.bear_drift, 0.0]) / _HOURS_PER_YEAR
    return MarketConditions(
        times=times,
        regimes=regimes,
        drift=per_hour[regimes],
        log_volatility=volatility + _REGIME_LOG_VOLATILITY[regimes] + rhythm,
        rhythm=rhythm,
        trading=~_outages(spec),
    )


def log_volatility(spec: MarketSpec, names: tuple[str, ...], shocks: Floats, size: float = 1.0) -> Floats:
    """Log volatility of a factor: a sum of AR(1) parts from hours to a month, so that it decays slowly.

    Parameters
    ----------
    spec : MarketSpec
        What to simulate.
    names : tuple of str
        Whose: the name of its random streams.
    shocks : numpy.ndarray
        Shape (hours,), the factor's standard normal return shocks.
    size : float
        Factor on the standard deviation.

    Returns
    -------
    numpy.ndarray
        Shape (hours,); the mean square of its exponential is 1. Hour t depends on shocks before t only.
    """
    earlier = np.concatenate(([0.0], shocks[:-1]))
    total = np.zeros(spec.hours)
    for part, (half_life, variance) in enumerate(_PARTS):
        own = stream(spec.seed, *names, "volatility", str(part)).standard_normal(spec.hours)
        leverage = -0.25 if part == 0 else 0.0
        driven = leverage * earlier + np.sqrt(1.0 - leverage**2) * own
        total += np.sqrt(variance) * ar1(driven, half_life)
    variance_of_log = sum(variance for _, variance in _PARTS) * size**2
    # E[exp(2 x)] = exp(2 variance) for a centred normal x.
    return size * total - variance_of_log


def _regimes(spec: MarketSpec) -> npt.NDArray[np.int64]:
    """A Markov chain over the three regimes with the spec's mean duration; a change goes to any other one."""
    rng = stream(spec.seed, "market", "regimes")
    uniform = rng.random((spec.hours, 2))
    changes = uniform[:, 0] < 1.0 / (spec.regime_weeks * 168.0)
    steps = np.where(changes, 1 + (uniform[:, 1] < 0.5), 0)
    first = int(stream(spec.seed, "market", "first regime").integers(3))
    return np.asarray((first + np.cumsum(steps)) % 3, dtype=np.int64)


def _rhythm(times: npt.NDArray[np.int64]) -> Floats:
    hours = times // 3_600_000
    # The epoch was a Thursday.
    weekdays = (hours // 24 + 3) % 7
    pattern = _HOURS[hours % 24] * _WEEKDAYS[weekdays]
    mean_square = float(np.mean(_HOURS**2) * np.mean(_WEEKDAYS**2))
    return np.asarray(np.log(pattern) - 0.5 * np.log(mean_square), dtype=np.float64)


def _outages(spec: MarketSpec) -> npt.NDArray[np.bool_]:
    """True where no candle exists: outages start at random, last one to six hours. The first hour trades."""
    uniform = stream(spec.seed, "market", "outages").random((spec.hours, 2))
    starts = uniform[:, 0] < spec.outages_per_year / _HOURS_PER_YEAR
    lengths = 1 + np.floor(6.0 * uniform[:, 1] ** 2).astype(np.int64)
    down = np.zeros(spec.hours, dtype=bool)
    for begin in np.flatnonzero(starts):
        down[begin : begin + lengths[begin]] = True
    down[:1] = False
    return down
