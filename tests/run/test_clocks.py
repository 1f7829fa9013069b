"""Several clocks in one account: their own settings, signals, learners, exits, and one signal a candle."""

from datetime import UTC, datetime
from types import SimpleNamespace

import numpy as np
import pytest

from coordinator.errors import CoordinatorError
from coordinator.run.backtest_decisions import BacktestDecisions
from coordinator.run.chart.columns import decision_columns
from coordinator.run.entry_plans import entry_plans
from coordinator.run.frame_columns import entry_columns, merge_columns
from coordinator.run.pair_analysis import analyse, analyse_clocks
from coordinator.run.position_rules import PositionRules
from coordinator.run.trading_run import TradingRun
from coordinator.settings import load_settings
from coordinator.signals.candles import Candles
from coordinator.signals.clock import CLOCKS, pair_of
from coordinator.trade.entries import AT_ONCE
from coordinator.trade.plan import Plan
from coordinator.trade.signal_exits import signal_exits
from coordinator.trade.virtual_trades import virtual_outcomes

SHARED = {
    "baseline": {"fast_channel": 10, "exit_channel": 5},
    "stops": {"basis": "price", "atr_multiple": 2.0, "hard_limit": 0.5},
    "targets": {"enabled": False, "horizon": 20},
    "exits": {"channel": True, "baseline_turn": False},
    "decision": {"threshold": 0.2, "expectancy_outcomes": 5},
}
BOTH = load_settings(
    {
        **SHARED,
        "clocks": {
            "4h": {"risk_share": 0.5, "targets": {"horizon": 60}, "decision": {"threshold": 0.6}},
            "1d": {"stops": {"atr_multiple": 3.0}},
        },
    }
)


def alone(clock):
    return BOTH.on_clock(clock)


@pytest.fixture(scope="module")
def market(make_walk, make_higher):
    out = {}
    for seed, pair in enumerate(("BTC/USDT", "ETH/USDT")):
        hourly = make_walk(90 + seed, 24 * 220)
        out[pair] = {
            "1h": Candles.from_frame(hourly, "1h"),
            **{name: Candles.from_frame(make_higher(hourly, name), name) for name in ("4h", "1d")},
        }
    return out


def analyses_of(market, settings):
    return [
        one
        for pair, candles in market.items()
        for one in analyse_clocks(pair, candles["1h"], candles, settings, False)
    ]


@pytest.fixture(scope="module")
def run(market):
    trading_run = TradingRun(can_short=True)
    for analysis in analyses_of(market, BOTH):
        trading_run.put(analysis)
    return trading_run


def test_a_clock_has_its_own_keys_and_shares_the_rest():
    assert BOTH.clock_names == ("1d", "4h")
    assert (alone("1d").stops.atr_multiple, alone("4h").stops.atr_multiple) == (3.0, 2.0)
    assert (alone("1d").targets.horizon, alone("4h").targets.horizon) == (20, 60)
    assert (alone("1d").time_limit, alone("4h").time_limit) == (20 * 86400, 60 * 14400)
    assert alone("4h").baseline.clock == "4h"
    assert alone("4h").clock_names == ("4h",)
    assert (BOTH.risk_share("4h"), BOTH.risk_share("1d")) == (0.5, 1.0)
    single = load_settings(SHARED)
    assert single.clock_names == ("1h",)
    assert single.on_clock("1h") is single


@pytest.mark.parametrize(
    ("clocks", "words"),
    [
        ({"4h": {"stops": {"hard_limit": 9.0}}}, "clocks.4h.stops.hard_limit"),
        ({"4h": {"stops": {"hard_limitt": 0.1}}}, "clocks.4h.stops.hard_limitt"),
        ({"4h": {"decision": {"ml_weight": 0.1}}}, "may hold threshold and baseline_threshold"),
        ({"1d": {"targets": {"horizon": 21}}}, "targets.horizon of 21 candles of 1d is 21 days"),
        ({"4h": {"baseline": {"exit_channel": 30}}}, "exit_channel must be below fast_channel"),
        ({"2h": {}}, "clocks.2h"),
    ],
)
def test_a_mistake_in_a_clock_names_its_key(clocks, words):
    with pytest.raises(CoordinatorError, match=words):
        load_settings({**SHARED, "clocks": clocks})


def test_each_clock_reads_as_if_it_were_alone_but_for_candles_that_a_slower_one_has_taken(market):
    for pair, candles in market.items():
        slow, fast = analyse_clocks(pair, candles["1h"], candles, BOTH, False)
        by_day = analyse(pair, candles["1h"], candles, alone("1d"), False)
        by_four = analyse(pair, candles["1h"], candles, alone("4h"), False)
        assert (slow.series, fast.series) == (pair, f"{pair} 4h")
        np.testing.assert_array_equal(slow.index, by_day.index)
        np.testing.assert_array_equal(slow.stop_distance, by_day.stop_distance)
        both = np.intersect1d(by_day.index, by_four.index)
        assert len(both)
        np.testing.assert_array_equal(fast.index, np.setdiff1d(by_four.index, by_day.index))
        kept = np.isin(by_four.index, fast.index)
        np.testing.assert_array_equal(fast.stop_distance, by_four.stop_distance[kept])


def test_the_table_knows_each_signals_clock_and_its_outcome_is_that_clocks(run, market):
    table = run.market.signals(BOTH)
    assert table.pairs == ("BTC/USDT", "BTC/USDT 4h", "ETH/USDT", "ETH/USDT 4h")
    assert len(set(table.signal_keys())) == len(table)
    assert {pair for _, pair in table.signal_keys()} == set(market)
    for number, series in enumerate(table.pairs):
        rows, analysis = table.pair == number, run.market.analysis(series)
        assert set(table.clock[rows]) == {CLOCKS.index(analysis.clock)}
        expected = virtual_outcomes(
            analysis.candles,
            analysis.technical,
            analysis.index,
            analysis.direction,
            analysis.stop_distance,
            analysis.target_distance,
            alone(analysis.clock),
        )
        np.testing.assert_array_equal(table.outcome_r[rows], expected.r)


def test_each_clock_has_its_own_gate_calibration_and_time(run):
    table, decided = run.market.signals(BOTH), run.decisions(BOTH)
    slow, fast = (table.clock == CLOCKS.index(name) for name in ("1d", "4h"))
    assert set(decided.threshold[slow]) == {0.2}
    assert set(decided.threshold[fast]) == {0.6}
    learned = {name: BacktestDecisions(can_short=True) for name in ("1d", "4h")}
    for name, rows in (("1d", slow), ("4h", fast)):
        own = learned[name].decide(table.rows(rows), alone(name))
        np.testing.assert_array_equal(own.of("technical"), decided.of("technical")[rows])
        np.testing.assert_array_equal(own.expected_days, decided.expected_days[rows])
        np.testing.assert_array_equal(own.win_probability, decided.win_probability[rows])
    last = decided.expected_days[slow][-1], decided.expected_days[fast][-1]
    assert last[0] > last[1] > 0


def test_ranking_across_clocks_is_by_expected_r_per_day(run):
    table, decided = run.market.signals(BOTH), run.decisions(BOTH)
    rows = np.flatnonzero(decided.accepted & np.isfinite(decided.expected_r))
    for name in ("1d", "4h"):
        row = int(rows[table.clock[rows] == CLOCKS.index(name)][-1])
        pair, candidates = pair_of(table.names()[row]), run.entry_candidates(int(table.time[row]), BOTH)
        (candidate,) = [one for one in candidates if one.pair == pair]
        assert candidate.expected_r == decided.expected_r[row] / decided.expected_days[row]


def test_plans_carry_their_clock_and_its_share_of_the_risk(run):
    for clock, share in (("1d", 1.0), ("4h", 0.5)):
        series = "BTC/USDT" if clock == "1d" else "BTC/USDT 4h"
        analysis, decided = run.market.analysis(series), run.series_decisions(series, BOTH)
        plans = entry_plans(analysis, decided, {}, alone(clock), BOTH.risk_share(clock))
        assert len(plans) == decided.accepted.sum() > 3
        assert {plan.clock for plan in plans.values()} == {clock}
        assert {plan.size for plan in plans.values()} == {share}


def test_a_trade_leaves_by_the_exits_of_its_own_clock(run):
    seconds = 3600

    def closed(now):
        return (int(now.timestamp()) // seconds - 1) * seconds

    rules = PositionRules(BOTH, seconds, closed, lambda *row: None)
    exits = {}
    for analysis in run.market.of_pair("BTC/USDT"):
        exits[analysis.clock] = signal_exits(analysis.candles, analysis.technical, alone(analysis.clock))
        rules.put(analysis, exits[analysis.clock])
    candles = run.market.analysis("BTC/USDT").candles
    only_fast = np.flatnonzero(exits["4h"].long & ~exits["1d"].long)
    assert len(only_fast)
    row = int(only_fast[len(only_fast) // 2])
    now = datetime.fromtimestamp(int(candles.time[row]) + seconds, tz=UTC)
    fast, slow, unknown = (Plan(1, 0.8, 0.1, np.inf, AT_ONCE, clock=name) for name in ("4h", "1d", ""))
    assert rules.signal_exit("BTC/USDT", fast, now) == "below the low of 5 x 4h"
    assert rules.signal_exit("BTC/USDT", slow, now) is None
    assert rules.signal_exit("BTC/USDT", unknown, now) is None  # a trade opened by hand goes by the slowest
    short = SimpleNamespace(**{**vars(fast), "direction": -1})
    assert rules.signal_exit("BTC/USDT", short, now) is None


def test_a_pairs_columns_show_every_clocks_signals(run):
    each = run.market.of_pair("ETH/USDT")
    decided = [run.series_decisions(one.series, BOTH) for one in each]
    parts = [
        entry_columns(one, d, BOTH, can_short=True) | decision_columns(one, d)
        for one, d in zip(each, decided, strict=True)
    ]
    merged = merge_columns(parts)
    for one, d in zip(each, decided, strict=True):
        taken = one.index[d.accepted]
        long = one.direction[d.accepted] > 0
        np.testing.assert_array_equal(merged["enter_long"][taken], long)
        np.testing.assert_array_equal(merged["enter_short"][taken], ~long)
        assert all(merged["enter_tag"][taken])
        np.testing.assert_array_equal(merged["unified_confidence"][one.index], np.round(d.confidence, 3))
    signals = np.concatenate([one.index for one in each])
    nothing = np.ones(len(merged["enter_long"]), dtype=bool)
    nothing[signals] = False
    assert not merged["enter_long"][nothing].any()
    assert np.isnan(np.asarray(merged["threshold"], dtype=float)[nothing]).all()
