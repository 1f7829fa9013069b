"""Orders against candles, without HTTP: money is conserved, nothing overfills, and asking often changes nothing."""

import contextlib
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coordinator.sandbox.accounts.account import Pair
from coordinator.sandbox.accounts.futures_account import FuturesAccount
from coordinator.sandbox.accounts.matching import Book
from coordinator.sandbox.accounts.matching_engine import MatchingEngine
from coordinator.sandbox.accounts.orders import Order
from coordinator.sandbox.accounts.price_path import first_reached, price_path
from coordinator.sandbox.accounts.spot_account import SpotAccount
from coordinator.sandbox.binance_errors import BinanceError
from coordinator.sandbox.series import Series, running_candle

HOUR = 3_600_000
PAIR = Pair(base="BTC", quote="USDT", price_digits=2, amount_digits=3)


def series(closes):
    """Hourly candles through these closes; every third opens with a jump."""
    rows, before = [], 100.0
    for number, close in enumerate(closes):
        opened = before * (1.01 if number % 3 == 2 else 1.0)
        spread = 0.3 + number % 4 / 10
        rows.append([opened, max(opened, close) + spread, min(opened, close) - spread, close, 10.0])
        before = close
    return Series("1h", np.arange(len(rows), dtype=np.int64) * HOUR, np.round(np.array(rows), 2))


class Market:
    """A venue over one series; its clock is set by hand."""

    def __init__(self, closes, share=1):
        self.series, self.time, self.share = series(closes), HOUR // 2, Decimal(str(share))

    def now(self):
        return self.time

    def pair(self, symbol):
        return PAIR

    def is_open(self, symbol):
        return True

    def delisted(self, symbol):
        return None

    def book(self, symbol, price=None):
        middle = self.last(symbol) if price is None else round(Decimal(repr(price)), 2)
        return Book(middle - Decimal("0.01"), middle + Decimal("0.01"))

    def last(self, symbol):
        return round(Decimal(repr(float(self.series.at(self.time).values[-1, 3]))), 2)

    def path(self, symbol, since, until):
        return price_path(self.series, since, until), until

    def fundings(self, symbol, since, until):
        step = 8 * HOUR
        return [
            (time, Decimal("0.0001"), Decimal(100))
            for time in range((since // step + 1) * step, until + 1, step)
        ]

    def fault_share(self, order_id):
        return self.share


def order(side, kind, amount, price=0.0, stop=0.0, **more):
    amount = Decimal(str(amount))
    numbers = {"price": Decimal(str(price)), "stop_price": Decimal(str(stop))}
    fixed = {"id": 0, "client_id": "", "symbol": "BTCUSDT", "time": 0, "updated": 0, "since": 0}
    return Order(side=side, type=kind, amount=amount, fillable=amount, **numbers, **fixed, **more)


CLOSES = st.lists(st.floats(90, 110).map(lambda price: round(price, 2)), min_size=6, max_size=20)
WANTED = st.lists(
    st.tuples(
        st.sampled_from(["BUY", "SELL"]),
        st.sampled_from(["LIMIT", "MARKET", "STOP"]),
        st.integers(1, 8000).map(lambda lots: lots / 1000),
        st.integers(-800, 800),
        st.integers(1, 5 * HOUR),
    ),
    max_size=12,
)


def trade(account, closes, wanted, looks, share=1):
    """Place orders over time; ``looks``: how often the market is looked at between two of them."""
    market = Market(closes, share)
    engine = MatchingEngine(account, market, lambda: None)
    futures = isinstance(account, FuturesAccount)
    for side, kind, amount, away, pause in wanted:
        price = float(market.last("BTCUSDT")) + away / 100
        if kind == "STOP":
            kind = "STOP_MARKET" if futures else "STOP_LOSS_LIMIT"
            made = order(side, kind, amount, 0.0 if futures else round(price, 2), round(price, 2))
        else:
            made = order(side, kind, amount, 0.0 if kind == "MARKET" else round(price, 2))
        with contextlib.suppress(BinanceError):
            engine.place(made)
        start = market.time
        for look in range(1, looks + 1):
            market.time = start + pause * look // looks
            engine.catch_up()
    market.time = len(closes) * HOUR
    engine.catch_up()
    return account


@settings(max_examples=60)
@given(CLOSES, WANTED, st.sampled_from([1, 0.5]))
def test_spot_money_is_neither_made_nor_lost_but_for_fees(closes, wanted, share):
    account = trade(
        SpotAccount(balances={"USDT": Decimal(1000), "BTC": Decimal(3)}), closes, wanted, 3, share
    )
    usdt, btc = Decimal(1000), Decimal(3)
    for fill in account.fills:
        sign = 1 if fill.side == "BUY" else -1
        usdt -= sign * fill.price * fill.amount + (fill.fee if fill.fee_asset == "USDT" else 0)
        btc += sign * fill.amount - (fill.fee if fill.fee_asset == "BTC" else 0)
    assert account.balances == {"USDT": usdt, "BTC": btc}
    assert all(account.free(asset) >= 0 for asset in ("USDT", "BTC"))
    for one in account.orders.values():
        fills = [fill for fill in account.fills if fill.order == one.id]
        assert sum((fill.amount for fill in fills), Decimal(0)) == one.filled <= one.fillable <= one.amount
        assert one.cost == sum((fill.price * fill.amount for fill in fills), Decimal(0))


@settings(max_examples=60)
@given(CLOSES, WANTED)
def test_futures_profit_is_that_of_the_fills(closes, wanted):
    account = trade(FuturesAccount(wallet=Decimal(5000), leverage={"BTCUSDT": 2}), closes, wanted, 3)
    held = account.position("BTCUSDT")
    assert held.amount == sum((f.amount if f.side == "BUY" else -f.amount for f in account.fills), Decimal(0))
    paid = sum((f.price * f.amount * (1 if f.side == "BUY" else -1) for f in account.fills), Decimal(0))
    fees = sum((f.fee for f in account.fills), Decimal(0))
    funding = sum((income.amount for income in account.income), Decimal(0))
    # What the wallet has not realised yet stands in the position at its entry price.
    assert account.wallet == pytest.approx(Decimal(5000) - fees + funding - paid + held.amount * held.entry)


@settings(max_examples=40)
@given(CLOSES, WANTED, st.integers(2, 7))
def test_how_often_one_looks_changes_nothing(closes, wanted, looks):
    for make in (
        lambda: SpotAccount(balances={"USDT": Decimal(1000), "BTC": Decimal(3)}),
        lambda: FuturesAccount(wallet=Decimal(5000), leverage={"BTCUSDT": 2}),
    ):
        once, often = (trade(make(), closes, wanted, count) for count in (1, looks))
        dumped = [account.model_dump(exclude={"orders"}) for account in (once, often)]
        assert dumped[0] == dumped[1]
        assert [o.status for o in once.orders.values()] == [o.status for o in often.orders.values()]


@settings(max_examples=40)
@given(CLOSES, st.integers(1, 6 * HOUR), st.floats(90, 110))
def test_the_path_is_the_one_that_can_be_seen(closes, now, level):
    """A level is reached by a moment exactly where the candles shown at it have their low there."""
    candles = series(closes)
    shown = candles.at(now)
    reached = first_reached(price_path(candles, 0, now), level, True, 0, now)
    lowest = float(shown.values[:, 2].min())
    if abs(lowest - level) > 1e-3:
        assert (reached is not None) == (lowest <= level)
    last = running_candle(candles.values[len(shown.times) - 1], (now - int(shown.times[-1])) / HOUR)
    assert last[3] == pytest.approx(float(shown.values[-1, 3]))


def test_a_stop_limit_waits_where_the_price_jumps_over_its_limit():
    market = Market([100.0, 100.0, 100.0])
    market.series.values[2] = [95.0, 95.2, 94.8, 95.0, 1.0]
    account = SpotAccount(balances={"BTC": Decimal(1)})
    engine = MatchingEngine(account, market, lambda: None)
    stop = engine.place(order("SELL", "STOP_LOSS_LIMIT", 0.5, 98.0, 99.0))
    market.time = 3 * HOUR
    engine.catch_up()
    assert (stop.triggered, stop.status) == (True, "NEW")
    wide = Market([100.0, 100.0, 100.0])
    wide.series.values[2] = [95.0, 95.2, 94.8, 95.0, 1.0]
    engine = MatchingEngine(SpotAccount(balances={"BTC": Decimal(1)}), wide, lambda: None)
    stop = engine.place(order("SELL", "STOP_LOSS_LIMIT", 0.5, 90.0, 99.0))
    wide.time = 3 * HOUR
    engine.catch_up()
    assert (stop.status, stop.average) == ("FILLED", Decimal("94.99"))


def test_a_stop_that_finds_no_position_expires():
    market = Market([100.0, 100.0, 90.0, 90.0])
    account = FuturesAccount(wallet=Decimal(5000))
    engine = MatchingEngine(account, market, lambda: None)
    engine.place(order("BUY", "MARKET", 1))
    larger = engine.place(order("SELL", "STOP_MARKET", 2, stop=95.0, reduce_only=True))
    late = engine.place(order("SELL", "STOP_MARKET", 1, stop=94.0, reduce_only=True))
    market.time = 4 * HOUR
    engine.catch_up()
    assert (larger.status, late.status) == ("TRIGGERED", "EXPIRED")
    placed = account.orders[larger.placed_order]
    assert (placed.status, placed.filled) == ("FILLED", Decimal(1))
    assert account.position("BTCUSDT").amount == 0


def test_funding_is_paid_on_what_was_held_at_its_time():
    """Bought at 7 and stopped out at 9 o'clock, looked at once, at 20: one settlement, that of 8."""
    market = Market([100.0] * 6 + [98.0, 100.0, 90.0] + [90.0] * 11)
    account = FuturesAccount(wallet=Decimal(5000))
    engine = MatchingEngine(account, market, lambda: None)
    engine.place(order("BUY", "LIMIT", 2, price=98.5))
    engine.place(order("SELL", "STOP_MARKET", 2, stop=95.0, reduce_only=True))
    market.time = 20 * HOUR
    engine.catch_up()
    assert [fill.side for fill in account.fills] == ["BUY", "SELL"]
    assert [(income.time, income.amount) for income in account.income] == [(8 * HOUR, Decimal("-0.02"))]
