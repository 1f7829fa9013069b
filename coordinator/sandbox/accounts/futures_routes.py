"""Binance's signed USDT-margined futures REST paths about orders and trades; conditional orders are "algo orders"."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Request

from coordinator.sandbox.accounts.credentials import Signed, asked
from coordinator.sandbox.accounts.matching_engine import MatchingEngine
from coordinator.sandbox.accounts.orders import Fill, Order
from coordinator.sandbox.accounts.requests import order_id, parse_order, text, within
from coordinator.sandbox.binance_errors import required
from coordinator.sandbox.market_data import Json

__all__ = ["futures_order_router"]


def futures_order_router(engine: MatchingEngine, signed: Signed) -> APIRouter:
    """Routes over a futures account's orders."""
    router, account = APIRouter(prefix="/fapi/v1", dependencies=[Depends(signed)]), engine.account

    @router.post("/order")
    def new_order(request: Request) -> Json:
        return _order(engine.place(parse_order(asked(request), "stopPrice")))

    @router.delete("/order")
    def cancel_order(request: Request) -> Json:
        return _order(engine.cancel(required(asked(request), "symbol"), order_id(asked(request))))

    @router.get("/order")
    def get_order(request: Request) -> Json:
        return _order(engine.order(required(asked(request), "symbol"), order_id(asked(request))))

    @router.get("/openOrders")
    def open_orders(request: Request) -> list[Json]:
        orders = engine.orders(asked(request).get("symbol"), conditional=False)
        return [_order(order) for order in orders if order.is_open]

    @router.get("/allOrders")
    def all_orders(request: Request) -> list[Json]:
        orders = engine.orders(asked(request).get("symbol"), conditional=False)
        return within([_order(order) for order in orders], asked(request))

    @router.get("/userTrades")
    def user_trades(request: Request) -> list[Json]:
        symbol = required(asked(request), "symbol")
        with engine.lock:
            engine.catch_up()
            return within([_trade(fill) for fill in account.fills if fill.symbol == symbol], asked(request))

    _add_conditional_routes(router, engine)
    return router


def _add_conditional_routes(router: APIRouter, engine: MatchingEngine) -> None:

    @router.post("/algoOrder")
    def new_order(request: Request) -> Json:
        return _conditional(engine, engine.place(parse_order(asked(request), "triggerPrice")))

    @router.delete("/algoOrder")
    def cancel_order(request: Request) -> Json:
        order = engine.cancel(
            asked(request).get("symbol", ""), order_id(asked(request), "algoId"), conditional=True
        )
        return {"algoId": order.id, "clientAlgoId": order.client_id, "code": "200", "msg": "success"}

    @router.get("/algoOrder")
    def get_order(request: Request) -> Json:
        order = engine.order(
            asked(request).get("symbol", ""), order_id(asked(request), "algoId"), conditional=True
        )
        return _conditional(engine, order)

    @router.get("/openAlgoOrders")
    def open_orders(request: Request) -> list[Json]:
        orders = engine.orders(asked(request).get("symbol"), conditional=True)
        return [_conditional(engine, order) for order in orders if order.is_open]

    @router.get("/allAlgoOrders")
    def all_orders(request: Request) -> list[Json]:
        orders = engine.orders(required(asked(request), "symbol"), conditional=True)
        return within(
            [{**_conditional(engine, order), "time": order.time} for order in orders], asked(request)
        )


def _order(order: Order) -> Json:
    return {
        "orderId": order.id,
        "symbol": order.symbol,
        "status": order.status,
        "clientOrderId": order.client_id,
        "price": text(order.price),
        "avgPrice": text(order.average),
        "origQty": text(order.amount),
        "executedQty": text(order.filled),
        "cumQuote": text(order.cost),
        "timeInForce": order.time_in_force,
        "type": order.type,
        "origType": order.type,
        "reduceOnly": order.reduce_only,
        "closePosition": False,
        "side": order.side,
        "positionSide": "BOTH",
        "stopPrice": text(order.stop_price),
        "workingType": "CONTRACT_PRICE",
        "time": order.time,
        "updateTime": order.updated,
    }


def _conditional(engine: MatchingEngine, order: Order) -> Json:
    """A conditional order; once triggered it names the order that it placed, and is finished when that one is."""
    placed = None if order.placed_order is None else engine.account.orders[order.placed_order]
    finished = placed is not None and not placed.is_open
    return {
        "algoId": order.id,
        "clientAlgoId": order.client_id,
        "algoType": "CONDITIONAL",
        "orderType": order.type,
        "symbol": order.symbol,
        "side": order.side,
        "positionSide": "BOTH",
        "timeInForce": order.time_in_force,
        "quantity": text(order.amount),
        "algoStatus": "FINISHED" if finished else order.status,
        "actualOrderId": "" if placed is None else str(placed.id),
        "actualPrice": text(placed.average if placed is not None else order.average),
        "triggerPrice": text(order.stop_price),
        "price": text(order.price),
        "workingType": "CONTRACT_PRICE",
        "closePosition": False,
        "reduceOnly": order.reduce_only,
        "createTime": order.time,
        "updateTime": order.updated,
        "triggerTime": order.updated if order.triggered else 0,
    }


def _trade(fill: Fill) -> Json:
    return {
        "symbol": fill.symbol,
        "id": fill.id,
        "orderId": fill.order,
        "side": fill.side,
        "positionSide": "BOTH",
        "price": text(fill.price),
        "qty": text(fill.amount),
        "quoteQty": text(fill.price * fill.amount),
        "realizedPnl": text(fill.realized),
        "commission": text(fill.fee),
        "commissionAsset": fill.fee_asset,
        "time": fill.time,
        "buyer": fill.side == "BUY",
        "maker": fill.maker,
    }
