"""Under a simulated clock Freqtrade does not wait real seconds before it asks again."""

import asyncio
import math
import threading

import pytest
from freqtrade.exceptions import TemporaryError
from freqtrade.exchange import common

from coordinator.adapters.replay.backoff import simulated_backoff


class Exchange:
    """Fails as often as it is told, in the way that makes Freqtrade wait."""

    name, id, _api, _api_async = "Binance", "binance", None, None

    def __init__(self, failures: int) -> None:
        self.left, self.calls = failures, 0

    @common.retrier_async
    async def ask(self):
        self.calls += 1
        if self.left:
            self.left -= 1
            raise common.DDosProtection("too many requests")
        return "answer"


@pytest.mark.parametrize(("speed", "waits"), [(math.inf, [0.0, 0.0, 0.0]), (1000.0, [0.001, 0.002, 0.005])])
def test_retries_are_as_many_and_wait_by_the_simulated_clock(monkeypatch, speed, waits):
    slept, exchange = [], Exchange(3)
    original = asyncio.sleep

    async def sleep(seconds):
        if threading.current_thread() is not threading.main_thread():
            await original(seconds)  # another test's server
            return
        slept.append(seconds)
        await original(0)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    with simulated_backoff(speed):
        assert asyncio.run(exchange.ask()) == "answer"
    assert exchange.calls == 4
    assert slept == pytest.approx(waits)
    assert common.asyncio is asyncio


def test_what_goes_on_failing_is_still_given_up():
    with simulated_backoff(math.inf), pytest.raises(TemporaryError):
        asyncio.run(Exchange(99).ask())
