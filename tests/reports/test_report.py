"""The table, the HTML report and the command."""

import io
import json
import os
import re
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace

import numpy as np
import pytest
from rich.console import Console
from typer.testing import CliRunner

from coordinator.candles.files import candle_path, write_candles
from coordinator.errors import CoordinatorError
from coordinator.ledger.store import Ledger, RunInfo
from coordinator.reports.commands import report_app
from coordinator.reports.comparison import compare
from coordinator.reports.decisions import component_rows, group_rows, rejection_rows
from coordinator.reports.page.data import PageData, newest_importance
from coordinator.reports.page.figures.candles import downsample_candles
from coordinator.reports.page.run_view import read_run
from coordinator.reports.page.sections.trades import trade_lists
from coordinator.reports.page.summary import summary_of
from coordinator.reports.page.write import write_report
from coordinator.reports.results import read_result
from coordinator.reports.table import print_table

BTC, ETH = "BTC/USDT:USDT", "ETH/USDT:USDT"


@pytest.fixture
def results(make_zip):
    return [read_result(make_zip("MLCoordinator")), read_result(make_zip("TechnicalBaseline", trades=[]))]


def printed(results, candles, fee=None) -> str:
    text = io.StringIO()
    print_table(results, candles, fee, Console(width=100, file=text))
    return text.getvalue()


def test_the_table_sets_strategies_beside_buy_and_hold(results, candles):
    text = printed(results, candles)
    rows = {
        cells[0].strip(): [c.strip() for c in cells[1:]]
        for cells in re.findall(r"│(.+)│(.+)│(.+)│(.+)│", text)
    }
    assert rows["Profit"] == ["+0.44%", "0.00%", "-0.20%"]
    assert rows["Trades"] == ["2", "0", "2"]
    assert rows["Sharpe"][1] == rows["Profit factor"][1] == rows["Win rate"][1] == "–"
    assert rows["Fees paid (USDT)"] == ["6.15", "0.00", "19.98"]
    assert "2024-01-01 00:00 to 2024-01-04 00:00 UTC, 2 pairs, futures" in text
    assert "TechnicalBaseline made no trades." in text
    assert printed(results, candles) == text


def test_no_losses_print_as_infinite(make_zip, candles):
    result = read_result(make_zip("S"))
    won = replace(result, trades=result.trades.assign(profit_abs=[48.55, 4.2]))
    assert dict(compare([won], candles).rows())["Profit factor"][0] == "∞"


def test_the_fee_of_buy_and_hold_can_be_chosen(results, candles):
    free = dict(compare(results, candles, 0.0).rows())
    assert free["Fees paid (USDT)"][-1] == "0.00"
    assert free["Profit"][-1] == "0.00%"  # +5 % and -5 %


def test_what_cannot_be_compared_is_said(make_zip, candles, results):
    with pytest.raises(CoordinatorError, match="at least one backtest"):
        compare([], candles)
    with pytest.raises(CoordinatorError, match="each strategy once"):
        compare([results[0], results[0]], candles)
    with pytest.raises(CoordinatorError, match=r"'stake_currency'.*be the same"):
        compare([results[0], replace(results[1], stake_currency="EUR")], candles)
    with pytest.raises(CoordinatorError, match=f"include {ETH}"):
        compare(results, {BTC: candles[BTC]})
    other = replace(results[1], starting_balance=500.0, end=results[1].start, pairs=(BTC,))
    notes = " ".join(compare([results[0], other], candles).notes)
    assert notes.count("Not comparable: TechnicalBaseline") == 3


def test_decisions_are_summed_up(decisions):
    groups = dict(group_rows(decisions))
    assert groups["Accepted"] == ["2", "2", "0.500", "1.500", "50.00%"]
    assert groups["Rejected"] == ["4", "3", "0.500", "0.866", "33.33%"]
    assert groups["All signals"][:3] == ["6", "5", "0.500"]
    reasons = rejection_rows(decisions)
    assert (reasons[0][0], reasons[0][1][0]) == ("confidence below 70%", "2")
    assert dict(reasons)["no reason given"] == ["1", "0", "–", "–", "–"]
    missing = decisions.assign(
        **{f"{c}_direction": np.nan for c in ("fusion", "selector", "attention", "quality")},
        lstm_percentile=decisions["lstm_percentile"] + 0.1,
    )
    components = dict(component_rows(missing))
    # Two of four votes agree (R 2 and -1); one is against (-1), one holds (0.5).
    assert components["lstm"] == ["4", "66.67%", "50.00%", "0.50", "0.60", "0.500", "-0.250"]
    assert components["technical"][2] == "100.00%"
    assert components["fusion"] == ["0", *["–"] * 6]


def test_a_list_of_trades_says_how_sure_a_stop_is(results):
    left = replace(
        results[0], trades=results[0].trades.assign(exit_reason=["trailing_stop_loss", "low volume (75%)"])
    )
    (shown,) = trade_lists(PageData(None, [left]))
    assert [row[-1] for row in shown.rows] == ["trailing_stop_loss (90%)", "low volume (75%)"]


def test_a_profit_that_the_fees_would_eat_is_to_be_looked_at(results, candles):
    thin = replace(results[0], trades=results[0].trades.assign(profit_abs=[1.0, 2.0]))
    own = [thin, results[1]]
    said = dict(summary_of(PageData(compare(own, candles), own, [], candles)))["What to look at"]
    assert any(
        one.text.startswith("At twice the fee the profit would be gone: MLCoordinator") for one in said
    )


def outside_scripts(text: str) -> str:
    return re.sub(r"<script.*?</script>", "", text, flags=re.DOTALL)


def figures_of(text: str) -> dict:
    return json.loads(re.search(r'id="figures">(.*?)</script>', text, re.DOTALL)[1])


@pytest.fixture
def page(results, candles, decisions, tmp_path):
    """Writes the page of both strategies, with a ledger of the first unless told otherwise, and returns its text."""

    def write(recorded=True, **importance):
        runs = []
        if recorded:
            ledger = Ledger(tmp_path / "run.ledger.sqlite")
            ledger.write_run(RunInfo("MLCoordinator", datetime(2024, 1, 1, tzinfo=UTC), "12h"), decisions)
            runs.append(read_run(ledger, since=results[0].start))
        data = PageData(compare(results, candles), results, runs, candles, **importance)
        return write_report(data, tmp_path / "report.html").read_text("utf-8")

    return write


def test_the_report_is_one_offline_page(page):
    text = page()
    assert text.count("* plotly.js v") == 1
    body = outside_scripts(text)
    assert not re.search(r"@import|url\(", body)
    tags = re.sub(r'"[^"]*"', '""', body)  # what attributes say is no markup
    assert not re.search(r"<link|<img|<iframe|<[a-z][^>]* src=", tags)
    assert set(re.findall(r'href="([^"]*)"', body)) <= {
        f"#{name}" for name in re.findall(r'id="([^"]*)"', body)
    }
    assert "default-src 'none'" in body
    assert text.count("<script") == text.count("</script>") == 3
    assert body.count('<td class="text tag" title="roi">roi</td>') == 2  # both trades' reason to leave
    for said in ("TechnicalBaseline made no trades.", "No ledger was given for TechnicalBaseline.", "+0.44%"):
        assert said in body


def test_every_chart_is_drawn_or_says_why_not(page):
    text = page()
    body, figures = outside_scripts(text), figures_of(text)
    drawn = set(re.findall(r'data-figure="([^"]+)"', body)) | set(re.findall(r'value="(candles-\d)"', body))
    assert drawn == set(figures)
    said = re.findall(r'<p class="why"><b>(.*?):</b> ([^<]+)</p>', body)
    absent = {name: why for names, why in said for name in re.findall(r'data-absent="([\w-]+)"', names)}
    assert not drawn & set(absent)
    listed = (
        "equity drawdown months virtual rolling-accuracy rolling-sharpe rolling-win_rate rolling-profit_factor "
        "rolling-max_drawdown rolling-trade_frequency weight thresholds errors reliability outcomes distribution "
        "accuracy votes auc confidence percentile correlation sectors together filtered effect-r effect-sharpe trust "
        "prior model-auc model-gap model-ece psi latency drift features parameters slippage candles-0 candles-1"
    )
    assert drawn | set(absent) == set(listed.split())
    assert {"equity", "drawdown", "outcomes", "accuracy", "confidence", "candles-0"} <= drawn
    assert absent["prior"] == "No model was trained for this run."
    assert "coordinator optimize" in absent["parameters"]
    for name in drawn:
        assert any(
            trace.get("y") or trace.get("close") or trace.get("z") for trace in figures[name]["data"]
        ), name


def test_colours_are_of_the_theme(page):
    text = page()
    named = set(re.findall(r"var\((--[\w-]+)\)", json.dumps(figures_of(text))))
    defined = re.findall(r"(--[\w-]+): #", outside_scripts(text))
    assert named
    # Once for light and twice for dark: by the system's wish and by the button.
    assert all(defined.count(name) == 3 for name in named)


def test_text_is_readable_in_both_themes(page):
    style = re.search(r"<style>(.*?)</style>", page(), re.DOTALL)[1]
    light, dark, again = re.findall(r"color-scheme: \w+;(.*?)\}", style, re.DOTALL)
    assert dark == again
    for theme in (light, dark):
        colours = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", theme))
        for ink in ("ink", "soft", "accent", "good", "bad", "watch"):
            for paper in ("card", "back", "tint"):
                assert contrast(colours[ink], colours[paper]) >= 4.5, (ink, paper)
        for line in (*(f"s{i}" for i in range(1, 9)), "hold", "up", "down"):
            assert contrast(colours[line], colours["card"]) >= 3, line


def contrast(one: str, other: str) -> float:
    """WCAG 2 contrast ratio."""
    light = []
    for colour in (one, other):
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        light.append(sum(w * p for w, p in zip((0.2126, 0.7152, 0.0722), linear, strict=True)))
    return (max(light) + 0.05) / (min(light) + 0.05)


def test_everything_foreign_is_escaped(page):
    text = page()
    body = outside_scripts(text)
    assert "<img" not in body
    escaped = "&lt;img src=x onerror=alert(1)&gt;&amp;&#34;"
    assert body.count(escaped) == 3  # reason, tag, its title
    assert "<img" not in re.search(r'id="figures">(.*?)</script>', text, re.DOTALL)[1]
    traces = figures_of(text)["candles-1"]["data"]
    tags = [trace["text"] for trace in traces if trace["name"] == "MLCoordinator entries"]
    assert tags == [["&lt;img src=x onerror=alert(1)&gt;&amp;&quot;"]]
    rejected = [trace["y"][0].strip() for trace in figures_of(text)["outcomes"]["data"]]
    assert "&lt;img src=x onerror=alert(1)&gt;&amp;&quot;" in rejected


def test_without_ledgers_the_page_says_what_it_cannot_show(page):
    text = page(recorded=False)
    assert "There is no ledger of these runs, so ML&#39;s part in them is unknown." in outside_scripts(text)
    names = [trace["name"] for trace in figures_of(text)["equity"]["data"]]
    assert names == ["MLCoordinator", "TechnicalBaseline", "Buy and hold"]
    assert "weight" not in figures_of(text)


def test_parameter_importance_is_of_the_newest_optimization(page, tmp_path):
    folder = tmp_path / "optimize"
    folder.mkdir()
    (folder / "a_config.json").write_text('{"coordinator": {}}')
    (folder / "broken.json").write_text("{")
    assert newest_importance(folder) is None
    (folder / "old.json").write_text('{"importance": {"x": 1.0}}')
    (folder / "new.json").write_text('{"importance": {"stops.atr_multiple": 0.7, "decision.threshold": 0.3}}')
    os.utime(folder / "old.json", (1, 1))
    found = newest_importance(folder)
    assert found.source == "new.json"
    text = page(importance=found)
    bars = figures_of(text)["parameters"]["data"][0]
    assert (bars["y"], bars["x"]) == (["decision.threshold", "stops.atr_multiple"], [30.0, 70.0])


def test_an_unwritable_report_is_one_error(results, candles, tmp_path):
    with pytest.raises(CoordinatorError, match="be writable"):
        write_report(
            PageData(compare(results, candles), results, (), candles), tmp_path / "no" / "report.html"
        )


def test_long_histories_are_thinned(make_walk):
    walk = make_walk(1, 5001)
    thin = downsample_candles(walk)
    assert len(thin) == 1251
    assert thin["high"].iloc[1] == walk["high"].iloc[4:8].max()
    assert thin["open"].iloc[1] == walk["open"].iloc[4]
    assert thin["close"].iloc[1] == walk["close"].iloc[7]
    assert len(downsample_candles(walk, 5001)) == 5001
    assert len(downsample_candles(walk, 300)) == 209  # days


def test_the_command_finds_results_ledgers_and_candles(make_zip, candles, decisions, tmp_path):
    make_zip("MLCoordinator", begin=1_700_000_000)
    make_zip("TechnicalBaseline", begin=1_700_000_100)
    started = datetime.fromtimestamp(1_700_000_030, UTC)
    Ledger(tmp_path / "MLCoordinator-1.ledger.sqlite").write_run(
        RunInfo("MLCoordinator", started, "12h"), decisions
    )
    data = tmp_path / "data"
    for pair, frame in candles.items():
        write_candles(frame.assign(volume=1.0), candle_path(data, pair, "12h", "futures"))
    output = tmp_path / "report.html"
    arguments = ["--results", tmp_path, "--datadir", data, "--output", output]
    outcome = CliRunner().invoke(report_app, [str(argument) for argument in arguments])
    assert outcome.exit_code == 0, outcome.exception
    assert re.search("MLCoordinator.+TechnicalBaseline.+Buy and hold", outcome.output)
    assert re.search(r"Report written to .+report.html \(\d\.\d MB\)", outcome.output)
    page = outside_scripts(output.read_text("utf-8"))
    assert "No ledger was given for TechnicalBaseline." in page
    assert "No ledger was given for MLCoordinator." not in page


def test_a_named_ledger_without_the_strategies_is_refused(make_zip, candles, decisions, tmp_path):
    path = tmp_path / "other.sqlite"
    Ledger(path).write_run(RunInfo("Other", datetime(2024, 1, 1, tzinfo=UTC), "12h"), decisions)
    data = tmp_path / "data"
    for pair, frame in candles.items():
        write_candles(frame.assign(volume=1.0), candle_path(data, pair, "12h", "futures"))
    arguments = [
        "--result",
        make_zip("S"),
        "--datadir",
        data,
        "--ledger",
        path,
        "--output",
        tmp_path / "r.html",
    ]
    outcome = CliRunner().invoke(report_app, [str(argument) for argument in arguments])
    assert isinstance(outcome.exception, CoordinatorError)
    assert "hold a run of S" in str(outcome.exception)


def test_backtests_need_their_candles(make_zip, tmp_path):
    outcome = CliRunner().invoke(
        report_app, ["--result", str(make_zip("S")), "--output", str(tmp_path / "r.html")]
    )
    assert isinstance(outcome.exception, CoordinatorError)
    assert "name the candles they ran on" in str(outcome.exception)


def test_a_stops_confidence_stands_beside_its_reason(results):
    reasons = ["stop_loss", "trailing_stop_loss"]
    result = replace(results[0], trades=results[0].trades.assign(exit_reason=reasons))
    data = SimpleNamespace(results=[result])
    (shown,) = trade_lists(data)
    assert [row[-1] for row in shown.rows] == ["stop_loss (100%)", "trailing_stop_loss (90%)"]
