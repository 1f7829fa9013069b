"""The division of the slots as a gymnasium environment: at each signal of any pair, take it or leave it."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
import numpy.typing as npt

from coordinator.errors import CoordinatorError
from coordinator.learning.slots.walk import LIMIT, MarketSignals, Places
from coordinator.portfolio.slot_terms import PORTFOLIO
from coordinator.settings.networks import SlotsPolicySettings

__all__ = ["LEAVE", "TAKE", "SlotsEnv"]

LEAVE, TAKE = 0, 1


class SlotsEnv(gymnasium.Env[npt.NDArray[np.float32], np.int64]):
    """An episode walks through the signals of all pairs in time order, with some places.

    Only signals that could be taken are asked about: a place is free, and the pair is not held. Taking one earns its R
    after costs, within ``reward_low`` .. ``reward_high``, and occupies a place until its outcome is known; leaving
    earns 0. What a place costs is what can't be taken while it is occupied. An episode starts at a random signal with
    empty places and ends after ``episode`` decisions (truncated) or with the signals (terminated).

    An observation is what is seen of the signal, then the portfolio before its candle (``slot_terms.PORTFOLIO``).

    Parameters
    ----------
    signals : MarketSignals
    places : slots, at least 1
    time_limit : longest that a position is held, seconds
    settings : SlotsPolicySettings

    Raises
    ------
    CoordinatorError
        If there is no signal, an outcome is not finite, or times do not ascend.
    """

    metadata: dict[str, Any] = {"render_modes": []}  # noqa: RUF012

    def __init__(
        self, signals: MarketSignals, places: int, time_limit: int, settings: SlotsPolicySettings
    ) -> None:
        where = "the slots' environment"
        if not len(signals):
            raise CoordinatorError("signals", where, "hold a resolved signal", 0)
        if not np.isfinite(signals.r).all():
            raise CoordinatorError("r", where, "be known for every signal", "NaN")
        if (np.diff(signals.time) < 0).any():
            raise CoordinatorError("time", where, "ascend", "signals out of order")
        self.settings = settings
        self._signals, self._count, self._time_limit = signals, places, time_limit
        self._rewards = np.clip(signals.r, settings.reward_low, settings.reward_high)
        width = signals.seen.shape[1] + len(PORTFOLIO)
        self.observation_space = gymnasium.spaces.Box(-LIMIT, LIMIT, (width,), np.float32)
        self.action_space = gymnasium.spaces.Discrete(2)
        self._places = Places(places, time_limit)
        self._at = self._left = 0

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[npt.NDArray[np.float32], dict[str, Any]]:
        """Start an episode; ``options`` may hold "start" (a signal's number) instead of a draw."""
        super().reset(seed=seed)
        latest = max(1, len(self._signals) - self.settings.episode + 1)
        self._at = int((options or {}).get("start", self.np_random.integers(latest)))
        self._places = Places(self._count, self._time_limit)
        self._left = self.settings.episode
        return self._observe(), {}

    def step(self, action: np.int64) -> tuple[npt.NDArray[np.float32], float, bool, bool, dict[str, Any]]:
        """Reward of the action at this signal, and the next signal that could be taken."""
        reward, signals = 0.0, self._signals
        if int(action) == TAKE:
            reward = float(self._rewards[self._at])
            pair, time, until = (int(x[self._at]) for x in (signals.pair, signals.time, signals.until))
            self._places.take(pair, time, until)
        over = not self._advance()
        self._left -= 1
        return self._observe(), reward, over, not over and self._left <= 0, {}

    def _advance(self) -> bool:
        """Go to the next signal that could be taken; whether there is one."""
        signals, last = self._signals, len(self._signals) - 1
        while self._at < last:
            self._at += 1
            self._places.at(int(signals.time[self._at]))
            if self._places.can_take(int(signals.pair[self._at])):
                return True
        return False

    def _observe(self) -> npt.NDArray[np.float32]:
        state = self._places.at(int(self._signals.time[self._at]))
        return np.concatenate((self._signals.seen[self._at], np.array(state, dtype=np.float32)))
