"""Binance's signed USDT-margined futures REST paths about the account: balances, positions, leverage, modes, income."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from fastapi import APIRouter, Depends, Request

from coordinator.sandbox.accounts.credentials import Signed, asked
from coordinator.sandbox.accounts.futures_account import FuturesAccount
from coordinator.sandbox.accounts.market_venue import MarketVenue
from coordinator.sandbox.accounts.matching_engine import MatchingEngine
from coordinator.sandbox.accounts.requests import text, within
from coordinator.sandbox.binance_errors import BinanceError, integer, required
from coordinator.sandbox.market_data import Json, MarketData

__all__ = ["position_router"]

# Leverage up to which notional value, and the maintenance margin there: rounder than Binance's own tables.
_BRACKETS: Final = ((50, 0, 50_000, "0.005"), (20, 50_000, 1_000_000, "0.01"), (5, 1_000_000, 10**9, "0.05"))
_MAINTENANCE: Final = Decimal("0.005")


def position_router(
    engine: MatchingEngine, venue: MarketVenue, market: MarketData, signed: Signed
) -> APIRouter:
    """Routes over a futures account's wallet and positions."""
    router, account = APIRouter(prefix="/fapi", dependencies=[Depends(signed)]), engine.account
    assert isinstance(account, FuturesAccount)

    @router.get("/v2/account")
    @router.get("/v3/account")
    def get_account(request: Request) -> Json:
        with engine.lock:
            return _account(account, venue, engine.catch_up())

    @router.get("/v2/positionRisk")
    @router.get("/v3/positionRisk")
    def position_risk(request: Request) -> list[Json]:
        with engine.lock:
            now = engine.catch_up()
            symbol = asked(request).get("symbol")
            symbols = [symbol] if symbol else list(account.positions)
            return [
                _position(account, symbol, venue.mark(symbol), now)
                for symbol in symbols
                if account.position(symbol).amount
            ]

    @router.get("/v1/income")
    def income(request: Request) -> list[Json]:
        with engine.lock:
            engine.catch_up()
            rows = [
                {
                    "symbol": entry.symbol,
                    "incomeType": "FUNDING_FEE",
                    "income": text(entry.amount),
                    "asset": account.asset,
                    "time": entry.time,
                    "tranId": number,
                }
                for number, entry in enumerate(account.income, 1)
                if asked(request).get("symbol") in (None, entry.symbol)
            ]
            return within(rows, asked(request), 100)

    _add_setting_routes(router, engine, account, market)
    return router


def _add_setting_routes(
    router: APIRouter, engine: MatchingEngine, account: FuturesAccount, market: MarketData
) -> None:

    @router.post("/v1/leverage")
    def leverage(request: Request) -> Json:
        symbol = required(asked(request), "symbol")
        engine.venue.pair(symbol)
        with engine.lock:
            engine.catch_up()
            account.leverage[symbol] = integer(asked(request), "leverage", 20, 1, 125)
            return {
                "leverage": account.leverage[symbol],
                "maxNotionalValue": str(_BRACKETS[-1][2]),
                "symbol": symbol,
            }

    @router.post("/v1/marginType")
    def margin_type(request: Request) -> Json:
        symbol, kind = required(asked(request), "symbol"), required(asked(request), "marginType")
        engine.venue.pair(symbol)
        with engine.lock:
            engine.catch_up()
            if account.margin.get(symbol, "CROSSED") == kind:
                raise BinanceError(-4046, "No need to change margin type.")
            if account.position(symbol).amount:
                raise BinanceError(-4048, "Margin type cannot be changed if there exists position.")
            account.margin[symbol] = kind
            return {"code": 200, "msg": "success"}

    @router.get("/v1/positionSide/dual")
    def position_mode(request: Request) -> Json:
        return {"dualSidePosition": False}

    @router.get("/v1/multiAssetsMargin")
    def asset_mode(request: Request) -> Json:
        return {"multiAssetsMargin": False}

    @router.get("/v1/leverageBracket")
    def leverage_brackets(request: Request) -> list[Json]:
        brackets = [
            {
                "bracket": number,
                "initialLeverage": most,
                "notionalFloor": floor,
                "notionalCap": cap,
                "maintMarginRatio": ratio,
                "cum": 0.0,
            }
            for number, (most, floor, cap, ratio) in enumerate(_BRACKETS, 1)
        ]
        return [{"symbol": listing.symbol, "brackets": brackets} for listing in market.listed()]


def _account(account: FuturesAccount, venue: MarketVenue, now: int) -> Json:
    open_profit = sum((_profit(account, s, venue.mark(s)) for s in account.positions), Decimal(0))
    positions = sum((account.position_margin(symbol) for symbol in account.positions), Decimal(0))
    orders, balance = account.order_margin(), account.wallet + open_profit
    asset = {
        "asset": account.asset,
        "walletBalance": text(account.wallet),
        "unrealizedProfit": text(open_profit),
        "marginBalance": text(balance),
        "initialMargin": text(positions + orders),
        "positionInitialMargin": text(positions),
        "openOrderInitialMargin": text(orders),
        "maintMargin": text(Decimal(0)),
        "crossWalletBalance": text(account.wallet),
        "crossUnPnl": text(Decimal(0)),
        "availableBalance": text(max(Decimal(0), account.available())),
        "maxWithdrawAmount": text(max(Decimal(0), account.available())),
        "updateTime": now,
    }
    return {"totalWalletBalance": text(account.wallet), "assets": [asset], "positions": []}


def _profit(account: FuturesAccount, symbol: str, mark: Decimal) -> Decimal:
    held = account.position(symbol)
    return held.amount * (mark - held.entry)


def _position(account: FuturesAccount, symbol: str, mark: Decimal, now: int) -> Json:
    held, margin = account.position(symbol), account.position_margin(symbol)
    # Where the isolated margin is used up but for the maintenance margin.
    side = 1 if held.amount > 0 else -1
    edge = held.entry - side * margin / abs(held.amount) + side * _MAINTENANCE * held.entry
    return {
        "symbol": symbol,
        "positionSide": "BOTH",
        "positionAmt": text(held.amount),
        "entryPrice": text(held.entry),
        "breakEvenPrice": text(held.entry),
        "markPrice": text(mark),
        "unRealizedProfit": text(_profit(account, symbol, mark)),
        "liquidationPrice": text(max(Decimal(0), edge)),
        "isolatedMargin": text(margin + _profit(account, symbol, mark)),
        "isolatedWallet": text(margin),
        "notional": text(held.amount * mark),
        "marginAsset": account.asset,
        "initialMargin": text(margin),
        "positionInitialMargin": text(margin),
        "openOrderInitialMargin": "0",
        "maintMargin": text(abs(held.amount) * mark * _MAINTENANCE),
        "adl": 1,
        "updateTime": now,
    }
