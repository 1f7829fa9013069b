"""Binance's spot REST paths under /api/v3."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter, Request

from coordinator.sandbox.accounts.minimum_notional import minimum_notional
from coordinator.sandbox.binance_routes import add_market_routes, exchange_info
from coordinator.sandbox.market_data import Json, MarketData, decimal
from coordinator.sandbox.store import Listing

__all__ = ["spot_router"]

_MAX_KLINES: Final = 1000


def spot_router(market: MarketData) -> APIRouter:
    """Routes over the spot market data."""
    router = APIRouter(prefix="/api/v3")
    add_market_routes(router, market, _MAX_KLINES)

    @router.get("/exchangeInfo")
    def info(request: Request) -> Json:
        listings = [market.one(request.query_params)] if "symbol" in request.query_params else market.listed()
        return exchange_info(market, [_symbol(listing, market.status(listing)) for listing in listings])

    @router.get("/avgPrice")
    def average_price(request: Request) -> Json:
        return market.average_price(request.query_params)

    return router


def _symbol(listing: Listing, status: str) -> Json:
    tick, lot = decimal(10.0**-listing.price_digits), decimal(10.0**-listing.amount_digits)
    amounts = {"minQty": lot, "maxQty": "9000000000.00000000", "stepSize": lot}
    return {
        "symbol": listing.symbol,
        "status": status,
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
            {
                "filterType": "NOTIONAL",
                "minNotional": decimal(minimum_notional(listing.quote)),
                "maxNotional": "9000000.00000000",
            },
        ],
    }
