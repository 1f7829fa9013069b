"""The reinforcement-learning selector as a component: PPO's choice among flat and the four tactics, as a vote."""

from __future__ import annotations

import numpy as np

from coordinator.components.component import ActiveModel, TrainingResult, Window
from coordinator.components.market_history import BASE, MarketHistory, row_positions
from coordinator.decision.outcomes import Outcomes
from coordinator.learning.artefact import encode
from coordinator.learning.class_health import input_drift
from coordinator.learning.promotion import Verdict
from coordinator.learning.selector_env import (
    PairSignals,
    observation_names,
    observations,
    tactic_profits,
)
from coordinator.learning.selector_rl import SelectorPolicy
from coordinator.settings import Settings
from coordinator.signals.feature_schema import FeatureSchema
from coordinator.signals.features import FEATURES, FEATURES_VERSION
from coordinator.signals.tactics import TACTICS
from coordinator.trade.virtual_trades import planned_distances, virtual_outcomes
from coordinator.types import Bools, Floats, Ints, Times

__all__ = ["SelectorComponent"]

SELECTOR_SCHEMA = FeatureSchema(observation_names(FEATURES), FEATURES_VERSION)


class SelectorComponent:
    """Votes on candles with a signal: the policy's probability of each direction.

    P(BUY) is the probability of the tactics that point up, P(SELL) of those that point down, P(HOLD) of flat and of
    the tactics without a direction. A new policy replaces the one before where its mean reward after costs on the
    newest slice, on which neither was trained, is above that one's and above 0, the reward of staying flat.
    """

    name = "selector"
    columns: tuple[str, ...] = ("selector_hold", "selector_buy", "selector_sell")

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def train(self, window: Window, previous: ActiveModel | None) -> TrainingResult:
        s, market = self._settings, window.market
        start = window.newest_begin(s.learning.promotion_share, previous)
        walks, validation_walks, until = [], [], 0
        for pair in market.pairs:
            walk, times, resolved = self._walk(market, pair)
            training = (times < start) & (resolved >= 0) & (resolved < start)
            validation = (times >= start) & (resolved >= 0) & (resolved < window.end)
            if training.any():
                walks.append(_rows(walk, training))
                until = max(until, int(times[training].max()))
            validation_walks.append(_rows(walk, validation))
        policy = SelectorPolicy(s.selector_policy).fit(walks, SELECTOR_SCHEMA)
        new, seen = self._reward(policy, validation_walks), self._reward(policy, walks)
        old = float("nan") if previous is None else self._reward(previous.model, validation_walks)
        verdict = _verdict(new, old)
        drift, drifted = _drift(walks, validation_walks)
        return TrainingResult(
            active=ActiveModel(policy, start, window.end) if verdict.promoted else previous,
            verdict=verdict,
            kind="ppo",
            suffix=".safetensors",
            content=encode(policy.to_artefact()),
            trained_from=min(int(market.signal_times(pair)[0]) for pair in market.pairs),
            trained_until=until,
            label_horizon=s.targets.horizon,
            schema=SELECTOR_SCHEMA,
            metrics={
                "reward": new,
                "champion_reward": old,
                "train_reward": seen,
                "gap": seen - new,
                "feature_drift": drift,
                "signals_train": float(sum(len(walk) for walk in walks)),
                "signals_test": float(sum(len(walk) for walk in validation_walks)),
            },
            details={"drifted": drifted},
        )

    def prepare(self, pair: str, times: Times, market: MarketHistory) -> None:
        if np.isin(times, market.signal_times(pair)).any():
            _ = market.pairs[pair].tables, market.regime(pair)

    def predict(self, active: ActiveModel, pair: str, times: Times, market: MarketHistory) -> Floats:
        out = np.full((len(times), 3), np.nan)
        index = row_positions(market.pairs[pair].candles[BASE].time, times)
        present = (index >= 0) & np.isin(times, market.signal_times(pair))
        if present.any():
            state, features, direction, confidence = self._observed(market, pair, index[present])
            _, p = active.model.predict(observations(state, features, direction, confidence))
            buy, sell = ((p[:, 1:] * (direction == side)).sum(axis=1) for side in (1, -1))
            out[present] = np.column_stack((1.0 - buy - sell, buy, sell))
        return out

    def _observed(self, market: MarketHistory, pair: str, index: Ints) -> tuple[Ints, Floats, Ints, Floats]:
        tactics = [market.technical(pair).tactics[name] for name in TACTICS]
        return (
            market.regime(pair).state[index],
            market.pairs[pair].tables[BASE][index],
            np.column_stack([tactic.direction[index] for tactic in tactics]),
            np.column_stack([tactic.confidence[index] for tactic in tactics]),
        )

    def _walk(self, market: MarketHistory, pair: str) -> tuple[PairSignals, Times, Times]:
        """A pair's signals, their times, and the open times of the candles that settled all tactics (-1: none yet)."""
        s, candles = self._settings, market.pairs[pair].candles[BASE]
        index = np.flatnonzero(market.technical(pair).signal).astype(np.int64)
        state, features, direction, confidence = self._observed(market, pair, index)
        stop, target = np.ones(direction.shape), np.ones(direction.shape)
        for side in (1, -1):
            sides = np.full(len(candles), side, dtype=np.int64)
            distance, target_ratio = planned_distances(candles, sides, s, market.clock_candles(pair))
            stop = np.where(direction == side, distance[index][:, None], stop)
            target = np.where(direction == side, target_ratio[index][:, None], target)

        def resolve(rows: Ints, sides: Ints, stops: Floats, targets: Floats) -> Outcomes:
            return virtual_outcomes(candles, market.technical(pair), rows, sides, stops, targets, s)

        profit, resolved = tactic_profits(resolve, index, direction, stop, target)
        when = np.where(resolved >= 0, candles.time[np.maximum(resolved, 0)], -1)
        return PairSignals(state, features, direction, confidence, profit), candles.time[index], when

    def _reward(self, policy: SelectorPolicy, walks: list[PairSignals]) -> float:
        """Mean reward of the likeliest actions; NaN without signals."""
        s, rewards = self._settings.selector_policy, []
        for walk in walks:
            if not len(walk):
                continue
            action, _ = policy.predict(
                observations(walk.state, walk.features, walk.direction, walk.confidence)
            )
            each = np.column_stack((np.zeros(len(walk)), walk.profit)) / s.profit_unit
            rewards.append(np.clip(each, s.reward_low, s.reward_high)[np.arange(len(walk)), action])
        return float(np.concatenate(rewards).mean()) if rewards else float("nan")


def _drift(walks: list[PairSignals], later: list[PairSignals]) -> tuple[float, list[str]]:
    """How far the features of the newest signals have moved from those trained on; NaN where there are none."""
    then, now = (
        np.concatenate([walk.features for walk in part]) if part else None for part in (walks, later)
    )
    if then is None or now is None or not len(now):
        return float("nan"), []
    return input_drift(then, now, FEATURES)


def _rows(walk: PairSignals, rows: Bools) -> PairSignals:
    return PairSignals(
        *(getattr(walk, name)[rows] for name in ("state", "features", "direction", "confidence", "profit"))
    )


def _verdict(new: float, old: float) -> Verdict:
    nan, first = float("nan"), old != old
    promoted = bool(new > 0 and (first or new > old))
    what = "promoted" if promoted else ("no model" if first else "kept current model")
    beside = "staying flat earns 0" if first else f"the one before earns {old:.4f}"
    return Verdict(
        promoted, f"{what}: mean reward {new:.4f} on the newest slice; {beside}", nan, nan, nan, nan
    )
