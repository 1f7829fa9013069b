"""A dry-run bot with every improvement on: a backtest's numbers, sizes that follow them, entries that are refused."""

from datetime import UTC, datetime
from types import SimpleNamespace

import pandas as pd
import pytest
from freqtrade.data.history import load_pair_history
from freqtrade.enums import CandleType
from freqtrade.persistence import Trade

from coordinator.ledger.store import Ledger
from coordinator.run.pair_analysis import analyse
from coordinator.sandbox.market_files import write_market
from coordinator.sandbox.spec import MarketSpec
from coordinator.signals.candles import Candles

PAIRS = ["BTC/USDT", "ETH/USDT"]
BEGIN = pd.Timestamp("2023-03-10", tz="UTC")


def settings(mode):
    """Any positive correlation counts, so that one open trade refuses the next."""
    return {
        "decision": {"weighting": "fixed", "threshold": 0.0, "require_positive_expectancy": False},
        "improvements": {
            "trust": {"enabled": False},
            "dynamic_reward_risk": {"mode": mode},
            "volatility_sizing": {"mode": mode},
            "correlation_filter": {"mode": mode, "threshold": 0.0, "max_correlated": 1},
        },
    }


@pytest.fixture(scope="module")
def candles(tmp_path_factory):
    folder = tmp_path_factory.mktemp("candles")
    start, end = datetime(2022, 12, 1, tzinfo=UTC), datetime(2023, 4, 1, tzinfo=UTC)
    write_market(MarketSpec(pairs=tuple(PAIRS), start=start, end=end, seed=5), folder, "spot")
    return folder, {
        (pair, timeframe): load_pair_history(pair, timeframe, folder, candle_type=CandleType.SPOT)
        for pair in PAIRS
        for timeframe in ("1h", "4h", "1d")
    }


@pytest.fixture
def bot_at_signal(make_bot, candles, tmp_path):
    def make(mode):
        (tmp_path / "bot").mkdir()
        bot = make_bot(candles[0], PAIRS, candles[1], settings(mode), tmp_path / "bot")
        for hours in range(400):
            now = BEGIN + pd.Timedelta(hours=hours)
            bot.step(now, PAIRS)
            frame = bot.strategy.dp.get_analyzed_dataframe("BTC/USDT", "1h")[0]
            if hours > 2 and frame["enter_long"].iloc[-1]:
                return bot, now
        raise AssertionError("no long signal")

    return make


def hold_eth(when):
    trade = Trade(
        pair="ETH/USDT",
        stake_amount=100.0,
        amount=1.0,
        open_rate=100.0,
        open_date=when,
        fee_open=0.001,
        fee_close=0.001,
        exchange="binance",
        is_open=True,
        base_currency="ETH",
        stake_currency="USDT",
    )
    Trade.session.add(trade)
    Trade.commit()


def test_a_bots_numbers_are_a_backtests(bot_at_signal, candles):
    bot, now = bot_at_signal("on")
    whole = Candles.from_frame(candles[1]["BTC/USDT", "1h"], "1h")
    backtest = analyse("BTC/USDT", whole, {}, bot.strategy.settings, ml=False)
    live = bot.strategy.run.market.analysis("BTC/USDT")
    row = list(whole.time[backtest.index]).index(int(now.timestamp()))
    for name in ("dynamic_reward_risk", "volatility_sizing"):
        assert live.improvements[name].adjusted[-1] == pytest.approx(
            backtest.improvements[name].adjusted[row], rel=1e-9
        )
    assert live.target_distance[-1] == pytest.approx(backtest.target_distance[row], rel=1e-9)
    plan = bot.strategy.plans.at_signal("BTC/USDT", (now + pd.Timedelta(hours=1)).to_pydatetime(), 1)
    trusted = bot.strategy.run.series_improvements("BTC/USDT", bot.strategy._tuned())
    assert plan.size == trusted["volatility_sizing"].adjusted[-1]
    assert plan.target_distance != live.target_distance[-1]  # the signal's is without the improvement
    assert plan.target_distance == pytest.approx(
        plan.stop_distance * trusted["dynamic_reward_risk"].adjusted[-1] * 1.00165 + 0.00165, rel=1e-6
    )


@pytest.mark.parametrize("mode", ["off", "shadow", "on"])
def test_an_entry_beside_a_correlated_trade(bot_at_signal, mode, caplog):
    bot, now = bot_at_signal(mode)
    opened = (now + pd.Timedelta(hours=1, minutes=1)).to_pydatetime()
    entry = ("BTC/USDT", "limit", 2.0, 100.0, "GTC", opened, None, "long")
    hold_eth(opened)
    caplog.set_level("INFO")
    for _ in range(2):  # Freqtrade asks again while the candle lasts
        assert bot.strategy.confirm_trade_entry(*entry) == (mode != "on")
    assert caplog.text.count("by correlation_filter: correlated with ETH/USDT") == (mode != "off")
    ledger = Ledger(f"{bot.config['user_data_dir']}/coordinator.ledger.sqlite")
    (run,) = ledger.runs()["id"]
    rows = [row for record in ledger.replay(int(run)) for row in record.improvements]
    asked = [row for row in rows if row.name == "correlation_filter"]
    assert asked == ([] if mode == "off" else [("BTC/USDT", "correlation_filter", mode, 1.0, 1.0)])
    assert len(ledger.trades(int(run))) == (mode != "on")  # what is refused is not intended
    assert ledger.check() == []


@pytest.mark.parametrize("mode", ["off", "shadow", "on"])
def test_the_first_order_follows_the_size(bot_at_signal, mode):
    bot, now = bot_at_signal(mode)
    opened = (now + pd.Timedelta(hours=1)).to_pydatetime()
    bot.strategy.wallets = SimpleNamespace(get_total_stake_amount=lambda: 10_000.0)
    plan = bot.strategy.plans.at_signal("BTC/USDT", opened, 1)
    stake = bot.strategy.custom_stake_amount("BTC/USDT", opened, 1e6, 10.0, 1e6, 1.0, None, "long")
    risk = plan.stop_distance - plan.entries.average_offset()
    assert stake == pytest.approx(10_000 * 0.01 * plan.size * plan.entries.shares[0] / risk)
    assert (plan.size != 1.0) == (mode == "on")
