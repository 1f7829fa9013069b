"""The division of the slots as a component: PPO's view of each signal, which ranks entries and votes on nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from coordinator.components.component import ActiveModel, TrainingResult, Window
from coordinator.components.market_history import BASE, MarketHistory, row_positions
from coordinator.learning.artefact import encode
from coordinator.learning.promotion import Verdict
from coordinator.learning.slots.policy import SlotsPolicy
from coordinator.learning.slots.walk import LIMIT, MarketSignals, Places, r_per_slot_day, taken_by
from coordinator.portfolio.slot_terms import TERMS
from coordinator.settings import Settings
from coordinator.signals.feature_schema import FeatureSchema
from coordinator.signals.features import FEATURES, FEATURES_VERSION
from coordinator.signals.regime import STATES
from coordinator.signals.tactics import TACTICS
from coordinator.trade.virtual_trades import planned_distances, virtual_outcomes
from coordinator.types import Floats, Times

__all__ = ["SLOTS_SCHEMA", "SlotsComponent"]

SLOTS_SCHEMA = FeatureSchema(
    (
        *("direction", "confidence", "others", "others_confidence"),
        *(f"{tactic}_agrees" for tactic in TACTICS),
        *(f"state_{state}" for state in STATES),
        *FEATURES,
    ),
    FEATURES_VERSION,
)
"""Numbers that are seen of a signal: its own, and of the other pairs' signals of its candle that can be entered."""


class SlotsComponent:
    """Three terms of each signal, from which its P(take) follows once the portfolio is known.

    A new policy replaces the one before where it earns more R per slot and day on the newest slice, on which neither
    was trained, than that one, than taking whatever finds a place, and than an empty portfolio: one that takes nothing
    shows nothing. One that is not replaced but earns no more than taking whatever finds a place is given up. Without a
    policy expected R ranks.
    """

    name = "slots"
    columns: tuple[str, ...] = tuple(f"slots_{name}" for name in TERMS)

    def __init__(self, settings: Settings) -> None:
        places = settings.portfolio.max_positions
        assert places is not None  # Settings has seen to it
        self._settings, self._places = settings, places

    def train(self, window: Window, previous: ActiveModel | None) -> TrainingResult:
        s = self._settings
        start = window.newest_begin(s.learning.promotion_share, previous)
        signals = self._signals(window.market)
        training = signals.rows((signals.time >= window.begin) & (signals.until < start))
        newest = signals.rows((signals.time >= start) & (signals.until < window.end))
        policy = SlotsPolicy(s.slots_policy).fit(training, SLOTS_SCHEMA, self._places, s.time_limit)
        span = start, window.end
        new, first_come = self._earned(newest, policy, span), self._earned(newest, None, span)
        old = float("nan") if previous is None else self._earned(newest, previous.model, span)
        verdict = judge_slots(new, old, first_come)
        kept = previous if previous is not None and not old <= first_come else None
        return TrainingResult(
            active=ActiveModel(policy, start, window.end) if verdict.promoted else kept,
            verdict=verdict,
            kind="ppo",
            suffix=".safetensors",
            content=encode(policy.to_artefact()),
            trained_from=int(training.time[0]),
            trained_until=int(training.time.max()),
            label_horizon=s.targets.horizon,
            schema=SLOTS_SCHEMA,
            metrics={
                "r_per_slot_day": new,
                "champion_r_per_slot_day": old,
                "first_come_r_per_slot_day": first_come,
                "signals_train": float(len(training)),
                "signals_test": float(len(newest)),
            },
        )

    def prepare(self, pair: str, times: Times, market: MarketHistory) -> None:
        own = market.signal_times(pair)
        if np.isin(times, own).any():
            self._seen(market, pair, own[np.isin(own, times)])

    def predict(self, active: ActiveModel, pair: str, times: Times, market: MarketHistory) -> Floats:
        out = np.full((len(times), len(TERMS)), np.nan)
        present = np.isin(times, market.signal_times(pair))
        if present.any():
            out[present] = active.model.predict(self._seen(market, pair, times[present]))
        return out

    def _seen(self, market: MarketHistory, pair: str, times: Times) -> npt.NDArray[np.float32]:
        """What is seen of some of a pair's signals, shape (n, len(SLOTS_SCHEMA)); NaN becomes 0."""
        index = row_positions(market.pairs[pair].candles[BASE].time, times)
        technical = market.technical(pair)
        direction = technical.signal[index]
        agrees = [technical.tactics[name].direction[index] * direction for name in TACTICS]
        rows = np.column_stack(
            (
                direction,
                technical.signal_confidence[index],
                *_others(market, pair, times),
                *agrees,
                np.eye(len(STATES))[market.regime(pair).state[index]],
                market.pairs[pair].tables[BASE][index],
            )
        )
        seen: npt.NDArray[np.float32] = np.clip(np.nan_to_num(rows), -LIMIT, LIMIT).astype(np.float32)
        return seen

    def _signals(self, market: MarketHistory) -> MarketSignals:
        """The resolved signals of all pairs that could be entered."""
        parts = [self._of_pair(market, pair, number) for number, pair in enumerate(sorted(market.pairs))]
        time, pairs, seen, r, until, confidence = (
            np.concatenate(column) for column in zip(*parts, strict=True)
        )
        order = np.lexsort((pairs, -confidence, time))
        return MarketSignals(time[order], pairs[order], seen[order], r[order], until[order])

    def _of_pair(self, market: MarketHistory, pair: str, number: int) -> tuple[npt.NDArray[Any], ...]:
        s, candles, technical = self._settings, market.pairs[pair].candles[BASE], market.technical(pair)
        index = np.flatnonzero(market.enterable(pair)).astype(np.int64)
        stop, target = planned_distances(candles, technical.signal, s, market.clock_candles(pair))
        found = virtual_outcomes(
            candles, technical, index, technical.signal[index], stop[index], target[index], s
        )
        known = found.resolved >= 0
        index, until = index[known], candles.time[found.resolved[known]]
        times = candles.time[index]
        seen, confidence = self._seen(market, pair, times), technical.signal_confidence[index]
        return times, np.full(len(index), number), seen, found.r[known], until, confidence

    def _earned(self, signals: MarketSignals, policy: SlotsPolicy | None, span: tuple[int, int]) -> float:
        """R per slot and day; without a policy, of what finds a place."""
        if not len(signals):
            return float("nan")
        terms = None if policy is None else policy.predict(signals.seen)
        taken = taken_by(signals, terms, Places(self._places, self._settings.time_limit))
        return r_per_slot_day(signals, taken, self._places, *span)


def judge_slots(new: float, old: float, first_come: float) -> Verdict:
    """Whether a policy replaces the one before; all in R per slot and day, NaN where there is none."""
    nan, first = float("nan"), old != old
    promoted = bool(new > first_come and new > 0 and (first or new > old))
    gives_up = not first and old <= first_come
    kept = "no model" if first or gives_up else "kept current model"
    beside = "" if first else f"the one before {old:.4f}, "
    sentence = (
        f"{'promoted' if promoted else kept}: {new:.4f} R per slot and day on the newest slice; {beside}taking what "
        f"finds a place {first_come:.4f}"
    )
    return Verdict(promoted, sentence, nan, nan, nan, nan)


def _others(market: MarketHistory, pair: str, times: Times) -> tuple[Floats, Floats]:
    """Of the other pairs' signals of each candle: log(1 + count), and their mean confidence (0 without any)."""
    count, total = np.zeros(len(times)), np.zeros(len(times))
    for other in market.pairs:
        if other == pair:
            continue
        technical = market.technical(other)
        rows = row_positions(market.pairs[other].candles[BASE].time, times)
        there = (rows >= 0) & market.enterable(other)[rows]
        count += there
        total += np.where(there, technical.signal_confidence[rows], 0.0)
    return np.log1p(count), total / np.maximum(count, 1)
