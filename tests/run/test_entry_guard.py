"""The correlation filter at an entry: off asks nothing, shadow lets through and records, on refuses."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import numpy as np
import pytest
from freqtrade.enums import RunMode
from freqtrade.persistence import PairLocks, Trade

from coordinator.adapters.strategy import CoordinatorStrategy
from coordinator.decision.table import UNRESOLVED
from coordinator.decision.trust import Trust
from coordinator.ledger.store import Ledger
from coordinator.portfolio.entry_round import Slots
from coordinator.portfolio.guard import Position
from coordinator.run import improvements
from coordinator.run.decision_recorder import DecisionRecorder
from coordinator.run.entry_guard import EntryGuard
from coordinator.run.entry_plans import make_plan
from coordinator.run.filter_trust import FilterTrust
from coordinator.run.pair_analysis import analyse
from coordinator.run.trading_run import TradingRun
from coordinator.settings import load_settings
from coordinator.signals.candles import Candles
from coordinator.signals.clock import pair_of

PAIRS = ("ADA/USDT", "BTC/USDT", "DOGE/USDT", "ETH/USDT")
N = 600


def in_mode(mode, **more):
    """Sectors off, so that the correlation alone decides."""
    section = {"mode": mode, "use_sectors": False, **more}
    return load_settings({"improvements": {"correlation_filter": section}, "entries": {"ranking": "off"}})


@pytest.fixture(scope="module")
def trading_run(make_walk):
    """Three pairs that are one market, and DOGE, which is another."""
    trading_run, rng = TradingRun(can_short=True), np.random.default_rng(3)
    for pair in PAIRS:
        walk = make_walk(9 if pair == "DOGE/USDT" else 4, N)
        noise = np.exp(np.cumsum(rng.normal(0, 0.0005, N)))
        walk[["open", "high", "low", "close"]] = walk[["open", "high", "low", "close"]].mul(noise, axis=0)
        walk["high"] = walk[["open", "high", "close"]].max(axis=1)
        walk["low"] = walk[["open", "low", "close"]].min(axis=1)
        trading_run.put(analyse(pair, Candles.from_frame(walk, "1h"), {}, in_mode("off"), ml=False))
    return trading_run


@pytest.fixture(scope="module")
def time(trading_run):
    return int(trading_run.market.analysis("BTC/USDT").candles.time[400])


def held(*coins, side=1):
    return Slots(lambda: [Position(f"{coin}/USDT", side) for coin in coins])


def _asked():
    raise AssertionError("asked for the positions")


never = Slots(_asked)


def test_off_asks_for_nothing(trading_run, time):
    guard = EntryGuard(trading_run)
    verdict = guard.check("BTC/USDT", 1, time, never, in_mode("off"))
    assert (verdict.allowed, verdict.rows, guard.checked) == (True, (), 0)
    disabled = load_settings({"improvements": {"enabled": False, "correlation_filter": {"mode": "on"}}})
    assert guard.check("BTC/USDT", 1, time, never, disabled).rows == ()


@pytest.mark.parametrize("mode", ["shadow", "on"])
def test_two_correlated_positions_refuse_the_third(trading_run, time, mode):
    guard = EntryGuard(trading_run)
    verdict = guard.check("BTC/USDT", 1, time, held("ADA", "ETH"), in_mode(mode))
    assert verdict.allowed == (mode == "shadow")
    (row,) = verdict.rows
    assert row == ("BTC/USDT", "correlation_filter", mode, 2.0, 2.0)
    done = {"on": "refused", "shadow": "let through in shadow mode, though refused"}[mode]
    assert verdict.log_lines[0].startswith(
        f"BTC/USDT: the entry is {done} by correlation_filter: correlated with ADA/USDT +"
    )
    assert dict(guard.refused) == {"correlation_filter": 1}


def test_what_is_not_correlated_goes_through(trading_run, time):
    settings, guard = in_mode("on"), EntryGuard(trading_run)
    assert guard.check("DOGE/USDT", 1, time, held("ADA", "ETH"), settings).allowed
    assert guard.check("BTC/USDT", 1, time, held("ADA", "DOGE"), settings).allowed
    assert guard.check("ETH/USDT", -1, time, held("ADA", "BTC"), settings).allowed  # a short hedges them
    assert not guard.check("ADA/USDT", -1, time, held("ETH", "BTC", side=-1), settings).allowed
    assert guard.checked == 4


def test_rolled_out_to_some_pairs(trading_run, time):
    settings, guard = in_mode("on", pairs=["ADA/USDT"]), EntryGuard(trading_run)
    assert guard.check("BTC/USDT", 1, time, never, settings).allowed
    assert not guard.check("ADA/USDT", 1, time, held("BTC", "ETH"), settings).allowed


def test_sectors(trading_run, time):
    settings = load_settings({"improvements": {"correlation_filter": {"mode": "on", "threshold": 1.0}}})
    verdict = EntryGuard(trading_run).check("ADA/USDT", 1, time, held("ETH", "SOL", "AVAX"), settings)
    assert not verdict.allowed
    assert [(row.name, row.base, row.adjusted) for row in verdict.rows] == [
        ("correlation_filter", 2.0, 0.0),
        ("sector_limit", 3.0, 3.0),
    ]


def test_a_bot_that_asks_again_is_answered_alike_and_recorded_once(trading_run, time):
    guard, settings = EntryGuard(trading_run), in_mode("on")
    first, again = (guard.check("BTC/USDT", 1, time, held("ADA", "ETH"), settings) for _ in range(2))
    assert first.rows and first.log_lines
    assert (again.allowed, again.rows, again.log_lines) == (False, (), ())
    assert guard.check("BTC/USDT", 1, time + 3600, held("ADA", "ETH"), settings).rows
    assert guard.checked == 2


def test_the_future_says_nothing(trading_run, time, make_walk):
    """Pairs that part after the candle were still one market at it."""
    cut = TradingRun(can_short=True)
    for pair in PAIRS:
        candles = trading_run.market.analysis(pair).candles
        part = Candles(
            *(getattr(candles, x)[:401] for x in ("time", "open", "high", "low", "close", "volume")), 3600
        )
        cut.put(analyse(pair, part, {}, in_mode("off"), ml=False))
    one, two = (
        EntryGuard(x).correlations.of("BTC/USDT", time, in_mode("on").improvements.correlation_filter)
        for x in (trading_run, cut)
    )
    assert one == two
    assert one["ETH/USDT"] > 0.9 > abs(one["DOGE/USDT"])


def test_one_matrix_a_candle_and_an_hourly_refresh(trading_run, time, monkeypatch):
    panel, calls = trading_run.market.returns(), []
    original = type(panel).correlations
    monkeypatch.setattr(type(panel), "correlations", lambda *x: calls.append(x[1]) or original(*x))
    guard = EntryGuard(trading_run)
    for pair in ("BTC/USDT", "ADA/USDT", "ETH/USDT"):
        guard.check(pair, 1, time, held("DOGE"), in_mode("on"))
    assert calls == [time]
    slow = in_mode("on", update_minutes=240)
    start = time // 14400 * 14400
    guard, calls[:] = EntryGuard(trading_run), []
    for hour in range(5):
        guard.check("BTC/USDT", 1, start + hour * 3600, held("DOGE"), slow)
    assert calls == [start, start + 14400]


def test_one_that_raises_lets_through_and_says_so_once(trading_run, time, caplog):
    improvements.log_failure.cache_clear()

    def broken():
        raise OSError("no trades")

    guard = EntryGuard(trading_run)
    for i in range(3):
        assert guard.check("BTC/USDT", 1, time + i * 3600, Slots(broken), in_mode("on")).allowed
    assert caplog.text.count("correlation_filter failed and is left out: OSError: no trades") == 1


@pytest.mark.parametrize("mode", ["off", "shadow", "on"])
@pytest.mark.parametrize("trading_mode", ["spot", "futures"])
def test_the_strategy_asks_before_an_entry(trading_run, time, monkeypatch, mode, trading_mode):
    strategy = CoordinatorStrategy(
        {
            "trading_mode": trading_mode,
            "stake_currency": "USDT",
            "coordinator": {"improvements": {"correlation_filter": {"mode": mode, "use_sectors": False}}},
        }
    )
    strategy.max_open_trades = -1  # Freqtrade's resolver sets it
    for pair in PAIRS:
        strategy.run.put(trading_run.market.analysis(pair))
    trades = [SimpleNamespace(pair=f"{coin}/USDT", is_short=False) for coin in ("ADA", "ETH")]
    monkeypatch.setattr(Trade, "get_open_trades", staticmethod(lambda: trades))
    now = datetime.fromtimestamp(time + 3600, tz=UTC)
    arguments = ("BTC/USDT", "limit", 1.0, 1.0, "GTC", now, "tag", "long")
    assert strategy.confirm_trade_entry(*arguments) == (mode != "on")
    assert len(trades) == 2  # Freqtrade's own list


@pytest.mark.parametrize("mode", ["shadow", "on"])
def test_the_strategy_tells_the_slots_policy_how_full_it_is(trading_run, monkeypatch, mode):
    """P(take) falls with the share of slots in use and the positions' age, at the same signal."""
    section = {
        "entries": {"ranking": mode, "ranking_by": "policy"},
        "portfolio": {"max_positions": 4},
        "decision": {"threshold": 0.01, "require_positive_expectancy": False},
        "targets": {"horizon": 100},
    }
    strategy = CoordinatorStrategy(
        {"trading_mode": "futures", "stake_currency": "USDT", "coordinator": section}
    )
    strategy.max_open_trades, strategy.dp = -1, None
    monkeypatch.setattr(PairLocks, "use_db", False)
    for pair in PAIRS:
        analysis = trading_run.market.analysis(pair)
        terms = np.tile([1.0, -2.0, -2.0], (len(analysis.index), 1))
        strategy.run.put(replace(analysis, slot_terms=terms))
    signals, decided = (f(strategy.settings) for f in (strategy.run.market.signals, strategy.run.decisions))
    row = int(np.flatnonzero((decided.rejection == 0) & (signals.time > signals.time[0] + 400 * 3600))[0])
    pair, time, side = signals.pairs[signals.pair[row]], int(signals.time[row]), int(signals.direction[row])
    now = datetime.fromtimestamp(time + 3600, tz=UTC)

    def entered(hours, count):
        opened = [now - timedelta(hours=hours)] * count
        trades = [
            SimpleNamespace(pair=f"X{i}/USDT", is_short=False, open_date_utc=x) for i, x in enumerate(opened)
        ]
        monkeypatch.setattr(Trade, "get_open_trades", staticmethod(lambda: trades))
        strategy.guard._round = None
        word = "long" if side > 0 else "short"
        return strategy.confirm_trade_entry(pair, "limit", 1.0, 1.0, "GTC", now, "tag", word)

    # Of four slots and 100 hours: 1, 1 - 2/4 - 2/100, then 1 - 2/4 - 1 and 1 - 4/4 - 2/100.
    assert [entered(0, 0), entered(1, 1)] == [True, True]
    assert [entered(50, 1), entered(1, 2)] == [mode == "shadow"] * 2


def test_sizes_follow_the_plan(trading_run, monkeypatch):
    """Half the size is half the first order, to the digit."""
    monkeypatch.setattr(Trade, "get_open_trades", staticmethod(lambda: []))
    strategy = CoordinatorStrategy({"trading_mode": "spot", "stake_currency": "USDT"})
    strategy.wallets = SimpleNamespace(get_total_stake_amount=lambda: 10_000.0)
    now = datetime(2024, 1, 1, 5, tzinfo=UTC)
    signal = int(now.timestamp()) - 3600
    stakes = []
    for size in (1.0, 0.5):
        plan = make_plan(strategy.settings, 1, 0.8, 0.02, 0.05, 100.0, size)
        strategy.plans.set_plans("BTC/USDT", {signal: plan})
        stakes.append(strategy.custom_stake_amount("BTC/USDT", now, 1e9, 10.0, 1e9, 1.0, None, "long"))
    assert stakes[1] == stakes[0] / 2 > 0


def test_a_backtests_questions_are_in_its_ledger(trading_run, time, tmp_path):
    settings = in_mode("shadow")
    config = {"runmode": RunMode.BACKTEST, "user_data_dir": str(tmp_path), "timeframe": "1h"}
    recorder = DecisionRecorder(config, "TechnicalBaseline", trading_run, is_backtest=True)
    guard = EntryGuard(trading_run)
    recorder.record_decisions("BTC/USDT", settings, print, print)
    times = [time, time + 3600, int(trading_run.market.signals(settings).time[-1])]
    for moment in times:
        recorder.record_check(moment, guard.check("BTC/USDT", 1, moment, held("ADA", "ETH"), settings))
    recorder.record_check(time, guard.check("ETH/USDT", 1, time, held("ADA", "BTC"), settings))
    (path,) = tmp_path.rglob("*.ledger.sqlite")

    def found():
        ledger = Ledger(path)
        assert ledger.check() == []
        return [(r.time, row.pair, row.name) for r in ledger.replay(1) for row in r.improvements]

    recorder.complete_backtest(
        datetime.fromtimestamp(trading_run.market.last_candle() - 3600, tz=UTC), guard.checked, guard.refused
    )
    assert found() == []
    for _ in range(2):
        recorder.complete_backtest(
            datetime.fromtimestamp(trading_run.market.last_candle(), tz=UTC), guard.checked, guard.refused
        )
        rows = found()
        assert len(rows) == 4
        assert {row[0] for row in rows} == set(times)
        assert {row[2] for row in rows} == {"correlation_filter"}


class Kept:
    """Where a bot keeps its state."""

    def __init__(self):
        self.states = {}

    def load_state(self, name):
        return self.states.get(name)

    def store_state(self, name, time, state):
        self.states[name] = state


def ask_all(trading_run, settings, refuse, store=None, restart=0):
    """Every signal of the trading_run asked for in turn, refused where ``refuse`` says; the guard and its verdicts."""
    table = trading_run.market.signals(settings)
    held_by = [Position(f"{coin}/USDT", side) for coin in ("ADA", "BTC", "ETH", "DOGE") for side in (1, -1)]

    def made():
        guard = EntryGuard(trading_run, FilterTrust(trading_run.market, settings))
        if store is not None:
            guard.trust.use_store(store)
        return guard

    guard, verdicts = made(), []
    for i in range(len(table)):
        if restart and i % restart == restart - 1:
            guard = made()
        pair, time = table.pairs[table.pair[i]], int(table.time[i])
        slots = Slots(lambda i=i: held_by if refuse(i) else [])
        verdicts.append(guard.check(pair, int(table.direction[i]), time, slots, settings))
    return guard, verdicts


def trusting(**trust):
    numbers = {"review_days": 5, "block_days": 2, "minimum_blocks": 4, "edge_scale": 1.0, **trust}
    section = {"mode": "on", "threshold": 0.0, "max_correlated": 1, "use_sectors": False}
    return load_settings(
        {"improvements": {"correlation_filter": section, "trust": numbers}, "entries": {"ranking": "off"}}
    )


def test_a_filter_that_refuses_the_better_entries_switches_itself_off(trading_run):
    settings = trusting()
    r = trading_run.market.signals(settings).outcome_r
    _, verdicts = ask_all(trading_run, settings, lambda i: bool(r[i] > 0))
    off = [i for i, x in enumerate(verdicts) if x.alerts]
    assert off
    assert "switched off" in verdicts[off[0]].alerts[0]
    assert any(row.name == "trust_correlation_filter" and row.adjusted == 0 for row in verdicts[off[0]].rows)
    refused_before = [x.allowed for x in verdicts[: off[0]]].count(False)
    assert refused_before > 10
    after = verdicts[off[0] : off[0] + 20]
    assert all(x.allowed for x in after)
    assert any("refuse" in line for x in after for line in x.log_lines)  # it is still measured


def test_a_filter_that_refuses_the_worse_entries_stays(trading_run):
    settings = trusting()
    r = trading_run.market.signals(settings).outcome_r
    _, verdicts = ask_all(trading_run, settings, lambda i: not r[i] > 0)
    assert not any(x.alerts for x in verdicts)
    assert not verdicts[-1].allowed


def test_without_trust_it_always_refuses(trading_run):
    settings = trusting(enabled=False)
    r = trading_run.market.signals(settings).outcome_r
    _, verdicts = ask_all(trading_run, settings, lambda i: bool(r[i] > 0))
    correlated = [x for x in verdicts if any(row.adjusted >= row.base for row in x.rows[:1])]
    assert correlated
    assert not any(x.allowed for x in correlated)


@pytest.mark.parametrize("method", ["learn", "predict"])
def test_a_filters_trust_that_raises_stops_no_entry(trading_run, monkeypatch, method):
    def broken(*_):
        raise ZeroDivisionError("made to fail")

    monkeypatch.setattr(Trust, method, broken)
    trust = FilterTrust(trading_run.market, trusting())
    days = np.unique(trading_run.market.signals(trusting()).time // 86400 * 86400)[:3].tolist()
    told = []
    for day in days:
        told += trust.begin_day(day)
        assert trust.acts("BTC/USDT")
        assert trust.acts("ETH/USDT")
    assert len(told) == (3 if method == "learn" else 2)  # of a day's answers with the next day
    assert all(change.reason.startswith("raised ZeroDivisionError") for change in told)


def test_a_refusals_effect_is_the_mean_of_the_allowed_known_by_then_less_its_own(trading_run, monkeypatch):
    learned = []
    monkeypatch.setattr(Trust, "learn", lambda self, day, names, r: learned.append((names, r.tolist())) or [])
    table = trading_run.market.signals(trusting())
    r, known = table.outcome_r, (table.outcome_time + table.candle_seconds) // 86400
    resolved = np.flatnonzero(table.outcome_time < UNRESOLVED)
    _, first = np.unique(known[resolved], return_index=True)
    early, one, *others = resolved[first].tolist()  # each known on a day of its own
    two = next(row for row in others if abs(r[row] - r[one]) > 0.5)
    late = others[others.index(two) + 1]
    trust = FilterTrust(trading_run.market, trusting())
    for row, refused in ((early, True), (one, False), (two, False), (late, True)):
        trust.add_check(int(table.time[row]), pair_of(table.pairs[table.pair[row]]), refused)
    for day in (int(known[late]), int(known[late]) + 1):  # the last is known in the course of the first one
        trust.begin_day(day * 86400)
    pair = pair_of(table.pairs[table.pair[late]])
    # Nothing was allowed before the first, so it has nothing to be measured against.
    assert learned == [([], []), ([pair], [pytest.approx((r[one] + r[two]) / 2 - r[late])])]


def test_the_filters_trust_survives_restarts(trading_run):
    """Within a day the state is of its beginning, so what was asked since then is asked for again at most."""
    settings = trusting()
    r = trading_run.market.signals(settings).outcome_r
    one, _ = ask_all(trading_run, settings, lambda i: bool(r[i] > 0))
    two, _ = ask_all(trading_run, settings, lambda i: bool(r[i] > 0), store=Kept())
    assert one.trust._state() == two.trust._state()
    store = Kept()
    three, _ = ask_all(trading_run, settings, lambda i: bool(r[i] > 0), store=store, restart=50)
    assert store.states
    assert three.trust._trust.range_ == one.trust._trust.range_


@pytest.mark.parametrize(("mode", "share"), [("off", 1.0), ("shadow", 1.0), ("on", 0.6)])
def test_the_kelly_cap_in_each_mode(monkeypatch, mode, share):
    """.6 % by Kelly beside 1 % of risk: recorded once in shadow mode, obeyed when on."""
    monkeypatch.setattr(Trade, "get_open_trades", staticmethod(lambda: []))
    coordinator = {"sizing": {"kelly_mode": mode}}
    strategy = CoordinatorStrategy(
        {"trading_mode": "spot", "stake_currency": "USDT", "coordinator": coordinator}
    )
    strategy.wallets = SimpleNamespace(get_total_stake_amount=lambda: 10_000.0)
    noted = []
    monkeypatch.setattr(strategy.sizing, "_report", lambda time, row, words: noted.append(row))
    now = datetime(2024, 1, 1, 5, tzinfo=UTC)
    plan = make_plan(strategy.settings, 1, 0.8, 0.02, 0.05, 100.0, 1.0, 0.006)
    strategy.plans.set_plans("BTC/USDT", {int(now.timestamp()) - 3600: plan})
    for _ in range(2):
        stake = strategy.custom_stake_amount("BTC/USDT", now, 1e9, 10.0, 1e9, 1.0, None, "long")
    assert stake == pytest.approx(share * 10_000 * 0.01 / 0.018 * 0.6)
    assert [row.adjusted for row in noted] == ([] if mode == "off" else [0.006])
