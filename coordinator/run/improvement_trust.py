"""Improvements as far as they are trusted: their effects from the pairs' candles, their ranges from the trust."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from coordinator.decision.table import UNRESOLVED, SignalTable
from coordinator.decision.trust_fold import MeasuredEffects, TrustFold
from coordinator.run.improvements import DYNAMIC_REWARD_RISK, VOLATILITY_SIZING, Improvement
from coordinator.run.live.decisions import LiveDecisions
from coordinator.run.market import AnalysedMarket
from coordinator.run.pair_analysis import PairAnalysis
from coordinator.run.signal_table import in_table_order
from coordinator.settings import Settings
from coordinator.trade.reward_risk import target_distance
from coordinator.trade.virtual_trades import virtual_outcomes
from coordinator.types import Floats, Times

__all__ = ["TrustedImprovements", "limit_to_trust", "new_trust", "untrusted_improvements"]

TRUST = "trust"
"""Name of the trust's stored states."""


class TrustedImprovements:
    """The improvements' numbers at all signals of a market, each kept within the range it is trusted with.

    Attributes
    ----------
    trust : learned from the signals of the last call of ``values``; None before it
    """

    def __init__(self, market: AnalysedMarket) -> None:
        self._market = market
        self._live: LiveDecisions | None = None
        self._values: tuple[int, Settings, dict[str, Improvement]] | None = None
        self._stored: int | None = None  # day of the state stored last
        self.trust: TrustFold | None = None

    def start_live(self, live: LiveDecisions) -> None:
        """Learn candle by candle from now on, from the state stored last."""
        self._live, self.trust = live, new_trust(live.settings)
        state = live.load_state(TRUST)
        if state is not None:
            self.trust.restore(state)
            self._stored = self.trust.step_

    def values(self, settings: Settings) -> dict[str, Improvement]:
        """Numbers of ``market.signals()``, NaN where an improvement is off; hyperopt's epochs share them."""
        cached = self._values
        if (
            cached is not None
            and cached[0] == self._market.version
            and cached[1].improvements == settings.improvements
        ):
            return cached[2]
        signals, analyses = self._market.signals(settings), self._market.analyses
        untrusted = untrusted_improvements(analyses, signals)
        # On a bot's very first candle the pairs arrive one by one: each time their whole history is learned anew.
        warming = self._live is not None and self._live.warming(self._market.last_candle())
        if self._live is None or self.trust is None or warming:
            self.trust = new_trust(settings)
        values = limit_to_trust(self.trust, analyses, signals, untrusted, settings)
        self._values = self._market.version, settings, values
        # Nothing of the first candle is final before all pairs are there; a day's state is the same all day.
        final = self._live is not None and not warming and bool(self.trust.trusts)
        if self._live is not None and final and self.trust.step_ not in (None, self._stored):
            self._stored = self.trust.step_
            self._live.store_state(TRUST, self.trust.step_ or 0, self.trust.state())
        return values


def new_trust(settings: Settings) -> TrustFold:
    """The trust in the improvements that are not off; one with a fixed range of its own is trusted that far."""
    improvements = settings.improvements
    parts = {
        DYNAMIC_REWARD_RISK: improvements.dynamic_reward_risk,
        VOLATILITY_SIZING: improvements.volatility_sizing,
    }
    learned = [
        name for name, s in parts.items() if improvements.effective(s.mode) != "off" and s.range is None
    ]
    return TrustFold(improvements.trust, learned if improvements.trust.enabled else [])


def untrusted_improvements(
    analyses: Mapping[str, PairAnalysis], signals: SignalTable
) -> dict[str, Improvement]:
    """Numbers of the signals with each improvement acting without a limit; NaN where it is off."""
    modes = {
        name: value.mode for analysis in analyses.values() for name, value in analysis.improvements.items()
    }

    def of_pair(name: str, part: str) -> Callable[[PairAnalysis], Floats]:
        def values(a: PairAnalysis) -> Floats:
            improvement = a.improvements.get(name)
            return np.full(len(a.index), np.nan) if improvement is None else getattr(improvement, part)

        return values

    improvements = {}
    for name, mode in sorted(modes.items()):
        parts = (in_table_order(analyses, signals, of_pair(name, part)) for part in ("base", "adjusted"))
        improvements[name] = Improvement(mode, *parts)
    return improvements


def limit_to_trust(
    trust: TrustFold,
    analyses: Mapping[str, PairAnalysis],
    signals: SignalTable,
    improvements: Mapping[str, Improvement],
    settings: Settings,
) -> dict[str, Improvement]:
    """The same numbers, kept within the range in force at each signal; the trust learns on the way.

    Parameters
    ----------
    improvements : numbers of the signals, NaN where an improvement is off
    """
    learned = {name: improvements[name] for name in trust.trusts if name in improvements}
    effects = {name: _effects(name, value, analyses, signals, settings) for name, value in learned.items()}
    unknown = MeasuredEffects(
        np.full(len(signals), UNRESOLVED, dtype=np.int64), np.full(len(signals), np.nan)
    )
    ranges = trust.run(
        signals.time, signals.names(), {name: effects.get(name, unknown) for name in trust.trusts}
    )
    return {
        name: value if name not in learned else _clip(value, ranges[name])
        for name, value in improvements.items()
    }


def _clip(improvement: Improvement, ranges: Floats) -> Improvement:
    base = improvement.base
    return improvement._replace(
        adjusted=np.clip(improvement.adjusted, base * (1.0 - ranges), base * (1.0 + ranges))
    )


def _effects(
    name: str,
    improvement: Improvement,
    analyses: Mapping[str, PairAnalysis],
    signals: SignalTable,
    settings: Settings,
) -> MeasuredEffects:
    if name == VOLATILITY_SIZING:
        return MeasuredEffects(signals.known_at(), signals.outcome_r, improvement.adjusted)
    r, known_at = np.full(len(signals), np.nan), np.full(len(signals), UNRESOLVED, dtype=np.int64)
    for i, pair in enumerate(signals.pairs):
        rows = np.flatnonzero(signals.pair == i)
        if name in analyses[pair].improvements:
            a = analyses[pair]
            r[rows], known_at[rows] = _untrusted_outcomes(a, settings.on_clock(a.clock))
    return MeasuredEffects(np.maximum(known_at, signals.known_at()), r - signals.outcome_r)


def _untrusted_outcomes(a: PairAnalysis, settings: Settings) -> tuple[Floats, Times]:
    """R of a pair's signals with the unlimited dynamic reward:risk, and when it is known."""
    reward_risk = a.improvements[DYNAMIC_REWARD_RISK].adjusted
    target = target_distance(a.stop_distance, a.direction, settings.targets, settings.costs, reward_risk)
    outcome = virtual_outcomes(
        a.candles, a.technical, a.index, a.direction, a.stop_distance, target, settings
    )
    closes = a.candles.time[np.maximum(outcome.resolved, 0)] + a.candles.seconds
    return outcome.r, np.where(outcome.resolved >= 0, closes, UNRESOLVED)
