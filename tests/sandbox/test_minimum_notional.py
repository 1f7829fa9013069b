"""The least an order may be worth, and the precision of small prices, for quotes other than USDT."""

from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from fastapi.testclient import TestClient

from coordinator.candles.files import candle_path, write_candles
from coordinator.sandbox.accounts.account import Pair
from coordinator.sandbox.accounts.filters import check_filters
from coordinator.sandbox.accounts.matching import Book
from coordinator.sandbox.accounts.orders import Order
from coordinator.sandbox.binance_errors import BinanceError
from coordinator.sandbox.exchange import create_app

NOW = pd.Timestamp("2024-01-01", tz="UTC").to_pydatetime()


@pytest.fixture(scope="module")
def symbols(tmp_path_factory):
    """What the exchange says of four pairs, each at a price that is usual for it."""
    folder = tmp_path_factory.mktemp("market")
    for pair, price, digits in (
        ("ETH/BTC", 0.06812, 5),
        ("SHIB/USDT", 8.4e-6, 8),
        ("ADA/EUR", 0.4, 4),
        ("LTC/ETH", 0.04, 5),
    ):
        prices = np.round(price * (1 + np.arange(48) / 1000), digits)
        frame = pd.DataFrame({"date": pd.date_range("2023-01-01", periods=48, freq="h", tz="UTC")})
        frame = frame.assign(open=prices, high=prices, low=prices, close=prices, volume=1000.0)
        write_candles(frame, candle_path(folder, pair, "1h", "spot"))
    client = TestClient(create_app(folder, lambda: NOW))
    info = {entry["symbol"]: entry for entry in client.get("/api/v3/exchangeInfo").json()["symbols"]}
    depth = {name: client.get("/api/v3/depth", params={"symbol": name, "limit": 5}).json() for name in info}
    return info, depth


def filters(entry):
    return {item["filterType"]: item for item in entry["filters"]}


def test_every_quote_has_its_own_minimum(symbols):
    found = {name: float(filters(entry)["NOTIONAL"]["minNotional"]) for name, entry in symbols[0].items()}
    assert found == {"ETHBTC": 0.0001, "SHIBUSDT": 5.0, "ADAEUR": 5.0, "LTCETH": 0.001}


def test_small_prices_keep_their_digits(symbols):
    ticks = {name: float(filters(entry)["PRICE_FILTER"]["tickSize"]) for name, entry in symbols[0].items()}
    assert ticks == pytest.approx({"ETHBTC": 1e-5, "SHIBUSDT": 1e-8, "ADAEUR": 1e-4, "LTCETH": 1e-5})
    for name, book in symbols[1].items():
        bid, ask = float(book["bids"][0][0]), float(book["asks"][0][0])
        assert 0 < bid < ask
        assert ask / bid - 1 < 0.003, name


@pytest.mark.parametrize(
    ("quote", "amount", "passes"), [("BTC", "0.002", True), ("BTC", "0.001", False), ("USDT", "0.002", False)]
)
def test_an_order_is_held_to_the_minimum_of_its_quote(quote, amount, passes):
    pair = Pair(base="ETH", quote=quote, price_digits=5, amount_digits=3)
    order = Order.model_construct(
        price=Decimal("0.06812"), stop_price=Decimal(0), amount=Decimal(amount), reduce_only=False, sign=1
    )
    book = Book(Decimal("0.06811"), Decimal("0.06813"))
    if passes:
        check_filters(order, pair, book, futures=False)
    else:
        with pytest.raises(BinanceError, match="NOTIONAL"):
            check_filters(order, pair, book, futures=False)
