"""The reinforcement-learning selector as a component: PPO's choice among flat and the four tactics, as a vote."""

from __future__ import annotations

import numpy as np

from coordinator.components.component import Speaker, Trained, Window
from coordinator.components.market_history import BASE, MarketHistory, places
from coordinator.learning.artefact import encode
from coordinator.learning.promotion import Verdict
from coordinator.learning.selector_env import (
    Walk,
    observation_names,
    observations,
    tactic_profits,
)
from coordinator.learning.selector_rl import SelectorPolicy
from coordinator.settings import Settings
from coordinator.signals.feature_schema import FeatureSchema
from coordinator.signals.features import FEATURES, FEATURES_VERSION
from coordinator.signals.tactics import TACTICS
from coordinator.trade.reward_risk import target_distance
from coordinator.trade.stops import initial_stop_distance
from coordinator.types import Bools, Floats, Ints, Times

__all__ = ["SelectorComponent"]

SELECTOR_SCHEMA = FeatureSchema(observation_names(FEATURES), FEATURES_VERSION)


class SelectorComponent:
    """Votes on candles with a signal: the policy's probability of each direction.

    P(BUY) is the probability of the tactics that point up, P(SELL) of those that point down, P(HOLD) of flat and of
    the tactics without a direction. A new policy replaces the one before where its mean reward after costs on the
    newest slice, which neither has seen, is above that one's and above 0, which staying flat earns.
    """

    name = "selector"
    columns: tuple[str, ...] = ("selector_hold", "selector_buy", "selector_sell")

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def train(self, window: Window, before: Speaker | None) -> Trained:
        s, market = self._settings, window.market
        known = 0 if before is None else before.known_until
        share = s.learning.validation_share
        start = max(window.end - int(share * (window.end - window.begin)), known)
        walks, tests, until = [], [], 0
        for pair in market.pairs:
            walk, times, resolved = self._walk(market, pair)
            taught = (times < start) & (resolved >= 0) & (resolved < start)
            judged = (times >= start) & (resolved >= 0) & (resolved < window.end)
            if taught.any():
                walks.append(_rows(walk, taught))
                until = max(until, int(times[taught].max()))
            tests.append(_rows(walk, judged))
        policy = SelectorPolicy(s.selector_policy).fit(walks, SELECTOR_SCHEMA)
        new = self._reward(policy, tests)
        old = float("nan") if before is None else self._reward(before.model, tests)
        verdict = _verdict(new, old)
        return Trained(
            speaker=Speaker(policy, start, window.end) if verdict.promoted else before,
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
                "signals_train": float(sum(len(walk) for walk in walks)),
                "signals_test": float(sum(len(walk) for walk in tests)),
            },
        )

    def prepare(self, pair: str, times: Times, market: MarketHistory) -> None:
        if np.isin(times, market.signal_times(pair)).any():
            _ = market.pairs[pair].tables, market.regime(pair)

    def predict(self, speaker: Speaker, pair: str, times: Times, market: MarketHistory) -> Floats:
        out = np.full((len(times), 3), np.nan)
        index = places(market.pairs[pair].candles[BASE].time, times)
        there = (index >= 0) & np.isin(times, market.signal_times(pair))
        if there.any():
            state, features, direction, confidence = self._seen(market, pair, index[there])
            _, p = speaker.model.predict(observations(state, features, direction, confidence))
            buy, sell = ((p[:, 1:] * (direction == way)).sum(axis=1) for way in (1, -1))
            out[there] = np.column_stack((1.0 - buy - sell, buy, sell))
        return out

    def _seen(self, market: MarketHistory, pair: str, index: Ints) -> tuple[Ints, Floats, Ints, Floats]:
        tactics = [market.technical(pair).tactics[name] for name in TACTICS]
        return (
            market.regime(pair).state[index],
            market.pairs[pair].tables[BASE][index],
            np.column_stack([tactic.direction[index] for tactic in tactics]),
            np.column_stack([tactic.confidence[index] for tactic in tactics]),
        )

    def _walk(self, market: MarketHistory, pair: str) -> tuple[Walk, Times, Times]:
        """A pair's signals, their times, and the open times of the candles that settled all tactics (-1: none yet)."""
        s, candles = self._settings, market.pairs[pair].candles[BASE]
        index = np.flatnonzero(market.technical(pair).signal).astype(np.int64)
        state, features, direction, confidence = self._seen(market, pair, index)
        stop, target = np.ones(direction.shape), np.ones(direction.shape)
        for way in (1, -1):
            everywhere = np.full(len(candles), way, dtype=np.int64)
            distance = initial_stop_distance(candles, everywhere, s.stops)
            reach = target_distance(distance, everywhere, s.targets, s.costs)
            stop = np.where(direction == way, distance[index][:, None], stop)
            target = np.where(direction == way, reach[index][:, None], target)
        profit, resolved = tactic_profits(candles, index, direction, stop, target, s.targets.horizon, s.costs)
        when = np.where(resolved >= 0, candles.time[np.maximum(resolved, 0)], -1)
        return Walk(state, features, direction, confidence, profit), candles.time[index], when

    def _reward(self, policy: SelectorPolicy, walks: list[Walk]) -> float:
        """Mean reward of the likeliest actions; NaN without signals."""
        s, earned = self._settings.selector_policy, []
        for walk in walks:
            if not len(walk):
                continue
            action, _ = policy.predict(
                observations(walk.state, walk.features, walk.direction, walk.confidence)
            )
            each = np.column_stack((np.zeros(len(walk)), walk.profit)) / s.profit_unit
            earned.append(np.clip(each, s.reward_low, s.reward_high)[np.arange(len(walk)), action])
        return float(np.concatenate(earned).mean()) if earned else float("nan")


def _rows(walk: Walk, rows: Bools) -> Walk:
    return Walk(*(getattr(walk, x)[rows] for x in ("state", "features", "direction", "confidence", "profit")))


def _verdict(new: float, old: float) -> Verdict:
    nan, first = float("nan"), old != old
    promoted = bool(new > 0 and (first or new > old))
    what = "promoted" if promoted else ("no model" if first else "kept current model")
    beside = "staying flat earns 0" if first else f"the one before earns {old:.4f}"
    return Verdict(
        promoted, f"{what}: mean reward {new:.4f} on the newest slice; {beside}", nan, nan, nan, nan
    )
