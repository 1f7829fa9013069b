"""Fusion of three views on a pair, 1h, 4h and 1d (spec 004, section 2), to the letter.

The views are the timeframes' baselines (``fuse``) or models' (``learning.fusion_models``).

weighted score = sum over timeframes of direction x confidence x weight
confidence     = 0.6 |weighted score| + 0.25 agreement + 0.15 consistency
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from coordinator.settings.signals import BaselineSettings, FusionSettings
from coordinator.signals.candles import Candles
from coordinator.signals.technical import Technical, compute_technical
from coordinator.signals.timeframes import last_closed
from coordinator.types import Bools, Floats, Ints

__all__ = [
    "AGREEMENT",
    "TIMEFRAMES",
    "Fusion",
    "TimeframeView",
    "agreement",
    "consistency",
    "early_warning",
    "fuse",
    "join_views",
    "timeframe_views",
]

TIMEFRAMES = ("1h", "4h", "1d")
AGREEMENT = (1.0, 0.6, 0.3)
"""Scores for one, two and three different views among the three timeframes."""


@dataclass(frozen=True)
class Fusion:
    """Arrays of shape (n,) on the candles of the base timeframe.

    Attributes
    ----------
    score : float, -1..1, the weighted score; NaN while a timeframe has no closed candle
    direction : int, +1 above 0.3, -1 below -0.3, else 0
    confidence : float, 0..1; NaN where the score is
    agreement, consistency : float, 0..1
    warning : int, where 1h and 4h have both turned while 1d still points the other way, their direction; else 0
    """

    score: Floats
    direction: Ints
    confidence: Floats
    agreement: Floats
    consistency: Floats
    warning: Ints

    @classmethod
    def absent(cls, n: int) -> Fusion:
        """No view on any of ``n`` candles."""
        nothing = np.full(n, np.nan)
        none = np.zeros(n, dtype=np.int64)
        return cls(nothing, none, nothing, np.zeros(n), np.zeros(n), none)


def timeframe_views(
    base: Candles, technical: Technical, higher: Mapping[str, Candles], settings: BaselineSettings
) -> dict[str, tuple[Candles, Technical]]:
    """Each timeframe's baseline on its own candles, whatever the baseline's clock.

    Parameters
    ----------
    technical : the baseline at ``base``, on its clock; taken as it is where 1h is the clock
    """
    own = technical if settings.clock == "1h" else compute_technical(base, settings)
    others = {name: (frame, compute_technical(frame, settings)) for name, frame in higher.items()}
    return {"1h": (base, own), **others}


@dataclass(frozen=True)
class TimeframeView:
    """What one timeframe says on its own candles.

    Attributes
    ----------
    candles : the timeframe's candles
    direction : ndarray of int, shape (n,), +1, -1 or 0
    confidence : ndarray of float, shape (n,), 0..1; its value where the direction is 0 does not matter
    known : ndarray of bool, shape (n,), or None
        False where the timeframe has nothing to say, so that there is no fusion either; None is True for all.
    """

    candles: Candles
    direction: Ints
    confidence: Floats
    known: Bools | None = None


def agreement(directions: Ints) -> Floats:
    """1.0 if all three agree, 0.6 if two do, 0.3 if all differ; HOLD (0) is a view like the others.

    Parameters
    ----------
    directions : ndarray of int, shape (3, n)

    Examples
    --------
    >>> agreement(np.array([[1, 1, 1], [1, 1, 0], [1, -1, -1]]))
    array([1. , 0.6, 0.3])
    """
    a, b, c = directions
    equal = (a == b).astype(np.int64) + (b == c) + (a == c)
    return np.where(equal == 3, AGREEMENT[0], np.where(equal == 1, AGREEMENT[1], AGREEMENT[2]))


def early_warning(directions: Ints) -> Ints:
    """A trend change announces itself where the lower timeframes shift first (spec 004, section 2); shape (n,).

    Parameters
    ----------
    directions : ndarray of int, shape (3, n), of 1h, 4h and 1d

    Examples
    --------
    >>> early_warning(np.array([[-1, 1, -1, 0], [-1, 1, 1, -1], [1, 1, 1, 1]]))
    array([-1,  0,  0,  0])
    """
    hour, four, day = directions
    return np.where((hour == four) & (hour == -day), hour, 0)


def consistency(direction: Ints, signals: int) -> Floats:
    """Share of the last ``signals`` readings of one timeframe that kept the direction before them.

    With fewer than two readings it is 1: nothing has flipped yet. So flip-flopping is penalised from the
    second reading on.

    Examples
    --------
    >>> consistency(np.array([1, 1, -1, -1, -1]), 3)
    array([1. , 1. , 0.5, 0.5, 1. ])
    """
    n = len(direction)
    kept = (
        np.concatenate(([0], np.cumsum(direction[1:] == direction[:-1])))
        if n
        else np.zeros(0, dtype=np.int64)
    )
    index = np.arange(n)
    start = np.maximum(index - (signals - 1), 0)
    pairs = index - start
    return np.where(pairs > 0, (kept - kept[start]) / np.maximum(pairs, 1), 1.0)


def fuse(base: Candles, views: Mapping[str, tuple[Candles, Technical]], settings: FusionSettings) -> Fusion:
    """Fuse the timeframes' baselines on the base candles.

    Parameters
    ----------
    views : mapping of "1h", "4h", "1d" to (candles, technical) of the same pair
    """
    said = {name: TimeframeView(candles, t.direction, t.confidence) for name, (candles, t) in views.items()}
    return join_views(base, said, settings)


def join_views(base: Candles, views: Mapping[str, TimeframeView], settings: FusionSettings) -> Fusion:
    """Fuse three views on the base candles.

    A base candle sees the last candle of each timeframe that had closed by its own close.

    Parameters
    ----------
    views : mapping of "1h", "4h", "1d" to the views on the same pair
    """
    weights = dict(zip(TIMEFRAMES, (settings.weight_1h, settings.weight_4h, settings.weight_1d), strict=True))
    score, known = np.zeros(len(base)), np.ones(len(base), dtype=bool)
    directions, consistencies = [], []
    for timeframe in TIMEFRAMES:
        view = views[timeframe]
        index = last_closed(base, view.candles)
        known &= index >= 0
        rows = np.maximum(index, 0)
        if not len(view.candles):
            nothing = np.zeros(len(base), dtype=np.int64)
            directions.append(nothing)
            consistencies.append(np.ones(len(base)))
            continue
        if view.known is not None:
            known &= view.known[rows]
        directions.append(view.direction[rows])
        consistencies.append(consistency(view.direction, settings.consistency_signals)[rows])
        score += weights[timeframe] * (view.direction * view.confidence)[rows]
    agree = agreement(np.vstack(directions))
    steady = np.mean(consistencies, axis=0)
    confidence = (
        settings.score_share * np.abs(score)
        + settings.agreement_share * agree
        + settings.consistency_share * steady
    )
    beyond = np.round(np.abs(score), 12) > settings.direction_score  # 0.75 x 0.40 is 0.3, also in floats
    direction = np.where(beyond, np.sign(score), 0).astype(np.int64)
    return Fusion(
        score=np.where(known, score, np.nan),
        direction=np.where(known, direction, 0),
        confidence=np.where(known, confidence, np.nan),
        agreement=agree,
        consistency=steady,
        warning=np.where(known, early_warning(np.vstack(directions)), 0),
    )
