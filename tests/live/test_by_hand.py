"""Entries and exits that a person forces on a live bot: planned like a signal's, with the stop at the exchange."""

import pandas as pd
import pytest
from freqtrade.enums import SignalDirection
from freqtrade.persistence import PairLocks
from freqtrade.rpc import RPCException
from freqtrade.rpc.rpc import RPC

from coordinator.adapters.persistence.trade_recorder import WHY_KEY
from tests.live.bot import UNIT, Coin, live_bot, owned
from tests.scenarios.engine import CALM, Play, Signal, level

pytestmark = pytest.mark.xdist_group("live")
SETTINGS = {"stops": {"atr_multiple": 3.0, "basis": "price", "minimum": 0.001, "hard_limit": 0.2}}


def planned(live, trade):
    """Three ATRs from the close of the last candle, as the settings say, from the strategy's own candles."""
    strategy = live.bot.strategy
    analysis = strategy.run.market.analysis(trade.pair)
    row = int(analysis.candles.time.searchsorted(strategy.plans.last_closed(trade.open_date_utc)))
    return 3.0 * analysis.technical.indicators.atr[row] / analysis.candles.close[row]


@pytest.mark.parametrize(
    ("futures", "side"), [(False, 1), (True, 1), (True, -1)], ids=["spot", "long", "short"]
)
def test_a_forced_entry_has_the_stop_of_a_signal_and_a_forced_exit_takes_it_away(tmp_path, futures, side):
    plays = {"BTC": Play([CALM] * 8, {}, side)}
    with live_bot(tmp_path, plays, SETTINGS, futures=futures, force_entry_enable=True) as live:
        live.look(1.4)
        rpc, pair = RPC(live.bot), live.bot.active_pair_whitelist[0]
        direction = SignalDirection.LONG if side > 0 else SignalDirection.SHORT
        chosen = {"leverage": 3.0} if futures else {}
        rpc._rpc_force_entry(
            pair, None, order_type="market", order_side=direction, stake_amount=600.0, **chosen
        )
        live.look(1.8)
        live.check()
        (trade,), (stop,) = live.trades, live.stops
        assert trade.stake_amount == pytest.approx(600.0, rel=0.01)
        assert trade.leverage == (3.0 if futures else 1.0)
        distance = planned(live, trade)
        assert 0.001 < distance < 0.2
        assert float(stop.stop_price) == pytest.approx(trade.open_rate * (1 - side * distance), abs=0.02)
        half = trade.amount / 2
        rpc._rpc_force_exit(str(trade.id), "market", amount=half)
        live.look(2.3)
        live.check()
        (trade,) = live.trades
        assert trade.amount == pytest.approx(half, rel=0.01)
        rpc._rpc_force_exit(str(trade.id), "market")
        live.look(2.8)
        live.check()
        (trade,) = live.trades
        assert (trade.is_open, trade.exit_reason) == (False, "force_exit")
        assert live.account.open_orders() == []
        symbol = pair.split(":")[0].replace("/", "")
        assert owned(live.account, symbol, side < 0) * 100 * UNIT < 1.0


@pytest.mark.parametrize("side", [1, -1], ids=["long", "short"])
def test_a_named_stake_leverage_and_price_are_obeyed(tmp_path, side):
    """BTC on a signal of a locked pair, ETH at a limit that fills in a later candle, SOL at a leverage of 50."""
    moves = [CALM, CALM, *level(99.5, 6)]
    plays = {
        "BTC": Play([CALM] * 8, {0: Signal(0.74)}, side),
        "ETH": Play(moves, {}, side),
        "SOL": Play([CALM] * 8, {}, side),
        "LTC": Play([CALM] * 8, {}, side),
    }
    changes = {"force_entry_enable": True, "max_open_trades": 3}
    changes["unfilledtimeout"] = {"entry": 120, "exit": 10, "unit": "minutes"}
    direction = SignalDirection.LONG if side > 0 else SignalDirection.SHORT
    with live_bot(tmp_path, plays, SETTINGS, futures=True, **changes) as live:
        until = (pd.Timestamp(live.clock.now) + pd.Timedelta(hours=5)).to_pydatetime()
        PairLocks.lock_pair("BTC/USDT:USDT", until, "by hand", now=live.clock.now)
        live.look(1.3)
        assert live.trades == []

        def force(coin, **named):
            RPC(live.bot)._rpc_force_entry(f"{coin}/USDT:USDT", order_side=direction, **named)

        force("BTC", price=None, stake_amount=700.0, order_type="market")
        limit = UNIT * (99.7 if side > 0 else 100.3)
        force("ETH", price=limit, stake_amount=700.0, order_type="limit", leverage=2.0)
        force("SOL", price=None, stake_amount=300.0, order_type="market", leverage=50.0)
        with pytest.raises(RPCException, match="Maximum number of trades is reached"):
            force("LTC", price=None)
        live.look(1.6)
        btc, eth, sol = live.trades
        assert (btc.stake_amount, eth.amount) == (pytest.approx(700.0, rel=0.01), 0.0)
        live.look(2.9)
        live.check()
        stops = {order.symbol[:3]: float(order.stop_price) for order in live.stops}
        expected = {
            "BTC": btc.open_rate * (1 - side * 0.02),
            "ETH": eth.open_rate * (1 - side * planned(live, eth)),
            "SOL": sol.open_rate
            * (1 - side * 0.25 / 50),  # Freqtrade's own stoploss, nearer than the planned one
        }
        assert planned(live, sol) > 0.25 / 50
        assert stops == {coin: pytest.approx(rate, abs=0.02) for coin, rate in expected.items()}
        for trade in (btc, eth, sol):
            said = trade.get_custom_data(WHY_KEY)
            assert said.startswith("entered by hand")
            told = float(said.partition("stop ")[2].split()[0])
            assert told == pytest.approx(expected[trade.pair[:3]], rel=1e-4)
    with live_bot(tmp_path, plays, SETTINGS, futures=True, **changes) as live:
        live.look(3.2)
        live.check()
        assert {order.symbol[:3]: float(order.stop_price) for order in live.stops} == stops
        assert [t.nr_of_successful_entries for t in live.trades] == [1, 1, 1]


def test_a_pair_off_the_list_is_managed_on_and_analysed_anew_when_it_is_forced(tmp_path):
    """BTC is entered, leaves the list, gets its second tranche after a restart, is stopped out, then forced."""
    rows = [CALM, CALM, *level(100, 2), *level(99.45), *level(97, 3), *level(97, 2)]
    pairlists = [
        {"method": "VolumePairList", "number_assets": 1, "sort_key": "quoteVolume", "refresh_period": 1800}
    ]
    plays = {
        "BTC": Play(rows, {0: Signal(0.74), 6: Signal()}, 1),
        "ETH": Coin(Play([CALM] * 10, {}, 1), volume=0.5, busy=2),
    }
    changes = {"pairlists": pairlists, "max_open_trades": 2, "force_entry_enable": True}
    with live_bot(tmp_path, plays, SETTINGS, **changes) as live:
        live.look(3.9, every=10)
        assert live.bot.pairlists.whitelist[0] == "ETH/USDT"
        assert live.trades[0].nr_of_successful_entries == 1
    with live_bot(tmp_path, plays, SETTINGS, **changes) as live:
        live.look(4.9, every=10)
        live.check()
        assert live.trades[0].nr_of_successful_entries == 2
        live.look(8.4, every=10)
        assert live.bot.pairlists.whitelist == ["ETH/USDT"]
        (stopped,) = live.trades  # the later signal was of no pair in the list
        assert stopped.exit_reason == "stoploss_on_exchange"
        known = live.bot.strategy.run.market.analysis("BTC/USDT").candles.time[-1]
        assert live.clock.now.timestamp() - known > 2 * 3600
        RPC(live.bot)._rpc_force_entry("BTC/USDT", None, order_type="market", stake_amount=500.0)
        _, forced = live.trades
        assert forced.stop_loss == pytest.approx(forced.open_rate * 0.8, rel=1e-3)  # the hard limit
        assert forced.get_custom_data(WHY_KEY) is None
        live.look(9.3, every=10)
        live.check()
        (stop,) = live.stops
        assert float(stop.stop_price) == pytest.approx(
            forced.open_rate * (1 - planned(live, forced)), abs=0.02
        )
        assert "as a signal's would be" in forced.get_custom_data(WHY_KEY)
