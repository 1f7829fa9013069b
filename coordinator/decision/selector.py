"""Which tactic suits which market: tabular Q-learning over 15 states and 4 tactics (DESIGN.md 4.8, spec 004).

    Q(s, a) <- Q(s, a) + alpha x (reward + gamma x max Q(s', .) - Q(s, a))        (Watkins and Dayan 1992)

with s' the pair's state when the trade resolved. The policy is epsilon-greedy; epsilon fades with each update. All of
it starts at 0; among equal values the first tactic in the order of ``TACTICS`` is chosen.

As a component it votes with what the chosen tactic says at the signal's candle: its direction and confidence, or
direction 0 where that tactic has none there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from coordinator.decision.stable_hash import candle_hash, unit_interval
from coordinator.errors import CoordinatorError
from coordinator.settings.learners import SelectorSettings
from coordinator.signals.regime import STATES
from coordinator.signals.tactics import TACTICS
from coordinator.types import Bools, Floats, Ints, Times

__all__ = ["Selection", "TacticSelector", "tactic_profit"]


def tactic_profit(direction: Ints, tactic_direction: Ints, profit: Floats) -> Floats:
    """What a signal's virtual trade was worth to a tactic.

    Parameters
    ----------
    direction : ndarray of int, shape (n,)
        The signal's, +1 or -1.
    tactic_direction : ndarray of int, shape (n,) or (n, 4)
        The tactic's at the signal's candle: +1, -1 or 0.
    profit : ndarray of float, shape (n,)
        Of the virtual trade after costs, ratio of the price.

    Returns
    -------
    ndarray of float, shape of ``tactic_direction``
        The profit where the tactic agreed; its negative where it opposed (a trade that lost was right to oppose;
        the opposite trade's own stop and target are not simulated); 0 where it stayed out.

    Examples
    --------
    >>> tactic_profit(np.array([1, -1]), np.array([[1, 0], [1, -1]]), np.array([0.02, 0.03]))
    array([[ 0.02,  0.  ],
           [-0.03,  0.03]])
    """
    if tactic_direction.ndim == 2:
        direction, profit = direction[:, None], profit[:, None]
    worth: Floats = direction * tactic_direction * profit + 0.0  # + 0.0 turns -0.0 into 0.0
    return worth


@dataclass(frozen=True)
class Selection:
    """The selector's votes; arrays of shape (n,).

    Attributes
    ----------
    tactic : int, index into ``TACTICS``; to be kept with the signal and handed back to ``learn``
    explored : bool, drawn at random rather than by value
    direction : int, +1, -1 or 0
    confidence : float, 0..1, 0 where the direction is 0
    """

    tactic: Ints
    explored: Bools
    direction: Ints
    confidence: Floats


class TacticSelector:
    """Learns the value of each tactic in each market state.

    Parameters
    ----------
    settings : SelectorSettings

    Attributes
    ----------
    q_ : list of 15 lists of 4 floats
        Values, rows as ``regime.STATES``, columns as ``TACTICS``. Within reward_low / (1 - gamma) and
        reward_high / (1 - gamma).
    epsilon_ : float
        Share of exploration now.
    updates_ : int

    Notes
    -----
    Outcomes are taken one by one, so learning in chunks is the same, to the bit, as learning at once.
    """

    def __init__(self, settings: SelectorSettings) -> None:
        self.settings = settings
        self.q_ = [[0.0] * len(TACTICS) for _ in STATES]
        self.epsilon_ = settings.epsilon
        self.updates_ = 0

    def reward(self, profit: Floats) -> Floats:
        """profit / 0.05, within -1..2, shape of ``profit``; NaN stays NaN.

        Examples
        --------
        >>> TacticSelector(SelectorSettings()).reward(np.array([0.05, 0.10, -0.05, 0.025]))
        array([ 1. ,  2. , -1. ,  0.5])
        """
        s = self.settings
        return np.clip(profit / s.reward_unit, s.reward_low, s.reward_high)

    def learn(self, state: Ints, tactic: Ints, profit: Floats, next_state: Ints) -> None:
        """Take resolved outcomes, in time order; one update and one fading of epsilon for each.

        Parameters
        ----------
        state : ndarray of int, shape (n,)
            Index into ``STATES`` at the signal.
        tactic : ndarray of int, shape (n,)
            ``Selection.tactic`` of the signal. Rows below 0 (none was selected) are passed over.
        profit : ndarray of float, shape (n,)
            What it was worth to that tactic (``tactic_profit``), ratio. NaN rows are passed over.
        next_state : ndarray of int, shape (n,)
            Index into ``STATES`` at the resolution; below 0 where unknown: then nothing lies beyond the trade.
        """
        self._fade(self._update(state, tactic, profit, next_state))

    def warm_start(self, state: Ints, tactic_profits: Floats, next_state: Ints) -> None:
        """Learn from history, where nothing was selected: every tactic from every outcome.

        Parameters
        ----------
        state, next_state : ndarray of int, shape (n,)
            As in ``learn``.
        tactic_profits : ndarray of float, shape (n, 4)
            ``tactic_profit`` of all tactics; NaN entries are passed over. Epsilon fades once a row, not once a tactic.
        """
        tactics = tactic_profits.shape[1]
        self._update(
            np.repeat(state, tactics),
            np.tile(np.arange(tactics), len(state)),
            tactic_profits.ravel(),
            np.repeat(next_state, tactics),
        )
        self._fade(len(state))

    def draws(self, pair: Sequence[str], time: Times) -> npt.NDArray[np.uint64]:
        """The dice of each signal, shape (n,): they depend on seed, pair and candle only.

        Parameters
        ----------
        pair : sequence of str, length n
        time : ndarray of int, shape (n,)
            The signal's candle, seconds since the epoch.
        """
        return candle_hash(self.settings.seed, "selector", pair, time)

    def predict(
        self,
        state: Ints,
        draws: npt.NDArray[np.uint64],
        tactic_direction: Ints,
        tactic_confidence: Floats,
    ) -> Selection:
        """Select a tactic for each signal and vote with it.

        Parameters
        ----------
        state : ndarray of int, shape (n,)
            Index into ``STATES``.
        draws : ndarray of uint64, shape (n,)
            As ``draws`` gave them.
        tactic_direction : ndarray of int, shape (n, 4)
        tactic_confidence : ndarray of float, shape (n, 4)
            0..1.
        """
        best = [row.index(max(row)) for row in self.q_]
        explored = unit_interval(draws) < self.epsilon_
        # The low bits are independent of the high ones that decided whether to explore.
        drawn = (draws % np.uint64(len(TACTICS))).astype(np.int64)
        greedy = np.array([best[s] for s in state.tolist()], dtype=np.int64)
        tactic = np.where(explored, drawn, greedy)
        row = np.arange(len(tactic))
        direction = tactic_direction[row, tactic]
        confidence = np.where(direction != 0, tactic_confidence[row, tactic], 0.0)
        return Selection(tactic, explored, direction, confidence)

    def state(self) -> dict[str, Any]:
        """Everything learned, in JSON types, states and tactics by name; ``restore`` gives it back to the bit."""
        return {
            "q": {
                name: dict(zip(TACTICS, row, strict=True)) for name, row in zip(STATES, self.q_, strict=True)
            },
            "epsilon": self.epsilon_,
            "updates": self.updates_,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take back what ``state`` gave.

        Raises
        ------
        CoordinatorError
            Where a state or a tactic is missing: a table of another version.
        """
        try:
            self.q_ = [[float(state["q"][name][tactic]) for tactic in TACTICS] for name in STATES]
            self.epsilon_, self.updates_ = float(state["epsilon"]), int(state["updates"])
        except (KeyError, TypeError) as error:
            rule = "have a value for each of 15 states and 4 tactics"
            raise CoordinatorError("q", "the selector's stored table", rule, str(error)) from None

    def _update(self, state: Ints, tactic: Ints, profit: Floats, next_state: Ints) -> int:
        """Update the table one outcome after another; how many there were."""
        s, q, before = self.settings, self.q_, self.updates_
        alpha, gamma = s.learning_rate, s.discount
        reward = self.reward(profit).tolist()
        rows = zip(state.tolist(), tactic.tolist(), reward, next_state.tolist(), strict=True)
        for here, a, gained, after in rows:
            if a < 0 or gained != gained:
                continue
            future = gamma * max(q[after]) if after >= 0 else 0.0
            row = q[here]
            row[a] += alpha * (gained + future - row[a])
            self.updates_ += 1
        return self.updates_ - before

    def _fade(self, times: int) -> None:
        s, epsilon = self.settings, self.epsilon_
        for _ in range(times):
            epsilon = max(s.epsilon_floor, epsilon * s.epsilon_decay)
        self.epsilon_ = epsilon
