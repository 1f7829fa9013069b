"""The correlation filter at an entry: off asks nothing, shadow lets through and records, on refuses."""

from datetime import UTC, datetime
from types import SimpleNamespace

import numpy as np
import pytest
from freqtrade.enums import RunMode
from freqtrade.persistence import Trade

from coordinator.adapters.persistence.recorder import Recorder
from coordinator.adapters.strategy.signals import CoordinatorStrategy
from coordinator.ledger.store import Ledger
from coordinator.portfolio.guard import Position
from coordinator.run import improvements
from coordinator.run.analysis import analyse
from coordinator.run.board import SignalBoard
from coordinator.run.entry_guard import EntryGuard, Slots
from coordinator.run.filter_trust import FilterTrust
from coordinator.settings import load_settings
from coordinator.signals.candles import Candles

PAIRS = ("ADA/USDT", "BTC/USDT", "DOGE/USDT", "ETH/USDT")
N = 600


def in_mode(mode, **more):
    """Sectors off, so that the correlation alone decides."""
    section = {"mode": mode, "use_sectors": False, **more}
    return load_settings({"improvements": {"correlation_filter": section}, "entries": {"ranking": "off"}})


@pytest.fixture(scope="module")
def board(make_walk):
    """Three pairs that are one market, and DOGE, which is another."""
    board, rng = SignalBoard(can_short=True), np.random.default_rng(3)
    for pair in PAIRS:
        walk = make_walk(9 if pair == "DOGE/USDT" else 4, N)
        noise = np.exp(np.cumsum(rng.normal(0, 0.0005, N)))
        walk[["open", "high", "low", "close"]] = walk[["open", "high", "low", "close"]].mul(noise, axis=0)
        walk["high"] = walk[["open", "high", "close"]].max(axis=1)
        walk["low"] = walk[["open", "low", "close"]].min(axis=1)
        board.put(analyse(pair, Candles.from_frame(walk, "1h"), {}, in_mode("off"), ml=False))
    return board


@pytest.fixture(scope="module")
def time(board):
    return int(board.analysis("BTC/USDT").candles.time[400])


def held(*coins, side=1):
    return Slots(lambda: [Position(f"{coin}/USDT", side) for coin in coins])


def _asked():
    raise AssertionError("asked for the positions")


never = Slots(_asked)


def test_off_asks_for_nothing(board, time):
    guard = EntryGuard(board)
    verdict = guard.ask("BTC/USDT", 1, time, never, in_mode("off"))
    assert (verdict.allowed, verdict.rows, guard.asked) == (True, (), 0)
    disabled = load_settings({"improvements": {"enabled": False, "correlation_filter": {"mode": "on"}}})
    assert guard.ask("BTC/USDT", 1, time, never, disabled).rows == ()


@pytest.mark.parametrize("mode", ["shadow", "on"])
def test_two_correlated_positions_refuse_the_third(board, time, mode):
    guard = EntryGuard(board)
    verdict = guard.ask("BTC/USDT", 1, time, held("ADA", "ETH"), in_mode(mode))
    assert verdict.allowed == (mode == "shadow")
    (row,) = verdict.rows
    assert row == ("BTC/USDT", "correlation_filter", mode, 2.0, 2.0)
    assert "ADA/USDT +" in verdict.lines[0]
    assert dict(guard.refused) == {"correlation_filter": 1}


def test_what_is_not_correlated_goes_through(board, time):
    settings, guard = in_mode("on"), EntryGuard(board)
    assert guard.ask("DOGE/USDT", 1, time, held("ADA", "ETH"), settings).allowed
    assert guard.ask("BTC/USDT", 1, time, held("ADA", "DOGE"), settings).allowed
    assert guard.ask("ETH/USDT", -1, time, held("ADA", "BTC"), settings).allowed  # a short hedges them
    assert not guard.ask("ADA/USDT", -1, time, held("ETH", "BTC", side=-1), settings).allowed
    assert guard.asked == 4


def test_rolled_out_to_some_pairs(board, time):
    settings, guard = in_mode("on", pairs=["ADA/USDT"]), EntryGuard(board)
    assert guard.ask("BTC/USDT", 1, time, never, settings).allowed
    assert not guard.ask("ADA/USDT", 1, time, held("BTC", "ETH"), settings).allowed


def test_sectors(board, time):
    settings = load_settings({"improvements": {"correlation_filter": {"mode": "on", "threshold": 1.0}}})
    verdict = EntryGuard(board).ask("ADA/USDT", 1, time, held("ETH", "SOL", "AVAX"), settings)
    assert not verdict.allowed
    assert [(row.name, row.base, row.adjusted) for row in verdict.rows] == [
        ("correlation_filter", 2.0, 0.0),
        ("sector_limit", 3.0, 3.0),
    ]


def test_a_bot_that_asks_again_is_answered_alike_and_recorded_once(board, time):
    guard, settings = EntryGuard(board), in_mode("on")
    first, again = (guard.ask("BTC/USDT", 1, time, held("ADA", "ETH"), settings) for _ in range(2))
    assert first.rows and first.lines
    assert (again.allowed, again.rows, again.lines) == (False, (), ())
    assert guard.ask("BTC/USDT", 1, time + 3600, held("ADA", "ETH"), settings).rows
    assert guard.asked == 2


def test_the_future_says_nothing(board, time, make_walk):
    """Pairs that part after the candle were still one market at it."""
    cut = SignalBoard(can_short=True)
    for pair in PAIRS:
        candles = board.analysis(pair).candles
        part = Candles(
            *(getattr(candles, x)[:401] for x in ("time", "open", "high", "low", "close", "volume")), 3600
        )
        cut.put(analyse(pair, part, {}, in_mode("off"), ml=False))
    one, two = (
        EntryGuard(x).correlations.of("BTC/USDT", time, in_mode("on").improvements.correlation_filter)
        for x in (board, cut)
    )
    assert one == two
    assert one["ETH/USDT"] > 0.9 > abs(one["DOGE/USDT"])


def test_one_matrix_a_candle_and_an_hourly_refresh(board, time, monkeypatch):
    panel, calls = board.panel(), []
    original = type(panel).correlations
    monkeypatch.setattr(type(panel), "correlations", lambda *x: calls.append(x[1]) or original(*x))
    guard = EntryGuard(board)
    for pair in ("BTC/USDT", "ADA/USDT", "ETH/USDT"):
        guard.ask(pair, 1, time, held("DOGE"), in_mode("on"))
    assert calls == [time]
    slow = in_mode("on", update_minutes=240)
    start = time // 14400 * 14400
    guard, calls[:] = EntryGuard(board), []
    for hour in range(5):
        guard.ask("BTC/USDT", 1, start + hour * 3600, held("DOGE"), slow)
    assert calls == [start, start + 14400]


def test_one_that_raises_lets_through_and_says_so_once(board, time, caplog):
    improvements.failed.cache_clear()

    def broken():
        raise OSError("no trades")

    guard = EntryGuard(board)
    for i in range(3):
        assert guard.ask("BTC/USDT", 1, time + i * 3600, Slots(broken), in_mode("on")).allowed
    assert caplog.text.count("correlation_filter failed and is left out: OSError: no trades") == 1


@pytest.mark.parametrize("mode", ["off", "shadow", "on"])
@pytest.mark.parametrize("trading_mode", ["spot", "futures"])
def test_the_strategy_asks_before_an_entry(board, time, monkeypatch, mode, trading_mode):
    strategy = CoordinatorStrategy(
        {
            "trading_mode": trading_mode,
            "stake_currency": "USDT",
            "coordinator": {"improvements": {"correlation_filter": {"mode": mode, "use_sectors": False}}},
        }
    )
    strategy.max_open_trades = -1  # Freqtrade's resolver sets it
    for pair in PAIRS:
        strategy.board.put(board.analysis(pair))
    trades = [SimpleNamespace(pair=f"{coin}/USDT", is_short=False) for coin in ("ADA", "ETH")]
    monkeypatch.setattr(Trade, "get_open_trades", staticmethod(lambda: trades))
    now = datetime.fromtimestamp(time + 3600, tz=UTC)
    arguments = ("BTC/USDT", "limit", 1.0, 1.0, "GTC", now, "tag", "long")
    assert strategy.confirm_trade_entry(*arguments) == (mode != "on")
    assert len(trades) == 2  # Freqtrade's own list


def test_sizes_follow_the_plan(board, monkeypatch):
    """Half the size is half the first order, to the digit."""
    monkeypatch.setattr(Trade, "get_open_trades", staticmethod(lambda: []))
    strategy = CoordinatorStrategy({"trading_mode": "spot", "stake_currency": "USDT"})
    strategy.wallets = SimpleNamespace(get_total_stake_amount=lambda: 10_000.0)
    now = datetime(2024, 1, 1, 5, tzinfo=UTC)
    signal = int(now.timestamp()) - 3600
    stakes = []
    for size in (1.0, 0.5):
        strategy.plans.file("BTC/USDT", {signal: strategy.plans.plan_of(1, 0.8, 0.02, 0.05, 100.0, size)})
        stakes.append(strategy.custom_stake_amount("BTC/USDT", now, 1e9, 10.0, 1e9, 1.0, None, "long"))
    assert stakes[1] == stakes[0] / 2 > 0


def test_a_backtests_questions_are_in_its_ledger(board, time, tmp_path):
    settings = in_mode("shadow")
    config = {"runmode": RunMode.BACKTEST, "user_data_dir": str(tmp_path), "timeframe": "1h"}
    recorder, guard = Recorder(config, "TechnicalBaseline", board), EntryGuard(board)
    recorder.decided("BTC/USDT", settings, print)
    times = [time, time + 3600, int(board.table(settings).time[-1])]
    for moment in times:
        recorder.asked(moment, guard.ask("BTC/USDT", 1, moment, held("ADA", "ETH"), settings))
    recorder.asked(time, guard.ask("ETH/USDT", 1, time, held("ADA", "BTC"), settings))
    (path,) = tmp_path.rglob("*.ledger.sqlite")

    def found():
        ledger = Ledger(path)
        assert ledger.check() == []
        return [(r.time, row.pair, row.name) for r in ledger.replay(1) for row in r.improvements]

    recorder.end_of_backtest(datetime.fromtimestamp(board.last_candle() - 3600, tz=UTC), guard)
    assert found() == []
    for _ in range(2):
        recorder.end_of_backtest(datetime.fromtimestamp(board.last_candle(), tz=UTC), guard)
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


def ask_all(board, settings, refuse, store=None, restart=0):
    """Every signal of the board asked for in turn, refused where ``refuse`` says; the guard and its verdicts."""
    table = board.table(settings)
    held_by = [Position(f"{coin}/USDT", side) for coin in ("ADA", "BTC", "ETH", "DOGE") for side in (1, -1)]

    def made():
        guard = EntryGuard(board, FilterTrust(board, settings))
        if store is not None:
            guard.trust.go_live(store)
        return guard

    guard, verdicts = made(), []
    for i in range(len(table)):
        if restart and i % restart == restart - 1:
            guard = made()
        pair, time = table.pairs[table.pair[i]], int(table.time[i])
        slots = Slots(lambda i=i: held_by if refuse(i) else [])
        verdicts.append(guard.ask(pair, int(table.direction[i]), time, slots, settings))
    return guard, verdicts


def trusting(**trust):
    numbers = {"review_days": 5, "minimum_effects": 10, "fresh_effects": 5, "pair_effects": 5000, **trust}
    section = {"mode": "on", "threshold": 0.0, "max_correlated": 1, "use_sectors": False}
    return load_settings(
        {"improvements": {"correlation_filter": section, "trust": numbers}, "entries": {"ranking": "off"}}
    )


def test_a_filter_that_refuses_the_better_entries_switches_itself_off(board):
    settings = trusting()
    r = board.table(settings).outcome_r
    _, verdicts = ask_all(board, settings, lambda i: bool(r[i] > 0))
    off = [i for i, x in enumerate(verdicts) if x.alerts]
    assert off
    assert "switched off" in verdicts[off[0]].alerts[0]
    assert any(row.name == "trust_correlation_filter" and row.adjusted == 0 for row in verdicts[off[0]].rows)
    refused_before = [x.allowed for x in verdicts[: off[0]]].count(False)
    assert refused_before > 10
    after = verdicts[off[0] : off[0] + 20]
    assert all(x.allowed for x in after)
    assert any("refuse" in line for x in after for line in x.lines)  # it is still measured


def test_a_filter_that_refuses_the_worse_entries_stays(board):
    settings = trusting()
    r = board.table(settings).outcome_r
    _, verdicts = ask_all(board, settings, lambda i: not r[i] > 0)
    assert not any(x.alerts for x in verdicts)
    assert not verdicts[-1].allowed


def test_without_trust_it_always_refuses(board):
    settings = trusting(enabled=False)
    r = board.table(settings).outcome_r
    _, verdicts = ask_all(board, settings, lambda i: bool(r[i] > 0))
    correlated = [x for x in verdicts if any(row.adjusted >= row.base for row in x.rows[:1])]
    assert correlated
    assert not any(x.allowed for x in correlated)


def test_the_filters_trust_survives_restarts(board):
    """Within a day the state is of its beginning, so what was asked since then is asked for again at most."""
    settings = trusting()
    r = board.table(settings).outcome_r
    one, _ = ask_all(board, settings, lambda i: bool(r[i] > 0))
    two, _ = ask_all(board, settings, lambda i: bool(r[i] > 0), store=Kept())
    assert one.trust._state() == two.trust._state()
    store = Kept()
    three, _ = ask_all(board, settings, lambda i: bool(r[i] > 0), store=store, restart=50)
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
    monkeypatch.setattr(strategy.recorder, "noted", lambda time, row, words: noted.append(row))
    now = datetime(2024, 1, 1, 5, tzinfo=UTC)
    plan = strategy.plans.plan_of(1, 0.8, 0.02, 0.05, 100.0, 1.0, 0.006)
    strategy.plans.file("BTC/USDT", {int(now.timestamp()) - 3600: plan})
    for _ in range(2):
        stake = strategy.custom_stake_amount("BTC/USDT", now, 1e9, 10.0, 1e9, 1.0, None, "long")
    assert stake == pytest.approx(share * 10_000 * 0.01 / 0.018 * 0.6)
    assert [row.adjusted for row in noted] == ([] if mode == "off" else [0.006])
