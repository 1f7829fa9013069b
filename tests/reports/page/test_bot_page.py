"""A bot's page: its account from real trades, found by the command, and honest about what its ledger lacks."""

import json
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from coordinator.candles.files import candle_path, write_candles
from coordinator.errors import CoordinatorError
from coordinator.ledger.feature_store import FeatureSchema
from coordinator.ledger.records import CandleRecord, ImprovementRow
from coordinator.ledger.registry import ModelInfo, ModelRegistry
from coordinator.reports.commands import report_app
from coordinator.reports.page.bot import bot_account
from coordinator.reports.page.data import PageData, bot_page_data
from coordinator.reports.page.run_view import last_live_run, read_run
from coordinator.reports.page.sections.trades import candle_figures, trade_lists
from coordinator.reports.page.summary import summary_of
from coordinator.reports.page.write import sections_of, write_report

DAY = pd.Timedelta(days=1)
START = pd.Timestamp("2024-01-01", tz="UTC")


def trades_of(*rows) -> pd.DataFrame:
    """Rows of (opened day, closed day or None, stake, profit)."""
    return pd.DataFrame(
        {
            "opened_at": pd.to_datetime([START + DAY * row[0] for row in rows]),
            "closed_at": pd.to_datetime(
                [pd.NaT if row[1] is None else START + DAY * row[1] for row in rows], utc=True
            ),
            "stake": [row[2] for row in rows],
            "profit": [row[3] for row in rows],
            "filled_price": 100.0,
        }
    )


def test_the_account_is_the_realised_profit_by_day():
    trades = trades_of((0.5, 1.5, 100.0, 10.0), (1.0, 3.25, 200.0, -5.0), (3.5, None, 50.0, np.nan))
    account = bot_account(trades, START, START + 5 * DAY)
    assert account.daily.tolist() == [0.0, 0.0, 10.0, 10.0, 5.0, 5.0]
    assert (account.closed, account.won, account.open, account.profit) == (2, 1, 1, 5.0)
    assert account.base == 300.0  # both were open on the second day
    assert account.value.tolist() == [300.0, 300.0, 310.0, 310.0, 305.0, 305.0]
    named = bot_account(trades, START, START + 5 * DAY, 1000.0)
    assert (named.ratio, named.named) == (0.005, True)


def test_a_trade_closed_at_midnight_belongs_to_the_day_that_it_ends():
    account = bot_account(trades_of((0, 1, 100.0, 7.0)), START, START + 2 * DAY)
    assert account.daily.tolist() == [0.0, 7.0, 7.0]


def test_what_closes_makes_room_for_what_opens_at_the_same_time():
    account = bot_account(trades_of((0, 1, 100.0, 1.0), (1, 2, 150.0, 1.0)), START, START + 3 * DAY)
    assert account.base == 150.0


def test_an_entry_that_never_filled_is_no_trade():
    unfilled = trades_of((0, 1, 100.0, 0.0)).assign(filled_price=np.nan)
    account = bot_account(unfilled, START, START + 2 * DAY)
    assert (account.closed, account.open, account.base, len(account.value)) == (0, 0, 0.0, 0)


def test_the_page_of_a_bot(bot_ledger, bot_candles, tmp_path):
    ledger = bot_ledger()
    data = bot_page_data(read_run(ledger, candles=bot_candles), bot_candles, 10_000.0)
    path = write_report(data, tmp_path / "bot.html")
    text = path.read_text("utf-8")
    assert "<h1>Bot report</h1>" in text
    assert "Percents are of a balance of 10,000.00." in text
    figures = json.loads(re.search(r'id="figures">(.*?)</script>', text, re.DOTALL)[1])
    drawn = {
        "equity", "drawdown", "months", "virtual", "rolling-accuracy", "rolling-sharpe", "weight", "thresholds",
        "errors", "reliability", "outcomes", "distribution", "accuracy", "votes", "auc", "confidence", "correlation",
        "sectors", "filtered", "effect-r", "effect-sharpe", "slippage", "candles-0", "candles-1",
    }  # fmt: skip
    assert drawn <= set(figures)
    assert [trace["name"] for trace in figures["equity"]["data"]] == ["the bot", "Buy and hold"]
    # Split evenly at the close of the first hour, valued at the close before the end.
    closes = [frame.set_index("date")["close"] for frame in bot_candles.values()]
    end = pd.Timestamp(figures["equity"]["data"][1]["x"][-1])
    hold = np.mean([own[end - pd.Timedelta(hours=1)] / own[START] for own in closes])
    assert figures["equity"]["data"][1]["y"][-1] == pytest.approx(100 * hold, rel=1e-4)
    entries = {trace["name"] for trace in figures["candles-0"]["data"]}
    assert {"entries", "exits"} <= entries


def test_without_candles_the_page_says_what_is_missing(bot_ledger, tmp_path):
    data = bot_page_data(read_run(bot_ledger()), {})
    absent = {
        chart.name: chart.why
        for section in sections_of(data)
        for chart in section.charts
        if chart.figure is None
    }
    assert absent["correlation"] == "A ledger holds no prices: name the candles with --datadir."
    notes = " ".join(note for section in sections_of(data) for note in section.notes)
    assert "Buy and hold is not shown" in notes
    assert "--balance names it" in notes
    assert candle_figures(data) == {}
    assert trade_lists(data)[0].count == 9
    assert {row[-1] for row in trade_lists(data)[0].rows} == {"roi", "stop_loss (100%)"}


def test_a_bot_without_a_closed_trade(bot_ledger, tmp_path):
    data = bot_page_data(read_run(bot_ledger(3, trades=False)), {})
    happened = dict(summary_of(data))["What happened"]
    assert happened[0].text == "The bot has closed no trade yet."
    absent = {
        chart.name: chart.why
        for section in sections_of(data)
        for chart in section.charts
        if chart.figure is None
    }
    assert absent["equity"] == "The bot has closed no trade yet, so its account has not moved."
    assert absent["outcomes"] == "No signal has a known outcome yet."
    assert "made no trades" in write_report(data, tmp_path / "r.html").read_text("utf-8")


def test_a_bot_that_has_seen_nothing(bot_ledger, tmp_path):
    data = bot_page_data(read_run(bot_ledger(0, trades=False)), {})
    assert dict(summary_of(data))["Is ML worth it?"][0].text == "There is no signal yet to judge ML by."
    text = write_report(data, tmp_path / "r.html").read_text("utf-8")
    assert "The ledger holds no signals." in text


def test_the_summary_of_the_bot(bot_ledger, bot_candles):
    summary = {
        heading: [s.text for s in said]
        for heading, said in summary_of(
            bot_page_data(read_run(bot_ledger(), candles=bot_candles), bot_candles)
        )
    }
    # Five of -1 R and four of +1.5 R, give or take, at 50 each.
    assert summary["What happened"][0] == (
        "The bot closed 9 trades, 44.44% of them with a profit, and made +42.03 (+4.20% of the most that was invested "
        "at once, 1,000.00) after fees; none is open."
    )
    worth = " ".join(summary["Is ML worth it?"])
    # The pilot began with the 40th of 80 signals, four a day.
    assert (
        "ML had a say in 50.00% of the signals, with a weight of 15.00% on average and 15.00% at the end"
        in worth
    )
    assert "phase pilot since 2024-01-11 (review of 2024-01-11: promoted: 40 outcomes collected)" in worth
    assert "The signals that ML rated are of 4 weeks, which move together: too few to judge it" in worth
    # Every other one of the 76 that are resolved; the baseline's gate is below them all.
    assert "ML's gate alone took 38 signals at +1.49 R each" in worth
    assert "the baseline's gate 76 at +0.24 R" in worth
    look = " ".join(summary["What to look at"])
    for said in (
        "Components were absent: fusion at 100%",
        "the correlation filter 16",
        "entries +0.20% worse",
    ):
        assert said in look


def test_the_run_that_is_shown_is_the_first_in_which_ml_took_part(bot_ledger):
    view = read_run(bot_ledger(4))
    without = replace(view, run=replace(view.run, decisions=view.run.decisions.assign(ml_score=np.nan)))
    assert (view.has_ml, without.has_ml) == (True, False)
    for runs, shown in (([without, view], view), ([view, without], view), ([without], without)):
        assert PageData(None, runs=runs).main is shown


def test_what_a_model_and_an_improvement_lost_is_to_be_looked_at(bot_ledger):
    ledger = bot_ledger()
    lost = ImprovementRow("*", "trust_volatility_sizing", "on", 0.1, 0.0)
    begin, figures = int(START.timestamp()), {"latency_p99_ms": 60.0}
    ledger.write_candle(1, CandleRecord(begin + 479 * 3600, improvements=(lost,)))
    slow = ModelInfo("lstm", "lstm", 0, begin, 1, 3600, FeatureSchema("1", ("a",)), figures, "x.json", "x")
    ModelRegistry(ledger).register(slow)
    look = " ".join(s.text for s in dict(summary_of(bot_page_data(read_run(ledger), {})))["What to look at"])
    assert "lstm (60 ms)" in look
    assert "volatility_sizing." in look


def test_the_command_takes_the_bots_ledger_that_was_written_last(bot_ledger, bot_candles, tmp_path):
    ledger = bot_ledger()
    results = tmp_path / "backtest_results"
    results.mkdir()
    data = tmp_path / "data"
    for pair, frame in bot_candles.items():
        write_candles(frame, candle_path(data, pair, "1h", "spot"))
    output = tmp_path / "bot.html"
    before = {table: ledger.metrics(1).shape for table in ("metrics",)}
    arguments = ["--results", results, "--datadir", data, "--output", output, "--balance", "5000"]
    outcome = CliRunner().invoke(report_app, [str(argument) for argument in arguments])
    assert outcome.exit_code == 0, outcome.exception
    assert re.search(r"Is ML worth it\?\n- ML had a say", outcome.output)
    assert "<h1>Bot report</h1>" in output.read_text("utf-8")
    assert {"metrics": ledger.metrics(1).shape} == before  # a report writes nothing into a bot's ledger
    wrong = CliRunner().invoke(report_app, ["--results", str(results), "--output", str(output), "--run", "7"])
    assert isinstance(wrong.exception, CoordinatorError)
    assert "be one of [1]" in str(wrong.exception)


def test_batch_runs_of_the_same_ledger_are_passed_over(bot_ledger):
    ledger = bot_ledger(4)
    runs = ledger.runs()
    assert last_live_run(ledger) == int(runs["id"].iloc[0])
