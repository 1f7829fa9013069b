"""The fusion formula to the letter (spec 004, section 2)."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordinator.settings.signals import FusionSettings
from coordinator.signals.candles import Candles
from coordinator.signals.fusion import agreement, consistency, fuse
from coordinator.signals.technical import compute_technical
from coordinator.signals.timeframes import last_closed

S = FusionSettings()
HOUR = 3600


def candles(n: int, hours: int) -> Candles:
    ones = np.ones(n)
    return Candles(np.arange(n, dtype=np.int64) * hours * HOUR, ones, ones, ones, ones, ones, hours * HOUR)


class TimeframeView:
    """A timeframe's baseline, as far as fusion looks at it."""

    def __init__(self, direction, confidence):
        self.direction = np.asarray(direction, dtype=np.int64)
        self.confidence = np.asarray(confidence, dtype=float)


def fused(directions, confidences, settings=S):
    """Fuse constant views of a week; what the last hour says."""
    frames = {"1h": candles(24 * 7, 1), "4h": candles(6 * 7, 4), "1d": candles(7, 24)}
    views = {
        name: (frame, TimeframeView(np.full(len(frame), d), np.full(len(frame), c)))
        for (name, frame), d, c in zip(frames.items(), directions, confidences, strict=True)
    }
    result = fuse(frames["1h"], views, settings)
    return result.direction[-1], result.confidence[-1], result.score[-1], result.agreement[-1]


def test_the_documented_example():
    """BUY .75/.70/.85: the formula gives .8635 with consistency 1; the document prints .82 with .85 (its own
    formula gives .841 for these numbers; the formula holds)."""
    direction, confidence, score, agree = fused((1, 1, 1), (0.75, 0.70, 0.85))
    assert score == pytest.approx(0.75 * 0.25 + 0.70 * 0.35 + 0.85 * 0.40)
    assert score == pytest.approx(0.7725)
    assert (direction, agree) == (1, 1.0)
    assert confidence == pytest.approx(0.6 * 0.7725 + 0.25 * 1.0 + 0.15 * 1.0)


def test_the_documented_example_with_its_consistency():
    """.85: three flips in twenty readings of each timeframe; .6 x .7725 + .25 + .15 x .85 is .841."""
    frames = {"1h": candles(24 * 30, 1), "4h": candles(6 * 30, 4), "1d": candles(30, 24)}
    views = {}
    for (name, frame), confidence in zip(frames.items(), (0.75, 0.70, 0.85), strict=True):
        direction = -np.ones(len(frame), dtype=np.int64)
        direction[-15:-10] = direction[-5:] = 1
        views[name] = frame, TimeframeView(direction, np.full(len(frame), confidence))
    result = fuse(frames["1h"], views, FusionSettings(consistency_signals=21))
    assert (result.direction[-1], result.agreement[-1]) == (1, 1.0)
    assert result.consistency[-1] == pytest.approx(0.85)
    assert result.confidence[-1] == pytest.approx(0.841)


@pytest.mark.parametrize(
    ("directions", "confidences", "expected"),
    [
        ((1, 1, 0), (0.9, 0.9, 0.0), 1),  # .54
        ((1, 0, 0), (1.0, 0.0, 0.0), 0),  # .25 is within +-.3
        ((-1, -1, -1), (0.5, 0.5, 0.5), -1),
        ((1, 1, -1), (1.0, 1.0, 1.0), 0),  # .2
        ((0, -1, 0), (0.0, 1.0, 0.0), -1),  # -.35
        ((0, 0, 1), (0.0, 0.0, 0.75), 0),  # .30
        ((0, 0, 1), (0.0, 0.0, 0.76), 1),  # .304
        ((0, 0, -1), (0.0, 0.0, 0.75), 0),
        ((0, 0, -1), (0.0, 0.0, 0.76), -1),
    ],
)
def test_direction_beyond_three_tenths(directions, confidences, expected):
    assert fused(directions, confidences)[0] == expected


def test_weights_and_shares_can_be_changed():
    own = FusionSettings(
        weight_1h=0.5,
        weight_4h=0.3,
        weight_1d=0.2,
        score_share=0.5,
        agreement_share=0.3,
        consistency_share=0.2,
    )
    _, confidence, score, agree = fused((1, 1, -1), (0.9, 0.8, 0.7), own)
    assert (score, agree) == (pytest.approx(0.9 * 0.5 + 0.8 * 0.3 - 0.7 * 0.2), 0.6)
    assert confidence == pytest.approx(0.5 * 0.55 + 0.3 * 0.6 + 0.2)


def test_exactly_three_tenths_is_hold():
    assert fused((0, 0, 1), (0.0, 0.0, 0.75))[2] == pytest.approx(0.3)
    assert fused((0, 0, 1), (0.0, 0.0, 0.75))[0] == 0


def test_agreement_scores():
    cases = np.array([[1, 1, 1], [1, 1, -1], [0, 1, 0], [1, 0, -1], [0, 0, 0]]).T
    assert agreement(cases).tolist() == [1.0, 0.6, 0.6, 0.3, 1.0]
    _, confidence, score, agree = fused((1, -1, 0), (1.0, 1.0, 0.0))  # all differ
    assert (score, agree) == (pytest.approx(-0.1), 0.3)
    assert confidence == pytest.approx(0.6 * 0.1 + 0.25 * 0.3 + 0.15 * 1.0)


@pytest.mark.parametrize(
    ("history", "expected"),
    [
        ([1], 1.0),
        ([1, 1], 1.0),
        ([1, -1], 0.0),
        ([1, 1, -1, -1], 2 / 3),
        ([1, -1, 1, -1, 1], 0.0),
        ([-1, 1, 1, 1, 1, 1], 1.0),
    ],
)
def test_consistency_over_the_last_two_to_five(history, expected):
    assert consistency(np.array(history), S.consistency_signals)[-1] == pytest.approx(expected)


@given(
    d=st.tuples(*[st.sampled_from((-1, 0, 1))] * 3),
    c=st.tuples(*[st.floats(0, 1)] * 3),
)
def test_bounds_and_symmetry(d, c):
    direction, confidence, score, _ = fused(d, c)
    opposite = fused(tuple(-x for x in d), c)
    assert 0 <= confidence <= 1
    assert -1 <= score <= 1
    assert opposite[0] == -direction
    assert opposite[1] == pytest.approx(confidence)


def test_a_higher_candle_is_known_when_it_closes():
    base, four = candles(24, 1), candles(6, 4)
    known = last_closed(base, four)
    assert known[:3].tolist() == [-1, -1, -1]
    assert known[3] == 0  # 03:00-04:00 closes together with 00:00-04:00
    assert known[6] == 0
    assert known[7] == 1


def test_fusion_is_absent_until_a_day_has_closed(walk, make_higher):
    base = Candles.from_frame(walk.iloc[:200], "1h")
    views = {"1h": (base, compute_technical(base, _baseline()))}
    for name in ("4h", "1d"):
        frame = Candles.from_frame(make_higher(walk.iloc[:200], name), name)
        views[name] = (frame, compute_technical(frame, _baseline()))
    result = fuse(base, views, S)
    assert np.isnan(result.score[:23]).all()
    assert np.isnan(result.confidence[:23]).all()
    assert (result.direction[:23] == 0).all()
    assert np.isfinite(result.score[23:]).all()


def test_without_daily_candles_fusion_is_absent(walk):
    base = Candles.from_frame(walk.iloc[:100], "1h")
    empty = Candles.from_frame(walk.iloc[:0], "1d")
    views = {name: (base, compute_technical(base, _baseline())) for name in ("1h", "4h")}
    views["1d"] = (empty, compute_technical(empty, _baseline()))
    assert np.isnan(fuse(base, views, S).score).all()


def _baseline():
    from coordinator.settings.signals import BaselineSettings

    return BaselineSettings()


def test_lower_timeframes_that_turn_first_are_a_warning():
    frames = {"1h": candles(24 * 7, 1), "4h": candles(6 * 7, 4), "1d": candles(7, 24)}
    hours, fours, days = (np.ones(len(frame)) for frame in frames.values())
    hours[100:], fours[30:] = -1, -1  # from the 101st hour, and from the 31st 4h candle, closed in hour 124
    views = {
        name: (frame, TimeframeView(direction, np.full(len(frame), 0.5)))
        for (name, frame), direction in zip(frames.items(), (hours, fours, days), strict=True)
    }
    warning = fuse(frames["1h"], views, S).warning
    np.testing.assert_array_equal(np.flatnonzero(warning), np.arange(124 - 1, 24 * 7))
    assert set(warning[124 - 1 :]) == {-1}
    assert not fuse(frames["1h"], {**views, "1d": views["4h"]}, S).warning.any()  # all have turned

    def said(*directions):
        own = {
            name: (frame, TimeframeView(np.full(len(frame), d), np.full(len(frame), 0.5)))
            for (name, frame), d in zip(frames.items(), directions, strict=True)
        }
        return np.flatnonzero(fuse(frames["1h"], own, S).warning)

    assert said(-1, -1, 1)[0] == 23  # with the first day that has closed
    assert not len(said(-1, -1, 0))  # a day that points nowhere is not turned against
