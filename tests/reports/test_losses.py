"""What hyperopt minimises: better is never worse, nothing is infinite, and the numbers are worked out by hand."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from freqtrade.resolvers.hyperopt_resolver import HyperOptLossResolver
from hypothesis import given, settings
from hypothesis import strategies as st

from coordinator.reports.deflated_sharpe import deflated_score, deflated_sharpe
from coordinator.reports.losses import (
    calmar_floor_loss,
    daily_returns,
    deflated_sharpe_loss,
    drawdown_bounded_loss,
    expectancy_loss,
    initial_risk,
    realised_equity,
)
from coordinator.run.backtest_ledger import describe_run
from coordinator.settings import load_settings

BEGIN = datetime(2024, 1, 1, tzinfo=UTC)
BALANCE = 1000.0
HYPEROPTS = Path(__file__).resolve().parents[2] / "hyperopts"


def trades(profits, days=None, short=False):
    """One trade a day: 10 units bought at 100, initial stop at 95 (105 if short)."""
    count = len(profits)
    closed = [BEGIN + timedelta(days=float(day), hours=5) for day in (range(count) if days is None else days)]
    return pd.DataFrame(
        {
            "close_date": pd.to_datetime(closed, utc=True),
            "profit_abs": np.asarray(profits, dtype=float),
            "open_rate": 100.0,
            "initial_stop_loss_abs": 105.0 if short else 95.0,
            "max_stake_amount": 500.0,
            "leverage": 2.0,
            "is_short": short,
        },
        index=range(count),
    )


def until(count):
    return BEGIN + timedelta(days=max(count, 1))


LOSSES = {
    "deflated Sharpe": lambda t: deflated_sharpe_loss(t, BEGIN, until(len(t) - 1), BALANCE, 50, 0.5),
    "Calmar": lambda t: calmar_floor_loss(t, BEGIN, until(len(t)), BALANCE, 5),
    "expectancy": expectancy_loss,
    "drawdown": lambda t: drawdown_bounded_loss(t, BALANCE, 0.2),
}
money = st.floats(-90, 90, allow_nan=False, width=32)


@pytest.mark.parametrize("name", LOSSES)
@settings(max_examples=60, deadline=None)
@given(profits=st.lists(money, min_size=1, max_size=40), more=st.floats(0.01, 50))
def test_the_same_trades_with_more_profit_each_are_never_worse(name, profits, more):
    loss = LOSSES[name]
    before, after = loss(trades(profits)), loss(trades(np.array(profits) + more))
    assert np.isfinite([before, after]).all()
    assert after <= before + 1e-9 * max(1.0, abs(before))


@pytest.mark.parametrize("name", ["Calmar", "expectancy", "drawdown"])
@settings(max_examples=60, deadline=None)
@given(data=st.data(), profits=st.lists(money, min_size=1, max_size=40))
def test_one_trade_that_earns_more_is_never_worse(name, data, profits):
    which = data.draw(st.integers(0, len(profits) - 1))
    better = np.array(profits)
    better[which] += data.draw(st.floats(0.01, 200))
    before, after = LOSSES[name](trades(profits)), LOSSES[name](trades(better))
    assert after <= before + 1e-9 * max(1.0, abs(before))


@pytest.mark.parametrize("name", LOSSES)
def test_every_loss_is_finite_and_winners_are_better_than_losers(name):
    loss = LOSSES[name]
    cases = ([], [10.0], [-10.0], [10.0] * 20, [-10.0] * 20, [10.0, -5.0] * 10, [-2000.0], [0.0] * 12)
    values = [loss(trades(profits)) for profits in cases]
    assert max(values) < 100  # from there on Freqtrade takes no epoch for the best
    assert min(values) > -501
    assert loss(trades([10.0] * 20)) < loss(trades([10.0, -5.0] * 10)) < loss(trades([-10.0] * 20))
    assert loss(trades([12.0, 3.0, 9.0] * 5)) < loss(trades([-12.0, -3.0, -9.0] * 5))


def test_the_realised_account_by_hand():
    """Two trades of one moment are one step, whatever their order."""
    both = trades([30.0, -10.0, 5.0], days=[2, 1, 1])
    assert realised_equity(both, BALANCE).tolist() == [1000.0, 995.0, 1025.0]
    assert realised_equity(both.iloc[::-1], BALANCE).tolist() == [1000.0, 995.0, 1025.0]
    assert daily_returns(both, BEGIN, BEGIN + timedelta(days=3), BALANCE).tolist() == [0.0, -0.005, 0.03, 0.0]


def test_calmar_by_hand():
    """+100, -50, +50 of 1000 in 73 days: 50 % a year, the drawdown is 50 of 1100."""
    end = BEGIN + timedelta(days=73)
    one = trades([100.0, -50.0, 50.0])
    assert calmar_floor_loss(one, BEGIN, end, BALANCE, 3) == pytest.approx(-0.5 / (50 / 1100))
    # Two of five are missing; 11 of 12 of the way from 0 to 1 is a ratio of 11.
    assert calmar_floor_loss(one, BEGIN, end, BALANCE, 5) == pytest.approx(
        10 * (1 + (2 + 0.5 - 0.5 * 11 / 12) / 5)
    )
    assert calmar_floor_loss(trades([-50.0]), BEGIN, end, BALANCE, 1) == pytest.approx(0.25)


@settings(max_examples=50, deadline=None)
@given(
    few=st.lists(money, min_size=0, max_size=4),
    many=st.lists(money, min_size=1, max_size=12),
)
def test_fewer_trades_than_the_floor_are_worse_than_any_with_more(few, many):
    many = (many * 5)[: max(len(few) + 1, len(many))]
    assert LOSSES["Calmar"](trades(few)) > LOSSES["Calmar"](trades(many))


@pytest.mark.parametrize("short", [False, True])
def test_the_initial_risk_and_r_by_hand(short):
    """500 x 2 at 100 are 10 units, 5 away from the stop: 50. +75 is 1.5 R, -50 is -1 R."""
    one = trades([75.0, -50.0], short=short)
    assert initial_risk(one).tolist() == [50.0, 50.0]
    assert expectancy_loss(one) == pytest.approx(-0.25)
    unknown = one.assign(initial_stop_loss_abs=[np.nan, one["initial_stop_loss_abs"].iloc[1]])
    assert expectancy_loss(unknown) == pytest.approx(1.0)
    beyond = one.assign(initial_stop_loss_abs=100.0)
    assert np.isnan(initial_risk(beyond)).all()
    assert expectancy_loss(beyond) == 0.0


def test_the_bound_on_the_drawdown_by_hand():
    """1000, 800, 900: 20 % down; the bound 10 % is exceeded once, so 1 is added to the loss of .1."""
    one = trades([-200.0, 100.0])
    assert drawdown_bounded_loss(one, BALANCE, 0.1) == pytest.approx(1.0 + 0.1)
    assert drawdown_bounded_loss(one, BALANCE, 0.2) == pytest.approx(0.1)
    assert drawdown_bounded_loss(one, BALANCE, 0.05) == pytest.approx(9.0 + 0.1)


def test_the_deflated_score_is_the_ratio_s_own_where_both_take_the_error_alike():
    """At a ratio that stands at the bar both errors are the same: half, and no score."""
    returns = np.random.default_rng(2).normal(0.0, 0.01, 1001)
    lucky = returns - returns.mean()
    account = pd.Series(100 * np.cumprod(1 + np.r_[0.0, lucky]))
    assert deflated_score(lucky, 1, 0.5) == pytest.approx(0.0, abs=1e-9)
    assert deflated_sharpe(account, 1, 0.5) == pytest.approx(0.5, abs=1e-6)


def test_days_that_all_earn_more_never_lower_the_score_of_a_lucky_day():
    """One great day among equal ones: with the error at the ratio itself the score would fall."""
    days = np.r_[np.full(29, 0.001), 0.2]
    scores = [deflated_score(days + more, 2, 0.5) for more in (0.0, 0.02, 0.05, 0.1)]
    assert scores == sorted(scores)
    assert scores[-1] > scores[0] + 1


def test_more_epochs_deflate_more():
    one = trades([10.0, -5.0, 8.0, -2.0] * 10)
    end = until(39)
    few, many = (deflated_sharpe_loss(one, BEGIN, end, BALANCE, epochs, 0.5) for epochs in (1, 500))
    assert few < many < 0
    wide = deflated_sharpe_loss(one, BEGIN, end, BALANCE, 500, 1.0)
    assert many < wide


def test_a_bot_continues_its_run_whatever_hyperopt_looks_for():
    one, other = (load_settings({"hyperopt": {"least_trades": n}}) for n in (30, 50))
    runs = [describe_run({"freqai": {}}, "S", each, BEGIN) for each in (one, other)]
    assert runs[0].identity == runs[1].identity
    assert "hyperopt" not in runs[0].settings


CLASSES = {
    "DeflatedSharpeHyperOptLoss": lambda t: deflated_sharpe_loss(t, BEGIN, until(20), BALANCE, 40, 0.7),
    "CalmarFloorHyperOptLoss": lambda t: calmar_floor_loss(t, BEGIN, until(20), BALANCE, 25),
    "ExpectancyRHyperOptLoss": expectancy_loss,
    "DrawdownBoundedProfitHyperOptLoss": lambda t: drawdown_bounded_loss(t, BALANCE, 0.03),
}


@pytest.mark.parametrize("name", CLASSES)
def test_freqtrade_finds_each_class_and_it_takes_its_settings_from_the_config(name):
    config = {
        "hyperopt_loss": name,
        "hyperopt_path": str(HYPEROPTS),
        "timeframe": "1h",
        "epochs": 40,
        "user_data_dir": Path("/nowhere"),
        "coordinator": {"hyperopt": {"least_trades": 25, "drawdown_bound": 0.03, "sharpe_spread": 0.7}},
    }
    one = trades([10.0, -25.0, 8.0, -2.0] * 5)
    found = HyperOptLossResolver.load_hyperoptloss(config).hyperopt_loss_function(
        results=one,
        trade_count=20,
        min_date=BEGIN,
        max_date=until(20),
        config=config,
        processed={},
        backtest_stats={},
        starting_balance=BALANCE,
    )
    assert found == pytest.approx(CLASSES[name](one))


def test_every_loss_file_is_tested():
    assert {path.stem for path in HYPEROPTS.glob("*.py")} == set(CLASSES)
