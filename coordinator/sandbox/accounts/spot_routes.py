"""Binance's signed spot REST paths: account, orders, trades, and the wallet's that clients load."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Depends, Request

from coordinator.sandbox.accounts.credentials import Signed, asked
from coordinator.sandbox.accounts.matching_engine import MatchingEngine
from coordinator.sandbox.accounts.orders import Fill, Order
from coordinator.sandbox.accounts.requests import order_id, parse_order, text, within
from coordinator.sandbox.accounts.spot_account import SpotAccount
from coordinator.sandbox.binance_errors import required
from coordinator.sandbox.market_data import Json, MarketData

__all__ = ["spot_account_router"]


def spot_account_router(engine: MatchingEngine, market: MarketData, signed: Signed) -> APIRouter:
    """Routes over a spot account."""
    router, account = APIRouter(dependencies=[Depends(signed)]), engine.account
    assert isinstance(account, SpotAccount)

    @router.get("/api/v3/account")
    def get_account(request: Request) -> Json:
        with engine.lock:
            return _account(account, engine.catch_up())

    @router.post("/api/v3/order")
    def new_order(request: Request) -> Json:
        query, price = asked(request), None
        with engine.lock:
            if "quoteOrderQty" in query:
                engine.venue.pair(required(query, "symbol"))
                price = engine.venue.book(query["symbol"]).ask
            order = engine.place(parse_order(query, "stopPrice", price))
            fills = [fill for fill in account.fills if fill.order == order.id]
            return {**_order(order), "transactTime": order.time, "fills": [_part(fill) for fill in fills]}

    @router.delete("/api/v3/order")
    def cancel_order(request: Request) -> Json:
        return _order(engine.cancel(required(asked(request), "symbol"), order_id(asked(request))))

    @router.get("/api/v3/order")
    def get_order(request: Request) -> Json:
        return _order(engine.order(required(asked(request), "symbol"), order_id(asked(request))))

    @router.get("/api/v3/openOrders")
    def open_orders(request: Request) -> list[Json]:
        return [_order(order) for order in engine.orders(asked(request).get("symbol")) if order.is_open]

    @router.get("/api/v3/allOrders")
    def all_orders(request: Request) -> list[Json]:
        return within(
            [_order(order) for order in engine.orders(required(asked(request), "symbol"))], asked(request)
        )

    @router.get("/api/v3/myTrades")
    def my_trades(request: Request) -> list[Json]:
        symbol = required(asked(request), "symbol")
        with engine.lock:
            engine.catch_up()
            return within([_trade(fill) for fill in account.fills if fill.symbol == symbol], asked(request))

    @router.get("/sapi/v1/capital/config/getall")
    @router.get("/sapi/v1/margin/allPairs")
    @router.get("/sapi/v1/margin/isolated/allPairs")
    def nothing(request: Request) -> list[Any]:
        return []

    @router.get("/sapi/v1/spot/delist-schedule")
    def delist_schedule(request: Request) -> list[Json]:
        return market.delist_schedule()

    return router


def _account(account: SpotAccount, now: int) -> Json:
    locked = account.locked()
    balances = [
        {"asset": asset, "free": text(total - locked[asset]), "locked": text(locked[asset])}
        for asset, total in sorted(account.balances.items())
    ]
    return {
        "makerCommission": 10,
        "takerCommission": 10,
        "canTrade": True,
        "canWithdraw": False,
        "canDeposit": False,
        "updateTime": now,
        "accountType": "SPOT",
        "balances": balances,
        "permissions": ["SPOT"],
    }


def _order(order: Order) -> Json:
    return {
        "symbol": order.symbol,
        "orderId": order.id,
        "orderListId": -1,
        "clientOrderId": order.client_id,
        "price": text(order.price),
        "origQty": text(order.amount),
        "executedQty": text(order.filled),
        "cummulativeQuoteQty": text(order.cost),
        "status": order.status,
        "timeInForce": order.time_in_force,
        "type": order.type,
        "side": order.side,
        "stopPrice": text(order.stop_price),
        "icebergQty": "0.00000000",
        "time": order.time,
        "updateTime": order.updated,
        "isWorking": not order.is_conditional or order.triggered,
        "workingTime": order.time,
    }


def _part(fill: Fill) -> Json:
    """A fill within the answer to a new order."""
    return {
        "price": text(fill.price),
        "qty": text(fill.amount),
        "commission": text(fill.fee),
        "commissionAsset": fill.fee_asset,
        "tradeId": fill.id,
    }


def _trade(fill: Fill) -> Json:
    return {
        "symbol": fill.symbol,
        "id": fill.id,
        "orderId": fill.order,
        "orderListId": -1,
        "quoteQty": text(fill.price * fill.amount),
        "time": fill.time,
        "isBuyer": fill.side == "BUY",
        "isMaker": fill.maker,
        "isBestMatch": True,
        **{name: value for name, value in _part(fill).items() if name != "tradeId"},
    }
