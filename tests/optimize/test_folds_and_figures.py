"""The folds, the holdout, and the figures of their parts."""

import math
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from coordinator.errors import CoordinatorError
from coordinator.jobs.optimize.figures import LIMITS, Figures, parse_objective, part_figures, score
from coordinator.jobs.optimize.folds import divide
from coordinator.reports.metrics import sharpe

START = datetime(2021, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("days", [200, 365, 730, 1001])
@pytest.mark.parametrize("folds", [1, 2, 3, 4])
def test_blocks_follow_each_other_and_the_holdout_is_the_newest_fifth(days, folds):
    periods = divide(START, START + timedelta(days=days), folds)
    assert len(periods.folds) == folds
    assert periods.folds[0].start == START
    for fold, following in zip(periods.folds, periods.folds[1:], strict=False):
        assert fold.end == following.start
    for fold in periods.folds:
        share = (fold.end - fold.split) / (fold.end - fold.start)
        assert share == pytest.approx(0.3, abs=0.02)
    assert periods.folds[-1].end == periods.holdout_start
    assert periods.holdout_end == START + timedelta(days=days)
    assert (periods.holdout_end - periods.holdout_start).days == pytest.approx(days * 0.2, abs=0.6)


def test_too_few_days_are_refused_with_how_many_it_takes():
    with pytest.raises(
        CoordinatorError, match=r"about 130 days or longer for 3 folds and a holdout\. Got '60 days'"
    ):
        divide(START, START + timedelta(days=60))
    divide(START, START + timedelta(days=130))


def account(days=60, seed=0):
    index = pd.date_range(START, periods=days + 1, freq="D")
    returns = np.random.default_rng(seed).normal(0.001, 0.02, days)
    return pd.Series(1000 * np.cumprod(np.r_[1.0, 1 + returns]), index=index)


def test_each_part_has_its_own_days_and_the_trades_opened_in_it():
    daily = account()
    split, end = daily.index[40], daily.index[-1]
    opened = [daily.index[5], split - pd.Timedelta(hours=1), split, daily.index[50]]
    trades = pd.DataFrame(
        {"open_date": opened, "profit_abs": [10.0, -5.0, 8.0, -2.0], "r": [1.0, -0.5, math.nan, -0.2]}
    )
    train = part_figures(daily, trades, daily.index[0], split)
    validation = part_figures(daily, trades, split, end)
    assert train.sharpe == sharpe(daily.iloc[:41])
    assert validation.sharpe == sharpe(daily.iloc[40:])
    assert (train.trades, train.profit_factor, train.expectancy_r) == (2, 2.0, 0.25)
    assert (validation.trades, validation.profit_factor, validation.expectancy_r) == (2, 4.0, -0.2)
    assert (1 + train.profit) * (1 + validation.profit) == pytest.approx(daily.iloc[-1] / daily.iloc[0])


def test_figures_come_back_from_json_with_what_json_has_not():
    daily = account()
    none = pd.DataFrame({"open_date": daily.index[:0], "profit_abs": np.zeros(0), "r": np.zeros(0)})
    won = pd.DataFrame({"open_date": [daily.index[1]], "profit_abs": [3.0], "r": [0.5]})
    for trades in (none, won):
        figures = part_figures(daily, trades, daily.index[0], daily.index[-1])
        again = Figures.from_json(figures.as_json())
        np.testing.assert_array_equal(
            [getattr(again, name) for name in LIMITS], [getattr(figures, name) for name in LIMITS]
        )


def test_what_is_maximised_is_a_number_and_has_an_end():
    flat = Figures(math.nan, math.nan, math.nan, math.nan, math.nan, 0.0, 0.0, 0)
    lucky = Figures(99.0, math.inf, math.inf, math.inf, 20.0, 0.1, 0.0, 1)
    lost = Figures(-3.0, -2.0, -math.inf, 0.0, -1.0, -0.1, 0.1, 1)
    assert LIMITS == {"sharpe": 10, "sortino": 20, "calmar": 20, "profit_factor": 10, "expectancy_r": 10}
    for objective, limit in LIMITS.items():
        assert score(flat, objective) == 0
        assert score(lucky, objective) == limit
        assert -limit <= score(lost, objective) <= 0


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("sharpe", "sharpe"),
        ("calmar_ratio", "calmar"),
        ("Sharpe-Ratio", "sharpe"),
        ("profit_factor", "profit_factor"),
    ],
)
def test_objectives_have_two_spellings(text, name):
    assert parse_objective(text) == name
    with pytest.raises(CoordinatorError, match="be one of sharpe, sortino"):
        parse_objective("omega")
