"""Kline streams over websocket, with ccxt's own client and Binance's messages."""

import asyncio
import json
from datetime import UTC, datetime, timedelta

import ccxt.pro
import pytest
import websockets

from coordinator.candles.files import read_candles
from coordinator.sandbox.exchange import create_app
from coordinator.sandbox.overlay import overlay_config
from coordinator.sandbox.server import SandboxServer

NOW = datetime(2023, 1, 20, 11, 59, 59, tzinfo=UTC)


class Clock:
    """A clock that the test turns."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def exchange(market_dir):
    clock = Clock()
    with SandboxServer(create_app(market_dir, clock)) as server:
        yield server.url.replace("http", "ws"), clock, server.url


async def events(socket, count):
    found = []
    while len(found) < count:
        message = json.loads(await asyncio.wait_for(socket.recv(), 10))
        if "k" in message:
            found.append(message["k"])
    return found


def test_a_candle_closes_once_and_the_next_one_forms(exchange, market_dir):
    url, clock, _ = exchange

    async def watch():
        async with websockets.connect(url + "/ws/0") as socket:
            await socket.send(json.dumps({"method": "SUBSCRIBE", "params": ["btcusdt@kline_1h"], "id": 1}))
            assert json.loads(await socket.recv()) == {"result": None, "id": 1}
            clock.now += timedelta(seconds=2)
            first = await events(socket, 2)
            clock.now += timedelta(hours=2)
            return first, await events(socket, 3)

    first, later = asyncio.run(watch())
    frame = read_candles(market_dir, "BTC/USDT", "1h", "spot").set_index("date")
    closed = frame.loc["2023-01-20 11:00"]
    assert [k["x"] for k in first] == [True, False]
    assert [float(first[0][name]) for name in "ohlcv"] == pytest.approx(
        [closed.open, closed.high, closed.low, closed.close, closed.volume]
    )
    assert first[1]["t"] == int(datetime(2023, 1, 20, 12, tzinfo=UTC).timestamp() * 1000)
    # Both candles that closed while the clock jumped are told, in order, and the one that forms after them.
    assert [k["x"] for k in later] == [True, True, False]
    assert [k["t"] for k in later] == sorted(k["t"] for k in later)


def test_ccxt_watches_spot_and_futures(exchange):
    _, clock, address = exchange

    async def watch(kind, symbol):
        config = overlay_config(address, simulated_clock=True)["exchange"]["ccxt_config"]
        client = ccxt.pro.binance({**config, "options": {"defaultType": kind}})
        try:
            await client.load_markets()
            task = asyncio.create_task(client.watch_ohlcv(symbol, "1h"))
            for _ in range(200):
                if task.done():
                    break
                await asyncio.sleep(0.1)
                clock.now += timedelta(seconds=10)
            return await asyncio.wait_for(task, 1)
        finally:
            await client.close()

    for kind, symbol in (("spot", "BTC/USDT"), ("swap", "BTC/USDT:USDT")):
        candles = asyncio.run(watch(kind, symbol))
        assert candles
        assert candles[-1][0] % 3_600_000 == 0


@pytest.mark.parametrize(
    "text", ["", "[]", "null", "{", '{"method": 1}', '{"method": "DROP", "id": 2}', '"x"', "7" * 5000]
)
def test_nonsense_is_answered_and_the_connection_lives(exchange, text):
    url, _, _ = exchange

    async def ask():
        async with websockets.connect(url + "/ws/0") as socket:
            await socket.send(text)
            wrong = json.loads(await asyncio.wait_for(socket.recv(), 10))
            stranger = {"method": "SUBSCRIBE", "params": ["nosuch@kline_1h", "btcusdt@trade", 4], "id": 9}
            await socket.send(json.dumps(stranger))
            await socket.recv()
            await socket.send(json.dumps({"method": "LIST_SUBSCRIPTIONS", "id": 10}))
            return wrong, json.loads(await asyncio.wait_for(socket.recv(), 10))

    wrong, listed = asyncio.run(ask())
    assert "error" in wrong
    assert listed == {"result": [], "id": 10}


def test_unsubscribing_ends_the_news(exchange):
    url, clock, _ = exchange

    async def watch():
        async with websockets.connect(url + "/ws/0") as socket:
            for method in ("SUBSCRIBE", "UNSUBSCRIBE"):
                await socket.send(json.dumps({"method": method, "params": ["btcusdt@kline_1h"], "id": 1}))
                await socket.recv()
            clock.now += timedelta(hours=3)
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(socket.recv(), 0.5)

    asyncio.run(watch())
