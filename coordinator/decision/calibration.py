"""Unified confidence to win probability and expected R (DESIGN.md 4.3).

Beta-binomial over equal bins of confidence: each bin's win rate is held at the base rate by pseudo-outcomes, the
base rate itself at 1 / (1 + reward:risk), which is where a driftless price without costs would put it. Old outcomes
fade: after ``half_life`` further ones an outcome counts half.

A *win* reached its target before its stop within the horizon. A trade closed at the horizon did neither; it counts as
an outcome without a win, as the definition says. Where there are no targets a win is a profit. ``expected_r`` books
what is no win as a full loss and so errs low; hence each bin also keeps its mean realised R, in which horizon exits
count with what they made.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from coordinator.settings.learners import CalibrationSettings
from coordinator.types import Bools, Floats

__all__ = ["Calibrator", "expected_r"]

RESCALE_AT, RESCALE = 2.0**400, 2.0**-400  # powers of two: rescaling changes no bit of a mantissa
COLUMNS = ("count", "wins", "sum_r", "sum_r2")


def expected_r(p: Floats, reward: Floats | float, cost_r: Floats | float) -> Floats:
    """Expected profit of a trade that ends at its target or its stop.

    Parameters
    ----------
    p : ndarray of float, shape (n,)
        Win probability, 0..1.
    reward : float or ndarray of shape (n,)
        Target distance in stop distances (before costs).
    cost_r : float or ndarray of shape (n,)
        Costs of the round trip, R.

    Returns
    -------
    ndarray of float, shape (n,)
        p x reward - (1 - p) - cost_r, R. NaN where p is NaN.

    Examples
    --------
    >>> expected_r(np.array([0.4]), 2.5, 0.1).round(3)
    array([0.3])
    """
    return p * reward - (1.0 - p) - cost_r


class Calibrator:
    """Learns what a confidence was worth.

    Parameters
    ----------
    settings : CalibrationSettings
    reward_risk : float
        Reward:risk of the virtual trades, > 0; sets the base rate before any outcome.

    Attributes
    ----------
    outcomes_ : int
        Outcomes learned so far. Without any, ``predict_r`` is 0: gate on it only from some number on.
    sums_ : list of lists
        Faded count, wins, sum of R and sum of R squared by bin, in units of ``scale_``.
    scale_ : float
        Weight of the next outcome; it grows, so that older ones need not be touched to fade.

    Notes
    -----
    Outcomes are taken one by one, so learning in chunks is the same, to the bit, as learning at once.
    """

    def __init__(self, settings: CalibrationSettings, reward_risk: float) -> None:
        self.settings = settings
        self.reward_risk = reward_risk
        self.outcomes_ = 0
        self.scale_ = 1.0
        self.sums_ = [[0.0] * settings.bins for _ in COLUMNS]
        self._tabulate()

    @property
    def base_rate(self) -> float:
        """Win rate of all outcomes, held at 1 / (1 + reward:risk)."""
        strength = self.settings.base_strength
        count, wins = (sum(column) / self.scale_ for column in self.sums_[:2])
        return (strength / (1.0 + self.reward_risk) + wins) / (strength + count)

    @property
    def base_r(self) -> float:
        """Mean R of all outcomes, held at 0."""
        count, _, total, _ = (sum(column) / self.scale_ for column in self.sums_)
        return total / (self.settings.base_strength + count)

    def learn(self, confidence: Floats, won: Bools, r: Floats) -> None:
        """Take resolved outcomes.

        Parameters
        ----------
        confidence : ndarray of float, shape (n,)
            Unified confidence at decision time, 0..1.
        won : ndarray of bool, shape (n,)
            The target was reached before the stop within the horizon; without targets: R is above 0.
        r : ndarray of float, shape (n,)
            Realised R after costs. Rows where this or the confidence is NaN are passed over.
        """
        growth = 2.0 ** (1.0 / self.settings.half_life)
        last = self.settings.bins - 1
        count, wins, total, squares = self.sums_
        scale = self.scale_
        for c, win, profit in zip(confidence.tolist(), won.tolist(), r.tolist(), strict=True):
            if c != c or profit != profit:
                continue
            b = min(max(int(c * (last + 1)), 0), last)
            count[b] += scale
            total[b] += scale * profit
            squares[b] += scale * profit * profit
            if win:
                wins[b] += scale
            scale *= growth
            self.outcomes_ += 1
            if scale > RESCALE_AT:
                scale *= RESCALE
                for column in self.sums_:
                    column[:] = [value * RESCALE for value in column]
        self.scale_ = scale
        self._tabulate()

    def predict(self, confidence: Floats) -> Floats:
        """Win probability of each confidence, 0 < p < 1, shape (n,); NaN where the confidence is NaN."""
        return self._look_up(self._p, confidence)

    def predict_r(self, confidence: Floats) -> Floats:
        """Expected R after costs of each confidence, shape (n,); NaN where the confidence is NaN.

        The bin's mean of realised R, drawn to the mean of all by empirical Bayes (Efron and Morris 1973): by as
        many pseudo-outcomes as the spread within bins is times that between them, at least ``strength``.
        """
        return self._look_up(self._r, confidence)

    def state(self) -> dict[str, Any]:
        """Everything learned, in JSON types; ``restore`` gives it back to the bit."""
        return {
            "outcomes": self.outcomes_,
            "scale": self.scale_,
            "sums": {name: list(column) for name, column in zip(COLUMNS, self.sums_, strict=True)},
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take back what ``state`` gave."""
        self.outcomes_, self.scale_ = state["outcomes"], state["scale"]
        self.sums_ = [list(state["sums"][name]) for name in COLUMNS]
        self._tabulate()

    def _look_up(self, table: list[float], confidence: Floats) -> Floats:
        last = len(table) - 1
        return np.array(
            [c if c != c else table[min(max(int(c * (last + 1)), 0), last)] for c in confidence.tolist()],
            dtype=np.float64,
        )

    def _tabulate(self) -> None:
        scale, strength = self.scale_, self.settings.strength
        count, wins, total, _ = self.sums_
        base, base_r, hold = self.base_rate, self.base_r, self._pseudo_outcomes()
        self._p = [
            (strength * base + w / scale) / (strength + n / scale) for n, w in zip(count, wins, strict=True)
        ]
        self._r = [
            base_r if hold is None else (hold * base_r + s / scale) / (hold + n / scale)
            for n, s in zip(count, total, strict=True)
        ]

    def _pseudo_outcomes(self) -> float | None:
        """Variance within bins over variance between them (one-way ANOVA); None where bins do not differ."""
        scale = self.scale_
        rows = [(n / scale, s / scale, q / scale) for n, _, s, q in zip(*self.sums_, strict=True) if n > 0.0]
        n, total = sum(row[0] for row in rows), sum(row[1] for row in rows)
        groups = len(rows)
        if groups < 2 or n <= groups + 1:
            return None
        explained = sum(s * s / m for m, s, _ in rows) - total * total / n
        within = max(sum(row[2] for row in rows) - explained - total * total / n, 0.0) / (n - groups)
        spread = n - sum(m * m for m, _, _ in rows) / n
        between = (explained - (groups - 1) * within) / spread
        return max(self.settings.strength, within / between) if between > 0.0 else None
