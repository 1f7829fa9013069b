"""The rules of a review, number by number."""

import pytest

from coordinator.decision.blending.evidence import Evidence
from coordinator.decision.blending.review import EXPANSION, PILOT, SHADOW, review_weight
from coordinator.settings.blending import BlendingSettings

S = BlendingSettings(criterion="accuracy")
OPTIMIZATION = EXPANSION + 1


def evidence(**changed):
    """A window that gives no reason for any change."""
    kept = {
        "outcomes": 600,
        "days": 30,
        "right": 318,
        "p_bar": 0.5,
        "p_floor": 0.9,
        "p_breaker": 1.0,
        "sharpe_ml": 0.1,
        "sharpe_baseline": 0.1,
        "p_sharpe": 0.5,
        "p_sharpe_step": 0.5,
        "p_sharpe_cut": 0.5,
        "mean_ml": 0.5,
        "mean_baseline": 0.5,
        "drawdown_ml": 10.0,
        "drawdown_baseline": 10.0,
    }
    return Evidence(**{**kept, **changed})


GOOD = {"p_bar": 0.8, "p_sharpe": 0.8}
BLOCKED = {**GOOD, "drawdown_ml": 10.1}  # good, but not to be promoted from pilot


@pytest.mark.parametrize(
    ("phase", "weight", "changed", "after"),
    [
        (PILOT, 0.10, BLOCKED, (PILOT, 0.15)),
        (PILOT, 0.20, BLOCKED, (PILOT, 0.20)),  # the phase's cap
        (EXPANSION, 0.20, GOOD, (EXPANSION, 0.25)),
        (OPTIMIZATION, 0.65, GOOD, (OPTIMIZATION, 0.70)),
        (OPTIMIZATION, 0.70, GOOD, (OPTIMIZATION, 0.70)),  # never more
        (OPTIMIZATION, 0.40, {**GOOD, "p_bar": 0.79}, (OPTIMIZATION, 0.40)),
        (OPTIMIZATION, 0.40, {**GOOD, "p_sharpe": 0.79}, (OPTIMIZATION, 0.40)),
        (OPTIMIZATION, 0.40, {**GOOD, "days": 14}, (OPTIMIZATION, 0.40)),
        (OPTIMIZATION, 0.40, {**GOOD, "outcomes": 49}, (OPTIMIZATION, 0.40)),
        (OPTIMIZATION, 0.40, {"p_sharpe_step": 0.19}, (OPTIMIZATION, 0.35)),
        (OPTIMIZATION, 0.40, {"p_sharpe_step": 0.21}, (OPTIMIZATION, 0.40)),
        (PILOT, 0.03, {"p_sharpe_step": 0.1}, (PILOT, 0.0)),  # never less
    ],
)
def test_five_percent_up_and_down(phase, weight, changed, after):
    assert review_weight(phase, weight, 600, evidence(**changed), S)[:2] == after


@pytest.mark.parametrize(
    ("changed", "factor"),
    [
        ({"p_floor": 0.19}, 0.5),
        ({"drawdown_ml": 15.1}, 0.5),
        ({"p_sharpe_cut": 0.19, "p_sharpe_step": 0.1}, 0.7),
        ({"p_floor": 0.19, "drawdown_ml": 15.1}, 0.25),
        ({"p_floor": 0.19, "drawdown_ml": 15.1, "p_sharpe_cut": 0.19}, 0.175),
        ({"drawdown_ml": 15.0}, 1.0),
        ({"drawdown_ml": 4.9, "drawdown_baseline": 1.0}, 1.0),  # both too small to mean anything
        ({"drawdown_ml": 5.1, "drawdown_baseline": 1.0}, 0.5),
        ({"drawdown_ml": 15.1, "days": 14}, 1.0),
        ({"drawdown_ml": 15.1, "days": 15}, 0.5),
        ({"p_floor": 0.01, "outcomes": 49}, 1.0),
        ({"p_floor": 0.21}, 1.0),
        ({"p_sharpe_cut": 0.21}, 1.0),
    ],
)
def test_the_documented_cuts(changed, factor):
    phase, weight, why = review_weight(EXPANSION, 0.40, 600, evidence(**changed), S)
    assert (phase, weight) == (EXPANSION, pytest.approx(0.40 * factor))
    assert why.startswith("cut: " if factor < 1 else "kept")


def test_a_cut_comes_before_a_rise():
    assert review_weight(EXPANSION, 0.3, 600, evidence(**GOOD, drawdown_ml=16.0), S)[1] == 0.15


@pytest.mark.parametrize(
    ("phase", "weight", "outcomes", "changed", "after"),
    [
        (0, 0.0, 99, GOOD, (0, 0.0)),
        (0, 0.0, 100, {"outcomes": 0}, (SHADOW, 0.0)),
        (SHADOW, 0.0, 49, GOOD, (SHADOW, 0.0)),
        (SHADOW, 0.0, 50, GOOD, (PILOT, 0.10)),
        (SHADOW, 0.0, 50, {**GOOD, "p_bar": 0.79}, (SHADOW, 0.0)),
        (SHADOW, 0.0, 50, {**GOOD, "p_sharpe": 0.79}, (SHADOW, 0.0)),
        (PILOT, 0.10, 600, GOOD, (EXPANSION, 0.20)),
        (PILOT, 0.15, 600, GOOD, (EXPANSION, 0.25)),  # what was earned is kept
        (PILOT, 0.10, 600, BLOCKED, (PILOT, 0.15)),  # more drawdown: no promotion
        (EXPANSION, 0.30, 600, {**GOOD, "mean_ml": 0.55}, (OPTIMIZATION, 0.50)),
        (EXPANSION, 0.30, 600, {**GOOD, "mean_ml": 0.54}, (EXPANSION, 0.35)),  # gain below 10 %
        (EXPANSION, 0.25, 600, {**GOOD, "mean_ml": 0.55}, (EXPANSION, 0.30)),  # not at 30 % yet
        (EXPANSION, 0.30, 600, {**GOOD, "mean_ml": -0.46, "mean_baseline": -0.5}, (EXPANSION, 0.35)),
        (EXPANSION, 0.30, 600, {**GOOD, "mean_ml": -0.44, "mean_baseline": -0.5}, (OPTIMIZATION, 0.50)),
    ],
)
def test_promotions(phase, weight, outcomes, changed, after):
    assert review_weight(phase, weight, outcomes, evidence(**changed), S)[:2] == after
