"""Scores that know, scores that do not, and the interval of a difference between two accounts."""

import numpy as np
import pandas as pd
import pytest

from coordinator.ledger.schema import COMPONENTS
from coordinator.reports.difference import annual_difference, sharpe_difference
from coordinator.reports.metrics import sharpe
from coordinator.reports.skill import skill_rows


@pytest.fixture
def frame():
    rng = np.random.default_rng(1)
    n = 2000
    won = rng.random(n) < 0.3
    frame = pd.DataFrame({f"{name}_percentile": np.full(n, np.nan) for name in COMPONENTS})
    return frame.assign(
        time=pd.date_range("2023-01-01", periods=n, freq="6h", tz="UTC"),
        lstm_percentile=np.where(won, 0.9, 0.1),  # knows all
        fusion_percentile=np.where(won, 0.1, 0.9),  # knows all, the wrong way round
        ml_score=rng.random(n),
        quality_percentile=np.where(rng.random(n) < 0.5, np.nan, won.astype(float)),
        unified_confidence=0.5,
        outcome_r=np.where(won, 2.0, -1.0),
        outcome_exit=np.where(won, "target", "stop"),
    )


def test_knowing_is_one_not_knowing_a_half(frame):
    rows = dict(skill_rows(frame))
    assert rows["lstm"][1:3] == ["1.0000", "1.0000"]
    assert rows["lstm"][5] == "2.000"
    assert rows["fusion"][1] == "0.0000"
    assert rows["attention"] == ["0", *["–"] * 5]
    assert rows["control: constant"][1] == "0.5000"
    assert rows["decision"][1] == "0.5000"
    assert abs(float(rows["vote"][1]) - 0.5) < 0.05
    assert abs(float(rows["control: noise"][1]) - 0.5) < 0.05
    assert 800 < int(rows["quality"][0].replace(",", "")) < 1200


def test_a_good_year_is_no_good_score(frame):
    """The constant takes the first signals of each quarter, not those of the best one."""
    year = frame["time"] < pd.Timestamp("2023-04-01", tz="UTC")
    r = np.where(year, 2.0, -1.0)
    rows = dict(skill_rows(frame.assign(outcome_r=r)))
    assert abs(float(rows["control: constant"][5]) - float(rows["control: noise"][5])) < 0.05


def accounts(edge, n=700):
    rng = np.random.default_rng(3)
    days = pd.date_range("2022-01-01", periods=n, freq="D", tz="UTC")
    shared = rng.normal(0, 0.02, n)
    one = pd.Series(np.cumprod(1 + shared + rng.normal(edge, 0.005, n)), index=days)
    return one, pd.Series(np.cumprod(1 + shared), index=days)


def test_a_real_edge_has_an_interval_above_zero_and_none_has_not():
    mean, low, high = annual_difference(*accounts(0.001))
    assert low < mean < high
    assert low > 0
    assert mean == pytest.approx(0.365, abs=0.15)
    _, low, high = annual_difference(*accounts(0.0))
    assert low < 0 < high


def test_an_account_and_itself_do_not_differ():
    one, _ = accounts(0.0)
    assert tuple(annual_difference(one, one)) == (0.0, 0.0, 0.0)
    assert np.isnan(annual_difference(one.head(5), one.head(5))).all()


def test_a_difference_of_sharpe_ratios_does_not_ask_for_exposure():
    one, other = accounts(0.001)
    half = pd.Series(1000 * (1 + one.pct_change().fillna(0.0) / 2).cumprod())
    assert sharpe_difference(half, one).mean == pytest.approx(0.0, abs=1e-9)
    assert annual_difference(half, one).high < 0
    mean, low, high = sharpe_difference(one, other)
    assert mean == pytest.approx(sharpe(one) - sharpe(other)) and low < mean < high
    flat = pd.Series(1000.0, index=one.index)
    assert sharpe_difference(one, flat).mean == pytest.approx(sharpe(one))
    assert np.isnan(sharpe_difference(one[:5], other[:5])).all()
