"""Improvements as far as they are trusted: their effects from the pairs' candles, their ranges from the trust."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from coordinator.decision.outcomes import resolve_outcomes
from coordinator.decision.table import UNRESOLVED, SignalTable
from coordinator.decision.trust_fold import Effects, TrustFold
from coordinator.run.analysis import PairAnalysis
from coordinator.run.improvements import DYNAMIC_REWARD_RISK, VOLATILITY_SIZING, Improved
from coordinator.run.signal_table import in_order
from coordinator.run.trust_report import Told
from coordinator.settings import Settings
from coordinator.trade.reward_risk import target_distance
from coordinator.types import Floats, Times

__all__ = ["in_full", "new_trust", "told", "trusted"]


def new_trust(settings: Settings) -> TrustFold:
    """The trust in the improvements that are not off; one with a fixed range of its own is trusted that far."""
    x = settings.improvements
    parts = {DYNAMIC_REWARD_RISK: x.dynamic_reward_risk, VOLATILITY_SIZING: x.volatility_sizing}
    learned = [name for name, s in parts.items() if x.effective(s.mode) != "off" and s.range is None]
    return TrustFold(x.trust, learned if x.trust.enabled else [])


def in_full(pairs: Mapping[str, PairAnalysis], table: SignalTable) -> dict[str, Improved]:
    """Numbers of the table's signals with each improvement that is not off in full; NaN where it is off."""
    modes = {name: x.mode for analysis in pairs.values() for name, x in analysis.improved.items()}

    def of_pair(name: str, part: str) -> Callable[[PairAnalysis], Floats]:
        def values(a: PairAnalysis) -> Floats:
            improved = a.improved.get(name)
            return np.full(len(a.index), np.nan) if improved is None else getattr(improved, part)

        return values

    found = {}
    for name, mode in sorted(modes.items()):
        parts = (in_order(pairs, table, of_pair(name, part)) for part in ("base", "adjusted"))
        found[name] = Improved(mode, *parts)
    return found


def trusted(
    trust: TrustFold,
    pairs: Mapping[str, PairAnalysis],
    table: SignalTable,
    improved: Mapping[str, Improved],
    settings: Settings,
) -> dict[str, Improved]:
    """The same numbers, kept within the range in force at each signal; learns on the way.

    Parameters
    ----------
    improved : numbers of the table's signals, NaN where an improvement is off
    """
    shown = {name: improved[name] for name in trust.trusts if name in improved}
    effects = {name: _effects(name, x, pairs, table, settings) for name, x in shown.items()}
    nothing = Effects(np.full(len(table), UNRESOLVED, dtype=np.int64), np.full(len(table), np.nan))
    ranges = trust.run(table.time, table.names(), {name: effects.get(name, nothing) for name in trust.trusts})
    return {name: x if name not in shown else _within(x, ranges[name]) for name, x in improved.items()}


def _within(x: Improved, reach: Floats) -> Improved:
    adjusted = np.clip(x.adjusted, x.base * (1.0 - reach), x.base * (1.0 + reach))
    return x._replace(adjusted=adjusted)


def _effects(
    name: str, x: Improved, pairs: Mapping[str, PairAnalysis], table: SignalTable, settings: Settings
) -> Effects:
    if name == VOLATILITY_SIZING:
        return Effects(table.known_at(), table.outcome_r, x.adjusted)
    r, known_at = np.full(len(table), np.nan), np.full(len(table), UNRESOLVED, dtype=np.int64)
    for i, pair in enumerate(table.pairs):
        rows = np.flatnonzero(table.pair == i)
        if name in pairs[pair].improved:
            r[rows], known_at[rows] = _outcomes_in_full(pairs[pair], settings)
    return Effects(np.maximum(known_at, table.known_at()), r - table.outcome_r)


def _outcomes_in_full(a: PairAnalysis, settings: Settings) -> tuple[Floats, Times]:
    """R of a pair's signals with the reward:risk in full, and when it is known."""
    reward_risk = a.improved[DYNAMIC_REWARD_RISK].adjusted
    target = target_distance(a.stop_distance, a.direction, settings.targets, settings.costs, reward_risk)
    outcome = resolve_outcomes(
        a.candles, a.index, a.direction, a.stop_distance, target, settings.targets.horizon, settings.costs
    )
    closes = a.candles.time[np.maximum(outcome.resolved, 0)] + a.candles.seconds
    return outcome.r, np.where(outcome.resolved >= 0, closes, UNRESOLVED)


def told(trust: TrustFold | None, settings: Settings, seen: int = 0) -> list[tuple[int, Told]]:
    """When and how the trust changed beyond what was seen."""
    x = settings.improvements
    return [
        (change.time, Told.of(name, x.effective(getattr(x, name).mode), change))
        for name, change in (trust.changes[seen:] if trust is not None else ())
    ]
