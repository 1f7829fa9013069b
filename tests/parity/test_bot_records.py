"""A bot's trades in the ledger beside their virtual ones, its alerts, and what a failing component leaves behind."""

from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest
from freqtrade.data.history import load_pair_history
from freqtrade.enums import CandleType
from freqtrade.persistence import Order, Trade

from coordinator.adapters.persistence import metric_recorder
from coordinator.adapters.persistence.trade_recorder import DECISION_KEY
from coordinator.components.samples import stored_schema
from coordinator.errors import CoordinatorError
from coordinator.ledger.store import Ledger
from coordinator.sandbox.market_files import write_market
from coordinator.sandbox.spec import MarketSpec
from coordinator.signals.signal_features import SIGNAL_SCHEMA

PAIRS = ["BTC/USDT"]
BEGIN = pd.Timestamp("2023-03-10", tz="UTC")
EVERY = {"decision": {"weighting": "fixed", "threshold": 0.0, "require_positive_expectancy": False}}


@pytest.fixture(scope="module")
def market(tmp_path_factory):
    folder = tmp_path_factory.mktemp("candles")
    spec = MarketSpec(
        pairs=tuple(PAIRS),
        start=datetime(2022, 12, 1, tzinfo=UTC),
        end=datetime(2023, 4, 1, tzinfo=UTC),
        seed=5,
    )
    write_market(spec, folder, "spot")
    return folder


@pytest.fixture
def bot(make_bot, market, tmp_path):
    candles = {
        (pair, timeframe): load_pair_history(pair, timeframe, market, candle_type=CandleType.SPOT)
        for pair in PAIRS
        for timeframe in ("1h", "4h", "1d")
    }
    user_data = tmp_path / "bot"
    user_data.mkdir()
    return make_bot(market, PAIRS, candles, EVERY, user_data)


def until_a_signal(bot):
    """Drive to the first accepted signal after a few candles; its candle's open."""
    for hours in range(300):
        now = BEGIN + pd.Timedelta(hours=hours)
        bot.step(now, PAIRS)
        frame = bot.strategy.dp.get_analyzed_dataframe(PAIRS[0], "1h")[0]
        if hours > 2 and frame["enter_long"].iloc[-1]:
            return now
    raise AssertionError("no long signal")


def order(side, price, amount, when):
    return Order(
        ft_order_side=side,
        ft_pair=PAIRS[0],
        ft_is_open=False,
        ft_amount=amount,
        ft_price=price,
        order_id=f"{side}{when}{price}",
        status="closed",
        symbol=PAIRS[0],
        order_type="limit",
        side=side,
        price=price,
        average=price,
        amount=amount,
        filled=amount,
        remaining=0.0,
        cost=price * amount,
        order_date=when,
        order_filled_date=when,
    )


def open_trade(price, when):
    trade = Trade(
        pair=PAIRS[0],
        stake_amount=price * 2,
        amount=2.0,
        open_rate=price,
        open_date=when,
        fee_open=0.001,
        fee_close=0.001,
        exchange="binance",
        is_open=True,
        base_currency="BTC",
        stake_currency="USDT",
    )
    trade.orders.append(order("buy", price, 2.0, when))
    Trade.session.add(trade)
    Trade.commit()
    return trade


def entered(bot, signal):
    opened = (signal + pd.Timedelta(hours=1, minutes=1)).to_pydatetime()
    bot.strategy.confirm_trade_entry(PAIRS[0], "limit", 2.0, 100.0, "GTC", opened, None, "long")
    return opened


def ledger_of(bot):
    ledger = Ledger(f"{bot.config['user_data_dir']}/coordinator.ledger.sqlite")
    (run,) = ledger.runs()["id"]
    return ledger, int(run)


def test_fills_stand_beside_the_virtual_trade_and_the_trade_says_why(bot):
    signal = until_a_signal(bot)
    opened = entered(bot, signal)
    ledger, run = ledger_of(bot)
    intended = ledger.trades(run)
    assert intended["tranches_filled"].tolist() == [0]
    close = bot.candles[PAIRS[0], "1h"].set_index("date")["close"][signal]
    assert intended["intended_price"].tolist() == [close]

    trade = open_trade(close * 1.002, opened + timedelta(seconds=30))
    bot.strategy.order_filled(pair=PAIRS[0], trade=trade, order=trade.orders[0], current_time=opened)
    row = ledger.trades(run).iloc[0]
    assert row["slippage"] == pytest.approx(0.002)
    assert row["tranches_filled"] == 1
    assert pd.isna(row["closed_at"])
    decision = trade.get_custom_data(DECISION_KEY)
    assert decision["verdict"] == "accepted"
    assert {"technical", "lstm", "fusion", "selector"} <= set(decision["votes"])
    stored = ledger.read_decisions(run).set_index("time").loc[signal]
    assert decision["unified confidence"] == pytest.approx(stored["unified_confidence"], abs=1e-4)

    plan = bot.strategy._plan(trade)
    stop = plan.anchor * (1 - plan.stop_distance)
    left = opened + timedelta(hours=5)
    trade.orders.append(order("sell", stop, 2.0, left))
    trade.orders[1].ft_price = stop / 0.999  # asked for; .1 % more than it was filled at
    trade.exit_reason = "stop_loss"
    trade.close(stop)
    bot.strategy.order_filled(pair=PAIRS[0], trade=trade, order=trade.orders[1], current_time=left)
    row = ledger.trades(run).iloc[0]
    assert row["exit_reason"] == "stop_loss"
    assert (row["intended_exit_price"], row["exit_price"]) == (stop / 0.999, stop)
    assert row["exit_slippage"] == pytest.approx(0.001)
    fees = 2 * 0.001 * (trade.open_rate + stop)
    assert row["r"] == pytest.approx(-1 - fees / (2 * (trade.open_rate - stop)), rel=1e-6)
    assert ledger.check() == []


def test_an_entry_that_never_fills_is_closed_as_such(bot):
    signal = until_a_signal(bot)
    entered(bot, signal)
    ledger, run = ledger_of(bot)
    within = signal + pd.Timedelta(hours=1, minutes=40)
    bot.strategy.bot_loop_start(within.to_pydatetime())
    assert pd.isna(ledger.trades(run).iloc[0]["closed_at"])  # Freqtrade may order it anew on the same signal
    bot.step(signal + pd.Timedelta(hours=1), PAIRS)
    row = ledger.trades(run).iloc[0]
    assert row["exit_reason"] == "entry not filled"
    assert pd.isna(row["filled_price"])


def test_a_trade_that_closed_while_the_bot_was_down_is_brought_up_to_date(bot):
    signal = until_a_signal(bot)
    opened = entered(bot, signal)
    trade = open_trade(100.0, opened)
    bot.strategy.order_filled(pair=PAIRS[0], trade=trade, order=trade.orders[0], current_time=opened)
    trade.orders.append(order("sell", 110.0, 2.0, opened + timedelta(hours=3)))
    trade.close(110.0)
    Trade.commit()
    bot.strategy.trade_recorder._ledger.trades_stale = (
        True  # what a new process starts with; the trades stay in the database
    )
    bot.strategy.bot_loop_start(opened + timedelta(hours=4))
    ledger, run = ledger_of(bot)
    row = ledger.trades(run).iloc[0]
    assert not pd.isna(row["closed_at"])
    assert row["profit"] > 0


def test_a_fill_the_ledger_did_not_take_is_written_with_the_next_candle(bot, monkeypatch, caplog):
    signal = until_a_signal(bot)
    opened = entered(bot, signal)
    trade = open_trade(100.0, opened)
    ledger, run = ledger_of(bot)
    live = bot.strategy.trade_recorder._ledger

    def out(*_):
        raise CoordinatorError("ledger", "the test", "be there", "nothing")

    with monkeypatch.context() as patched:
        patched.setattr(live._ledger, "write_trade", out)
        bot.strategy.order_filled(pair=PAIRS[0], trade=trade, order=trade.orders[0], current_time=opened)
        bot.strategy.bot_loop_start(opened + timedelta(hours=1))  # tried again, and still out
    assert ledger.trades(run)["tranches_filled"].tolist() == [0]
    assert caplog.text.count("The ledger did not take a trade") == 2
    bot.strategy.bot_loop_start(opened + timedelta(hours=1, minutes=1))  # not before the next candle
    assert ledger.trades(run)["tranches_filled"].tolist() == [0]
    bot.strategy.bot_loop_start(opened + timedelta(hours=2))
    assert ledger.trades(run)["tranches_filled"].tolist() == [1]


def test_a_cut_of_the_ml_weight_is_told_once(bot):
    bot.step(BEGIN, PAIRS)
    run = bot.strategy.recorder._live
    reviews = run.fold.fold.learners.history.reviews
    bot.step(BEGIN + pd.Timedelta(hours=1), PAIRS)
    assert bot.messages == []
    manager = run.fold.fold.learners.manager
    manager.weight_, manager.phase_ = 0.2, 3
    now = int(BEGIN.timestamp())
    evidence = manager._evidence(now)
    reviews.append(manager._record(now, 3, 0.1, "cut: accuracy 48% below 50%", evidence))
    retrained = []
    bot.strategy.request_retraining = lambda: retrained.append(True)
    for hours in (2, 3):
        bot.step(BEGIN + pd.Timedelta(hours=hours), PAIRS)
    assert bot.messages == ["Coordinator: ML weight 20% -> 10%, phase expansion: cut: accuracy 48% below 50%"]
    assert not retrained
    reviews.append(manager._record(now, 1, 0.0, "breaker: made up", evidence))
    for hours in (4, 5):
        bot.step(BEGIN + pd.Timedelta(hours=hours), PAIRS)
    assert bot.messages[1:] == ["Coordinator: ML weight 10% -> 0%, phase shadow: breaker: made up"]
    assert retrained == [True]
    reviews.append(manager._record(now + 3600, 2, 0.1, "promoted: made up", evidence))
    for hours in (6, 7):
        bot.step(BEGIN + pd.Timedelta(hours=hours), PAIRS)
    assert bot.messages[2:] == ["Coordinator: ML weight 0% -> 10%, phase pilot: promoted: made up"]
    assert retrained == [True]


def test_a_restarted_bot_tells_a_review_of_its_first_candle_and_none_twice(
    make_bot, market, tmp_path, monkeypatch
):
    candles = {
        (pair, timeframe): load_pair_history(pair, timeframe, market, candle_type=CandleType.SPOT)
        for pair in PAIRS
        for timeframe in ("1h", "4h", "1d")
    }
    first = make_bot(market, PAIRS, candles, EVERY, tmp_path)
    for hours in range(26):  # a state is stored once a day has begun
        first.step(BEGIN + pd.Timedelta(hours=hours), PAIRS)
    told = []
    for restart in range(2):
        bot = make_bot(market, PAIRS, candles, EVERY, tmp_path)
        live = bot.strategy.recorder._live
        assert live.continues
        manager = live.fold.fold.learners.manager
        manager.weight_, manager.phase_ = 0.2, 3
        now = int(BEGIN.timestamp()) + 86400
        review = manager._record(now, 3, 0.1, "cut: made up", manager._evidence(now))
        live.fold.fold.learners.history.reviews.append(review)
        monkeypatch.setattr(bot.strategy, "request_retraining", lambda: None)
        bot.step(BEGIN + pd.Timedelta(hours=26 + restart), PAIRS)
        told += [text for text in bot.messages if "ML weight" in text]
    assert told == ["Coordinator: ML weight 20% -> 10%, phase expansion: cut: made up"]


def test_the_days_metrics_are_written_once_and_a_failure_stops_nothing(bot, monkeypatch, caplog):
    until_a_signal(bot)
    ledger, run = ledger_of(bot)
    first = ledger.read_decisions(run)["time"].iloc[0]
    midnight = first.floor("D") + pd.Timedelta(days=1)
    bot.strategy.bot_loop_start((midnight + pd.Timedelta(minutes=59)).to_pydatetime())
    assert not (ledger.metrics(run)["time"] == midnight).any()
    due = (midnight + pd.Timedelta(minutes=61)).to_pydatetime()
    bot.strategy.bot_loop_start(due)
    stored = ledger.metrics(run)
    assert set(stored["time"]) == {midnight}
    assert {"accuracy", "sharpe", "hit_rate"} <= set(stored["metric"])
    monkeypatch.setattr(metric_recorder, "rolling_series", lambda run: 1 / 0)
    bot.strategy.bot_loop_start(due)  # the day is done: nothing is computed again
    assert "ZeroDivisionError" not in caplog.text
    bot.strategy.bot_loop_start(due + timedelta(days=1))
    bot.strategy.bot_loop_start(due + timedelta(days=1, hours=1))
    assert caplog.text.count("The day's metrics were not written: ZeroDivisionError") == 1


@pytest.mark.parametrize("enabled", [True, False])
def test_samples_are_collected_unless_switched_off(make_bot, market, tmp_path, enabled):
    candles = {
        (pair, timeframe): load_pair_history(pair, timeframe, market, candle_type=CandleType.SPOT)
        for pair in PAIRS
        for timeframe in ("1h", "4h", "1d")
    }
    settings = EVERY if enabled else {**EVERY, "data_collection": {"enabled": False}}
    settings = {**settings, "ledger": {"url": f"sqlite:///{tmp_path}/own.sqlite"}}
    bot = make_bot(market, PAIRS, candles, settings, tmp_path)
    until_a_signal(bot)
    assert not (tmp_path / "coordinator.ledger.sqlite").exists()
    ledger = Ledger(tmp_path / "own.sqlite")
    decided, features = ledger.read_decisions(), ledger.read_features(1, stored_schema(SIGNAL_SCHEMA))
    assert len(decided) >= 2
    assert len(features.time) == (len(decided) if enabled else 0)
