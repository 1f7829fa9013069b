"""A Binance-shaped exchange over candle files: public market data, and an account where there is a customer."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from starlette.types import ASGIApp

from coordinator.candles.files import TradingMode
from coordinator.errors import CoordinatorError
from coordinator.sandbox.accounts.account_spec import AccountSpec
from coordinator.sandbox.accounts.attach import attach_accounts
from coordinator.sandbox.accounts.credentials import Credentials
from coordinator.sandbox.binance_errors import BinanceError
from coordinator.sandbox.binance_futures import futures_router
from coordinator.sandbox.binance_spot import spot_router
from coordinator.sandbox.faults import FAULTS, NO_FAULTS, FaultLayer, Faults
from coordinator.sandbox.kline_streams import add_streams
from coordinator.sandbox.market_data import MarketData
from coordinator.sandbox.store import CandleStore

__all__ = ["Clock", "create_app", "wall_clock"]

Clock = Callable[[], datetime]
MODES: Final[tuple[TradingMode, ...]] = ("spot", "futures")


def wall_clock() -> datetime:
    """The present, in UTC."""
    return datetime.now(UTC)


def create_app(
    datadir: Path,
    clock: Clock,
    faults: Faults = NO_FAULTS,
    customer: tuple[AccountSpec, Credentials] | None = None,
) -> ASGIApp:
    """An ASGI application that serves every pair of a data directory as Binance would.

    Parameters
    ----------
    datadir : pathlib.Path
        A Freqtrade data directory; files are read when a pair is first asked for.
    clock : callable
        The exchange's now, timezone-aware. Later candles do not exist; the one in progress is shown so far.
    faults : Faults
        What goes wrong, and how often; nothing unless given.
    customer : tuple of AccountSpec and Credentials, optional
        Whose account there is; without one nobody can trade.

    Raises
    ------
    CoordinatorError
        If the directory is absent or holds no candle files, or the account cannot be read.
    """
    store = CandleStore(datadir)

    def now() -> int:
        return int((clock().timestamp() + faults.skew_seconds) * 1000)

    spot, futures = (MarketData(store, mode, now, faults) for mode in MODES)
    app = FastAPI(title="Sandbox exchange", docs_url=None, redoc_url=None, openapi_url=None)
    app.include_router(spot_router(spot))
    app.include_router(futures_router(futures, spot))
    add_streams(app, spot, futures)
    if customer is not None:
        attach_accounts(app, spot, futures, faults, *customer)

    # No coin-margined futures and no options, which clients load all the same.
    @app.get("/dapi/v1/exchangeInfo")
    @app.get("/eapi/v1/exchangeInfo")
    def no_symbols() -> dict[str, object]:
        return {"timezone": "UTC", "serverTime": now(), "symbols": [], "optionSymbols": []}

    @app.exception_handler(BinanceError)
    def refused(_: Request, error: BinanceError) -> JSONResponse:
        return JSONResponse({"code": error.code, "msg": error.message}, status_code=error.status)

    @app.exception_handler(CoordinatorError)
    def unsound_files(_: Request, error: CoordinatorError) -> JSONResponse:
        return JSONResponse({"code": -1000, "msg": str(error)}, status_code=500)

    @app.exception_handler(404)
    @app.exception_handler(405)
    def unknown_path(request: Request, _: Exception) -> JSONResponse:
        message = f"Path {request.url.path}, Method {request.method} is invalid"
        return JSONResponse({"code": -5000, "msg": message}, status_code=404)

    return FaultLayer(app, faults) if any(getattr(faults, name) for name in FAULTS) else app
