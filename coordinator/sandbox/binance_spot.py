"""Binance's spot REST paths under /api/v3."""

from __future__ import annotations

from typing import Any, Final

from fastapi import APIRouter, Request

from coordinator.sandbox.market_data import Json, MarketData, decimal
from coordinator.sandbox.store import Listing

__all__ = ["spot_router"]

_MIN_NOTIONAL: Final = "5.00000000"
_MAX_KLINES: Final = 1000


def spot_router(market: MarketData) -> APIRouter:
    """Routes over the spot market data."""
    router = APIRouter(prefix="/api/v3")

    @router.get("/ping")
    def ping() -> Json:
        return {}

    @router.get("/time")
    def time() -> Json:
        return {"serverTime": market.now()}

    @router.get("/exchangeInfo")
    def exchange_info(request: Request) -> Json:
        listings = [market.one(request.query_params)] if "symbol" in request.query_params else market.listed()
        symbols = [_symbol(listing) for listing in listings]
        return {"timezone": "UTC", "serverTime": market.now(), "rateLimits": [], "symbols": symbols}

    @router.get("/klines")
    def klines(request: Request) -> list[list[Any]]:
        return market.klines(request.query_params, _MAX_KLINES)

    @router.get("/depth")
    def depth(request: Request) -> Json:
        return market.depth(request.query_params)

    @router.get("/ticker/24hr")
    def ticker_24hr(request: Request) -> Json | list[Json]:
        return market.ticker_24hr(request.query_params)

    @router.get("/ticker/price")
    def ticker_price(request: Request) -> Json | list[Json]:
        return market.ticker_price(request.query_params)

    @router.get("/ticker/bookTicker")
    def book_ticker(request: Request) -> Json | list[Json]:
        return market.book_ticker(request.query_params)

    @router.get("/avgPrice")
    def average_price(request: Request) -> Json:
        return market.average_price(request.query_params)

    return router


def _symbol(listing: Listing) -> Json:
    tick, lot = decimal(10.0**-listing.price_digits), decimal(10.0**-listing.amount_digits)
    amounts = {"minQty": lot, "maxQty": "9000000000.00000000", "stepSize": lot}
    return {
        "symbol": listing.symbol,
        "status": "TRADING",
        "baseAsset": listing.base,
        "baseAssetPrecision": 8,
        "quoteAsset": listing.quote,
        "quotePrecision": 8,
        "quoteAssetPrecision": 8,
        "orderTypes": ["LIMIT", "LIMIT_MAKER", "MARKET", "STOP_LOSS_LIMIT", "TAKE_PROFIT_LIMIT"],
        "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": False,
        "permissions": ["SPOT"],
        "permissionSets": [["SPOT"]],
        "filters": [
            {
                "filterType": "PRICE_FILTER",
                "minPrice": tick,
                "maxPrice": "1000000.00000000",
                "tickSize": tick,
            },
            {"filterType": "LOT_SIZE", **amounts},
            {"filterType": "MARKET_LOT_SIZE", **amounts},
            {"filterType": "NOTIONAL", "minNotional": _MIN_NOTIONAL, "maxNotional": "9000000.00000000"},
        ],
    }
