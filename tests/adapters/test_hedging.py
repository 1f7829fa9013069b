"""The hedge's side of the strategy: equity, reserved slot, sizes, locks; and that no ML input reaches it."""

import ast
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from freqtrade.enums import RunMode
from freqtrade.persistence import PairLocks, Trade

import coordinator
from coordinator.adapters.errors import OperationalException
from coordinator.adapters.protection import portfolio_guard as protection
from coordinator.adapters.strategy import CoordinatorStrategy
from coordinator.adapters.strategy.hedging import SCALE_OUT_TAG
from coordinator.decision.voting import Votes
from coordinator.portfolio.correlation_cache import CorrelationCache
from coordinator.portfolio.holdings import Holding
from coordinator.portfolio.monitor import PortfolioMonitor
from coordinator.run.pair_analysis import analyse
from coordinator.settings import load_settings
from coordinator.signals.candles import Candles

SPOT, FUTURES = ("BTC/USDT", "ETH/USDT"), ("BTC/USDT:USDT", "ETH/USDT:USDT")


@pytest.fixture(scope="module")
def analyses(make_walk):
    settings = load_settings({})
    return {
        coin: analyse("x", Candles.from_frame(make_walk(seed, 900), "1h"), {}, settings, ml=True)
        for seed, coin in enumerate(("BTC", "ETH"), 5)
    }


class Wallets:
    total = 10_000.0

    def get_total(self, currency):
        return self.total

    def get_total_stake_amount(self):
        return self.total


def make(analyses, mode, hedge, change=lambda analysis: analysis, **config):
    strategy = CoordinatorStrategy(
        {
            "trading_mode": mode,
            "stake_currency": "USDT",
            "runmode": RunMode.BACKTEST,
            "max_open_trades": 3,
            "coordinator": {"portfolio": {"hedge": {"mode": "on", **hedge}}},
            **config,
        }
    )
    strategy.max_open_trades = 3
    strategy.wallets = Wallets()
    for pair in SPOT if mode == "spot" else FUTURES:
        strategy.run.put(change(replace(analyses[pair[:3]], pair=pair, series=pair)))
    return strategy


def trade(pair, opened, amount=10.0, rate=100.0, short=False, tag="x", orders=()):
    return SimpleNamespace(
        pair=pair,
        is_short=short,
        amount=amount,
        open_rate=rate,
        open_date=opened,
        open_date_utc=opened,
        enter_tag=tag,
        nr_of_successful_entries=1,
        stake_amount=amount * rate,
        leverage=1.0,
        orders=list(orders),
        has_open_orders=False,
    )


@pytest.fixture
def held(monkeypatch):
    trades = []
    monkeypatch.setattr(Trade, "get_open_trades", staticmethod(lambda: trades))
    monkeypatch.setattr(PairLocks, "use_db", False)
    monkeypatch.setattr(PairLocks, "timeframe", "1h")
    monkeypatch.setattr(PairLocks, "locks", [])
    return trades


def moments(analyses, start=300, n=400):
    times = analyses["BTC"].candles.time[start : start + n]
    return [datetime.fromtimestamp(int(t) + 3600, tz=UTC) for t in times]


def scrambled(seed):
    def change(analysis):
        rng, n = np.random.default_rng(seed), len(analysis.index)
        noise = {
            name: Votes(rng.choice([-1.0, 0.0, 1.0], n), rng.random(n), rng.uniform(-1, 1, n))
            for name in ("lstm", "fusion", "selector", "attention", "quality")
        }
        return replace(analysis, votes={**analysis.votes, **noise})

    return change


def decided(analyses, held, mode, change, hedge, tag="x"):
    """Everything the hedge says along a fixed sequence of candles, equity and positions."""
    strategy, out, found = make(analyses, mode, hedge, change), [], moments(analyses)
    pairs = SPOT if mode == "spot" else FUTURES
    rng = np.random.default_rng(0)
    for i, now in enumerate(found):
        held[:] = [trade(pairs[1], found[max(i - 5, 0)], amount=20.0 + i % 7, tag=tag)] if i % 40 > 5 else []
        if mode == "futures" and i % 40 > 30:  # a short by hand where the hedge would be
            held.append(trade(pairs[0], found[i - 3], amount=2.0, short=True, tag=tag))
        strategy.wallets.total = 10_000 * float(np.exp(0.15 * np.sin(i / 30)) + rng.normal(0, 0.002))
        strategy.update_portfolio(now)
        hedging, monitor = strategy.hedging, strategy.hedging.monitor
        out.append(
            (
                monitor.hedge.state(),
                monitor.target_notional(),
                monitor.locked,
                monitor.equity,
                monitor.exposure,
            )
        )
        sides = [hedging.refusal(pair, side, 3) for pair in pairs for side in ("long", "short")]
        stakes = [hedging.stake(pair, "short", 1.0, 10.0, 1e9) for pair in pairs]
        changes = [hedging.adjustment(x, 100.0, 10.0, 1e9) for x in held if hedging.owns_adjustment(x)]
        out.append((sides, stakes, changes))
    return out


@pytest.mark.parametrize("mode", ["spot", "futures"])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_same_decisions_with_every_ml_input_scrambled(analyses, held, mode, seed):
    hedge = {"volatility": 0.05, "correlation": 0.95}
    plain = decided(analyses, held, mode, lambda analysis: analysis, hedge)
    held.clear()
    PairLocks.locks.clear()
    tag = "breakout, ML agrees"  # as entry_tags says what ML thought
    assert decided(analyses, held, mode, scrambled(seed), hedge, tag) == plain
    states = [x[0]["active"] for x in plain[::2]]
    assert 20 < sum(states) < len(states) - 20


ML_WORDS = {
    "votes", "quality", "confidence", "decisions", "decided", "accepted", "threshold_of", "ml_weight", "ml_score",
    "unified_score", "unified_confidence", "win_probability", "expected_r", "table", "ledger_frame",
    "series_improvements", "all_improvements", "signals", "entry_candidates", "ml_rank",
    "freqai", "verdicts", "plans", "at_signal", "technical", "fusion", "regime",
}  # fmt: skip


def test_no_code_of_the_hedge_reads_a_decision():
    root = Path(coordinator.__file__).parent
    entries = ("ranking.py", "entry_round.py")
    files = [path for path in (root / "portfolio").glob("*.py") if path.name not in entries]
    files += [root / "adapters/strategy/hedging.py", root / "adapters/protection/portfolio_guard.py"]
    files.append(root.parent / "protections" / "PortfolioGuard.py")
    assert len(files) >= 13
    for path in files:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom):
                assert not (node.module or "").startswith(("coordinator.decision", "coordinator.learning")), (
                    path
                )
            if isinstance(node, ast.Attribute) and node.attr in ML_WORDS:
                raise AssertionError(f"{path.name} line {node.lineno} reads {node.attr}")


def test_equity_counts_open_trades_in_spot_and_futures(analyses):
    settings = load_settings({"portfolio": {"hedge": {"mode": "on"}}})
    for mode, pair in (("spot", SPOT[1]), ("futures", FUTURES[1])):
        strategy = make(analyses, mode, {})
        market, futures = strategy.run.market, mode == "futures"
        monitor = PortfolioMonitor(settings, market, CorrelationCache(market), 3600, futures, "USDT")
        time = int(analyses["ETH"].candles.time[400])
        price = float(analyses["ETH"].candles.close[400])
        assert monitor.needs_update(time)
        monitor.update(time, 1000.0, [Holding(pair, 1, 2.0, 50.0, False)])
        assert monitor.equity == pytest.approx(1000 + 2 * price - (100 if mode == "futures" else 0))
        assert monitor.exposure == pytest.approx(2 * price)
        monitor.update(time + 3600, 1000.0, [Holding(pair, -1, 2.0, 50.0, True)])
        assert monitor.exposure == 0  # the hedge is not hedged


def crash(strategy, held, found, trades=()):
    """A candle at 10 000, then one at 3 000, with half of each trade sold."""
    held[:] = list(trades)
    strategy.update_portfolio(found[0])
    for x in trades:
        x.amount *= 0.5
    strategy.wallets.total = 3_000.0
    strategy.update_portfolio(found[1])


def test_futures_keep_a_slot_and_short_half_of_the_net_exposure(analyses, held):
    strategy, found = make(analyses, "futures", {}), moments(analyses)
    btc, eth = FUTURES
    hedging, monitor = strategy.hedging, strategy.hedging.monitor
    assert hedging.reserved_slots() == 1
    assert hedging.refusal(btc, "short", 3) is not None  # nothing to hedge
    held[:] = [trade(eth, found[0])] * 2
    assert hedging.refusal("ADA/USDT:USDT", "long", 3) == "the last slot is the hedge's"
    for side in ("long", "short"):  # not triggered: trading goes on in both directions
        assert hedging.refusal("ADA/USDT:USDT", side, 4) is None
    assert not hedging.owns_adjustment(held[0])
    crash(strategy, held, found, [trade(eth, found[0])])
    assert monitor.acting
    assert monitor.target_notional() == pytest.approx(0.5 * monitor.exposure)
    assert monitor.target_notional() > 0
    assert hedging.refusal(btc, "short", 3) is None
    assert hedging.refusal(btc, "long", 3) is not None
    assert hedging.stake(btc, "short", 2.0, 10.0, 1e9) == pytest.approx(monitor.target_notional() / 2)
    assert hedging.stake(eth, "long", 2.0, 10.0, 1e9) is None
    hedge = trade(btc, found[1], amount=monitor.target_notional() / 100, short=True, tag="hedge")
    held.append(hedge)
    assert hedging.reserved_slots() == 0
    assert strategy.target_profit(hedge, found[1]) == float("inf")
    assert strategy.better_stop(hedge, 100.0, found[1]) is None
    assert strategy.exit_reason(hedge, 100.0, found[1]) is None
    assert hedging.adjustment(hedge, 100.0, 10.0, 1e9) is None
    stake, tag = hedging.adjustment(hedge, 50.0, 10.0, 1e9)
    assert (stake, tag) == (pytest.approx(monitor.target_notional() / 2), "hedge enlarged")
    stake, tag = hedging.adjustment(hedge, 200.0, 10.0, 1e9)
    assert (stake, tag) == (pytest.approx(-hedge.stake_amount / 2), "hedge reduced")
    held[:] = [hedge]
    strategy.update_portfolio(found[2])
    assert hedge.enter_tag.startswith("hedge: drawdown ")
    assert strategy.exit_reason(hedge, 100.0, found[2]) == "hedge closed: no net long exposure"
    held.clear()
    strategy.wallets.total = 20_000.0
    strategy.update_portfolio(found[3])
    assert strategy.exit_reason(hedge, 100.0, found[3]) == "hedge closed: drawdown 0 %"


@pytest.mark.parametrize(
    ("trigger", "level", "reason"),
    [
        ("volatility", 0.001, "volatility "),
        ("correlation", 0.001, "average correlation "),
        ("drawdown", 0.5, ""),
    ],
)
def test_the_pairs_volatility_and_correlation_are_triggers(analyses, held, trigger, level, reason):
    """Of what the pairs did; a drawdown of 5 % is no trigger here. BTC's own candles twice: their correlation is 1."""
    alike = {coin: replace(analyses["BTC"], pair=coin) for coin in analyses}
    strategy, found = make(alike, "futures", {"drawdown": 0.5, trigger: level}), moments(analyses)
    monitor = strategy.hedging.monitor
    held[:] = [trade(FUTURES[1], found[0])]
    for now, equity in ((found[0], 10_000.0), (found[1], 9_500.0)):
        strategy.wallets.total = equity
        strategy.update_portfolio(now)
    assert monitor.exposure > 0
    assert monitor.hedge.active == bool(reason)
    assert monitor.hedge.reason.startswith(reason)


@pytest.mark.parametrize("max_positions", [2, None])
def test_the_open_hedge_takes_no_position(analyses, held, max_positions):
    """With one position of two, or one of three trades less the hedge's, one more is free; with the hedge open, too."""
    portfolio = {"hedge": {"mode": "on"}, "max_positions": max_positions}
    strategy, found = make(analyses, "futures", {}, coordinator={"portfolio": portfolio}), moments(analyses)
    btc, eth = FUTURES

    def free():
        slots = strategy._slots(found[0], strategy.settings)
        return slots.limit - len(list(slots.held()))

    held[:] = [trade(eth, found[0])]
    assert free() == 1
    held.append(trade(btc, found[0], short=True, tag="hedge"))
    assert free() == 1


def test_spot_locks_longs_once_and_scales_out_once(analyses, held):
    strategy, found = make(analyses, "spot", {}), moments(analyses)
    hedging, now = strategy.hedging, found[1]
    held[:] = [trade(SPOT[1], found[0])]
    strategy.update_portfolio(found[0])  # on, and not triggered: trading goes on as without it
    assert not PairLocks.is_global_lock(found[0], "long")
    assert hedging.refusal(SPOT[0], "long", 3) is None
    assert hedging.adjustment(held[0], 100.0, 10.0, 1e9) is None
    assert not hedging.owns_adjustment(held[0])  # tranches are due as ever
    crash(strategy, held, found, [trade(SPOT[1], found[0])])
    position = held[0]
    assert strategy.hedging.monitor.locked
    assert PairLocks.is_global_lock(now, "long")
    assert not PairLocks.is_global_lock(now, "short")
    for later in found[2:6]:
        strategy.update_portfolio(later)
    assert len(PairLocks.locks) == 1
    assert hedging.refusal(SPOT[0], "long", 3).startswith("longs are locked: drawdown")
    position.stake_amount = 1000.0
    assert hedging.adjustment(position, 100.0, 10.0, 1e9) == (-500.0, SCALE_OUT_TAG)
    assert strategy.adjustment_due(position, 100.0, now)
    assert hedging.adjustment(position, 100.0, 300.0, 1e9) is None  # dust
    sold = SimpleNamespace(ft_order_tag=SCALE_OUT_TAG, order_date_utc=found[2], safe_filled=5.0)
    position.orders.append(sold)
    assert hedging.adjustment(position, 100.0, 10.0, 1e9) is None
    strategy.wallets.total = 20_000.0
    strategy.update_portfolio(found[6])
    assert not PairLocks.is_global_lock(found[6], "long")
    assert hedging.refusal(SPOT[0], "long", 3) is None


def test_entry_and_exit_columns_of_the_hedge_pair(analyses):
    strategy = make(analyses, "futures", {})
    n = 5
    mine = {"enter_long": np.ones(n), "enter_short": np.zeros(n), "enter_tag": np.full(n, "x")}
    changed = strategy.hedging.entry_columns(FUTURES[0], dict(mine))
    assert changed["enter_short"].all()
    assert not changed["enter_long"].any()
    assert strategy.hedging.entry_columns(FUTURES[1], mine) is mine
    exits = {"exit_long": np.ones(n), "exit_short": np.ones(n), "exit_tag": np.full(n, "x")}
    out = strategy.hedging.exit_columns(FUTURES[0], dict(exits))
    assert not out["exit_short"].any()
    assert not out["exit_long"].any()


def test_one_slot_cannot_be_shared(analyses):
    with pytest.raises(OperationalException, match="max_open_trades"):
        make(analyses, "futures", {}, max_open_trades=1)
    make(analyses, "spot", {}, max_open_trades=1)


def test_another_backtest_begins_anew(analyses, held):
    strategy, found = make(analyses, "futures", {}), moments(analyses)
    crash(strategy, held, found)
    assert strategy.hedging.monitor.hedge.active
    strategy.wallets.total = 3_000.0
    strategy.update_portfolio(found[0])
    assert not strategy.hedging.monitor.hedge.active


def test_a_bot_remembers_its_peak(analyses, held):
    found, kept = moments(analyses), []
    store = SimpleNamespace(
        load_state=lambda name: kept[-1][2] if kept else None,
        store_state=lambda *x: kept.append((*x[:2], json.loads(json.dumps(x[2])))),
    )
    one = make(analyses, "futures", {})
    one.hedging.use_store(store)
    crash(one, held, found)
    assert [x[0] for x in kept] == ["hedge", "hedge"]
    two = make(analyses, "futures", {})
    two.hedging.use_store(store)
    assert two.hedging.monitor.state() == one.hedging.monitor.state()
    two.wallets.total = 9_800.0
    two.update_portfolio(found[2])
    assert two.hedging.monitor.tracker.drawdown == pytest.approx(0.02)
    assert not two.hedging.monitor.hedge.active


def test_a_bot_that_starts_again_within_the_candle_keeps_its_hedge(analyses, held):
    found, kept = moments(analyses), []
    store = SimpleNamespace(
        load_state=lambda name: kept[-1] if kept else None,
        store_state=lambda name, time, state: kept.append(json.loads(json.dumps(state))),
    )
    one = make(analyses, "futures", {})
    one.hedging.use_store(store)
    crash(one, held, found, [trade(FUTURES[1], found[0])])
    target = one.hedging.monitor.target_notional()
    assert target > 0
    two = make(analyses, "futures", {})
    two.hedging.use_store(store)
    two.update_portfolio(found[1] + timedelta(minutes=20))
    assert two.hedging.monitor.target_notional() == target
    hedge = trade(FUTURES[0], found[1], amount=1.0, tag="hedge: drawdown 20 %", short=True)
    assert two.hedging.is_hedge(hedge)
    assert two.hedging.exit_reason(hedge) is None
    # What an earlier version stored has no exposure: its candle is looked at again.
    del kept[-1]["exposure"]
    three = make(analyses, "futures", {})
    three.hedging.use_store(store)
    three.wallets.total = 3_000.0
    three.update_portfolio(found[1] + timedelta(minutes=20))
    assert three.hedging.monitor.target_notional() == pytest.approx(target)


def test_a_bot_remembers_every_days_high(analyses, held):
    """One below the peak is the peak when the days that it looks back on have moved on."""
    kept = []
    store = SimpleNamespace(
        load_state=lambda name: kept[-1] if kept else None,
        store_state=lambda name, time, state: kept.append(json.loads(json.dumps(state))),
    )
    found = [now for now in moments(analyses) if now.hour in (1, 2)][:6]
    one = make(analyses, "futures", {"peak_days": 2})
    one.hedging.use_store(store)
    for now, equity in zip(found[:4], (10_000.0, 9_900.0, 9_000.0, 9_500.0), strict=True):
        one.wallets.total = equity
        one.update_portfolio(now)
    two = make(analyses, "futures", {"peak_days": 2})
    two.hedging.use_store(store)
    for bot in (one, two):
        bot.wallets.total = 9_400.0
        bot.update_portfolio(found[4])
    assert two.hedging.monitor.tracker.peak == one.hedging.monitor.tracker.peak == 9_500.0


def test_a_candle_that_is_not_analysed_yet_waits(analyses, held):
    strategy = make(analyses, "futures", {})
    strategy.update_portfolio(moments(analyses)[-1] + timedelta(days=100))
    assert strategy.hedging.monitor.time == -1


def test_the_protection_locks(analyses, held):
    found = moments(analyses)
    section = {"portfolio": {"protection": {"enabled": True}}}
    section["improvements"] = {
        "correlation_filter": {"mode": "on", "max_correlated": 1, "threshold": 0.0, "use_sectors": False}
    }
    strategy = make(analyses, "spot", {}, coordinator=section)
    (entry,) = strategy.protections
    assert entry["method"] == "PortfolioGuard"
    monitor = entry["monitor"]
    assert monitor is strategy.hedging.monitor
    assert make(analyses, "spot", {}).protections == []
    crash(strategy, held, found)
    until, reason, side = protection.drawdown_lock(monitor, found[1])
    assert (until - found[1].timestamp(), side) == (86_400, "long")
    assert reason == "drawdown 70 % above 10 %"
    for drawdown, locked in ((0.1, False), (0.101, True)):
        monitor.tracker.drawdown = drawdown
        assert (protection.drawdown_lock(monitor, found[1]) is not None) == locked
    assert protection.pair_lock(monitor, SPOT[1], "long", found[1]) is None
    held[:] = [trade(SPOT[0], found[0])]
    locks = [protection.pair_lock(monitor, SPOT[1], side, found[1]) for side in ("long", "short")]
    (lock,) = [lock for lock in locks if lock is not None]  # the side that goes with what is held
    assert lock[0] > found[1].timestamp()
    assert lock[1].startswith(f"correlation filter: 1 held, 1 allowed (correlated with {SPOT[0]} ")
