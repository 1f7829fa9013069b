"""The metrics of spec 001 and 003 by hand, of a run of three days: and a window knows no later day."""

import json
import math
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from coordinator.cli import app
from coordinator.decision.decisions import REJECTIONS
from coordinator.errors import CoordinatorError
from coordinator.ledger.feature_store import FeatureSchema
from coordinator.ledger.frame import normalise_decisions
from coordinator.ledger.metric_history import MetricRow
from coordinator.ledger.records import CandleRecord, ImprovementRow, ThresholdRow
from coordinator.ledger.registry import ModelInfo, ModelRegistry
from coordinator.ledger.store import Ledger, RunInfo
from coordinator.ledger.trades import TradeRow
from coordinator.reports.rolling.comparison import with_and_without_table
from coordinator.reports.rolling.daily import rolling_drawdown, rolling_sharpe
from coordinator.reports.rolling.improvements import filter_table, reward_risk_table, size_table
from coordinator.reports.rolling.portfolio import portfolio_correlation, portfolio_series
from coordinator.reports.rolling.run_data import NO_SHORTS, load_run
from coordinator.reports.rolling.summary import (
    metric_rows,
    read_rolling,
    rolling_series,
    summarise,
    view_rolling,
)
from coordinator.reports.rolling.targets import METRICS, Metric, verdict
from coordinator.signals.technical import REARMED_REASON

HOUR, DAY = 3600, 86400
BTC, ETH = "BTC/USDT", "ETH/USDT"
START = datetime(2024, 1, 1, tzinfo=UTC)
BEGIN = int(START.timestamp())
SETTINGS = {
    "decision": {"threshold": 0.6, "baseline_threshold": 0.5},
    "sizing": {"risk_per_trade": 0.1},
    "targets": {"enabled": True},
    "improvements": {"correlation_filter": {"sectors": {"majors": ["BTC", "ETH"]}}},
}
#            hour  pair  R     exit       known  ML   techn  accepted  regime        win p  conf
SIGNALS = (
    (0, BTC, 2.0, "target", 10, 0.9, 0.9, True, "bull_low", 0.8, 0.9),
    (1, ETH, -1.0, "stop", 12, 0.7, 0.5, True, "bull_low", 0.8, 0.7),
    (20, BTC, 1.0, "horizon", 30, 0.4, 0.8, False, "bear_high", 0.2, 0.5),
    (30, ETH, -1.0, "stop", 40, 0.2, 0.3, False, "bear_high", 0.2, 0.4),
    (50, BTC, -0.5, "stop", 60, 0.8, 0.4, True, "bull_low", 0.2, 0.8),
    (52, ETH, 3.0, "target", 62, np.nan, 0.7, False, "", np.nan, 0.65),
    (70, BTC, np.nan, "", None, 0.9, 0.9, True, "bull_low", 0.8, 0.9),
)
"""The hour of the signal's candle and of the one that resolved it; an outcome is known an hour later."""


def at(hour: float) -> pd.Timestamp:
    return pd.Timestamp(START) + pd.Timedelta(hours=hour)


def decisions_of(rows=SIGNALS) -> pd.DataFrame:
    columns = zip(*rows, strict=True)
    hour, pair, r, exits, known, ml, technical, accepted, regime, p, confidence = map(list, columns)
    return normalise_decisions(
        pd.DataFrame(
            {
                "time": pd.to_datetime([at(h) for h in hour]),
                "pair": pair,
                "direction": 1,
                "price": 100.0,
                "stop": 98.0,
                "target": 105.0,
                "horizon": 20,
                "reasons": "x",
                "technical_direction": 1.0,
                "technical_confidence": technical,
                "technical_percentile": technical,
                "lstm_direction": 1.0,
                "lstm_confidence": ml,
                "lstm_percentile": ml,
                "unified_score": 0.5,
                "unified_confidence": confidence,
                "threshold": 0.6,
                "ml_weight": 0.5,
                "accepted": accepted,
                "rejection": ["" if yes else "confidence below the threshold" for yes in accepted],
                "ml_score": ml,
                "ml_rank": ml,
                "win_probability": p,
                "regime": regime,
                "outcome_r": r,
                "outcome_exit": exits,
                "outcome_time": pd.to_datetime([pd.NaT if h is None else at(h) for h in known], utc=True),
            }
        ),
        "test",
    )


TRADES = (
    TradeRow(
        BEGIN, BTC, 1, at(1).to_pydatetime(), 100.0, at(11).to_pydatetime(), 100.5, 1000.0, 1.0, 60.0, 1.5, "roi",
        intended_exit_price=105.0, exit_price=105.0,
    ),
    TradeRow(
        BEGIN + HOUR, ETH, 1, at(2).to_pydatetime(), 100.0, at(14).to_pydatetime(), 99.0, 1000.0, 1.0, -20.0, -1.0,
        "stop_loss", intended_exit_price=98.0, exit_price=97.02,
    ),
    TradeRow(BEGIN + 50 * HOUR, BTC, 1, at(51).to_pydatetime(), 100.0, None, 100.0, 1000.0),
)  # fmt: skip
HISTORIES = (
    CandleRecord(
        BEGIN,
        improvements=(
            ImprovementRow(BTC, "correlation_filter", "shadow", 2.0, 1.0),
            ImprovementRow(BTC, "dynamic_reward_risk", "on", 2.5, 3.0),
            ImprovementRow(BTC, "volatility_sizing", "on", 1.0, 0.5),
            ImprovementRow(BTC, "adaptive_thresholds", "on", 0.6, 0.65),
        ),
    ),
    CandleRecord(
        BEGIN + HOUR,
        improvements=(
            ImprovementRow(ETH, "correlation_filter", "shadow", 2.0, 2.0),
            ImprovementRow(ETH, "volatility_sizing", "on", 1.0, 2.0),
            ImprovementRow(ETH, "adaptive_thresholds", "on", 0.6, 0.75),
        ),
    ),
    CandleRecord(BEGIN + 40 * HOUR, thresholds=(ThresholdRow(ETH, 0.62, "false positives"),)),
)


@pytest.fixture
def write_ledger(tmp_path):
    """Writes a ledger of the run (or another one) and opens it."""

    def write(rows=SIGNALS, trades=TRADES, models=True):
        ledger = Ledger(tmp_path / "run.ledger.sqlite")
        run = ledger.write_run(RunInfo("MLCoordinator", START, "1h", SETTINGS), decisions_of(rows), HISTORIES)
        ledger.write_batch_trades(run, trades)
        if models:
            registry = ModelRegistry(ledger)
            for i, (gap, latency) in enumerate(((0.1, 20.0), (0.2, 60.0))):
                metrics = {"accuracy": 0.5, "gap": gap, "feature_drift": 0.3, "calibration_error": 0.05}
                metrics |= {"latency_p99_ms": latency, "importance": {"a": 3.0, "b": 1.0, "c": -1.0}}
                info = ModelInfo(
                    "lstm", "lstm", BEGIN - DAY, BEGIN + i * DAY, 1, HOUR, FeatureSchema("1", ("a", "b", "c")), metrics,
                    f"lstm-{i}.json", str(i),
                )  # fmt: skip
                registry.register(info)
        return ledger

    return write


ROOT = math.sqrt(365)
NAN = math.nan
BY_HAND = {
    # ML: .9 and .2 were right, .7, .4 and .8 were not. Its gate .6 takes 2, -1 and -.5 R at a tenth of the account.
    "accuracy": (2 / 5, 5 / 6, NAN),
    "sharpe": (0.05 / 3 / math.sqrt(0.0035 / 0.6) * ROOT, 1.443375673 * ROOT, 0.577350269 * ROOT),
    "win_rate": (1 / 3, 3 / 4, 1 / 2),
    "profit_factor": (2 / 1.5, 6 / 1, 60 / 20),
    "max_drawdown": (0.05 / 1.1, 0.0, 0.0),
    "hit_rate": (NAN, NAN, 3 / 7),
    "trade_frequency": (3 / 3, 4 / 3, 3 / 3),
    "hold_minutes": (NAN, NAN, 660.0),
    "entry_slippage": (NAN, NAN, -0.0025),
    "exit_slippage": (NAN, NAN, 0.005),
    "latency_ms": (NAN, NAN, 60.0),
    "confidence_p50": (0.75, NAN, NAN),
    "model_feature_drift": (NAN, NAN, 0.3),
    "calibration_error": (NAN, NAN, (2 * 0.3 + 3 * 0.2) / 5),
    "model_gap": (NAN, NAN, 0.2),
}
"""Of the three days to midnight of the fourth: ML, baseline, account."""


@pytest.mark.parametrize("name", BY_HAND)
def test_each_metric_by_hand(write_ledger, name):
    values = {value.metric.name: value for value in read_rolling(write_ledger(), days=30).metrics}
    assert set(values) == set(BY_HAND)
    found = values[name]
    expected = BY_HAND[name]
    assert [found.ml, found.baseline, found.account] == pytest.approx(expected, nan_ok=True, rel=1e-6)


def test_a_trade_without_a_signal_is_no_hit(write_ledger):
    """As one that was opened by hand: it is traded, but no signal became it."""
    own = replace(TRADES[2], time=BEGIN + 51 * HOUR, opened_at=at(52).to_pydatetime())
    metrics = read_rolling(write_ledger(trades=[*TRADES, own]), days=30).metrics
    found = {value.metric.name: value.account for value in metrics}
    assert (found["hit_rate"], found["trade_frequency"]) == (3 / 7, 4 / 3)


def test_fewer_days_look_back_less_far(write_ledger):
    """The second day alone: .4 was wrong and .2 right; no trade of ML's, one of the baseline's."""
    report = read_rolling(write_ledger(), days=1, end=at(48).to_pydatetime())
    values = {value.metric.name: value for value in report.metrics}
    assert values["accuracy"].ml == 0.5
    assert math.isnan(values["win_rate"].ml)
    assert (values["win_rate"].baseline, values["profit_factor"].baseline) == (1.0, math.inf)
    assert math.isnan(values["sharpe"].baseline)
    assert values["trade_frequency"].account == 0.0
    assert report.as_dict()["metrics"][3]["baseline"] is None


def test_the_verdicts_are_the_documented_targets():
    targets = {metric.name: (metric.target, metric.below) for metric in METRICS if metric.target is not None}
    assert targets == {
        "accuracy": (0.55, False),
        "sharpe": (1.5, False),
        "win_rate": (0.52, False),
        "profit_factor": (1.8, False),
        "max_drawdown": (0.05, True),
        "latency_ms": (50.0, True),
    }
    below = Metric("x", "x", "percent", 0.05, below=True)
    assert [verdict(below, x) for x in (0.04, 0.05, NAN)] == ["met", "not met", "unknown"]
    assert verdict(Metric("x", "x", "number", 1.8), math.inf) == "met"


def test_verdicts_stand_beside_the_values(write_ledger):
    values = {value.metric.name: value for value in read_rolling(write_ledger()).metrics}
    assert (values["accuracy"].verdict, values["accuracy"].baseline_verdict) == ("not met", "met")
    assert (values["max_drawdown"].verdict, values["sharpe"].verdict) == ("met", "met")
    assert (values["latency_ms"].verdict, values["latency_ms"].baseline_verdict) == ("not met", "")
    assert values["hit_rate"].verdict == ""
    before = read_rolling(write_ledger(), end=at(24).to_pydatetime())
    assert next(v for v in before.metrics if v.metric.name == "latency_ms").account == 20.0
    (models,) = (table for table in before.tables if table.title.startswith("Models"))
    assert models.rows[0][1][0] == "2024-01-01"  # the second one may not speak yet


TABLES = {
    "9 Slippage by pair, positive is worse": [("BTC/USDT", [0.005, 0.0]), ("ETH/USDT", [-0.01, 0.01])],
    "11 Prediction confidence": [("ML", [0.3, 0.75, 0.9]), ("lstm", [0.3, 0.75, 0.9])],
    "12 Feature importance": [("lstm", ["a", 0.75]), ("lstm", ["b", 0.25]), ("lstm", ["c", 0.0])],
    "13 Skill over time": [("technical", [6, 1.0, 0, NAN, NAN]), ("lstm", [5, 4 / 6, 0, NAN, NAN])],
    "Models: newest training of each": [
        ("lstm (lstm)", ["2024-01-02", "challenger", NAN, 0.5, 0.05, 0.2, NAN, 0.3, 60.0])
    ],
    "Reward:risk and outcomes by market condition": [
        ("not recorded", [1, 2.5, 1, 3.0, 1.0, math.inf]),
        ("bear_high", [2, 2.5, 2, 0.0, 0.5, 1.0]),
        ("bull_low", [4, 2.625, 3, 0.5 / 3, 1 / 3, 2 / 1.5]),
    ],
    "Win rate at reward:risk": [("2.5 to 3", [5, 0.3, 0.4, 1.6]), ("3 to 3.5", [1, 2.0, 1.0, math.inf])],
    "Signals filtered": [("correlation_filter", ["shadow", 1, 1, 0.5, 2.0, -1.0])],
    "Portfolio at the end of the window": [
        ("sector majors", [1.0]),
        ("largest sector's share of the positions", [1.0]),
        ("correlated positions found at an entry, mean", [1.5]),
    ],
    "Thresholds and their mistakes": [
        ("BTC/USDT", [0.6, 0, 2, 0.5, 1, 1.0]),
        ("ETH/USDT", [0.6, 1, 2, 0.5, 1, 0.0]),
    ],
    "Scores": [
        ("technical percentile", [7, 0.36, 0.45, 0.7, 0.85, 0.9]),
        ("ml rank", [6, 0.3, 0.475, 0.75, 0.875, 0.9]),
        ("unified confidence", [7, 0.46, 0.575, 0.7, 0.85, 0.9]),
    ],
    "Size adjustments": [("volatility_sizing", ["on", 2, 1.25, 0.65, 0.875, 1.25, 1.625, 1.85])],
    "With and without each improvement": [
        ("dynamic_reward_risk", ["on", "", NAN, NAN, NAN, NAN, NAN]),
        ("correlation_filter", ["shadow", "without", 2, 0.5, 2.0, ROOT / math.sqrt(3), 0.0]),
        ("correlation_filter", ["shadow", "with", 1, 2.0, math.inf, ROOT / math.sqrt(3), 0.0]),
        ("adaptive_thresholds", ["on", "without", 2, 0.5, 2.0, ROOT / math.sqrt(3), 0.0]),
        ("adaptive_thresholds", ["on", "with", 1, 2.0, math.inf, ROOT / math.sqrt(3), 0.0]),
        ("volatility_sizing", ["on", "without", 2, 0.5, 2.0, ROOT / math.sqrt(3), 0.0]),
        ("volatility_sizing", ["on", "with", 2, -0.5, 0.5, -ROOT / math.sqrt(3), 0.1]),
    ],
}
"""By title, of the three days."""


def test_confidences_are_mls_score_and_each_components_own(write_ledger):
    ledger = write_ledger()
    decisions = ledger.read_decisions()
    decisions["ml_score"] /= 2
    ledger.write_run(RunInfo("MLCoordinator", START, "1h", SETTINGS), decisions)
    series = rolling_series(load_run(ledger))
    for name, share in (("", 0.5), ("lstm", 1.0)):  # on the first day .4, .7 and .9
        found = [series["ml", f"confidence_{q}", name][0] for q in ("p10", "p50", "p90")]
        assert found == pytest.approx([share * 0.46, share * 0.7, share * 0.86])


def test_the_change_of_skill_is_since_before_the_window(write_ledger):
    """Before two days the LSTM told the gain from the loss, then .4 gained where .2 and .8 lost."""
    tables = read_rolling(write_ledger(), days=2).tables
    (table,) = (table for table in tables if table.title == "13 Skill over time")
    assert table.rows == [("technical", [4, 1.0, 2, 1.0, 0.0]), ("lstm", [3, 0.5, 2, 1.0, -0.5])]


def test_the_five_weightiest_features_are_those_of_the_shuffling(write_ledger):
    names = tuple(f"f{i}" for i in range(1, 7))
    metrics = {
        "importance_permutation": dict(zip(names, range(1, 7), strict=True)),
        "importance": {"f1": 1.0},
    }
    metrics |= {"importance_gain": {"f1": 1.0}}
    info = ModelInfo(
        "quality", "lightgbm", BEGIN - DAY, BEGIN, 1, HOUR, FeatureSchema("1", names), metrics, "q.json", "q"
    )  # fmt: skip
    ledger = write_ledger(models=False)
    ModelRegistry(ledger).register(info)
    (table,) = (table for table in read_rolling(ledger).tables if table.title == "12 Feature importance")
    assert table.rows == [("quality", [f"f{i}", i / 21]) for i in (6, 5, 4, 3, 2)]


def same(found, expected):
    if isinstance(expected, str):
        return found == expected
    return found == pytest.approx(expected, nan_ok=True, rel=1e-6)


@pytest.mark.parametrize("title", TABLES)
def test_each_table_by_hand(write_ledger, title):
    tables = {table.title: table for table in read_rolling(write_ledger(), days=3).tables}
    assert set(tables) == set(TABLES)
    rows = tables[title].rows
    assert [name for name, _ in rows] == [name for name, _ in TABLES[title]]
    for (_, found), (_, expected) in zip(rows, TABLES[title], strict=True):
        assert len(found) == len(expected) == len(tables[title].units) == len(tables[title].head) - 1
        assert all(same(one, other) for one, other in zip(found, expected, strict=True)), (found, expected)


def test_drawdown_and_sharpe_of_windows_by_hand():
    """+10 %, -22 %, +1 %: of 1.1 the account falls to .88; the first day alone has no spread."""
    daily = np.array([0.1, -0.22, 0.01])
    assert rolling_drawdown(daily, 2) == pytest.approx([0.0, 0.22 / 1.1, 0.22])
    assert np.isnan(rolling_sharpe(daily, 2)[0])
    assert rolling_sharpe(daily, 2)[1] == pytest.approx(-0.06 / np.std([0.1, -0.22], ddof=1) * ROOT)
    assert rolling_sharpe(daily, 30)[2] == pytest.approx(daily.mean() / daily.std(ddof=1) * ROOT)


def test_no_window_knows_a_later_day(write_ledger):
    """Outcomes, trades and signals of after the second day as others: both arms' windows to it stay as they were."""
    end = at(48).to_pydatetime()
    before = read_rolling(write_ledger(), end=end).as_dict()
    other = [list(row) for row in SIGNALS]
    other[4][2:4], other[5][2:4], other[6][2:5] = (5.0, "target"), (-1.0, "stop"), (4.0, "target", 80)
    other[4][5:8], other[6][5:11] = (0.1, 0.99, False), (0.1, 0.1, False, "bear_low", 0.1, 0.1)
    other.append((90, ETH, 9.0, "target", 95, 0.9, 0.9, True, "bull_low", 0.9, 0.9))
    trades = [*TRADES[:2], replace(TRADES[2], closed_at=at(60).to_pydatetime(), profit=500.0, r=9.0)]
    ledger = write_ledger([tuple(row) for row in other], trades)
    assert read_rolling(ledger, end=end).as_dict() == before
    assert read_rolling(ledger).as_dict()["metrics"] != read_rolling(write_ledger()).as_dict()["metrics"]


def test_every_window_of_the_history_is_that_of_its_day(write_ledger):
    """What the series say of a day is what was computed when nothing later was known."""
    run = load_run(write_ledger())
    series = rolling_series(run, 2)
    for day, hours in enumerate((24, 48, 72)):
        report = summarise(run, 2, at(hours).to_pydatetime())
        for value in report.metrics:
            for arm, found in (("ml", value.ml), ("baseline", value.baseline), ("all", value.account)):
                column = series.get((arm, value.metric.name, ""))
                assert column is None or found == pytest.approx(column[day], nan_ok=True)
    thresholds = series["all", "threshold", ETH]
    assert thresholds == pytest.approx([0.6, 0.6, 0.6])
    assert series["all", "false_positives", ""] == pytest.approx([1 / 2, 1 / 2, 1 / 2])
    assert series["all", "reward_risk", "bull_low"] == pytest.approx([2.75, 2.75, 2.5])
    assert series["all", "size_adjustment", "volatility_sizing"] == pytest.approx(
        [1.25, 1.25, NAN], nan_ok=True
    )
    assert series["all", "filtered", "correlation_filter"].tolist() == [1.0, 1.0, 0.0]
    assert series["ml", "auc", "lstm"][2] == pytest.approx(1 / 2)
    assert series["all", "model_gap", "lstm"] == pytest.approx([0.1, 0.2, 0.2])


def test_the_correlation_of_what_is_held_needs_candles(write_ledger):
    """BTC and ETH held together at the end of day 40; their returns are each other's negative, then the same."""
    trades = [TradeRow(BEGIN, pair, 1, at(1).to_pydatetime(), 100.0, None, 100.0, 1.0) for pair in (BTC, ETH)]
    rows = [*SIGNALS, (40 * 24, BTC, NAN, "", None, 0.5, 0.5, False, "", 0.5, 0.5)]
    run = load_run(write_ledger(rows, trades, models=False))
    dates = pd.date_range(START, periods=41, freq="D", tz="UTC")
    moves = np.random.default_rng(1).normal(0, 0.01, 41)
    frames = {
        BTC: pd.DataFrame({"date": dates, "close": 100 * np.exp(np.cumsum(moves))}),
        ETH: pd.DataFrame({"date": dates, "close": 50 * np.exp(np.cumsum(-moves))}),
    }
    ((key, values),) = portfolio_correlation(run, frames, 30).items()
    assert key == ("all", "portfolio_correlation", "")
    assert np.isnan(values[:10]).all()  # ten returns are needed
    assert values[10:] == pytest.approx(-1.0)
    ended = [trades[0], replace(trades[1], closed_at=at(20 * 24 + 1).to_pydatetime())]
    held = portfolio_correlation(load_run(write_ledger(rows, ended, models=False)), frames, 30)[key]
    assert (np.isfinite(held[10:20]).all(), np.isfinite(held[20:]).any()) == (True, False)
    alone = portfolio_correlation(run, {BTC: frames[BTC]}, 30)
    assert np.isnan(alone[key]).all()


def test_stored_metrics_are_replaced_day_by_day(write_ledger):
    ledger = write_ledger()
    run = load_run(ledger)
    rows = metric_rows(run, rolling_series(run))
    written = ledger.write_metrics(run.run_id, rows)
    stored = ledger.metrics(run.run_id)
    assert len(stored) == written == len(rows)
    assert sorted(set(stored["time"])) == [at(24), at(48), at(72)]
    accuracy = ledger.metrics(run.run_id, "accuracy").query("arm == 'ml'")
    assert accuracy["value"].tolist() == pytest.approx([1 / 2, 2 / 4, 2 / 5])
    last = [
        row._replace(value=0.125) for row in rows if row.metric == "accuracy" and row.time == rows[2].time
    ]
    ledger.write_metrics(run.run_id, last)
    again = ledger.metrics(run.run_id)
    assert len(again[again["time"] == at(72)]) == len(last) == 2
    assert len(again[again["time"] < at(72)]) == len(stored[stored["time"] < at(72)])
    infinite = ledger.metrics(run.run_id, "profit_factor").query("arm == 'baseline'")["value"]
    assert infinite.tolist() == pytest.approx([2.0, 3.0])
    assert ledger.check() == []


def test_a_backtests_view_writes_them_and_the_correlation(write_ledger):
    """And what it stored is shown again where there are no candles."""
    ledger = write_ledger()
    dates = pd.date_range(START, periods=72, freq="h", tz="UTC")
    view = view_rolling(ledger, None, {BTC: pd.DataFrame({"date": dates, "close": 100.0})}, BEGIN + DAY)
    assert view.ends.tolist() == [at(48), at(72)]
    assert all(len(values) == 2 for values in view.series.values())
    assert set(ledger.metrics(1)["time"]) == {at(48), at(72)}
    assert len(ledger.metrics(1, "portfolio_correlation")) == 2
    ledger.write_metrics(1, [MetricRow(int(at(72).timestamp()), "all", "portfolio_correlation", "", 0.25)])
    cells = {name: cells for table in read_rolling(ledger).tables for name, cells in table.rows}
    assert cells["mean correlation of the pairs held"] == [0.25]
    history = command("--ledger", ledger.database.name, "--history", "portfolio_correlation")
    assert "0.2500" in history


def test_a_run_without_anything_says_so(tmp_path):
    ledger = Ledger(tmp_path / "empty.sqlite")
    ledger.write_run(RunInfo("S", START, "1h"), decisions_of().iloc[:0])
    assert view_rolling(ledger) is None
    with pytest.raises(CoordinatorError, match="have signals or trades"):
        read_rolling(ledger)
    with pytest.raises(CoordinatorError, match="be one of"):
        read_rolling(ledger, 7)


def test_what_no_confidence_could_have_taken_is_in_no_arm(write_ledger):
    """The first signal was against the market: ML is left with -1 and -.5 R, the baseline with -1, 1 and 3 R."""
    ledger = write_ledger()
    decisions = ledger.read_decisions()
    decisions.loc[0, ["accepted", "rejection"]] = [False, "against the market"]
    ledger.write_run(RunInfo("MLCoordinator", START, "1h", SETTINGS), decisions)
    values = {value.metric.name: value for value in read_rolling(ledger).metrics}
    assert (values["win_rate"].ml, values["win_rate"].baseline) == pytest.approx((0.0, 2 / 3))
    assert values["profit_factor"].baseline == pytest.approx(4.0)
    assert values["accuracy"].ml == pytest.approx(2 / 5)  # a prediction it was all the same
    (table,) = (table for table in read_rolling(ledger).tables if table.title.startswith("Thresholds"))
    assert table.rows[0][1][2:4] == [1, 1.0]  # of BTC's two that met the threshold the losing one is left
    assert rolling_series(load_run(ledger))["all", "false_positives", BTC][2] == 1.0


def test_a_run_without_ml_has_a_baseline(write_ledger):
    """TechnicalBaseline: ML's metrics are unknown, the rest is there."""
    rows = [(*row[:5], NAN, *row[6:]) for row in SIGNALS]
    values = {value.metric.name: value for value in read_rolling(write_ledger(rows, models=False)).metrics}
    assert math.isnan(values["accuracy"].ml)
    assert values["accuracy"].verdict == "unknown"
    assert values["accuracy"].baseline == pytest.approx(5 / 6)


def command(*arguments):
    done = CliRunner().invoke(app, ["metrics", *map(str, arguments)], env={"COLUMNS": "200"})
    assert done.exit_code == 0, done.output
    return done.stdout


def test_the_command_prints_tables_json_and_history(write_ledger):
    path = write_ledger().database.name
    text = command("--ledger", path)
    row = next(line for line in text.splitlines() if "1 Accuracy" in line)
    assert [cell.strip() for cell in row.split("│")[2:8]] == [
        "40.00%",
        "83.33%",
        "–",
        "> 55%",
        "not met",
        "met",
    ]
    for title in TABLES:
        assert title in text
    data = json.loads(command("--ledger", path, "--json", "--days", 3))
    assert data["days"] == 3
    assert data["end"] == "2024-01-04T00:00:00+00:00"
    assert data["metrics"][0]["ml"] == pytest.approx(0.4)
    assert {table["title"] for table in data["tables"]} == set(TABLES)
    assert "2024-01-03" in command("--ledger", path, "--history", "accuracy")
    days = json.loads(command("--ledger", path, "--history", "accuracy", "--json"))["days"]
    assert [day["ml"] for day in days] == pytest.approx([0.5, 0.5, 0.4])
    assert "values written" in command("--ledger", path, "--store")
    other = CliRunner().invoke(app, ["metrics", "--ledger", path, "--store", "--days", "7"])
    assert "be 30" in str(other.exception)
    assert len(Ledger(path).metrics(1, "accuracy")) == 6
    failed = CliRunner().invoke(app, ["metrics", "--ledger", path, "--history", "nothing"])
    assert isinstance(failed.exception, CoordinatorError)
    assert "accuracy" in str(failed.exception)


def test_the_regime_gates_effect_is_of_what_could_be_traded(write_ledger):
    ledger = write_ledger(trades=())
    run = load_run(ledger)
    gate = pd.DataFrame(
        {
            "time": [at(0), at(1), at(20), at(30), at(50)],
            "pair": [BTC, ETH, BTC, ETH, BTC],
            "name": "regime_gate",
            "mode": "on",
            "base": 1.0,
            "adjusted": [1.0, 0.0, 1.0, 1.0, 0.0],
        }
    )
    frame, row = run.decisions, run.decisions.index
    barred = frame.assign(
        rejection=frame["rejection"].where(row != 3, REJECTIONS[NO_SHORTS]),
        reasons=frame["reasons"].where(row != 4, f"{REARMED_REASON} (RSI)"),
    )
    own = replace(run, improvements=gate, decisions=barred)
    rows = {cells[1]: cells for name, cells in with_and_without_table(own, BEGIN + 3 * DAY, 3).rows}
    # 2, -1 and 1 R; the fourth is a short in spot, the fifth re-armed only. The gate refused the second.
    assert rows["without"][2:4] == [3, pytest.approx(2 / 3)]
    assert rows["with"][2:4] == [2, 1.5]


def improved(*rows) -> pd.DataFrame:
    """Rows of (hour, pair, improvement, base, adjusted)."""
    hour, pair, name, base, adjusted = zip(*rows, strict=True)
    columns = {"pair": pair, "name": name, "mode": "on", "base": base, "adjusted": adjusted}
    return pd.DataFrame({"time": [at(h) for h in hour], **columns})


def test_each_limit_by_what_it_let_through_and_what_it_refused(write_ledger):
    limits = (
        (0, BTC, "correlation_filter", 2.0, 3.0),
        (0, BTC, "sector_limit", 2.0, 1.0),
        (1, ETH, "sector_limit", 2.0, 2.0),  # as many as are allowed
        (1, ETH, "ranking", 5.0, 1.0),
    )
    run = replace(load_run(write_ledger()), improvements=improved(*limits))
    rows = {name: cells[1:] for name, cells in filter_table(run, BEGIN + 3 * DAY, 3).rows}
    assert rows == {
        "correlation_filter": pytest.approx([0, 1, 1.0, NAN, 2.0], nan_ok=True),
        "sector_limit": pytest.approx([1, 1, 0.5, 2.0, -1.0]),
        "ranking": pytest.approx([0, 1, NAN, NAN, -1.0], nan_ok=True),
    }
    series = portfolio_series(run, 3)
    assert {name: series["all", "filtered", name].tolist() for name in rows} == dict.fromkeys(rows, [1.0] * 3)
    compared = {
        (name, cells[1]): cells[2:4] for name, cells in with_and_without_table(run, BEGIN + 3 * DAY, 3).rows
    }
    assert compared["ranking", "without"] == [3, pytest.approx(1 / 6)]  # 2, -1 and -.5 R
    assert compared["ranking", "with"] == [2, 0.75]


def test_sizes_and_gates_count_what_was_taken(write_ledger):
    rows = (
        (0, BTC, "volatility_target", 1.0, 0.5),
        (20, BTC, "volatility_target", 1.0, 2.0),  # was not accepted
        (0, BTC, "kelly_cap", 0.01, 0.005),
        (0, BTC, "earned_risk", 1.0, 0.25),
        (0, BTC, "adaptive_thresholds", 0.6, 0.9),
        (50, BTC, "adaptive_thresholds", 0.8, 0.85),
    )
    run = replace(load_run(write_ledger()), improvements=improved(*rows))
    sizes = {name: cells[1:3] for name, cells in size_table(run, BEGIN + 3 * DAY, 3).rows}
    assert sizes == {"volatility_target": [2, 1.25], "earned_risk": [1, 0.25], "kelly_cap": [1, 0.5]}
    compared = {
        (name, cells[1]): cells[2:4] for name, cells in with_and_without_table(run, BEGIN + 3 * DAY, 3).rows
    }
    assert (compared["volatility_target", "without"], compared["volatility_target", "with"]) == (
        [1, 2.0],
        [1, 1.0],
    )
    # Confidences of .9 and .8: each meets a threshold of just as much.
    assert compared["adaptive_thresholds", "without"] == [2, 0.75]
    assert compared["adaptive_thresholds", "with"] == [1, 2.0]


def test_the_levels_of_reward_risk(write_ledger):
    hours = ((0, BTC), (1, ETH), (20, BTC), (30, ETH), (50, BTC), (52, ETH))
    ratios = (2.0, 1.99, 3.5, 2.5, 3.0, 10.0)
    rows = [(*one, "dynamic_reward_risk", 2.5, ratio) for one, ratio in zip(hours, ratios, strict=True)]
    run = replace(load_run(write_ledger()), improvements=improved(*rows))
    levels = {name: cells[0] for name, cells in reward_risk_table(run, BEGIN + 3 * DAY, 3).rows}
    assert levels == {"0 to 2": 1, "2 to 2.5": 1, "2.5 to 3": 1, "3 to 3.5": 1, "3.5 and more": 2}


def test_sectors_are_shares_of_what_is_open_and_a_coin_in_none_stands_for_itself(write_ledger):
    """BTC and ETH are closed by the end of the first day; SOL and LTC stay open from the second on."""
    others = [
        replace(TRADES[2], pair=pair, opened_at=at(30).to_pydatetime()) for pair in ("SOL/USDT", "LTC/USDT")
    ]
    series = portfolio_series(load_run(write_ledger(trades=[*TRADES[:2], *others])), 3)
    shares = {
        sector: values.tolist() for (_, metric, sector), values in series.items() if metric == "sector_share"
    }
    assert shares == {
        name: pytest.approx([NAN, part, part], nan_ok=True)
        for name, part in (("majors", 0.0), ("SOL", 0.5), ("LTC", 0.5))
    }
    assert series["all", "sector_concentration", ""] == pytest.approx([NAN, 0.5, 0.5], nan_ok=True)


def test_a_confidence_at_the_threshold_meets_it_and_nothing_won_is_lost(write_ledger):
    rows = [list(row) for row in SIGNALS]
    rows[0][2], rows[0][10] = 0.0, 0.6
    rows[1][0] = 23  # its candle closes at midnight, with the first day
    ledger = write_ledger([tuple(row) for row in rows])
    (table,) = (
        table for table in read_rolling(ledger, days=3).tables if table.title.startswith("Thresholds")
    )
    assert table.rows[0] == (BTC, [0.6, 0, 2, 1.0, 1, 1.0])
    series = rolling_series(load_run(ledger), 3)
    assert [series["all", name, BTC][2] for name in ("false_positives", "false_negatives")] == [1.0, 1.0]
    assert series["all", "threshold", ETH] == pytest.approx([0.6, 0.6, 0.6])
