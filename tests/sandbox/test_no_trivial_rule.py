"""No simple trading rule earns money on the simulated market, beyond chance.

Each rule holds -1, 0 or 1 at a candle's close from what is known then and earns the next candle's simple
return, less 0.1 % per side. Statistic: the rule's weekly profit, averaged over the pairs, over all weeks of
all seeds; t = mean / standard error. A rule counts as profitable if t exceeds the one-sided normal quantile
at 1 % divided by the number of rules (Bonferroni), so that by chance some rule would in at most 1 % of
trials.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from statistics import NormalDist

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from coordinator.sandbox.market import MarketSpec, simulate

Floats = npt.NDArray[np.float64]
Rule = Callable[[pd.DataFrame], pd.DataFrame]

COST = 0.001
SEEDS = tuple(range(11, 19))
FAMILY_LEVEL = 0.01
WEEK = 168


def held(signal: pd.DataFrame) -> pd.DataFrame:
    """Signals of -1 and 1 are held until the opposite one; 0 keeps what is held."""
    return signal.where(signal != 0).ffill().fillna(0.0)


def crossover(fast: int, slow: int) -> Rule:
    return lambda closes: np.sign(closes.rolling(fast).mean() - closes.rolling(slow).mean()).fillna(0.0)


def momentum(hours: int) -> Rule:
    return lambda closes: np.sign(closes / closes.shift(hours) - 1.0).fillna(0.0)


def breakout(hours: int) -> Rule:
    def rule(closes: pd.DataFrame) -> pd.DataFrame:
        up = closes >= closes.rolling(hours).max()
        down = closes <= closes.rolling(hours).min()
        return held(up.astype(float) - down.astype(float))

    return rule


def rsi_reversal(period: int, edge: float) -> Rule:
    def rule(closes: pd.DataFrame) -> pd.DataFrame:
        change = closes.diff()
        gain = change.clip(lower=0.0).ewm(alpha=1 / period).mean()
        loss = (-change.clip(upper=0.0)).ewm(alpha=1 / period).mean()
        rsi = 100.0 * gain / (gain + loss)
        return held((rsi < edge).astype(float) - (rsi > 100.0 - edge).astype(float))

    return rule


def after_a_fall(sigmas: float, hours: int) -> Rule:
    """Long for some hours after a fall of so many standard deviations."""

    def rule(closes: pd.DataFrame) -> pd.DataFrame:
        returns = closes.pct_change()
        fell = returns < -sigmas * returns.rolling(WEEK).std()
        return fell.rolling(hours, min_periods=1).max().astype(float)

    return rule


def always(closes: pd.DataFrame) -> pd.DataFrame:
    return closes * 0.0 + 1.0


def monday_to_friday(closes: pd.DataFrame) -> pd.DataFrame:
    weekday = (pd.DatetimeIndex(closes.index).day_of_week < 5).astype(float)
    return closes * 0.0 + weekday[:, None]


FAST: dict[str, Rule] = {
    **{
        f"crossover {fast}/{slow}": crossover(fast, slow)
        for fast, slow in ((5, 20), (10, 50), (24, 96), (50, 200))
    },
    **{f"momentum {hours}": momentum(hours) for hours in (1, 4, 12, 24, 72)},
    **{f"breakout {hours}": breakout(hours) for hours in (20, 55, 120)},
    **{
        f"rsi {period} {edge:g}": rsi_reversal(period, edge)
        for period, edge in ((7, 20.0), (14, 30.0), (14, 20.0))
    },
    **{f"after a fall {s:g} {h}": after_a_fall(s, h) for s, h in ((1.0, 1), (2.0, 4), (3.0, 24))},
    "weekdays": monday_to_friday,
}
SLOW: dict[str, Rule] = {
    "always": always,
    **{f"crossover {fast}/{slow}": crossover(fast, slow) for fast, slow in ((168, 672), (336, 1344))},
    **{f"momentum {weeks} weeks": momentum(weeks * WEEK) for weeks in (1, 2, 4, 8)},
    "breakout 4 weeks": breakout(4 * WEEK),
}


def closes_of(spec: MarketSpec) -> pd.DataFrame:
    return pd.DataFrame({pair: frame.set_index("date")["close"] for pair, frame in simulate(spec).items()})


def t_values(markets: list[pd.DataFrame], rules: dict[str, Rule], cost: float) -> dict[str, float]:
    """The statistic of each rule and its inversion."""
    weekly: dict[str, list[Floats]] = {}
    for closes in markets:
        ahead = closes.pct_change().shift(-1).fillna(0.0).to_numpy()
        for name, rule in rules.items():
            position = rule(closes).to_numpy()
            gross = (position * ahead).mean(axis=1)
            paid = cost * np.abs(np.diff(position, axis=0, prepend=0.0)).mean(axis=1)
            whole = len(gross) // WEEK * WEEK
            for label, sign in ((name, 1.0), (f"not {name}", -1.0)):
                net = (sign * gross - paid)[:whole].reshape(-1, WEEK).sum(axis=1)
                weekly.setdefault(label, []).append(net)
    pooled = {label: np.concatenate(parts) for label, parts in weekly.items()}
    return {label: float(x.mean() / (x.std(ddof=1) / np.sqrt(len(x)))) for label, x in pooled.items()}


def profitable(statistics: dict[str, float]) -> dict[str, float]:
    """Rules beyond the Bonferroni bound."""
    bound = NormalDist().inv_cdf(1.0 - FAMILY_LEVEL / len(statistics))
    return {label: round(t, 2) for label, t in statistics.items() if t > bound}


@pytest.fixture(scope="module")
def markets() -> list[pd.DataFrame]:
    """Closes of eight markets of eight pairs and two years."""
    return [closes_of(MarketSpec(seed=seed)) for seed in SEEDS]


def test_no_rule_nor_its_inversion_is_profitable_after_costs(markets: list[pd.DataFrame]) -> None:
    assert profitable(t_values(markets, FAST | SLOW, COST)) == {}


def test_regimes_leak_no_trend_even_before_costs(markets: list[pd.DataFrame]) -> None:
    assert profitable(t_values(markets, SLOW, 0.0)) == {}


def test_a_planted_alpha_is_found(markets: list[pd.DataFrame]) -> None:
    # 0.02 % an hour in the direction of the past week: a fiftieth of an hour's standard deviation.
    planted = []
    for closes in markets:
        drift = 2e-4 * momentum(WEEK)(closes).shift(1).fillna(0.0)
        planted.append(closes * np.exp(drift.cumsum()))
    found = profitable(t_values(planted, FAST | SLOW, COST))
    assert "momentum 1 weeks" in found


def test_a_regime_drift_that_can_be_traded_is_found() -> None:
    strong = MarketSpec(bull_drift=5.0, bear_drift=-5.0)
    drifting = [closes_of(dataclasses.replace(strong, seed=seed)) for seed in SEEDS]
    assert profitable(t_values(drifting, SLOW, 0.0))
