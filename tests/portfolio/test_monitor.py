"""The monitor over a made-up market: what a change says, and what acts in futures and in spot."""

import numpy as np
import pytest

from coordinator.portfolio.correlation import ReturnPanel
from coordinator.portfolio.correlation_cache import CorrelationCache
from coordinator.portfolio.holdings import Holding
from coordinator.portfolio.monitor import PortfolioMonitor
from coordinator.settings import load_settings

HOUR, N = 3600, 400
TIME = np.arange(N) * HOUR


class Market:
    """Closes of one pair, hourly; it has halved from candle 200 on."""

    close = np.where(np.arange(N) < 200, 100.0, 50.0)

    def last_candle(self):
        return int(TIME[-1])

    def close_at(self, pair, time):
        return float(self.close[time // HOUR])

    def returns(self):
        return ReturnPanel.from_closes({"ETH/USDT": (TIME, self.close)})


def monitor_of(futures, **hedge):
    settings = load_settings({"portfolio": {"hedge": {"mode": "on", **hedge}}})
    market = Market()
    return PortfolioMonitor(settings, market, CorrelationCache(market), HOUR, futures, "USDT")


HELD = [Holding("ETH/USDT", 1, 10.0, 100.0, False)]


@pytest.mark.parametrize(("futures", "pair", "share"), [(True, "BTC/USDT:USDT", 0.6), (False, "*", 0.25)])
def test_a_change_says_the_share_that_is_shorted_in_futures_and_sold_in_spot(futures, pair, share):
    monitor = monitor_of(futures, share=0.6, scale_out=0.25)
    assert monitor.update(199 * HOUR, 1000.0, HELD) is None
    assert monitor.update(200 * HOUR, 1000.0, HELD) == (pair, "on", share)
    assert monitor.update(201 * HOUR, 9000.0, HELD) == (pair, "on", 0.0)


def test_futures_have_a_target_and_a_reserved_slot_and_spot_has_locks():
    """Half of the net long exposure of ten at 50; a hedge that is not active, or in shadow mode, has no size."""
    futures, spot, shadow = monitor_of(True), monitor_of(False), monitor_of(True, mode="shadow")
    for monitor in (futures, spot, shadow):
        monitor.update(199 * HOUR, 1000.0, HELD)
        assert (monitor.target_notional(), monitor.locked) == (0.0, False)
        monitor.update(200 * HOUR, 1000.0, HELD)
        assert monitor.hedge.active
    assert [monitor.acting for monitor in (futures, spot, shadow)] == [True, True, False]
    assert [monitor.target_notional() for monitor in (futures, spot, shadow)] == [250.0, 0.0, 0.0]
    assert [monitor.locked for monitor in (futures, spot, shadow)] == [False, True, False]
    slots = [
        [monitor.reserved_slots(open_) for open_ in (False, True)] for monitor in (futures, spot, shadow)
    ]
    assert slots == [[1, 0], [0, 0], [0, 0]]


def test_its_state_is_stored_where_something_changed():
    stored = []

    class Store:
        load_state = staticmethod(lambda name: None)
        store_state = staticmethod(lambda name, time, state: stored.append((name, time // HOUR)))

    monitor = monitor_of(True)
    monitor.use_store(Store())
    for candle, held in (
        (192, HELD),
        (193, HELD),
        (194, HELD),
        (195, []),
        (196, []),
        (199, HELD),
        (200, HELD),
    ):
        monitor.update(candle * HOUR, 2000.0 - 1000.0 * bool(held), held)
    # The first, the position closed, opened again, and the fall.
    assert stored == [("hedge", candle) for candle in (192, 195, 199, 200)]


def test_the_change_in_words():
    futures, shadow = monitor_of(True), monitor_of(False, mode="shadow")
    for monitor in (futures, shadow):
        monitor.update(199 * HOUR, 1000.0, HELD)
        monitor.update(200 * HOUR, 1000.0, HELD)
    assert futures.describe_change() == (
        "The portfolio hedged: drawdown 50 %, equity 500.00, peak 1000.00, net long exposure 500.00"
    )
    assert shadow.describe_change() == (
        "The portfolio would be locked for longs and scaled out: drawdown 25 %, equity 1500.00, peak 2000.00, "
        "net long exposure 500.00"
    )
    futures.update(201 * HOUR, 1500.0, HELD)
    assert futures.describe_change().startswith(
        "The portfolio no longer hedged: drawdown 0 %, equity 1000.00"
    )
