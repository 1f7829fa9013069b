"""The REST paths that Binance's spot and futures markets share, under each market's own prefix."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request

from coordinator.sandbox.market_data import Json, MarketData

__all__ = ["add_market_routes", "exchange_info"]


def exchange_info(market: MarketData, symbols: list[Json]) -> Json:
    """The body of /exchangeInfo."""
    return {"timezone": "UTC", "serverTime": market.now(), "rateLimits": [], "symbols": symbols}


def add_market_routes(router: APIRouter, market: MarketData, max_klines: int) -> None:
    """Add ping, time, klines, depth and the tickers."""

    @router.get("/ping")
    def ping() -> Json:
        return {}

    @router.get("/time")
    def time() -> Json:
        return {"serverTime": market.now()}

    @router.get("/klines")
    def klines(request: Request) -> list[list[Any]]:
        return market.klines(request.query_params, max_klines)

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
