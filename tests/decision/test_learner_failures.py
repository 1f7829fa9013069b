"""No failure of a learner stops a decision (DESIGN.md 3): it begins anew, and answers as if it had not learned."""

import numpy as np
import pytest

from coordinator.decision.blending.manager import MLWeightManager
from coordinator.decision.calibration import Calibrator
from coordinator.decision.earned_risk import EarnedRisk
from coordinator.decision.fold import Fold
from coordinator.decision.selector import TacticSelector
from coordinator.decision.thresholds import AdaptiveThresholds
from coordinator.decision.vote_weights import VoteWeights
from coordinator.ledger.records import DropRow
from coordinator.run.learning_records import WrittenCounts, history_records
from coordinator.settings import load_settings

SECTION = {
    "decision": {"weighting": "earned", "expectancy_outcomes": 50},
    "blending": {"start_phase": "expansion"},
    "thresholds": {"mode": "on"},
    "sizing": {"earned": {"mode": "on", "minimum_outcomes": 20}},
}
SETTINGS = load_settings(SECTION)
PARTS = {
    "vote_weights": [(VoteWeights, "learn"), (VoteWeights, "predict")],
    "manager": [(MLWeightManager, "learn"), (MLWeightManager, "predict")],
    "thresholds": [(AdaptiveThresholds, "learn"), (AdaptiveThresholds, "predict")],
    "selector": [(TacticSelector, "learn"), (TacticSelector, "predict")],
    "clocks": [(Calibrator, "learn"), (Calibrator, "predict_r"), (EarnedRisk, "learn")],
}


def broken(*arguments, **options):
    raise ZeroDivisionError("made to fail")


@pytest.fixture(scope="module")
def table(tables):
    return tables(21, n=1500, days=200, edge=0.3)


@pytest.fixture(scope="module")
def whole(table):
    return Fold(SETTINGS).run(table)


@pytest.mark.parametrize(
    ("name", "kind", "method"), [(n, *part) for n, parts in PARTS.items() for part in parts]
)
def test_the_others_decide_on(monkeypatch, table, whole, name, kind, method):
    monkeypatch.setattr(kind, method, broken)
    fold = Fold(SETTINGS)
    out = fold.run(table)
    assert (out.rejection >= 0).all()
    failures = fold.learners.history.failures
    assert {failure.learner for failure in failures} == {name}
    assert failures[0].error == "ZeroDivisionError: made to fail"
    # What it learns is missing: the run is another one than with it.
    assert not all(np.array_equal(getattr(out, f), getattr(whole, f), equal_nan=True) for f in vars(out))


def run_with(monkeypatch, table, *broken_parts):
    with monkeypatch.context() as patch:
        for kind, method in broken_parts:
            patch.setattr(kind, method, broken)
        return Fold(SETTINGS).run(table)


def test_each_answers_with_its_start_value(monkeypatch, table):
    weights = run_with(monkeypatch, table, (VoteWeights, "learn"))
    predicting = run_with(monkeypatch, table, (VoteWeights, "learn"), (VoteWeights, "predict"))
    np.testing.assert_array_equal(predicting.ml_score, weights.ml_score)  # both by the documented weights
    manager = run_with(monkeypatch, table, (MLWeightManager, "predict"))
    assert set(manager.ml_weight) == {0.2}  # expansion's first weight
    thresholds = run_with(monkeypatch, table, (AdaptiveThresholds, "predict"))
    assert set(thresholds.adaptive_threshold) >= {0.7}
    selector = run_with(monkeypatch, table, (TacticSelector, "predict"))
    assert np.isnan(selector.of("selector")).all()
    assert (selector.tactic == -1).all()
    clocks = run_with(monkeypatch, table, (Calibrator, "learn"))
    assert np.isnan(clocks.expected_r).all()
    assert set(run_with(monkeypatch, table, (EarnedRisk, "learn")).risk_share) == {1.0}


def test_a_failure_of_one_day_costs_what_was_learned_and_no_more(monkeypatch, table):
    """It is like a start on that day: what it learns afterwards it knows."""
    days = np.unique(table.time // 86400 * 86400)
    at, learn = days[len(days) // 2], VoteWeights.learn
    fold = Fold(SETTINGS)

    def once(self, *arguments):
        if fold.learners._now == at:
            broken()
        learn(self, *arguments)

    monkeypatch.setattr(VoteWeights, "learn", once)
    fold.run(table)
    (failure,) = fold.learners.history.failures
    assert (failure.time, failure.learner) == (at, "vote_weights")
    assert fold.learners.vote_weights.weights != Fold(SETTINGS).learners.vote_weights.weights
    late = Fold(SETTINGS)
    monkeypatch.setattr(VoteWeights, "learn", lambda *row: learn(*row) if late.learners._now > at else None)
    late.run(table)
    assert fold.learners.vote_weights.weights == late.learners.vote_weights.weights


def test_failures_are_counted_in_the_ledger_once_a_day(monkeypatch, table):
    monkeypatch.setattr(VoteWeights, "learn", broken)
    monkeypatch.setattr(VoteWeights, "predict", broken)
    fold = Fold(SETTINGS)
    fold.run(table)
    history = fold.learners.history
    days = np.unique(table.time // 86400 * 86400)
    records = [record for record in history_records(history) if record.drops]
    assert [record.time for record in records] == days.tolist()
    reason = "raised ZeroDivisionError: made to fail; it begins anew"
    assert all(record.drops == (DropRow("", "vote_weights", reason),) for record in records)
    assert not [r for r in history_records(history, WrittenCounts.all_of(history)) if r.drops]
