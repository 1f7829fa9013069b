"""The exchange answers in Binance's shape, from the files, and never shows what its clock has not reached."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from fastapi.testclient import TestClient

from coordinator.candles.files import read_candles, read_funding
from coordinator.errors import CoordinatorError
from coordinator.sandbox.exchange import create_app

AFTER = datetime(2024, 1, 1, tzinfo=UTC)
HOUR = 3_600_000
Ask = Callable[..., Any]


class Exchange:
    """A client whose exchange clock can be set."""

    def __init__(self, datadir: Path, now: datetime = AFTER) -> None:
        self.now = now
        self.client = TestClient(create_app(datadir, lambda: self.now))

    def __call__(self, path: str, **query: object) -> Any:
        answer = self.client.get(path, params={key: str(value) for key, value in query.items()})
        assert answer.status_code == 200, answer.text
        return answer.json()

    def refusal(self, path: str, **query: object) -> tuple[int, int]:
        answer = self.client.get(path, params={key: str(value) for key, value in query.items()})
        assert set(answer.json()) == {"code", "msg"}
        return answer.status_code, answer.json()["code"]


@pytest.fixture
def exchange(market_dir: Path) -> Exchange:
    """The market, looked at after its end."""
    return Exchange(market_dir)


def numbers(klines: list[list[Any]]) -> np.ndarray:
    """Open time and open, high, low, close, volume of klines."""
    return np.array([[float(cell) for cell in row[:6]] for row in klines])


def expected(frame: pd.DataFrame) -> np.ndarray:
    times = frame["date"].dt.as_unit("ms").astype("int64").to_numpy()
    return np.column_stack([times, frame[["open", "high", "low", "close", "volume"]].to_numpy()])


def milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


@pytest.mark.parametrize(
    ("path", "pair", "mode", "kind", "interval"),
    [
        ("/api/v3/klines", "ADA/USDT", "spot", "futures", "1h"),
        ("/api/v3/klines", "ADA/USDT", "spot", "futures", "4h"),
        ("/api/v3/klines", "ADA/USDT", "spot", "futures", "1d"),
        ("/fapi/v1/klines", "ADA/USDT:USDT", "futures", "futures", "1h"),
        ("/fapi/v1/klines", "ADA/USDT:USDT", "futures", "futures", "1d"),
        ("/fapi/v1/markPriceKlines", "ADA/USDT:USDT", "futures", "mark", "1h"),
    ],
)
def test_klines_are_the_files_candles(
    exchange: Exchange, market_dir: Path, path: str, pair: str, mode: Any, kind: Any, interval: str
) -> None:
    frame = expected(read_candles(market_dir, pair, interval, mode, kind))
    np.testing.assert_allclose(
        numbers(exchange(path, symbol="ADAUSDT", interval=interval)), frame[-500:], rtol=1e-12
    )
    start, end = int(frame[20, 0]), int(frame[60, 0])
    between = exchange(path, symbol="ADAUSDT", interval=interval, startTime=start, endTime=end, limit=1000)
    np.testing.assert_allclose(numbers(between), frame[20:61], rtol=1e-12)
    first = exchange(path, symbol="ADAUSDT", interval=interval, startTime=start, limit=5)
    np.testing.assert_allclose(numbers(first), frame[20:25], rtol=1e-12)
    last = exchange(path, symbol="ADAUSDT", interval=interval, endTime=end, limit=5)
    np.testing.assert_allclose(numbers(last), frame[56:61], rtol=1e-12)
    assert exchange(path, symbol="ADAUSDT", interval=interval, startTime=end, endTime=start) == []


def test_intervals_that_are_not_on_disk_are_made_of_hours_or_empty(exchange: Exchange) -> None:
    two = numbers(exchange("/api/v3/klines", symbol="BTCUSDT", interval="2h", limit=1000))
    hours = numbers(exchange("/api/v3/klines", symbol="BTCUSDT", interval="1h", limit=1000))
    for row in two[-50:]:
        part = hours[(hours[:, 0] >= row[0]) & (hours[:, 0] < row[0] + 2 * HOUR)]
        assert row[1:5].tolist() == [part[0, 1], part[:, 2].max(), part[:, 3].min(), part[-1, 4]]
    assert exchange("/api/v3/klines", symbol="BTCUSDT", interval="5m") == []


BAD = [
    ({"interval": "1h"}, -1102),
    ({"symbol": "", "interval": "1h"}, -1102),
    ({"symbol": "BTCUSDT"}, -1102),
    ({"symbol": "NOPEUSDT", "interval": "1h"}, -1121),
    ({"symbol": "BTCUSDT", "interval": "7h"}, -1120),
    ({"symbol": "BTCUSDT", "interval": "1h", "limit": "0"}, -1130),
    ({"symbol": "BTCUSDT", "interval": "1h", "limit": "-3"}, -1130),
    ({"symbol": "BTCUSDT", "interval": "1h", "limit": "5000"}, -1130),
    ({"symbol": "BTCUSDT", "interval": "1h", "limit": "many"}, -1100),
    ({"symbol": "BTCUSDT", "interval": "1h", "startTime": "yesterday"}, -1100),
    ({"symbol": "BTCUSDT", "interval": "1h", "endTime": "-5"}, -1130),
]


@pytest.mark.parametrize("path", ["/api/v3/klines", "/fapi/v1/klines"])
@pytest.mark.parametrize(("query", "code"), BAD)
def test_bad_requests_get_binance_errors(
    exchange: Exchange, path: str, query: dict[str, str], code: int
) -> None:
    assert exchange.refusal(path, **query) == (400, code)


@pytest.mark.parametrize(
    ("path", "query", "status", "code"),
    [
        ("/fapi/v1/depth", {"symbol": "BTCUSDT", "limit": "7"}, 400, -4021),
        ("/api/v3/ticker/24hr", {"symbols": "BTCUSDT"}, 400, -1100),
        ("/api/v3/ticker/price", {"symbols": '["BTCUSDT","NOPE"]'}, 400, -1121),
        ("/fapi/v1/fundingRate", {}, 400, -1102),
        ("/api/v3/account", {}, 404, -5000),
        ("/api/v3/order", {}, 404, -5000),
        ("/", {}, 404, -5000),
    ],
)
def test_other_refusals(exchange: Exchange, path: str, query: dict[str, str], status: int, code: int) -> None:
    assert exchange.refusal(path, **query) == (status, code)


@pytest.mark.parametrize("minutes", [0, 1, 20, 45, 59])
@pytest.mark.parametrize("interval", ["1h", "2h", "4h", "1d"])
def test_nothing_later_than_the_clock_is_shown(market_dir: Path, minutes: int, interval: str) -> None:
    now = datetime(2023, 3, 15, 14, minutes, 30, tzinfo=UTC)
    exchange, later = Exchange(market_dir, now), Exchange(market_dir)
    seen = numbers(exchange("/api/v3/klines", symbol="ADAUSDT", interval=interval, limit=1000))
    final = numbers(
        later("/api/v3/klines", symbol="ADAUSDT", interval=interval, endTime=int(seen[-1, 0]), limit=1000)
    )
    assert seen[-1, 0] <= milliseconds(now)
    np.testing.assert_array_equal(seen[:-1], final[-len(seen) : -1])
    running, whole = seen[-1], final[-1]
    assert running[1] == whole[1]
    assert whole[3] <= running[3] <= min(running[1], running[4])
    assert max(running[1], running[4]) <= running[2] <= whole[2]
    assert running[5] < whole[5]
    price = float(exchange("/api/v3/ticker/price", symbol="ADAUSDT")["price"])
    assert price == pytest.approx(running[4], abs=1e-8)


def test_the_running_candle_ends_as_the_closed_one(market_dir: Path) -> None:
    just_before = datetime(2023, 3, 15, 15, tzinfo=UTC) - timedelta(milliseconds=1)
    exchange = Exchange(market_dir, just_before)
    running = numbers(exchange("/api/v3/klines", symbol="BTCUSDT", interval="1h", limit=1))
    exchange.now = datetime(2023, 3, 15, 15, tzinfo=UTC)
    closed = numbers(exchange("/api/v3/klines", symbol="BTCUSDT", interval="1h", limit=2))
    np.testing.assert_allclose(running[-1], closed[closed[:, 0] == running[-1, 0]][0], rtol=1e-5)


def test_before_the_first_candle_nothing_is_listed(market_dir: Path) -> None:
    exchange = Exchange(market_dir, datetime(2022, 1, 1, tzinfo=UTC))
    assert exchange("/api/v3/exchangeInfo")["symbols"] == []
    assert exchange("/fapi/v1/ticker/24hr") == []
    assert exchange.refusal("/api/v3/depth", symbol="BTCUSDT") == (400, -1121)


def test_time_is_the_clocks(exchange: Exchange) -> None:
    for path in ("/api/v3/time", "/fapi/v1/time"):
        assert exchange(path) == {"serverTime": milliseconds(AFTER)}
    assert exchange("/api/v3/ping") == exchange("/fapi/v1/ping") == {}


@pytest.mark.parametrize(
    ("path", "mode", "suffix"), [("/api/v3", "spot", ""), ("/fapi/v1", "futures", ":USDT")]
)
def test_prices_and_amounts_of_the_files_fit_the_filters(
    exchange: Exchange, market_dir: Path, path: str, mode: Any, suffix: str
) -> None:
    symbols = exchange(f"{path}/exchangeInfo")["symbols"]
    assert [entry["symbol"] for entry in symbols] == ["ADAUSDT", "BTCUSDT"]
    for entry in symbols:
        filters = {item["filterType"]: item for item in entry["filters"]}
        tick, lot = float(filters["PRICE_FILTER"]["tickSize"]), float(filters["LOT_SIZE"]["stepSize"])
        frame = read_candles(market_dir, f"{entry['baseAsset']}/USDT{suffix}", "1h", mode)
        for column, step in (("close", tick), ("high", tick), ("volume", lot)):
            steps = frame[column].to_numpy() / step
            np.testing.assert_allclose(steps, np.rint(steps), atol=1e-3)
            # No coarser step would do.
            assert np.abs(steps / 10 - np.rint(steps / 10)).max() > 0.05
    assert exchange("/dapi/v1/exchangeInfo")["symbols"] == []
    assert exchange("/eapi/v1/exchangeInfo")["optionSymbols"] == []


@pytest.mark.parametrize("path", ["/api/v3", "/fapi/v1"])
@pytest.mark.parametrize("limit", [5, 20])
def test_the_book_surrounds_the_last_price(exchange: Exchange, path: str, limit: int) -> None:
    book = exchange(f"{path}/depth", symbol="ADAUSDT", limit=limit)
    bids, asks = np.array(book["bids"], dtype=float), np.array(book["asks"], dtype=float)
    price = float(exchange(f"{path}/ticker/price", symbol="ADAUSDT")["price"])
    assert len(bids) == len(asks) == limit
    assert bids[0, 0] < price < asks[0, 0]
    assert (np.diff(bids[:, 0]) < 0).all()
    assert (np.diff(asks[:, 0]) > 0).all()
    assert asks[0, 0] / bids[0, 0] - 1 < 0.002
    assert min(bids[:, 1].min(), asks[:, 1].min()) > 0
    best = exchange(f"{path}/ticker/bookTicker", symbol="ADAUSDT")
    assert (float(best["bidPrice"]), float(best["askPrice"])) == (bids[0, 0], asks[0, 0])


def test_the_day_ticker_is_that_of_the_last_24_candles(market_dir: Path) -> None:
    exchange = Exchange(market_dir, datetime(2023, 3, 15, tzinfo=UTC))
    ticker = exchange("/api/v3/ticker/24hr", symbol="BTCUSDT")
    frame = read_candles(market_dir, "BTC/USDT", "1h", "spot")
    day = frame[frame["date"].between("2023-03-14", "2023-03-15", inclusive="left")]
    assert float(ticker["highPrice"]) == day["high"].max()
    assert float(ticker["lowPrice"]) == day["low"].min()
    assert float(ticker["openPrice"]) == day["open"].iloc[0]
    assert float(ticker["lastPrice"]) == day["close"].iloc[-1]
    assert float(ticker["volume"]) == pytest.approx(day["volume"].sum())
    assert [entry["symbol"] for entry in exchange("/api/v3/ticker/24hr")] == ["ADAUSDT", "BTCUSDT"]
    assert len(exchange("/api/v3/ticker/bookTicker", symbols='["BTCUSDT"]')) == 1
    assert float(exchange("/api/v3/avgPrice", symbol="BTCUSDT")["price"]) == day["close"].iloc[-1]


def test_funding_is_served_up_to_the_clock(market_dir: Path) -> None:
    now = datetime(2023, 3, 15, 9, tzinfo=UTC)
    exchange = Exchange(market_dir, now)
    frame = read_funding(market_dir, "ADA/USDT:USDT")
    past = frame[frame["date"] <= now]
    latest = exchange("/fapi/v1/fundingRate", symbol="ADAUSDT", limit=1000)
    assert [float(row["fundingRate"]) for row in latest] == pytest.approx(past["funding_rate"].tolist())
    start = milliseconds(datetime(2023, 2, 1, tzinfo=UTC))
    some = exchange("/fapi/v1/fundingRate", symbol="ADAUSDT", startTime=start, limit=4)
    assert [row["fundingTime"] for row in some] == [start + step * 8 * HOUR for step in range(4)]
    premium = exchange("/fapi/v1/premiumIndex", symbol="ADAUSDT")
    assert float(premium["lastFundingRate"]) == pytest.approx(past["funding_rate"].iloc[-1])
    assert premium["nextFundingTime"] == milliseconds(datetime(2023, 3, 15, 16, tzinfo=UTC))
    assert len(exchange("/fapi/v1/premiumIndex")) == 2
    assert {row["fundingIntervalHours"] for row in exchange("/fapi/v1/fundingInfo")} == {8}


def test_an_empty_or_absent_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CoordinatorError, match=r"hold Freqtrade candle files"):
        create_app(tmp_path, lambda: AFTER)
    with pytest.raises(CoordinatorError, match=r"existing directory"):
        create_app(tmp_path / "nowhere", lambda: AFTER)


def test_an_unsound_file_is_told_to_the_client(tmp_path: Path) -> None:
    (tmp_path / "BTC_USDT-1h.feather").write_bytes(b"nothing")
    client = TestClient(create_app(tmp_path, lambda: AFTER))
    answer = client.get("/api/v3/klines", params={"symbol": "BTCUSDT", "interval": "1h"})
    assert answer.status_code == 500
    assert "BTC_USDT-1h.feather must be a readable feather file" in answer.json()["msg"]
