"""Entries and exits that a person forces on a live bot: planned like a signal's, with the stop at the exchange."""

import pytest
from freqtrade.enums import SignalDirection
from freqtrade.rpc.rpc import RPC

from tests.live.bot import UNIT, live_bot, owned
from tests.scenarios.engine import CALM, Play

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
