"""The pilot phase's two arms: a tenth of the signals get the blend, the rest the baseline, and both are counted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from coordinator.decision.stable_hash import candle_hash, unit_interval
from coordinator.types import Bools, Floats, Ints, Times

__all__ = ["ARMS", "PilotArm", "add_to_arms", "pilot_arm"]


ARMS = ("baseline", "blend")
"""What a signal got in the pilot phase, by code."""


@dataclass
class PilotArm:
    """What became of one arm's signals; ``sum_r`` and ``sum_r2`` (R, R squared) are over the accepted ones."""

    signals: int = 0
    accepted: int = 0
    won: int = 0
    sum_r: float = 0.0
    sum_r2: float = 0.0


def pilot_arm(pair: Sequence[str], time: Times, share: float, seed: int) -> Bools:
    """Which signals get the blend: ``share`` of them, by a hash of pair and candle.

    Parameters
    ----------
    pair : sequence of str, length n
    time : ndarray of int, shape (n,)
        The signal's candle, seconds since the epoch.

    Returns
    -------
    ndarray of bool, shape (n,)
    """
    return unit_interval(candle_hash(seed, "pilot", pair, time)) < share


def add_to_arms(arms: Mapping[str, PilotArm], arm: Ints, accepted: Bools, r: Floats) -> None:
    """Count outcomes into ``arms["blend"]`` (arm 1) and ``arms["baseline"]`` (arm 0); other arms and NaN are not.

    A signal counts in the arm it was given, even where its outcome comes after the pilot phase.
    """
    for which, taken, profit in zip(arm.tolist(), accepted.tolist(), r.tolist(), strict=True):
        if which < 0 or profit != profit:
            continue
        side = arms[ARMS[which]]
        side.signals += 1
        if taken:
            side.accepted += 1
            side.won += profit > 0.0
            side.sum_r += profit
            side.sum_r2 += profit * profit
