"""The improvements' modes: off is the baseline to the bit, shadow acts like off and records, on changes its own."""

import json
import pickle
from dataclasses import fields

import numpy as np
import pytest

from coordinator.adapters.strategy import CoordinatorStrategy
from coordinator.run import improvements
from coordinator.run.entry_plans import entry_plans, make_plan
from coordinator.run.improvements import DYNAMIC_REWARD_RISK, VOLATILITY_SIZING
from coordinator.run.pair_analysis import analyse
from coordinator.run.trading_run import TradingRun
from coordinator.settings import Settings, load_settings
from coordinator.signals.candles import Candles
from coordinator.trade.plan import Plan

PAIRS = ("ADA/USDT", "BTC/USDT")
BOTH = (DYNAMIC_REWARD_RISK, VOLATILITY_SIZING)


def with_modes(rr="off", size="off", thresholds="off", **more):
    section = {DYNAMIC_REWARD_RISK: {"mode": rr}, VOLATILITY_SIZING: {"mode": size}}
    return load_settings(
        {
            "improvements": {"trust": {"enabled": False}, **section, **more},
            "thresholds": {"mode": thresholds},
            "decision": {"require_positive_expectancy": False},
        }
    )


@pytest.fixture(scope="module")
def run(make_walk):
    """A trading_run decided under some settings, computed once for each."""
    walks = {pair: Candles.from_frame(make_walk(seed, 1500), "1h") for seed, pair in enumerate(PAIRS)}
    known = {}

    def decided(settings):
        key = settings.model_dump_json()
        if key not in known:
            trading_run = TradingRun(can_short=True)
            for pair, candles in walks.items():
                trading_run.put(analyse(pair, candles, {}, settings, ml=False))
            known[key] = trading_run
        return known[key]

    return decided


def plans(trading_run, settings):
    return {
        pair: entry_plans(
            trading_run.market.analysis(pair),
            trading_run.series_decisions(pair, settings),
            trading_run.series_improvements(pair, settings),
            settings,
        )
        for pair in PAIRS
    }


def rows(trading_run, settings):
    return [row for record in trading_run.learning_records(settings) for row in record.improvements]


def same_decisions(one, two):
    return all(
        np.array_equal(
            getattr(one, f.name), getattr(two, f.name), equal_nan=one_is_float(getattr(one, f.name))
        )
        for f in fields(one)
    )


def one_is_float(values):
    return values.dtype.kind == "f"


@pytest.fixture(scope="module")
def off(run):
    return run(with_modes())


def test_off_is_the_default_and_records_nothing(off):
    modes = [
        x["mode"]
        for x in Settings().improvements.model_dump().values()
        if isinstance(x, dict) and "mode" in x
    ]
    assert modes == ["off"] * 3
    assert not any(off.market.analysis(pair).improvements for pair in PAIRS)
    assert not rows(off, with_modes())
    assert {plan.size for plan in plans(off, with_modes())["BTC/USDT"].values()} == {1.0}


def test_off_keeps_the_documented_target_to_the_bit(off):
    """As the strategy had it before there were improvements: 2.5 stop distances, times 1.00165."""
    a = off.market.analysis("BTC/USDT")
    gross = 2.5 * a.stop_distance
    expected = np.where(a.direction > 0, (1 + gross) * 1.00165 - 1, 1 - (1 - gross) / 1.00165)
    np.testing.assert_array_equal(a.target_distance, expected)


def test_shadow_decides_and_plans_as_off_and_records_every_signal(run, off):
    settings = with_modes("shadow", "shadow")
    trading_run = run(settings)
    assert same_decisions(trading_run.decisions(settings), off.decisions(with_modes()))
    assert plans(trading_run, settings) == plans(off, with_modes())
    assert trading_run.ledger_frame(settings).equals(off.ledger_frame(with_modes()))
    found = rows(trading_run, settings)
    assert len(found) == 2 * len(trading_run.market.signals(settings))
    assert {row.mode for row in found} == {"shadow"}
    for name, base in ((DYNAMIC_REWARD_RISK, 2.5), (VOLATILITY_SIZING, 1.0)):
        mine = [row for row in found if row.name == name]
        assert {row.base for row in mine} == {base}
        assert len({row.adjusted for row in mine}) > 3


def test_dynamic_reward_risk_changes_the_trades_targets_alone(run, off):
    """Signals resolve, and learners learn, on the base target: an improvement changes the trade, not what ML learns."""
    settings = with_modes(rr="on")
    trading_run = run(settings)
    assert same_decisions(trading_run.decisions(settings), off.decisions(with_modes()))
    assert trading_run.ledger_frame(settings).equals(off.ledger_frame(with_modes()))
    mine, theirs = plans(trading_run, settings), plans(off, with_modes())
    farther = set()
    for pair in PAIRS:
        a = trading_run.market.analysis(pair)
        adjusted = dict(
            zip(a.candles.time[a.index].tolist(), a.improvements[DYNAMIC_REWARD_RISK].adjusted, strict=True)
        )
        assert mine[pair].keys() == theirs[pair].keys()
        for time, plan in mine[pair].items():
            other = theirs[pair][time]
            farther.add(plan.target_distance > other.target_distance)
            assert np.sign(plan.target_distance - other.target_distance) == np.sign(adjusted[time] - 2.5)
            assert plan == Plan(**{**vars(other), "target_distance": plan.target_distance})
    assert farther == {True, False}


def test_volatility_sizing_changes_sizes_alone(run, off):
    settings = with_modes(size="on")
    trading_run = run(settings)
    assert same_decisions(trading_run.decisions(settings), off.decisions(with_modes()))
    assert trading_run.ledger_frame(settings).equals(off.ledger_frame(with_modes()))
    mine, theirs = plans(trading_run, settings), plans(off, with_modes())
    sizes = set()
    for pair in PAIRS:
        assert mine[pair].keys() == theirs[pair].keys()
        for time, plan in mine[pair].items():
            sizes.add(plan.size)
            assert plan == Plan(**{**vars(theirs[pair][time]), "size": plan.size})
    assert len(sizes) > 2
    assert min(sizes) < 1 < max(sizes) <= 1.5


def test_the_global_switches(run, off):
    disabled = with_modes("on", "on", enabled=False)
    assert not rows(run(disabled), disabled)
    assert plans(run(disabled), disabled) == plans(off, with_modes())
    shadow = with_modes("on", "on", shadow=True)
    assert plans(run(shadow), shadow) == plans(off, with_modes())
    assert {row.mode for row in rows(run(shadow), shadow)} == {"shadow"}


@pytest.mark.parametrize(
    ("switches", "mode", "expected"),
    [
        ({}, "on", "on"),
        ({"shadow": True}, "on", "shadow"),
        ({"shadow": True}, "off", "off"),
        ({"shadow": True}, "shadow", "shadow"),
        ({"enabled": False}, "on", "off"),
        ({"enabled": False, "shadow": True}, "shadow", "off"),
    ],
)
def test_the_global_switches_hold_for_adaptive_thresholds_too(switches, mode, expected):
    coordinator = {"improvements": switches, "thresholds": {"mode": mode}}
    config = {"trading_mode": "spot", "stake_currency": "USDT", "coordinator": coordinator}
    strategy = CoordinatorStrategy(config)
    assert strategy._tuned().thresholds.mode == expected
    assert strategy.settings.improvements.effective(mode) == expected


def test_rolled_out_to_some_pairs(run, off):
    section = {"mode": "on", "pairs": ["BTC/USDT"]}
    settings = with_modes(**{DYNAMIC_REWARD_RISK: section, VOLATILITY_SIZING: section})
    trading_run = run(settings)
    assert {row.pair for row in rows(trading_run, settings)} == {"BTC/USDT"}
    mine, theirs = plans(trading_run, settings), plans(off, with_modes())
    assert mine["ADA/USDT"] == theirs["ADA/USDT"]
    assert mine["BTC/USDT"] != theirs["BTC/USDT"]


def test_a_fixed_range_holds(run):
    settings = with_modes(
        **{name: {"mode": "on", "range": 0.1} for name in (DYNAMIC_REWARD_RISK, VOLATILITY_SIZING)}
    )
    found = rows(run(settings), settings)
    changes = np.array([row.adjusted / row.base - 1 for row in found])
    assert np.abs(changes).max() == pytest.approx(0.1)


@pytest.mark.parametrize("name", ["dynamic_reward_risk", "size_multiplier"])
def test_one_that_raises_gives_the_base_and_says_so_once(name, monkeypatch, caplog, make_walk, off):
    def broken(*_):
        raise ZeroDivisionError("nothing")

    improvements.log_failure.cache_clear()
    monkeypatch.setattr(improvements, name, broken)
    settings = with_modes("on", "on")
    candles = Candles.from_frame(make_walk(1, 1500), "1h")
    for _ in range(3):
        a = analyse("BTC/USDT", candles, {}, settings, ml=False)
    assert caplog.text.count("failed and is left out: ZeroDivisionError: nothing") == 1
    (left,) = a.improvements
    assert left == (VOLATILITY_SIZING if name == "dynamic_reward_risk" else DYNAMIC_REWARD_RISK)
    assert (a.improvements[left].adjusted != a.improvements[left].base).any()


@pytest.mark.parametrize("length", [2, 30, 150])
def test_short_histories_are_no_error(make_walk, length):
    settings = with_modes("on", "on")
    a = analyse("BTC/USDT", Candles.from_frame(make_walk(1, length), "1h"), {}, settings, ml=False)
    assert np.isfinite(a.target_distance).all()
    assert all(np.isfinite(x.adjusted).all() for x in a.improvements.values())


def test_a_number_that_is_unknown_is_the_base():
    base = np.array([2.5, 2.5])
    found = improvements.apply_improvement("x", "on", base, lambda: np.array([np.nan, 3.0]))
    assert found.effective.tolist() == [2.5, 3.0]


def test_nothing_later_matters(run, make_walk):
    """A frame that ends earlier, and one whose future is another market, say the same of the past."""
    settings = with_modes("on", "on")
    whole = run(settings).market.analysis("BTC/USDT")
    cut = analyse("BTC/USDT", Candles.from_frame(make_walk(1, 1500).iloc[:900], "1h"), {}, settings, ml=False)
    past = whole.index < 900
    assert past.sum() > 50
    for name in BOTH:
        np.testing.assert_array_equal(
            cut.improvements[name].adjusted, whole.improvements[name].adjusted[past]
        )


def test_adaptive_thresholds_are_recorded_beside_them(run):
    settings = with_modes("shadow", "on", "shadow")
    names = {row.name for row in rows(run(settings), settings)}
    assert names == {"adaptive_thresholds", *BOTH}


def test_they_travel_to_hyperopts_workers(run):
    settings = with_modes("on", "on")
    copy = pickle.loads(pickle.dumps(run(settings)))  # noqa: S301
    assert plans(copy, settings) == plans(run(settings), settings)


def test_a_stored_plan_of_before_has_the_base_size():
    plan = make_plan(Settings(), 1, 0.8, 0.02, 0.05, 100.0, 0.7)
    assert Plan.from_json(plan.to_json()) == plan
    assert Plan.from_json(plan.to_json().replace(', "size": 0.7', "")).size == 1.0


EASILY_MOVED = {"review_days": 10, "block_days": 2, "minimum_blocks": 3, "prior": 0.5, "certainty": 0.5}


def trusting(**more):
    """Both on, trusted as learned; a review every ten days, so that 1,500 candles show some."""
    return with_modes("on", "on", trust={**EASILY_MOVED, **more})


def test_trust_begins_with_ten_percent_and_the_plan_keeps_to_it(run, off):
    settings = trusting(review_days=365)
    trading_run = run(settings)
    found = [row for row in rows(trading_run, settings) if row.name in BOTH]
    changes = np.array([row.adjusted / row.base - 1 for row in found])
    assert np.abs(changes).max() == pytest.approx(0.1)
    mine, theirs = plans(trading_run, settings), plans(off, with_modes())
    for pair in PAIRS:
        for time, plan in mine[pair].items():
            assert 0.9 - 1e-9 <= plan.size <= 1.1 + 1e-9
            assert abs(plan.target_distance / theirs[pair][time].target_distance - 1) < 0.11


def test_the_range_in_force_follows_the_trust(run):
    """Each number is within the range that the changes recorded before its signal left."""
    settings = trusting()
    trading_run = run(settings)
    records = sorted(trading_run.learning_records(settings), key=lambda record: record.time)
    reach, seen, alone = dict.fromkeys(BOTH, 0.1), set(), {}
    for record in records:
        for row in record.improvements:
            if row.name.startswith("trust_"):
                name = row.name.removeprefix("trust_")
                if row.pair == "*":
                    assert row.base == reach[name]
                    reach[name] = row.adjusted
                    seen.add(name)
                else:
                    alone[name, row.pair] = row.adjusted
        for row in record.improvements:
            if row.name in BOTH:
                allowed = reach[row.name] * alone.get((row.name, row.pair), 1.0)
                assert abs(row.adjusted / row.base - 1) <= allowed + 1e-9
    assert seen


def test_the_future_changes_no_range(run, make_walk):
    settings = trusting()
    whole = run(settings)
    cut = TradingRun(can_short=True)
    for seed, pair in enumerate(PAIRS):
        candles = Candles.from_frame(make_walk(seed, 1500).iloc[:1000], "1h")
        cut.put(analyse(pair, candles, {}, settings, ml=False))
    table, n = whole.market.signals(settings), len(cut.market.signals(settings))
    assert 100 < n < len(table)
    for name in BOTH:
        one, two = (
            whole.all_improvements(settings)[name].adjusted[:n],
            cut.all_improvements(settings)[name].adjusted,
        )
        np.testing.assert_array_equal(one, two)


def test_a_bots_ranges_are_the_backtests_across_restarts(run, make_walk):
    """Candle by candle from frames that slide, the state stored and restored on the way: the same numbers."""
    settings = trusting()
    whole = run(settings)
    expected = whole.all_improvements(settings)
    keys = {key: i for i, key in enumerate(whole.market.signals(settings).signal_keys())}
    walks = [make_walk(seed, 1500) for seed in range(len(PAIRS))]
    bot, store = TradingRun(can_short=True), Store(settings)
    bot.start_live(store)
    compared = 0
    for end in range(700, 1500):
        if end % 250 == 0:  # a restart
            bot = TradingRun(can_short=True)
            bot.start_live(store)
        for pair, walk in zip(PAIRS, walks, strict=True):
            frame = walk.iloc[max(0, end + 1 - 999) : end + 1]
            bot.put(analyse(pair, Candles.from_frame(frame, "1h"), {}, settings, ml=False))
            store.first = store.first or bot.market.last_candle()
            bot.improvements.values(settings)  # a bot decides after each pair
        table, numbers = bot.market.signals(settings), bot.improvements.values(settings)
        now = bot.market.last_candle()
        for i in np.flatnonzero(table.time == now).tolist():
            row = keys[table.signal_keys()[i]]
            for name in BOTH:
                assert numbers[name].adjusted[i] == pytest.approx(expected[name].adjusted[row], rel=1e-9)
                compared += 1
    assert compared > 100
    assert len(store.kept) > 10


class Store:
    """Where a bot keeps its state: the part of ``LiveDecisions`` that the trust needs."""

    def __init__(self, settings):
        self.fold = self
        self.settings, self.kept, self.first = settings, [], 0

    def warming(self, now):
        return now == self.first

    def load_state(self, name):
        return json.loads(self.kept[-1]) if self.kept else None

    def store_state(self, name, time, state):
        self.kept.append(json.dumps(state))
