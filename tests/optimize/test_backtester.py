"""A backtest in this process is the one of the command, and many of them do not get in each other's way."""

import json
import logging
import shutil
from datetime import UTC, datetime

import pandas as pd
import pytest
from freqtrade.persistence import enable_database_use

import coordinator.adapters.backtesting.backtester as module
from coordinator.adapters.backtesting.backtester import Backtester, BacktestFailedError
from coordinator.jobs.freqtrade_process import run_freqtrade
from coordinator.jobs.optimize.evaluate import evaluate
from coordinator.jobs.optimize.figures import parse_objective
from coordinator.jobs.optimize.parameters import choose_parameters
from coordinator.jobs.optimize.problem import define_problem
from coordinator.jobs.run_plan import plan_run
from coordinator.reports.equity import strategy_equity
from coordinator.reports.metrics import sharpe
from coordinator.reports.results import build_result, read_result
from coordinator.sandbox.exchange import create_app, wall_clock
from coordinator.sandbox.overlay import overlay_config
from coordinator.sandbox.server import SandboxServer

from .conftest import ROOT

START, END = datetime(2022, 8, 1, tzinfo=UTC), datetime(2022, 10, 1, tzinfo=UTC)
VALUES = {"stops.atr_multiple": 3.1, "baseline.fast_clearance": 0.001}


@pytest.fixture(autouse=True)
def database():
    """Backtesting switches Freqtrade's database off for the process; other tests want it."""
    yield
    enable_database_use()


@pytest.fixture(scope="module")
def problem(tiny_market, config_file, tmp_path_factory):
    plan = plan_run(config_file, tiny_market, trains=False, most_days=730)
    parameters = choose_parameters(plan.config["coordinator"])
    user_data = tmp_path_factory.mktemp("user_data")
    return define_problem(plan, "TechnicalBaseline", user_data, parameters, parse_objective("sharpe"), 3)


@pytest.fixture(scope="module")
def backtester(problem):
    market = problem.market
    return Backtester(market.config, market.strategy, market.datadir, market.user_data)


def trades(result):
    return result.trades.drop(columns=["enter_tag"])


@pytest.mark.usefixtures("warm_commands")
def test_it_trades_what_freqtrade_backtesting_trades(backtester, problem, config_file, tiny_market, tmp_path):
    """The same trades, orders and account as `coordinator backtest` gets from a process of Freqtrade."""
    run = backtester.run(START, END, {"coordinator": problem.section(VALUES)})
    mine = build_result("TechnicalBaseline", run.stats, 0.001)
    with SandboxServer(create_app(tiny_market, wall_clock), "127.0.0.1", 0) as server:
        sandbox = overlay_config(server.url)
        overlay = {**sandbox, **problem.plan.overlay, "freqai": {"enabled": False}}
        overlay["exchange"] = {**sandbox["exchange"], **problem.plan.overlay["exchange"]}
        overlay["coordinator"] = problem.section(VALUES)
        path = tmp_path / "overlay.json"
        path.write_text(json.dumps(overlay))
        arguments = ["backtesting", "--config", str(config_file), "--config", str(path)]
        arguments += ["--userdir", str(tmp_path), "--datadir", str(tiny_market), "--cache", "none"]
        arguments += ["--strategy", "TechnicalBaseline", "--timerange", "20220801-20220930T2300"]
        run_freqtrade(arguments, tmp_path / "log", lambda share, doing: None)
    (zip_path,) = (tmp_path / "backtest_results").glob("*.zip")
    theirs = read_result(zip_path)
    assert len(mine.trades) > 3
    pd.testing.assert_frame_equal(trades(mine), trades(theirs))
    pd.testing.assert_frame_equal(mine.orders, theirs.orders)
    assert (mine.start, mine.end, mine.pairs) == (theirs.start, theirs.end, theirs.pairs)
    assert mine.starting_balance == theirs.starting_balance
    candles = problem.plan.candles()
    pd.testing.assert_series_equal(
        strategy_equity(mine, candles).daily, strategy_equity(theirs, candles).daily
    )
    assert set(run.decisions["pair"]) == set(mine.pairs)


def test_a_run_leaves_nothing_to_the_next_one(backtester, problem):
    def run(start, end, values):
        ran = backtester.run(start, end, {"coordinator": problem.section(values)})
        return build_result("TechnicalBaseline", ran.stats, 0.001).trades

    first = run(START, END, VALUES)
    other = run(START, END, {"stops.atr_multiple": 1.5})
    later = run(END, datetime(2022, 12, 1, tzinfo=UTC), VALUES)
    assert not first.equals(other)
    assert later["open_date"].min() >= pd.Timestamp(END)
    pd.testing.assert_frame_equal(run(START, END, VALUES), first)


def test_settings_that_the_strategy_refuses_are_said_in_its_words(backtester, problem):
    with pytest.raises(BacktestFailedError, match=r"'stops.atr_multiple' .* less than or equal to 4\. Got 9"):
        backtester.run(START, END, {"coordinator": problem.section({"stops.atr_multiple": 9.0})})


def test_a_config_that_freqtrade_refuses_is_said_in_its_words(problem, tmp_path):
    config = {**problem.market.config, "stake_amount": "much"}
    refused = Backtester(config, "TechnicalBaseline", problem.market.datadir, tmp_path)
    with pytest.raises(BacktestFailedError, match="much"):
        refused.run(START, END, {"coordinator": problem.section({})})


def test_a_job_judges_its_days_before_and_after_the_split(problem, backtester):
    job = problem.fold_job(VALUES, 1)
    outcome = evaluate(job)
    days = (job.end - job.start).days
    assert len(outcome.returns) == days
    assert outcome.validation_days == (job.end - job.split).days
    run = backtester.run(job.start, job.end, {"coordinator": problem.section(VALUES)})
    result = build_result("TechnicalBaseline", run.stats, 0.001)
    daily = strategy_equity(result, problem.plan.candles()).daily
    split = pd.Timestamp(job.split)
    assert outcome.train.sharpe == pytest.approx(sharpe(daily[:split]))
    assert outcome.validation.sharpe == pytest.approx(sharpe(daily[split:]), nan_ok=True)
    assert outcome.train.trades + outcome.validation.trades == len(result.trades)
    assert outcome.train.expectancy_r == outcome.train.expectancy_r  # every trade has its signal


def test_the_holdout_begins_where_the_last_fold_ends(problem):
    job = problem.holdout_job({})
    assert job.start == problem.periods.folds[-1].end == problem.periods.holdout_start
    assert job.end == problem.plan.end
    assert job.split is None and job.identifier is None


@pytest.fixture
def ml_problem(config_file, tiny_market, tmp_path):
    config = json.loads(config_file.read_text())
    config["freqai"]["train_period_days"] = 30
    path = tmp_path / "ml.json"
    path.write_text(json.dumps(config))
    plan = plan_run(path, tiny_market, most_days=730)
    parameters = choose_parameters(config["coordinator"], ["risk_per_trade", "exit_ma"])
    return define_problem(plan, "MLCoordinator", tmp_path, parameters, "sharpe", 2)


def test_trials_share_predictions_unless_they_change_them(ml_problem):
    def identifier(values, fold=0):
        return ml_problem.fold_job(values, fold).identifier

    own = identifier({})
    assert identifier({"sizing.risk_per_trade": 0.012}) == own
    assert identifier({"baseline.exit_ma": 50}) != own
    assert identifier({}, 1) != own
    assert ml_problem.holdout_job({}).identifier not in (own, identifier({}, 1), None)
    assert ml_problem.changes_predictions == ["baseline.exit_ma"]


def test_without_ml_no_training_days_are_asked_for(config_file, tiny_market):
    without = plan_run(config_file, tiny_market, trains=False, most_days=730)
    assert without.start == datetime(2022, 7, 11, tzinfo=UTC)  # 40 days after the first candle
    assert plan_run(config_file, tiny_market, trains=False, most_days=100).start == datetime(
        2022, 10, 24, tzinfo=UTC
    )
    with pytest.raises(ValueError, match="220 days of training and startup"):
        plan_run(config_file, tiny_market, timerange="20220801-20221001")


def test_what_a_study_is_about_changes_with_what_changes_its_trials(
    problem, config_file, tiny_market, tmp_path
):
    def about(changes, objective="sharpe", folds=3):
        config = json.loads(config_file.read_text())
        config.update(changes(config) if changes else {})
        path = tmp_path / "c.json"
        path.write_text(json.dumps(config))
        plan = plan_run(path, tiny_market, trains=False, most_days=730)
        return define_problem(
            plan, "TechnicalBaseline", tmp_path, problem.parameters, objective, folds
        ).about()

    same = problem.about()
    assert about(None) == same
    assert about(lambda c: {"telegram": {"enabled": False, "token": "x", "chat_id": "1"}}) == same
    tuned = lambda c: {"coordinator": {**c["coordinator"], "portfolio": {"max_positions": 5}}}  # noqa: E731
    assert about(tuned) == same  # its own value is no part of any trial
    assert about(lambda c: {"max_open_trades": 3}) != same
    assert about(lambda c: {"coordinator": {**c["coordinator"], "targets": {"horizon": 9}}}) != same
    assert about(None, objective="calmar") != same
    assert about(None, folds=2) != same


def test_a_failed_training_is_no_success_unless_it_is_allowed(problem, tmp_path, monkeypatch):
    """Freqtrade itself logs it and goes on with predictions of zero."""
    load = module.StrategyResolver.load_strategy

    def failing(config):
        logging.getLogger("freqtrade.freqai.freqai_interface").error(
            "Training BTC/USDT raised exception X, skipping."
        )
        return load(config)

    monkeypatch.setattr(module.StrategyResolver, "load_strategy", failing)
    market, changes = problem.market, {"coordinator": problem.section({})}
    strict = Backtester(market.config, market.strategy, market.datadir, tmp_path)
    with pytest.raises(BacktestFailedError, match="Training BTC/USDT raised exception X"):
        strict.run(START, END, changes)
    tolerant = Backtester(market.config, market.strategy, market.datadir, tmp_path, tolerant=True)
    assert tolerant.run(START, END, changes).stats["pairlist"] == ["BTC/USDT", "ETH/USDT"]


def test_a_trial_with_stored_predictions_trains_nothing(config_file, tiny_market, tmp_path):
    config = json.loads(config_file.read_text())
    config["freqai"] |= {"train_period_days": 60, "backtest_period_days": 30}
    config["coordinator"]["learning"] = {"components": ["quality"], "fast_start_days": 0}
    path = tmp_path / "ml.json"
    path.write_text(json.dumps(config))
    plan = plan_run(path, tiny_market, most_days=730)
    parameters = choose_parameters(config["coordinator"], ["risk_per_trade"])
    ml = define_problem(plan, "MLCoordinator", tmp_path, parameters, "sharpe", 1)

    def evaluated(values):
        outcome = evaluate(ml.fold_job(values, 0))
        files = {p: p.stat().st_mtime_ns for p in (tmp_path / "models").rglob("*_prediction.feather")}
        return outcome, files

    first, predictions = evaluated({})
    second, kept = evaluated({"sizing.risk_per_trade": 0.014})
    assert predictions and kept == predictions
    assert second.returns != first.returns
    assert second.train.trades == first.train.trades


def test_what_hyperopt_left_beside_the_strategy_is_not_read(problem, tmp_path):
    """The settings that are tried are the run's."""
    shutil.copytree(ROOT / "strategies", tmp_path / "strategies")
    left = {"strategy_name": "TechnicalBaseline", "params": {"sell": {"hard_stop_atr_mult": 4.0}}}
    (tmp_path / "strategies" / "TechnicalBaseline.json").write_text(json.dumps(left))
    market = problem.market
    config = {**market.config, "strategy_path": str(tmp_path / "strategies")}
    ran, plain = (
        Backtester(one, market.strategy, market.datadir, market.user_data).run(
            START, END, {"coordinator": problem.section(VALUES)}
        )
        for one in (config, market.config)
    )
    assert len(ran.stats["trades"]) > 3
    assert ran.stats["trades"] == plain.stats["trades"]
