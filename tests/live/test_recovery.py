"""A live bot that dies between the exchange's answer to an order and its own note of it, at each kind of order."""

import ccxt
import pytest
from freqtrade.exceptions import OperationalException
from freqtrade.persistence import Trade

from tests.live.bot import Coin, live_bot, owned
from tests.live.test_stops import ROWS, SETTINGS
from tests.scenarios.engine import CALM, Play, Signal, level

pytestmark = pytest.mark.xdist_group("live")


class Killed(BaseException):
    """No handler of Freqtrade's catches it, as none catches a kill."""


@pytest.fixture
def kill_after(monkeypatch):
    """Kills at the n-th answer to a new order or a cancellation; 0 never does."""
    answer, seen, when = ccxt.binance.fetch, [], [0]

    def fetch(self, url, method="GET", headers=None, body=None):
        answered = answer(self, url, method, headers, body)
        if method in ("POST", "DELETE") and ("/order" in url or "/algoOrder" in url):
            seen.append(
                f"{method} {url.rpartition('/')[2][:9]} {'BUY' if 'side=BUY' in (body or '') else ''}"
            )
            if len(seen) == when[0]:
                raise Killed
        return answered

    monkeypatch.setattr(ccxt.binance, "fetch", fetch)

    def arm(number):
        when[0] = number
        seen.clear()
        return seen

    return arm


@pytest.mark.parametrize(
    ("futures", "number", "order", "asleep"),
    [
        (False, 2, "POST order ", 0),  # the first stop
        (False, 3, "POST order BUY", 0),  # the second tranche
        (False, 3, "POST order BUY", 600),
        (True, 5, "POST algoOrder ", 0),  # the stop for two tranches
    ],
    ids=["spot stop", "spot tranche", "spot tranche that fills meanwhile", "futures stop"],
)
def test_the_next_bot_manages_what_was_not_written_down(tmp_path, kill_after, futures, number, order, asleep):
    plays = {"BTC": Play(ROWS, {0: Signal(0.74)}, 1)}
    seen = kill_after(number)
    with live_bot(tmp_path, plays, SETTINGS, futures=futures) as live:
        with pytest.raises(Killed):
            live.look(6.5)
        Trade.session.rollback()  # what was not committed died with the process
        died_with = live.account.orders
        live.clock.sleep(asleep)
    assert seen[-1] == order
    kill_after(0)
    with live_bot(tmp_path, plays, SETTINGS, futures=futures) as live:
        known = {row.order_id for trade in live.trades for row in trade.orders}
        assert {str(one) for one in died_with} <= known
        live.look(6.9)
        live.check()
        (trade,) = live.trades
        assert (trade.is_open, trade.exit_reason) == (False, "stoploss_on_exchange")
        account = live.account
        assert account.open_orders() == []
        assert owned(account, "BTCUSDT") < 2e-5
        assert [fill.side for fill in account.fills] == ["BUY", "BUY", "SELL", "SELL", "SELL"]


def test_an_entry_that_became_no_trade_is_cancelled_or_told(tmp_path, kill_after, caplog):
    """Killed at the first entry: one coin's order still waits at the next start, the other's has filled meanwhile."""
    rows = [CALM, CALM, *level(100, 3)]
    for coin, still, told in (
        ("BTC", 0, "became no trade: cancelled"),
        ("ETH", 9, "close it at the exchange"),
    ):
        folder = tmp_path / coin
        folder.mkdir()
        plays = {coin: Coin(Play(rows, {0: Signal()}, 1), still=still)}
        kill_after(1)
        with live_bot(folder, plays, SETTINGS) as live:
            with pytest.raises(Killed):
                live.look(1.5)
            Trade.session.rollback()
            if still:
                live.clock.sleep(7200)
        kill_after(0)
        with live_bot(folder, plays, SETTINGS) as live:
            assert live.trades == []
            (order,) = live.account.orders.values()
            assert order.status == ("FILLED" if still else "CANCELED")
        assert sum(told in record.getMessage() for record in caplog.records) == 1


def test_open_trades_of_a_dry_run_are_not_traded_with_real_orders(tmp_path):
    """As where one ``--db-url`` served first the dry run and then the live bot."""
    plays = {"BTC": Play(ROWS, {0: Signal(0.74)}, 1)}
    with live_bot(tmp_path, plays, SETTINGS) as live:
        live.look(2.5)
        (trade,) = Trade.get_open_trades()
        for order in trade.orders:
            order.order_id = f"dry_run_{order.order_id}"
        Trade.commit()
    refused = (
        r"'db_url' of a bot with real orders must have no open trade of a dry run \(BTC/USDT\): .*--db-url"
    )
    with pytest.raises(OperationalException, match=refused), live_bot(tmp_path, plays, SETTINGS):
        pass
