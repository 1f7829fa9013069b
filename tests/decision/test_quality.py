import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordinator.decision.quality import apply_quality

unit = st.floats(0, 1)


def test_the_documented_blend_is_thirty_to_seventy():
    got, removed = apply_quality(np.array([0.6]), np.array([0.9]), "score_enhancement")
    assert got[0] == pytest.approx(0.7 * 0.6 + 0.3 * 0.9)
    assert not removed[0]


def test_filter_removes_below_a_half_and_touches_no_score():
    got, removed = apply_quality(np.full(3, 0.6), np.array([0.49, 0.5, 0.9]), "filter")
    assert removed.tolist() == [True, False, False]
    assert got.tolist() == [0.6, 0.6, 0.6]


def test_replace_trusts_the_model_alone():
    got, removed = apply_quality(np.full(2, 0.6), np.array([0.1, 0.9]), "replace")
    assert got.tolist() == [0.1, 0.9]
    assert not removed.any()


@pytest.mark.parametrize("mode", ["score_enhancement", "filter", "replace"])
def test_an_absent_model_changes_nothing(mode):
    technical = np.array([0.2, 0.9])
    got, removed = apply_quality(technical, np.full(2, np.nan), mode)
    assert got.tolist() == technical.tolist()
    assert not removed.any()


@given(technical=unit, low=unit, high=unit, mode=st.sampled_from(["score_enhancement", "filter", "replace"]))
def test_more_quality_never_hurts(technical, low, high, mode):
    low, high = sorted((low, high))
    score, removed = apply_quality(np.full(2, technical), np.array([low, high]), mode)
    assert score[0] <= score[1]
    assert removed[0] >= removed[1]
    assert ((score >= 0) & (score <= 1)).all()
