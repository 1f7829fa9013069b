"""The stop on the exchange through a live trade: entry, second tranche, two scale-outs, tightening, and the fall."""

import pytest

from tests.live.bot import UNIT, live_bot
from tests.scenarios.engine import CALM, Play, Signal, level

pytestmark = pytest.mark.xdist_group("live")
ROWS = [CALM, CALM, *level(99.45), *level(104.5), *level(106), (106.0, 106.0, 103.8, 104.0), *level(104)]
SETTINGS = {
    "exits": {"scale_out": {"mode": "on"}},
    "targets": {"reward_risk": 4.0},
    "stops": {"trailing_start": 0.03},
}


def mirrored(price, side):
    return price if side > 0 else 200.0 - price


@pytest.mark.parametrize(("futures", "side"), [(False, 1), (True, -1)], ids=["spot long", "futures short"])
def test_the_stop_follows_the_trade_to_its_end(tmp_path, futures, side):
    plays = {"BTC": Play(ROWS, {0: Signal(0.74)}, side)}
    with live_bot(tmp_path, plays, SETTINGS, futures=futures) as live:

        def stop(row):
            """The one stop at the exchange, for what is held; its price in percent of the signal's."""
            live.look(row)
            live.check()
            (order,), (trade,) = live.stops, live.trades
            assert order.side == ("SELL" if side > 0 else "BUY")
            assert float(order.amount) == pytest.approx(trade.amount)
            assert float(order.stop_price) == pytest.approx(trade.stop_loss, abs=0.02)
            return trade.amount, mirrored(float(order.stop_price) / UNIT, side)

        one, first = stop(1.9)
        assert first == pytest.approx(98.0, abs=0.03)
        two, second = stop(2.9)
        assert two == pytest.approx(one * 75 / 40, rel=0.02)  # 40 %, then 35 % of the plan, at a better price
        assert second == first  # the plan's stop, from the first fill
        three, third = stop(3.9)
        assert three == pytest.approx(two * 0.67, rel=0.01)
        assert third > first + 3
        four, fourth = stop(4.9)
        assert four == pytest.approx(three * 0.67, rel=0.01)
        assert fourth > third + 1
        live.look(6.5)
        live.check()
        (trade,) = live.trades
        account = live.account
        assert (trade.is_open, trade.exit_reason) == (False, "stoploss_on_exchange")
        assert account.open_orders() == []
        # The price jumps over the stop to 103.8: that, less the spread, is what there was to get.
        assert mirrored(trade.close_rate / UNIT, side) == pytest.approx(103.8, abs=0.03)
        assert fourth > 104
        # Money: what the account has gained is what the bot says, but for the dust that a fee in base leaves.
        gained = float(account.wallet if futures else account.balances["USDT"]) - 10_000
        assert gained == pytest.approx(trade.close_profit_abs, abs=1.0)
        assert gained > 0
        closing = [fill for fill in account.fills if fill.side == ("SELL" if side > 0 else "BUY")]
        assert len(closing) == 3  # two scale-outs and the stop: nothing was closed twice


def test_a_restarted_bot_keeps_its_stop_and_sells_itself_where_spot_jumps_over_the_limit(tmp_path):
    """The stop is a limit order 5 % below its price; a jump by 10 % leaves it behind, and the bot finds it so."""
    rows = [CALM, CALM, *level(100), *level(90, 2)]
    plays, settings = {"BTC": Play(rows, {0: Signal()}, 1)}, {"dca": {"enabled": False}}
    with live_bot(tmp_path, plays, settings) as live:
        live.look(2.4)
        (stop,) = live.stops
    with live_bot(tmp_path, plays, settings) as live:
        live.look(2.9)
        assert live.stops == [stop]  # a restart leaves it as it is
        live.look(3.9)
        live.check()
        (trade,) = live.trades
        assert (trade.is_open, trade.exit_reason) == (False, "stop_loss")
        assert trade.close_rate == pytest.approx(90 * UNIT, rel=1e-3)
        sold = [fill.order for fill in live.account.fills if fill.side == "SELL"]
        assert len(sold) == 1
        assert sold != [stop.id]
        assert live.account.orders[stop.id].status == "CANCELED"
        assert live.account.open_orders() == []


def test_a_hedge_has_its_stop_too(tmp_path):
    """Two longs and the short that hedges them, opened, reduced and enlarged: one stop each, of the right amount."""
    fallen = (98.3, 98.4, 98.2, 98.3)
    drop = [CALM, CALM, (100.0, 100.0, 98.2, 98.3)]
    long = Signal(0.8, 0.028)
    stopped = [*drop, fallen, (98.3, 98.3, 96.5, 96.6), *level(96.6, 4)]
    plays = {
        "BTC": Play([CALM] * 9, {}, 1),
        "ETH": Play([*drop, *[fallen] * 6], {0: long}, 1),
        "SOL": Play(stopped, {0: long, 5: long}, 1),
    }
    settings = {"dca": {"enabled": False}, "portfolio": {"hedge": {"mode": "on", "drawdown": 0.01}}}
    with live_bot(tmp_path, plays, settings, futures=True, max_open_trades=3) as live:
        amounts = []
        for row in (3.5, 5.5, 7.5):
            live.look(row, every=10)
            live.check()
            held = {trade.pair: trade for trade in live.trades if trade.is_open}
            assert held["BTC/USDT:USDT"].is_short
            for trade in held.values():
                stops = [order for order in live.stops if trade.pair.startswith(order.symbol[:3])]
                (stop,) = stops
                # Freqtrade leaves a futures stop as it was when part is taken out: it can only reduce what is left.
                assert stop.reduce_only
                assert float(stop.amount) >= trade.amount * 0.999
                assert [order.side for order in stops] == ["BUY" if trade.is_short else "SELL"]
            amounts.append(held["BTC/USDT:USDT"].amount)
        assert amounts[1] < amounts[0] * 0.7
        assert amounts[2] > amounts[1] * 1.3
        assert [t.exit_reason for t in live.trades if not t.is_open] == ["stoploss_on_exchange"]
        assert not any(
            float(stop.amount) > 1.01 * amounts[0] for stop in live.stops if stop.symbol == "BTCUSDT"
        )
