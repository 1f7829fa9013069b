import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordinator.decision.engine import Signals, decide
from coordinator.decision.voting import Votes, ml_weights, unified_score
from coordinator.settings import DecisionSettings

S = DecisionSettings()


def made_up(seed: int, n: int = 400, pairs: int = 3):
    """Signals of several pairs and votes of three components, some absent."""
    rng = np.random.default_rng(seed)
    time = np.sort(rng.integers(0, n, n)) * 3600
    pair = rng.integers(0, pairs, n)
    _, keep = np.unique(np.column_stack((time, pair)), axis=0, return_index=True)
    time, pair = time[keep], pair[keep]
    n = len(time)
    direction = rng.choice([-1, 1], n)
    confidence = rng.uniform(0.4, 1, n)
    votes = {"technical": Votes(direction.astype(float), confidence, direction * confidence)}
    for name in ("lstm", "fusion"):
        score = np.where(rng.random(n) < 0.1, np.nan, rng.uniform(-1, 1, n))
        votes[name] = Votes(np.sign(score), np.abs(score), score)
    return Signals(time, pair, direction), votes


def part(signals, votes, rows):
    return (
        Signals(signals.time[rows], signals.pair[rows], signals.direction[rows]),
        {name: Votes(v.direction[rows], v.confidence[rows], v.score[rows]) for name, v in votes.items()},
    )


@given(seed=st.integers(0, 1000), cut=st.floats(0.05, 0.95))
def test_decisions_do_not_depend_on_later_signals(seed, cut):
    signals, votes = made_up(seed)
    until = signals.time <= np.quantile(signals.time, cut)
    whole, early = decide(signals, votes, S), decide(*part(signals, votes, until), S)
    np.testing.assert_array_equal(early.unified_confidence, whole.unified_confidence[until])
    np.testing.assert_array_equal(early.accepted, whole.accepted[until])


def test_the_order_of_pairs_changes_nothing():
    signals, votes = made_up(5)
    order = np.lexsort((-signals.pair, signals.time))
    one, two = decide(signals, votes, S), decide(*part(signals, votes, order), S)
    np.testing.assert_array_equal(two.unified_confidence, one.unified_confidence[order])


def test_pairs_do_not_touch_each_others_scale():
    signals, votes = made_up(6)
    mine = signals.pair == 1
    whole, alone = decide(signals, votes, S), decide(*part(signals, votes, mine), S)
    np.testing.assert_array_equal(alone.unified_confidence, whole.unified_confidence[mine])


def test_without_ml_the_baseline_trades_alone():
    signals, votes = made_up(7)
    nothing = Votes.absent(len(signals))
    alone = decide(signals, {"technical": votes["technical"]}, S)
    failed = decide(signals, {"technical": votes["technical"], "lstm": nothing, "fusion": nothing}, S)
    zero = decide(signals, votes, DecisionSettings(ml_weight=0.0))
    assert (alone.ml_weight == 0).all()
    for other in (failed, zero):
        np.testing.assert_array_equal(other.unified_confidence, alone.unified_confidence)
        np.testing.assert_array_equal(other.accepted, alone.accepted)


def test_a_component_that_is_not_finite_drops_out_of_that_signal_only():
    signals, votes = made_up(8)
    broken = votes["lstm"].confidence.copy()
    broken[10] = np.inf
    some = decide(signals, {**votes, "lstm": Votes(votes["lstm"].direction, broken, votes["lstm"].score)}, S)
    assert np.isnan(some.percentiles["lstm"][10])
    assert np.isfinite(some.unified_score).all()


def test_ml_that_agrees_raises_and_that_disagrees_lowers():
    signals, votes = made_up(9, n=1000)
    base = decide(signals, {"technical": votes["technical"]}, S)
    for sign, better in ((1, np.greater), (-1, np.less)):
        score = votes["technical"].score * 0 + sign * signals.direction * np.linspace(0.01, 1, len(signals))
        late = np.arange(len(signals)) > 200
        ml = decide(
            signals,
            {**votes, "lstm": Votes(np.sign(score), np.abs(score), score)},
            DecisionSettings(weight_fusion=0),
        )
        assert better(ml.unified_score[late], base.unified_score[late]).mean() > 0.6


def test_raw_scale_is_the_literal_reading():
    signals = Signals(np.array([0]), np.array([0]), np.array([1]))
    one = np.array([1.0])
    votes = {
        "technical": Votes(one, np.array([0.65]), np.array([0.65])),
        "lstm": Votes(one, np.array([0.70]), np.array([0.5])),
        "fusion": Votes(-one, np.array([0.75]), np.array([-0.5])),
    }
    got = decide(signals, votes, DecisionSettings(confidence_scale="raw", ml_weight=0.7))
    ml = (0.25 * 0.70 + 0.20 * 0.0) / 0.45  # a vote against counts nothing for the signal
    assert got.unified_confidence[0] == pytest.approx(0.3 * 0.65 + 0.7 * ml)


def test_a_gate_of_seventy_accepts_about_three_tenths():
    signals, votes = made_up(10, n=6000, pairs=2)
    share = decide(signals, votes, S).accepted[1500:].mean()
    assert share == pytest.approx(0.30, abs=0.04)


def test_rejections_say_why():
    signals, votes = made_up(11)
    decisions = decide(signals, votes, S)
    assert set(decisions.rejection[~decisions.accepted]) == {"confidence below 70%"}
    assert set(decisions.rejection[decisions.accepted]) == {""}


def test_spot_rejects_shorts_and_says_so():
    signals, votes = made_up(12)
    both, spot = decide(signals, votes, S), decide(signals, votes, S, can_short=False)
    short = signals.direction < 0
    np.testing.assert_array_equal(spot.unified_confidence, both.unified_confidence)
    np.testing.assert_array_equal(spot.accepted, both.accepted & ~short)
    assert set(spot.rejection[both.accepted & short]) == {"no shorts in spot"}


@given(w=st.floats(0, 0.7), c=st.lists(st.floats(0, 1), min_size=5, max_size=5))
def test_the_blend_is_between_its_votes(w, c):
    names = ("technical", "lstm", "fusion", "selector", "attention")
    confidences = {name: np.array([value]) for name, value in zip(names, c, strict=True)}
    score, weight = unified_score(confidences, ml_weights(S), np.array([w]))
    assert min(c) - 1e-9 <= score[0] <= max(c) + 1e-9
    assert weight[0] == w


def test_absent_components_leave_their_weight_to_the_rest():
    confidences = {"technical": np.array([0.5]), "lstm": np.array([0.9]), "fusion": np.array([np.nan])}
    score, _ = unified_score(confidences, ml_weights(S), np.array([0.5]))
    assert score[0] == pytest.approx(0.5 * 0.5 + 0.5 * 0.9)
