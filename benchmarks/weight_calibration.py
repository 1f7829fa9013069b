"""How easily ML earns its weight by criterion "r": without an edge, and with the skill measured on real candles.

    python -m benchmarks.weight_calibration [--runs 400]

Signals of a made-up market go through ``MLWeightManager`` day by day for two years. A trade makes +2.4 R or -1.1 R.
They are like the hourly signals of 2019 to 2023: 26 a day, won in 31 %. "As on hourly candles" pairs win and lose
together, and a model likes or dislikes whole weeks, which together make the standard error of the better half's gain
twice that of independent signals, as was measured; "as on daily candles" there are 5 signals a day and that luck lasts
for ten days. A skilled score ranks won signals above lost ones with an AUC of .549 beside that.
"""

from __future__ import annotations

import argparse
import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from coordinator.decision.blending.manager import MLWeightManager
from coordinator.decision.blending.review import EXPANSION, PHASES, PILOT
from coordinator.learning.scores import auc
from coordinator.settings.blending import BlendingSettings
from coordinator.types import SECONDS_PER_DAY, Floats

__all__ = ["Market", "Path", "follow", "signals_of"]

WIN, LOSS, WON = 2.4, -1.1, 0.31
GATE = 0.6


@dataclass(frozen=True)
class Market:
    """A made-up market and a score on its signals.

    Attributes
    ----------
    days, per_day : int
    auc : float, of the score's own skill, .5 without
    together : float, standard deviation of the day's luck that pairs share, in standard deviations of a signal's own
    memory : float, days over which that luck fades to a third; 0 for none
    overlap : int, days that a trade lasts at most
    moods : float, share of a score's variance that is a liking of whole weeks
    """

    days: int = 730
    per_day: int = 26
    auc: float = 0.5
    together: float = 0.0
    memory: float = 0.0
    overlap: int = 2
    moods: float = 0.0


@dataclass(frozen=True)
class Path:
    """Where a run's weight went: days to pilot and to expansion (infinite if never), and the greatest weight."""

    pilot: float
    expansion: float
    greatest: float


def signals_of(market: Market, seed: int) -> tuple[Floats, Floats, Floats]:
    """Scores of ML and baseline, 0..1, and R; shape (days, per_day) each."""
    rng, shape = np.random.default_rng(seed), (market.days, market.per_day)
    luck = market.together * _shared(rng, market)[:, None] + rng.normal(size=shape)
    won = luck > math.sqrt(1.0 + market.together**2) * NormalDist().inv_cdf(1.0 - WON)
    weeks = rng.normal(size=(market.days // 7 + 1, 1)).repeat(7, axis=0)[: market.days]
    skill = math.sqrt(2.0) * NormalDist().inv_cdf(market.auc)
    score = (
        math.sqrt(market.moods) * weeks + math.sqrt(1.0 - market.moods) * rng.normal(size=shape) + skill * won
    )
    rank = score.ravel().argsort().argsort().reshape(shape) / score.size
    return rank, rng.random(shape), np.where(won, WIN, LOSS)


def _shared(rng: np.random.Generator, market: Market) -> Floats:
    """The luck of each day, variance 1: autoregressive where it has a memory."""
    fades = math.exp(-1.0 / market.memory) if market.memory else 0.0
    fresh = rng.normal(size=market.days)
    luck = np.empty(market.days)
    luck[0] = fresh[0]
    for i in range(1, market.days):
        luck[i] = fades * luck[i - 1] + math.sqrt(1.0 - fades**2) * fresh[i]
    return luck


def follow(market: Market, seed: int, settings: BlendingSettings | None = None) -> Path:
    """One run through the phases, from foundation on."""
    manager = MLWeightManager(settings or BlendingSettings(), GATE, 0.0, market.overlap)
    reached = dict.fromkeys((PILOT, EXPANSION), math.inf)
    greatest = 0.0
    for day, parts in enumerate(zip(*signals_of(market, seed), strict=True)):
        manager.learn(day * SECONDS_PER_DAY, *parts)
        greatest = max(greatest, manager.weight_)
        for phase in reached:
            if PHASES.index(manager.phase) >= phase:
                reached[phase] = min(reached[phase], day)
    return Path(reached[PILOT], reached[EXPANSION], greatest)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=400)
    runs = parser.parse_args().runs
    hourly = {"together": 1.0, "moods": 0.6}
    daily = {"per_day": 5, "together": 1.0, "moods": 0.6, "memory": 10.0, "overlap": 20}
    markets = {
        "no edge, signals alone": Market(),
        "no edge, as on hourly candles": Market(**hourly),
        "no edge, as on daily candles": Market(**daily),
        "AUC .549, signals alone": Market(auc=0.549),
        "AUC .549, as on hourly candles": Market(auc=0.549, **hourly),
        "AUC .549, as on daily candles": Market(auc=0.549, **daily),
    }
    head = ("pilot ever", "above 10 % ever", "pilot in 6 months", "expansion in 6", "in 12", "in 24", "AUC")
    print(f"{'':32}" + "".join(f"{name:>19}" for name in head))
    for name, market in markets.items():
        paths = [follow(market, seed) for seed in range(runs)]
        rank, _, r = signals_of(market, 0)
        shares = [
            np.mean([p.pilot < math.inf for p in paths]),
            np.mean([p.greatest > 0.10 for p in paths]),
            np.mean([p.pilot <= 183 for p in paths]),
            *(np.mean([p.expansion <= days for p in paths]) for days in (183, 365, 730)),
        ]
        cells = "".join(f"{share:>19.1%}" for share in shares)
        print(f"{name:32}{cells}{auc(rank.ravel(), r.ravel() > 0):>19.3f}", flush=True)


if __name__ == "__main__":
    main()
