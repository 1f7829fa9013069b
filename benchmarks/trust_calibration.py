"""How easily the trust in an improvement moves: made-up effects, two years without one, four with one.

    python -m benchmarks.trust_calibration [--runs 300]

Trades last six days on average and twenty at most; their effects share the luck of the market's days and of the
pair's, so those that overlap, on one day and over days, are alike. At six signals a day the standard error of a mean
is then about 2.7 times that of independent effects (volatility sizing on real daily signals, 2019 to 2023: 2.4; its
effects spread by .58 R there, which is why some rows have a spread of .5).
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from coordinator.decision.pair_records import PairChange
from coordinator.decision.trust import Trust
from coordinator.settings.trust import TrustSettings
from coordinator.types import SECONDS_PER_DAY, Floats, Ints

MEAN_DAYS, MAX_DAYS = 6.0, 20
MARKET, PAIR = 0.15, 0.1  # shares of the variance
YEAR = 365


class Effects(NamedTuple):
    """Effects in the order in which they become known.

    Attributes
    ----------
    day : when they do, days since the beginning
    pair : index of the pair
    r : R
    """

    day: Ints
    pair: Ints
    r: Floats


class History(NamedTuple):
    """What became of the trust in one run: all changes, and the range in the end."""

    changes: list[PairChange]
    range_: float

    def first_day(self, kind: str) -> float:
        """Day of the first change of a kind: "up" (above the start), "narrow", "off", "any"; or "pair". Else inf."""
        tests = {
            "up": lambda x: x.after > x.before > 0.0,
            "narrow": lambda x: 0.0 < x.after < x.before,
            "off": lambda x: x.after == 0.0,
            "any": lambda x: True,
        }
        if kind == "pair":
            days = [x.time for x in self.changes if x.pair]
        else:
            days = [x.time for x in self.changes if not x.pair and tests[kind](x)]
        return min(days, default=np.inf) / SECONDS_PER_DAY


def made_up_effects(
    rng: np.random.Generator, days: int, pairs: int, per_day: float, mean: float, spread: float
) -> Effects:
    """Effects of a Poisson number of signals a day, of ``pairs`` pairs, with a mean and a standard deviation in R."""
    entry = np.repeat(np.arange(days), rng.poisson(per_day, days))
    n = len(entry)
    pair = rng.integers(0, pairs, n)
    held = np.minimum(rng.geometric(1.0 / MEAN_DAYS, n), MAX_DAYS)
    known = entry + held
    luck = np.cumsum(rng.normal(size=(pairs + 1, days + MAX_DAYS + 1)), axis=1)
    shared, own = luck[0, known] - luck[0, entry], luck[pair + 1, known] - luck[pair + 1, entry]
    scale = np.sqrt(held.mean())
    alone = np.sqrt(1.0 - MARKET - PAIR) * rng.normal(size=n)
    r = mean + spread * (np.sqrt(MARKET) * shared / scale + np.sqrt(PAIR) * own / scale + alone)
    order = np.argsort(known, kind="stable")
    return Effects(known[order], pair[order], r[order])


def teach(trust: Trust, effects: Effects, days: int, first_day: int = 0) -> list[PairChange]:
    """Let it learn day by day; all changes."""
    names = [f"P{i}/USDT" for i in effects.pair.tolist()]
    bounds = np.searchsorted(effects.day, np.arange(days + 1)).tolist()
    changes = []
    for day in range(days):
        rows = slice(bounds[day], bounds[day + 1])
        changes += trust.learn((first_day + day) * SECONDS_PER_DAY, names[rows], effects.r[rows])
    return changes


def histories(
    settings: TrustSettings,
    runs: int,
    *,
    pairs: int = 8,
    per_day: float = 6.0,
    spread: float = 1.5,
    phases: Sequence[tuple[int, float]] = ((2 * YEAR, 0.0),),
) -> list[History]:
    """Runs with seeds of their own.

    Parameters
    ----------
    phases : (days, mean effect in R) one after another
    """
    out = []
    for seed in range(runs):
        rng, trust, changes, first = np.random.default_rng(seed), Trust(settings), [], 0
        for days, mean in phases:
            effects = made_up_effects(rng, days, pairs, per_day, mean, spread)
            changes += teach(trust, effects, days, first)
            first += days
        out.append(History(changes, trust.range_))
    return out


def share(found: list[History], kind: str, days: float = np.inf) -> float:
    """Share of the runs in which a kind of change ever came, within some days."""
    return float(np.mean([history.first_day(kind) < days for history in found]))


def _print_without_effect(settings: TrustSettings, runs: int) -> None:
    print("No effect, two years, spread 1.5 R: share of the runs that were ever")
    print("pairs  signals a day  widened  narrowed  switched off  any of these  a pair off")
    for pairs, per_day in ((8, 1), (8, 6), (8, 26), (1, 1), (1, 6)):
        found = histories(settings, runs, pairs=pairs, per_day=per_day)
        cells = [f"{share(found, kind):9.1%}" for kind in ("up", "narrow", "off", "any", "pair")]
        print(f"{pairs:5} {per_day:14}", *cells, flush=True)


def _print_with_effect(settings: TrustSettings, runs: int) -> None:
    print("An effect, four years, eight pairs: share of the runs, and median day of those")
    print("effect  spread  signals a day     widened        narrowed    switched off   range in the end")
    for mean in (0.05, -0.05, -0.15):
        for spread, per_day in ((1.5, 6), (1.5, 26), (0.5, 6), (0.5, 26)):
            phases = ((4 * YEAR, mean),)
            found = histories(settings, runs, per_day=per_day, spread=spread, phases=phases)
            cells = [_share_and_day(found, kind) for kind in ("up", "narrow", "off")]
            end = np.mean([history.range_ for history in found])
            print(f"{mean:+6.2f} {spread:7} {per_day:14}", *cells, f"{end:10.2f}", flush=True)


def _print_turns(settings: TrustSettings, runs: int) -> None:
    print(
        "A gain for two years that turns into a harm, spread .5 R, six signals a day: range then, median days until"
    )
    print(" gain   harm  range  narrowed  switched off")
    for gain, harm in ((0.1, -0.15), (0.3, -0.3)):
        turn = 2 * YEAR
        phases = ((turn, gain), (turn, harm))
        found = histories(settings, runs, spread=0.5, phases=phases)
        later = [History([x for x in h.changes if x.time >= turn * SECONDS_PER_DAY], h.range_) for h in found]
        ranges = histories(settings, runs, spread=0.5, phases=phases[:1])
        days = [np.median([h.first_day(kind) - turn for h in later]) for kind in ("narrow", "off")]
        reached = np.mean([h.range_ for h in ranges])
        print(f"{gain:+5.2f}  {harm:+5.2f}  {reached:5.2f} {days[0]:9.0f} {days[1]:13.0f}", flush=True)


def _share_and_day(found: list[History], kind: str) -> str:
    days = [day for day in (history.first_day(kind) for history in found) if day < np.inf]
    return f"{len(days) / len(found):7.0%} {np.median(days) if days else np.nan:5.0f} d"


def main() -> None:
    parser = argparse.ArgumentParser(description="How easily the trust in an improvement moves.")
    parser.add_argument("--runs", type=int, default=300)
    runs = parser.parse_args().runs
    settings = TrustSettings()
    _print_without_effect(settings, runs)
    _print_with_effect(settings, max(1, runs // 3))
    _print_turns(settings, max(1, runs // 3))


if __name__ == "__main__":
    main()
