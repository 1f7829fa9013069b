"""What the learners did, summed up: hand-computed figures of a small run."""

import numpy as np
import pandas as pd
import pytest

from coordinator.ledger.frame import normalise_decisions
from coordinator.reports.learning import (
    arm_rows,
    calibration_rows,
    confidence_rows,
    direction_rows,
    error_sentence,
    phase_rows,
)


@pytest.fixture
def frame():
    n = 8
    accepted = np.array([1, 1, 0, 1, 1, 0, 1, 1], dtype=bool)
    r = np.array([2.0, -1.0, -1.0, 2.0, -1.0, 2.0, -1.0, np.nan])
    return normalise_decisions(
        pd.DataFrame(
            {
                "time": pd.date_range("2024-01-01", periods=n, freq="12h", tz="UTC"),
                "pair": "BTC/USDT",
                "direction": 1,
                "price": 100.0,
                "stop": 98.0,
                "target": 104.0,
                "horizon": 48,
                "reasons": "x",
                "technical_direction": 1.0,
                "technical_confidence": 0.8,
                "technical_percentile": [0.9, 0.8, 0.1, 0.9, 0.2, 0.1, 0.8, 0.9],
                "unified_score": 0.7,
                "unified_confidence": 0.8,
                "threshold": 0.7,
                "ml_weight": [0.0, 0.0, 0.1, 0.1, 0.1, 0.0, 0.2, 0.2],
                "accepted": accepted,
                "rejection": np.where(accepted, "", "confidence below the threshold"),
                "ml_rank": [0.9, 0.1, 0.2, 0.8, 0.9, 0.1, np.nan, 0.9],
                "win_probability": [np.nan, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3],
                "phase": ["shadow", "shadow", "pilot", "pilot", "pilot", "shadow", "expansion", "expansion"],
                "arm": ["", "", "blend", "blend", "baseline", "", "", ""],
                "outcome_r": r,
                "outcome_exit": np.where(np.isnan(r), "", np.where(r > 0, "target", "stop")),
                "outcome_time": pd.date_range("2024-01-05", periods=n, freq="h", tz="UTC").where(
                    ~np.isnan(r)
                ),
            }
        ),
        "test",
    )


def test_phases_in_the_order_in_which_they_came(frame):
    rows = phase_rows(frame)
    assert [name for name, _ in rows] == ["shadow", "pilot", "shadow", "expansion"]
    assert rows[1][1] == ["2024-01-02", "2024-01-03", "3", "10.00%", "10.00%"]
    assert phase_rows(frame.assign(phase="")) == []


def test_accepted_signals_by_the_say_ml_had(frame):
    rows = dict(confidence_rows(frame))
    assert rows["no say"] == ["2", "0.500", "1.500"]
    assert rows["0% to 10%"] == ["2", "0.500", "1.500"]
    assert rows["10% to 20%"][:2] == ["2", "-1.000"]  # one of them is unresolved
    later = confidence_rows(frame.assign(ml_weight=[0.1, 0.2, 0.1, 0.4, 0.41, 0.0, 0.7, 0.7]))
    counts = {"0% to 10%": "1", "10% to 20%": "1", "20% to 40%": "1", "40% to 70%": "3"}
    assert {name: cells[0] for name, cells in later} == counts


def test_both_arms_of_the_pilot(frame):
    assert dict(arm_rows(frame)) == {
        "blend": ["2", "1", "2.000", "–"],
        "baseline": ["1", "1", "-1.000", "–"],
    }


def test_ml_and_baseline_trade_on_their_own_percentile(frame):
    rows = dict(direction_rows(frame))
    ml, baseline = rows["ML, whole run"], rows["baseline, whole run"]
    # In three days 2, 2 and -1 R of ML's, 2 - 1, 2 and -1 R of the baseline's.
    assert ml == ["3", "1.00", "66.67%", "1.000", "0.577", "4.00", "1.0"]
    assert baseline == ["4", "1.33", "50.00%", "0.500", "0.436", "2.00", "1.0"]
    earlier = frame.assign(time=frame["time"] - pd.Timedelta(days=31), outcome_r=-1.0)
    rows = dict(direction_rows(pd.concat((earlier, frame), ignore_index=True)))
    assert (rows["ML, last 30 days"], rows["baseline, last 30 days"]) == (ml, baseline)
    assert (rows["ML, whole run"][0], rows["baseline, whole run"][0]) == ("7", "9")
    even = dict(direction_rows(frame.assign(outcome_r=0.0)))
    assert (
        even["ML, whole run"][2] == even["baseline, whole run"][2] == "0.00%"
    )  # what made nothing is no win


def test_each_side_by_its_own_gate(frame):
    never, always = pd.Series(2.0, index=frame.index), pd.Series(0.0, index=frame.index)
    rows = dict(direction_rows(frame, never, always))
    assert rows["ML, whole run"][0] == "0"
    assert rows["baseline, whole run"][0] == "7"


def test_what_counts_as_won_can_be_said(frame):
    rows = dict(calibration_rows(frame, frame["outcome_r"] > -5))
    assert rows["All signals"][1] == "100.00%"


def test_mistakes_of_a_single_answer(frame):
    assert (
        error_sentence(frame.assign(ml_rank=0.9))
        == "ML said yes to all 7 signals, and was right about 42.9%."
    )


def test_calibration_and_mistakes(frame):
    rows = dict(calibration_rows(frame))
    assert rows["All signals"][:3] == ["6", "33.33%", "0.0333"]
    assert rows["Accepted"][0] == "4"
    assert error_sentence(frame) == (
        "ML said yes to 50% of 6 signals and was right about 66.7%: 33.3% of its yes lost (false positives), "
        "33.3% of its no would have gained (false negatives)."
    )
    assert error_sentence(frame.assign(ml_rank=np.nan)) == ""
    # From .5 on it is a yes, and what made nothing is no gain.
    half = error_sentence(frame.assign(ml_rank=0.5))
    assert half == "ML said yes to all 7 signals, and was right about 42.9%."
    nothing = error_sentence(frame.assign(ml_rank=0.9, outcome_r=0.0))
    assert nothing == "ML said yes to all 8 signals, and was right about 0.0%."
