"""Binance's USDT-margined futures REST paths under /fapi/v1."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from fastapi import APIRouter, Request

from coordinator.sandbox.accounts.minimum_notional import minimum_notional
from coordinator.sandbox.binance_errors import integer
from coordinator.sandbox.binance_routes import add_market_routes, exchange_info
from coordinator.sandbox.market_data import Json, MarketData, decimal
from coordinator.sandbox.store import Listing

__all__ = ["futures_router"]

_MAX_KLINES: Final = 1500
_FUNDING_HOURS: Final = 8
_INTEREST: Final = "0.00010000"
# Binance's placeholder for contracts that never expire.
_PERPETUAL_DELIVERY: Final = 4_133_404_800_000


def futures_router(market: MarketData, spot: MarketData) -> APIRouter:
    """Routes over the futures market data; spot prices serve as the index where they exist."""
    router = APIRouter(prefix="/fapi/v1")
    add_market_routes(router, market, _MAX_KLINES)

    @router.get("/exchangeInfo")
    def info() -> Json:
        return exchange_info(
            market, [_symbol(listing, market.status(listing)) for listing in market.listed()]
        )

    @router.get("/markPriceKlines")
    def mark_price_klines(request: Request) -> list[list[Any]]:
        return market.klines(request.query_params, _MAX_KLINES, "mark")

    _add_funding_routes(router, market, spot)
    return router


def _add_funding_routes(router: APIRouter, market: MarketData, spot: MarketData) -> None:
    @router.get("/premiumIndex")
    def premium_index(request: Request) -> Json | list[Json]:
        if "symbol" in request.query_params:
            return _premium(market.one(request.query_params), market, spot)
        return [_premium(listing, market, spot) for listing in market.listed()]

    @router.get("/fundingRate")
    def funding_rate(request: Request) -> list[Json]:
        return _funding_history(market, request.query_params)

    @router.get("/fundingInfo")
    def funding_info() -> list[Json]:
        cap = {"adjustedFundingRateCap": "0.00300000", "adjustedFundingRateFloor": "-0.00300000"}
        return [
            {"symbol": listing.symbol, **cap, "fundingIntervalHours": _FUNDING_HOURS}
            for listing in market.listed()
        ]


def _premium(listing: Listing, market: MarketData, spot: MarketData) -> Json:
    """Mark price, index price and the funding rate last settled."""
    now = market.now()
    marks = listing.candles_at("1h", now, "mark")
    mark = (
        float(marks.values[-1, 3]) if len(marks.times) else float(listing.candles_at("1h", now).values[-1, 3])
    )
    spots = {entry.symbol: entry for entry in spot.listed()}
    index = mark
    if listing.symbol in spots:
        index = float(spots[listing.symbol].finest.at(now).values[-1, 3])
    times, rates = listing.funding
    settled = int(np.searchsorted(times, now, side="right"))
    period = _FUNDING_HOURS * 3_600_000
    return {
        "symbol": listing.symbol,
        "markPrice": decimal(mark),
        "indexPrice": decimal(index),
        "estimatedSettlePrice": decimal(index),
        "lastFundingRate": decimal(float(rates[settled - 1]) if settled else 0.0),
        "interestRate": _INTEREST,
        "nextFundingTime": (now // period + 1) * period,
        "time": now,
    }


def _funding_history(market: MarketData, query: Mapping[str, str]) -> list[Json]:
    """Settlements of one pair, ascending: from startTime on, otherwise the latest."""
    listing = market.one(query)
    limit = integer(query, "limit", 100, 1, 1000)
    start = integer(query, "startTime", -1, 0, 10**15)
    end = min(market.now(), integer(query, "endTime", 10**15, 0, 10**15))
    times, rates = listing.funding
    low = int(np.searchsorted(times, start, side="left"))
    high = max(low, int(np.searchsorted(times, end, side="right")))
    low, high = (max(low, high - limit), high) if start < 0 else (low, min(high, low + limit))
    rows = zip(times[low:high].tolist(), rates[low:high].tolist(), strict=True)
    return [
        {"symbol": listing.symbol, "fundingTime": time, "fundingRate": decimal(rate)} for time, rate in rows
    ]


def _symbol(listing: Listing, status: str) -> Json:
    tick, lot = decimal(10.0**-listing.price_digits), decimal(10.0**-listing.amount_digits)
    amounts = {"minQty": lot, "maxQty": "1000000000", "stepSize": lot}
    return {
        "symbol": listing.symbol,
        "pair": listing.symbol,
        "contractType": "PERPETUAL",
        "deliveryDate": _PERPETUAL_DELIVERY,
        "onboardDate": int(listing.finest.times[0]),
        "status": status,
        "baseAsset": listing.base,
        "quoteAsset": listing.quote,
        "marginAsset": listing.pair.split(":")[1],
        "pricePrecision": listing.price_digits,
        "quantityPrecision": listing.amount_digits,
        "baseAssetPrecision": 8,
        "quotePrecision": 8,
        "orderTypes": ["LIMIT", "MARKET", "STOP", "STOP_MARKET", "TAKE_PROFIT", "TAKE_PROFIT_MARKET"],
        "timeInForce": ["GTC", "IOC", "FOK", "GTX"],
        "filters": [
            {"filterType": "PRICE_FILTER", "minPrice": tick, "maxPrice": "10000000", "tickSize": tick},
            {"filterType": "LOT_SIZE", **amounts},
            {"filterType": "MARKET_LOT_SIZE", **amounts},
            {"filterType": "MIN_NOTIONAL", "notional": str(minimum_notional(listing.quote))},
        ],
    }
