"""FreqUI's chart: what is drawn of signals, phases, locks, levels and trades, and in which colours."""

import json
from dataclasses import replace

import numpy as np
import pytest

from coordinator.decision.blending.review import PHASES
from coordinator.run.chart import annotations as chart
from coordinator.run.chart import colors
from coordinator.run.chart.columns import decision_columns, held, rounded_price
from coordinator.run.chart.plot_config import plot_config
from coordinator.run.pair_analysis import analyse
from coordinator.run.trading_run import TradingRun
from coordinator.settings import Settings
from coordinator.settings.exits import ExitsSettings
from coordinator.signals.candles import Candles

SETTINGS = Settings()
FIXED = SETTINGS.model_copy(
    update={"decision": SETTINGS.decision.model_copy(update={"weighting": "fixed", "ml_weight": 0.3})}
)
PAIR = "BTC/USDT"


@pytest.fixture(scope="module")
def run(make_walk, make_higher):
    walk = make_walk(3, 2000)
    higher = {name: Candles.from_frame(make_higher(walk, name), name) for name in ("4h", "1d")}
    made = TradingRun(can_short=True)
    made.put(analyse(PAIR, Candles.from_frame(walk, "1h"), higher, SETTINGS, ml=True))
    made.decisions(FIXED)
    return made


@pytest.fixture(scope="module")
def candles(run):
    read = run.market.analysis(PAIR).candles
    return chart.ChartCandles(read.time[-600:], read.high[-600:], read.low[-600:], 3600)


def luminance(color):
    parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("background", ["#ffffff", "#18181b", "#000000"])
def test_colours_are_read_on_both_themes(background):
    """WCAG 2: graphics need a contrast of 3."""
    names = ("BLUE", "GREEN", "RED", "AMBER", "VIOLET", "TEAL", "PINK", "GRAY")
    for name, color in ({name: getattr(colors, name) for name in names} | colors.COMPONENT_COLORS).items():
        one, two = sorted((luminance(color), luminance(background)))
        assert (two + 0.05) / (one + 0.05) >= 3.0, name


def test_signals_say_confidence_and_outcome(run, candles):
    table, decided = run.latest
    points = chart.signal_points(PAIR, table, decided, candles)
    *signals, sentence = points
    json.dumps(points)  # Python's numbers, no numpy's
    taken = [point for point in signals if point["shape"] == "triangle"]
    assert taken
    assert len(taken) < len(signals) <= chart.MOST_SIGNALS
    resolved = [point for point in taken if " R" in point["label"]]
    assert resolved
    rows = {chart._time(time): row for row, time in enumerate(table.time.tolist())}
    for point in taken:
        assert point["label"].split(":")[0] == f"{100 * decided.confidence[rows[point['x']]]:.0f} %"
    for point in resolved:
        assert point["label"].split(": ")[1] == f"{table.outcome_r[rows[point['x']]]:+.1f} R"
        won = float(point["label"].split(": ")[1].removesuffix(" R")) > 0
        assert point["color"] == (colors.GREEN if won else colors.RED)
    assert all(not point["label"] for point in signals if point["shape"] == "circle")
    assert "taken: confidence" in sentence["label"]
    for name in ("technical", "fusion"):  # the components with a say here
        assert f"{name} " in sentence["label"]
    assert "lstm" not in sentence["label"]


def test_nothing_of_another_pair_or_outside_the_chart(run, candles):
    table, decided = run.latest
    assert chart.signal_points("ETH/USDT", table, decided, candles) == []
    early = replace(candles, time=candles.time - 10**8)
    assert chart.signal_points(PAIR, table, decided, early) == []


def test_a_phase_with_a_say_is_an_area(run, candles):
    table, decided = run.latest
    middle = int(candles.time[300])
    phase = np.where(table.time < middle, PHASES.index("shadow"), PHASES.index("pilot"))
    weight = np.where(table.time < middle, 0.0, 0.1)
    found = chart.phase_areas(table, replace(decided, phase=phase, ml_weight=weight), candles)
    areas = [one for one in found if one["type"] == "area"]
    assert [one["label"] for one in found if one["type"] == "point"] == [
        "ML: shadow, no say",
        "ML: pilot, weight 10 %",
    ]
    (area,) = areas
    assert area["color"] == colors.area(colors.BLUE, 0.08)
    first = table.time[table.time >= middle].min()
    assert area["start"] == chart._time(int(first))


def test_a_lock_is_an_area_with_its_reason(candles):
    begin, end = int(candles.time[100]), int(candles.time[200])
    area, text = chart.lock_areas([chart.ChartLock(begin, end, "drawdown 12 % above 10 %")], candles)
    assert (area["start"], area["end"]) == (chart._time(begin), chart._time(end))
    assert text["label"] == "locked: drawdown 12 % above 10 %"
    assert chart.lock_areas([chart.ChartLock(0, int(candles.time[0]), "past")], candles) == []


@pytest.mark.parametrize(("direction", "stop", "target"), [(1, 90.0, 120.0), (-1, 110.0, 80.0)])
def test_the_open_trade_shows_stop_and_target(candles, direction, stop, target):
    trade = chart.ChartTrade(direction, int(candles.time[500]), 100.0, stop, target)
    found = chart.trade_lines(trade, candles)
    lines = {one["y_start"]: one for one in found if one["type"] == "line"}
    assert {stop, 100.0, target} == set(lines)
    assert lines[stop]["color"] == colors.RED
    assert {one["label"] for one in found if one["type"] == "point"} == {
        f"stop {stop:g} (-10.0 %)",
        f"target {target:g} (+20.0 %)",
        "entry 100",
    }
    without = chart.trade_lines(replace(trade, target=None), candles)
    assert not [one for one in without if one.get("label", "").startswith("target")]


def test_levels_are_steps_with_the_newest_price(candles):
    values = np.repeat((np.nan, 100.0, 105.5), 200)
    found = chart.level_lines([("exit below", values, True)], candles)
    *steps, text = found
    assert [(step["y_start"], step["start"]) for step in steps] == [
        (100.0, chart._time(int(candles.time[200]))),
        (105.5, chart._time(int(candles.time[400]))),
    ]
    assert (text["label"], text["y"]) == ("exit below 105.5", 105.5)


def test_the_plot_config_is_of_this_run():
    spot = plot_config((), ExitsSettings(), can_short=False)
    assert set(spot["subplots"]) == {"confidence", "expected R"}
    assert not {"entry_low", "exit_high"} & set(spot["main_plot"])
    futures = plot_config(("quality",), ExitsSettings(channel=True), can_short=True)
    assert "lstm_vote" not in futures["subplots"]["votes"]
    assert "quality_vote" in futures["subplots"]["votes"]
    assert {"entry_low", "exit_low", "exit_high"} <= set(futures["main_plot"])


def test_votes_without_a_say_are_not_plotted(run):
    analysis, (_, decided) = run.market.analysis(PAIR), run.latest
    columns = decision_columns(analysis, decided)
    says = np.isfinite(columns["fusion_vote"])
    assert says.any()
    silent = decision_columns(analysis, replace(decided, share=np.zeros_like(decided.share)))
    assert not np.isfinite(silent["fusion_vote"]).any()


def test_a_gate_holds_until_the_next_signal():
    nan = np.nan
    columns = held({"threshold": np.array([nan, 0.6, nan, nan, 0.7]), "unified_confidence": np.array([nan])})
    np.testing.assert_array_equal(columns["threshold"], [nan, 0.6, 0.6, 0.6, 0.7])
    assert np.isnan(columns["unified_confidence"]).all()


def test_prices_have_six_digits():
    values = np.array([27123.456789, 9.87654321, np.nan])
    np.testing.assert_array_equal(rounded_price(values), [27123.5, 9.87654, np.nan])
    np.testing.assert_array_equal(rounded_price(np.array([0.0123456789, 0.0])), [0.0123457, 0.0])
    rising = np.array(
        [69514.96, 69514.51, 123456.7]
    )  # a later price of one digit more changes none before it
    np.testing.assert_array_equal(rounded_price(rising), [69515.0, 69514.5, 123457.0])
    np.testing.assert_array_equal(rounded_price(rising[:2]), rounded_price(rising)[:2])
