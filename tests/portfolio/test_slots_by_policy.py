"""Entries ranked by the policy that divides the slots: its P(take), the portfolio's part, and expected R without it."""

from types import SimpleNamespace

import numpy as np
import pytest

from coordinator.errors import CoordinatorError
from coordinator.portfolio.entry_round import Slots
from coordinator.portfolio.guard import Position
from coordinator.portfolio.ranking import Candidate, divide_by_policy
from coordinator.portfolio.slot_terms import portfolio_state, take_probability
from coordinator.run.entry_guard import EntryGuard
from coordinator.settings import load_settings
from coordinator.settings.predictions import prediction_settings

DAY, TIME = 86400, 100 * 86400
SURE, LIKELY, NEVER = (3.0, 0.0, 0.0), (1.0, 0.0, 0.0), (-1.0, 0.0, 0.0)
WHILE_EMPTY, WHILE_YOUNG = (1.0, -4.0, 0.0), (1.0, 0.0, -4.0)


def settings(mode="on", by="policy"):
    return load_settings(
        {
            "entries": {"ranking": mode, "ranking_by": by},
            "portfolio": {"max_positions": 4},
            "targets": {"horizon": 240},
        }
    )


def check_all(terms, s, limit=4, opened=()):
    """The guard's answer to each pair; expected R falls from the first pair to the last."""
    candidates = [Candidate(pair, 1, 1.0 - 0.1 * i, 0.7, t) for i, (pair, t) in enumerate(terms.items())]
    run = SimpleNamespace(market=None, entry_candidates=lambda time, s: candidates)
    slots = Slots(lambda: [Position(f"held{i}", 1) for i in range(len(opened))], limit, opened=lambda: opened)
    guard = EntryGuard(run)
    return {pair: guard.check(pair, 1, TIME, slots, s) for pair in terms}


def allowed(terms, s, **more):
    return [pair for pair, check in check_all(terms, s, **more).items() if check.allowed]


def test_the_likeliest_win_and_what_is_left_gets_no_slot():
    terms = {"A": NEVER, "B": LIKELY, "C": SURE}
    assert allowed(terms, settings()) == ["B", "C"]
    assert allowed(terms, settings(), limit=1) == ["C"]
    assert allowed(terms, settings(by="expected_r"), limit=1) == ["A"]


def test_the_portfolio_has_its_part():
    """Two of four slots in use since half and a quarter of the time limit."""
    opened = (TIME - 5 * DAY, TIME - 2.5 * DAY)
    assert portfolio_state(opened, 4, TIME, 10 * DAY) == (0.5, 0.375)
    terms = {"A": WHILE_EMPTY, "B": WHILE_YOUNG, "C": SURE}
    assert allowed(terms, settings()) == ["A", "B", "C"]
    assert allowed(terms, settings(), opened=opened) == ["C"]
    # One of four, just opened: 1 - 4 x 1/4 is a P(take) of .5, which is taken.
    assert allowed(terms, settings(), opened=(TIME,)) == ["A", "B", "C"]


def test_without_the_policy_of_one_of_them_expected_r_ranks_all():
    terms = {"A": NEVER, "B": (), "C": SURE}
    assert allowed(terms, settings(), limit=1) == ["A"]
    assert allowed(dict.fromkeys("ABC", ()), settings(), limit=2) == ["A", "B"]
    assert divide_by_policy([], (0.0, 0.0)) is None


@pytest.mark.parametrize("mode", ["shadow", "on"])
def test_what_it_leaves_is_recorded(mode):
    checks = check_all({"A": NEVER, "B": SURE}, settings(mode))
    assert checks["A"].allowed == (mode == "shadow") and checks["B"].allowed
    (row,) = checks["A"].rows
    assert row == ("A", "ranking", mode, 0.0, 2.0) and not checks["B"].rows
    (line,) = checks["A"].log_lines
    assert line.endswith("by ranking: the policy that divides the slots leaves it, P(take) 27%")


def test_switched_off_it_decides_nothing():
    assert allowed({"A": NEVER, "B": SURE}, settings("off")) == ["A", "B"]


def test_probabilities_are_finite_and_ordered():
    terms = np.array([[1e9, 0, 0], [-1e9, 0, 0], [np.nan, 0, 0]])
    high, low, unknown = take_probability(terms, (0.0, 0.0))
    assert 1 - 1e-12 < high <= 1 and 0 <= low < 1e-12 and np.isnan(unknown)


def test_settings_that_cannot_be_divided_are_refused():
    with pytest.raises(CoordinatorError, match=r"portfolio\.max_positions"):
        load_settings({"entries": {"ranking_by": "policy"}})
    with pytest.raises(CoordinatorError, match="one clock"):
        load_settings(
            {
                "entries": {"ranking_by": "policy"},
                "portfolio": {"max_positions": 3},
                "clocks": {"1d": {"targets": {"horizon": 10}}, "4h": {"targets": {"horizon": 60}}},
            }
        )


def test_predictions_depend_on_it():
    """Models and predictions of a run without the policy, or of other places, are not taken over."""
    one, two = (prediction_settings(settings(by=by))["slots"] for by in ("policy", "expected_r"))
    assert two == {"ranking_by": "expected_r"} == prediction_settings(settings("off"))["slots"]
    assert (one["ranking_by"], one["places"], one["seed"]) == ("policy", 4, 42)
