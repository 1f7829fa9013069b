"""The sandbox's accounts as the installed ccxt asks for them: signatures, filters, orders, positions, survival."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import ccxt
import httpx
import pytest
import time_machine

from coordinator.adapters.replay.live_bot import live_environment
from coordinator.errors import CoordinatorError
from coordinator.sandbox.accounts.account_file import Accounts
from coordinator.sandbox.accounts.account_spec import AccountSpec
from coordinator.sandbox.accounts.credentials import Credentials
from coordinator.sandbox.exchange import create_app, wall_clock
from coordinator.sandbox.faults import NO_FAULTS, Faults
from coordinator.sandbox.overlay import overlay_config
from coordinator.sandbox.server import SandboxServer

NOW = datetime(2023, 1, 20, 12, 30, tzinfo=UTC)
SPOT, SWAP = "BTC/USDT", "BTC/USDT:USDT"


class Exchange:
    """A served exchange, its customer and his clients."""

    def __init__(self, url, credentials, clock, file):
        self.url, self.credentials, self.clock, self.file = url, credentials, clock, file

    def client(self, *, futures=False, **keys):
        config = overlay_config(self.url, simulated_clock=True)["exchange"]["ccxt_config"]
        options = {"defaultType": "swap"} if futures else {}
        own = {"apiKey": self.credentials.key, "secret": self.credentials.secret, "options": options}
        client = ccxt.binance({**config, **own, **keys})
        client.load_markets()
        return client

    def wait(self, hours=1.0):
        self.clock.shift(timedelta(hours=hours))

    @property
    def accounts(self):
        return Accounts.model_validate_json(self.file.read_text())


@pytest.fixture
def serve(market_dir, tmp_path):
    """Starts an exchange at 12:30 over the same account file, and gives it."""
    stops = []

    def start(faults=NO_FAULTS, balance=10_000):
        while stops:
            stops.pop()()
        clock = time_machine.travel(NOW, tick=False)
        coordinates = clock.start()
        stops.append(clock.stop)
        credentials, file = Credentials.generate(), tmp_path / "account.json"
        customer = AccountSpec(file=file, balance=Decimal(balance)), credentials
        server = SandboxServer(create_app(market_dir, wall_clock, faults, customer)).__enter__()
        stops.append(lambda: server.__exit__(None, None, None))
        environment = live_environment(credentials, tmp_path, server.url)
        environment.__enter__()
        stops.append(lambda: environment.__exit__(None, None, None))
        return Exchange(server.url, credentials, coordinates, file)

    yield start
    while stops:
        stops.pop()()


def price(client, pair):
    return client.fetch_ticker(pair)["last"]


def test_requests_are_signed_or_refused_with_binances_codes(serve):
    exchange = serve()
    key, secret = exchange.credentials.key, exchange.credentials.secret
    for keys, code in (
        ({"apiKey": "short", "secret": secret}, -2014),
        ({"apiKey": "x" * 64, "secret": secret}, -2015),
        ({"apiKey": key, "secret": "x" * 64}, -1022),
    ):
        with pytest.raises(ccxt.AuthenticationError, match=str(code)):
            exchange.client(**keys)
    client = exchange.client()
    assert client.fetch_balance()["USDT"]["free"] == 10_000
    for away, window in ((-20.0, 5000), (1.5, 60_000)):
        client.nonce = lambda away=away: int((NOW.timestamp() + away) * 1000)
        with pytest.raises(ccxt.InvalidNonce, match="-1021"):
            client.fetch_balance({"recvWindow": window})
    answer = httpx.get(exchange.url + "/api/v3/account")
    assert (answer.status_code, answer.json()["code"]) == (401, -2014)
    assert secret not in repr(exchange.credentials)
    assert secret not in exchange.file.read_text()


def test_without_a_customer_there_is_no_account(market_dir):
    with SandboxServer(create_app(market_dir, lambda: NOW)) as server:
        assert httpx.get(server.url + "/api/v3/account").json()["code"] == -5000


def test_spot_orders_bind_fill_and_are_refused(serve):
    exchange = serve()
    client = exchange.client()
    last = price(client, SPOT)
    resting = client.create_order(SPOT, "limit", "buy", 0.1, last * 0.5)
    assert client.fetch_balance()["USDT"]["used"] == pytest.approx(0.1 * resting["price"])
    with pytest.raises(ccxt.InsufficientFunds):
        client.create_order(SPOT, "limit", "buy", 0.2, last * 0.99)
    assert client.cancel_order(resting["id"], SPOT)["status"] == "canceled"
    assert client.fetch_balance()["USDT"]["used"] == 0
    with pytest.raises(ccxt.OrderNotFound, match="-2011"):
        client.cancel_order(resting["id"], SPOT)
    with pytest.raises(ccxt.OrderNotFound, match="-2013"):
        client.fetch_order("99", SPOT)
    bought = client.create_order(SPOT, "limit", "buy", 0.1, last * 1.01)  # at the ask, not at its limit
    assert (bought["status"], bought["fee"]["currency"]) == ("closed", "BTC")
    assert bought["average"] == pytest.approx(last, rel=2e-4)
    assert client.fetch_balance()["BTC"]["free"] == pytest.approx(0.0999)
    with pytest.raises(ccxt.OrderImmediatelyFillable):
        client.create_order(SPOT, "stop_loss_limit", "sell", 0.05, last, {"stopPrice": last * 1.1})
    stop = client.create_order(SPOT, "stop_loss_limit", "sell", 0.05, last * 0.5, {"stopPrice": last * 0.6})
    assert (stop["status"], stop["stopPrice"]) == ("open", pytest.approx(last * 0.6, abs=0.01))
    with pytest.raises(ccxt.InsufficientFunds):  # the stop binds the coins
        client.create_order(SPOT, "market", "sell", 0.06)
    assert [order["id"] for order in client.fetch_open_orders(SPOT)] == [stop["id"]]
    (trade,) = client.fetch_my_trades(SPOT)
    assert (trade["order"], trade["fee"]["cost"]) == (bought["id"], pytest.approx(0.0001))


@pytest.mark.parametrize(
    ("path", "query", "code"),
    [
        ("/api/v3/order", {"quantity": "0.12345678", "price": "40000"}, -1013),
        ("/api/v3/order", {"quantity": "0.1", "price": "40000.123456"}, -1013),
        ("/api/v3/order", {"quantity": "0.0001", "price": "40000"}, -1013),
        ("/api/v3/order", {"quantity": "-1", "price": "40000"}, -1013),
        ("/api/v3/order", {"quantity": "1e", "price": "40000"}, -1100),
        ("/api/v3/order", {"quantity": "0.1"}, -1102),
        ("/api/v3/order", {"quantity": "0.1", "price": "40000", "symbol": "NOPEUSDT"}, -1121),
        ("/api/v3/order", {"quantity": "0.1", "price": "40000", "type": "ICEBERG"}, -1116),
        ("/fapi/v1/order", {"quantity": "0.0001", "price": "40000"}, -4164),
        ("/fapi/v1/order", {"quantity": "100", "price": "40000"}, -2019),
        ("/fapi/v1/order", {"quantity": "0.1", "price": "40000", "reduceOnly": "true"}, -2022),
    ],
)
def test_orders_that_break_a_rule_get_its_code(serve, path, query, code):
    exchange = serve()
    client = exchange.client()
    asked = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", **query}
    name = "fapiPrivate" if "fapi" in path else "private"
    signed = client.sign("order", [name], "POST", asked)
    answer = httpx.post(signed["url"], content=signed["body"], headers=signed["headers"])
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert exchange.accounts.spot.orders == exchange.accounts.futures.orders == {}


def test_a_futures_stop_fills_while_nobody_looks_and_funding_is_paid(serve):
    exchange = serve()
    client = exchange.client(futures=True)
    client.set_margin_mode("isolated", SWAP)
    with pytest.raises(ccxt.MarginModeAlreadySet):
        client.set_margin_mode("isolated", SWAP)
    client.set_leverage(2, SWAP)
    entry = client.create_order(SWAP, "market", "buy", 0.1)
    (position,) = client.fetch_positions([SWAP])
    assert (position["side"], position["contracts"]) == ("long", 0.1)
    assert position["initialMargin"] == pytest.approx(0.05 * entry["average"])
    assert 0.4 < position["liquidationPrice"] / entry["average"] < 0.6
    stop = client.create_order(
        SWAP, "stop_market", "sell", 0.1, None, {"stopPrice": entry["average"] * 0.985, "reduceOnly": True}
    )
    with pytest.raises(ccxt.OrderNotFound):  # a conditional order is asked for by a path of its own
        client.fetch_order(stop["id"], SWAP)
    exchange.wait(10 * 24)
    found = client.fetch_order(stop["id"], SWAP, {"stop": True})
    assert found["status"] == "closed"
    placed = client.fetch_order(found["info"]["actualOrderId"], SWAP)
    assert (placed["status"], placed["filled"]) == ("closed", 0.1)
    assert placed["average"] == pytest.approx(stop["stopPrice"], rel=1e-3)
    (sold,) = [
        trade
        for trade in client.fetch_my_trades(SWAP, int(NOW.timestamp() * 1000))
        if trade["side"] == "sell"
    ]
    paid = client.fetch_funding_history(SWAP)
    assert paid
    assert all(payment["timestamp"] <= sold["timestamp"] for payment in paid)
    assert client.fetch_positions() == []
    fees = 0.0005 * 0.1 * (entry["average"] + placed["average"])
    gained = 0.1 * (placed["average"] - entry["average"]) + sum(payment["amount"] for payment in paid) - fees
    assert client.fetch_balance()["USDT"]["total"] == pytest.approx(10_000 + gained, abs=1e-3)
    again = client.create_order(
        SWAP, "stop_market", "sell", 0.1, None, {"stopPrice": placed["average"] * 0.8, "reduceOnly": True}
    )
    client.cancel_order(again["id"], SWAP, {"stop": True})
    assert client.fetch_order(again["id"], SWAP, {"stop": True})["status"] == "canceled"


def test_an_account_survives_its_exchange_and_refuses_an_earlier_clock(serve):
    exchange = serve()
    client = exchange.client()
    order = client.create_order(SPOT, "limit", "buy", 0.01, price(client, SPOT) * 0.9999)
    again = serve(balance=5)
    assert again.credentials.key != exchange.credentials.key
    client = again.client()
    assert client.fetch_balance()["USDT"]["total"] == 10_000
    again.wait(6)
    assert client.fetch_order(order["id"], SPOT)["status"] == "closed"
    client.create_order(SPOT, "market", "sell", 0.005)
    ended = r"no later than the clock; go on from its end \(20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ\), or delete it"
    with pytest.raises(CoordinatorError, match=ended):
        serve()
    again.file.write_text("{")
    with pytest.raises(CoordinatorError, match="be readable, else deleted"):
        serve()


def test_halted_and_delisted_pairs(serve):
    then = NOW + timedelta(hours=2)
    exchange = serve(Faults(halted={SPOT: then}, delisted={"ADA/USDT": then}))
    client = exchange.client()
    assert client.sapi_get_spot_delist_schedule() == [
        {"delistTime": int(then.timestamp() * 1000), "symbols": ["ADAUSDT"]}
    ]
    kept = client.create_order(SPOT, "limit", "buy", 0.01, price(client, SPOT) * 0.5)
    gone = client.create_order("ADA/USDT", "limit", "buy", 1000, price(client, "ADA/USDT") * 0.5)
    exchange.wait(5)
    assert client.fetch_ohlcv(SPOT, "1h")[-1][0] < then.timestamp() * 1000
    with pytest.raises(ccxt.BaseError, match="Market is closed"):
        client.create_order(SPOT, "limit", "buy", 0.01, price(client, SPOT))
    with pytest.raises(ccxt.BadSymbol):
        client.create_order("ADA/USDT", "limit", "buy", 1000, 0.3)
    assert client.fetch_order(kept["id"], SPOT)["status"] == "open"
    assert client.fetch_order(gone["id"], "ADA/USDT")["status"] == "expired"
    markets = exchange.client().markets
    assert markets[SPOT]["active"] is False
    assert "ADA/USDT" not in markets


def test_orders_that_never_fill_or_fill_by_half(serve):
    exchange = serve(Faults(partial_fill=0.5, no_fill=0.5, seed=1))
    client = exchange.client()
    last = price(client, SPOT)
    orders = [client.create_order(SPOT, "limit", "buy", 0.01, last * 1.01) for _ in range(12)]
    exchange.wait(5)
    shares = {client.fetch_order(order["id"], SPOT)["filled"] / 0.01 for order in orders}
    assert shares == {0.0, 0.5}
    assert client.create_order(SPOT, "market", "buy", 0.01)["status"] == "closed"
