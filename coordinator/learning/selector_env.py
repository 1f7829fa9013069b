"""The selector's task as a gymnasium environment: at each signal of a pair, stay flat or follow one of four tactics."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import gymnasium
import numpy as np
import numpy.typing as npt

from coordinator.decision.outcomes import Outcomes
from coordinator.errors import CoordinatorError
from coordinator.settings.networks import SelectorPolicySettings
from coordinator.signals.regime import STATES
from coordinator.signals.tactics import TACTICS
from coordinator.types import Floats, Ints

__all__ = ["ACTIONS", "PairSignals", "SelectorEnv", "observation_names", "observations", "tactic_profits"]

ACTIONS = ("flat", *TACTICS)
LIMIT = 5.0  # observations are clipped to -5..5


@dataclass(frozen=True)
class PairSignals:
    """What the environment walks through: the signals of one pair in time order.

    Attributes
    ----------
    state : ndarray of int, shape (n,), market state, index into ``STATES``
    features : ndarray of shape (n, n_features), pair-neutral, of the order of one
    direction : ndarray of int, shape (n, 4), the tactics' directions
    confidence : ndarray of shape (n, 4), 0..1
    profit : ndarray of shape (n, 4)
        Profit of following each tactic's direction, ratio of the price, after costs; 0 where it has none
        (``tactic_profits``).
    """

    state: Ints
    features: Floats
    direction: Ints
    confidence: Floats
    profit: Floats

    def __len__(self) -> int:
        return len(self.state)


def tactic_profits(
    resolve: Callable[[Ints, Ints, Floats, Floats], Outcomes],
    index: Ints,
    direction: Ints,
    stop: Floats,
    target: Floats,
) -> tuple[Floats, Ints]:
    """Profits of the virtual trades in each tactic's direction, and when the last of a signal's is known.

    Parameters
    ----------
    resolve : callable
        Index, direction, stop and target distance of trades to what became of them, one pair's
        (``coordinator.trade.virtual_trades``).
    index : ndarray of int, shape (n,)
        Candles of the signals.
    direction, stop, target : ndarray of shape (n, 4)
        As ``resolve`` takes them, per tactic; where the direction is 0 the distances do not matter.

    Returns
    -------
    profit : ndarray of shape (n, 4)
        Ratio of the price, costs included; 0 without a direction, NaN while unresolved.
    resolved : ndarray of int, shape (n,)
        Index of the candle at whose close all of them are known; -1 while one is not.
    """
    profit = np.zeros(direction.shape)
    resolved = np.tile(index[:, None], direction.shape[1])
    for tactic in range(direction.shape[1]):
        rows = np.flatnonzero(direction[:, tactic])
        at = (rows, tactic)
        outcome = resolve(index[rows], direction[at], stop[at], target[at])
        profit[at], resolved[at] = outcome.r * stop[at], outcome.resolved
    unknown = (resolved < 0).any(axis=1)
    return profit, np.where(unknown, -1, resolved.max(axis=1))


def observation_names(features: Sequence[str]) -> tuple[str, ...]:
    """Names of an observation's numbers: 15 states, the features, the tactics' directions and confidences."""
    views = (f"{tactic}_{what}" for what in ("direction", "confidence") for tactic in TACTICS)
    return (*(f"state_{state}" for state in STATES), *features, *views)


def observations(
    state: Ints, features: Floats, direction: Ints, confidence: Floats
) -> npt.NDArray[np.float32]:
    """What the policy sees at each signal, shape (n, 15 + n_features + 8), within -5..5; NaN becomes 0."""
    one_hot = np.eye(len(STATES))[state]
    rows = np.nan_to_num(np.column_stack((one_hot, features, direction, confidence)))
    return np.clip(rows, -LIMIT, LIMIT).astype(np.float32)


class SelectorEnv(gymnasium.Env[npt.NDArray[np.float32], np.int64]):
    """An episode walks through some signals of one pair, in time order.

    Actions are those of ``ACTIONS``. The reward of following a tactic is its profit after costs over
    ``profit_unit``, clipped to ``reward_low`` .. ``reward_high`` (spec 004: pnl / .05 in -1..2); flat, or a tactic
    without a direction, gets 0. An episode starts at a random signal of a random walk and ends after ``episode``
    signals (truncated) or with the walk (terminated).

    Parameters
    ----------
    walks : sequence of PairSignals
        At least one, each with a signal; profits must be known.
    settings : SelectorPolicySettings

    Raises
    ------
    CoordinatorError
        If there is no signal, or a profit is not finite.
    """

    metadata: dict[str, Any] = {"render_modes": []}  # noqa: RUF012

    def __init__(self, walks: Sequence[PairSignals], settings: SelectorPolicySettings) -> None:
        if not walks or min(len(walk) for walk in walks) == 0:
            raise CoordinatorError("walks", "the selector's environment", "hold signals", len(walks))
        if not all(np.isfinite(walk.profit).all() for walk in walks):
            raise CoordinatorError("profit", "the selector's environment", "be known for every signal", "NaN")
        s = settings
        self.settings = settings
        self._seen = [observations(w.state, w.features, w.direction, w.confidence) for w in walks]
        self._rewards = [np.clip(w.profit / s.profit_unit, s.reward_low, s.reward_high) for w in walks]
        width = self._seen[0].shape[1]
        self.observation_space = gymnasium.spaces.Box(-LIMIT, LIMIT, (width,), np.float32)
        self.action_space = gymnasium.spaces.Discrete(len(ACTIONS))
        self._walk = self._at = self._left = 0

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[npt.NDArray[np.float32], dict[str, Any]]:
        """Start an episode; ``options`` may hold "walk" and "start" (numbers) instead of a draw."""
        super().reset(seed=seed)
        chosen = options or {}
        self._walk = int(chosen.get("walk", self.np_random.integers(len(self._seen))))
        latest = max(1, len(self._seen[self._walk]) - self.settings.episode + 1)
        self._at = int(chosen.get("start", self.np_random.integers(latest)))
        self._left = self.settings.episode
        return self._seen[self._walk][self._at].copy(), {}

    def step(self, action: np.int64) -> tuple[npt.NDArray[np.float32], float, bool, bool, dict[str, Any]]:
        """Reward of the action at this signal, and the next signal."""
        rewards = self._rewards[self._walk]
        reward = float(rewards[self._at, int(action) - 1]) if action > 0 else 0.0
        last = self._at + 1 >= len(rewards)
        self._at = min(self._at + 1, len(rewards) - 1)
        self._left -= 1
        return self._seen[self._walk][self._at].copy(), reward, last, not last and self._left <= 0, {}
