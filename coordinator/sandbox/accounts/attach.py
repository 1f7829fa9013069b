"""Adds accounts to the sandbox exchange: who the customer is, and where the account is kept."""

from __future__ import annotations

from fastapi import FastAPI

from coordinator.sandbox.accounts.account_file import AccountFile
from coordinator.sandbox.accounts.account_spec import AccountSpec
from coordinator.sandbox.accounts.credentials import Credentials, signed_request
from coordinator.sandbox.accounts.futures_routes import futures_order_router
from coordinator.sandbox.accounts.market_venue import MarketVenue
from coordinator.sandbox.accounts.matching_engine import MatchingEngine
from coordinator.sandbox.accounts.position_routes import position_router
from coordinator.sandbox.accounts.spot_routes import spot_account_router
from coordinator.sandbox.faults import Faults
from coordinator.sandbox.market_data import MarketData

__all__ = ["attach_accounts"]


def attach_accounts(
    app: FastAPI,
    spot: MarketData,
    futures: MarketData,
    faults: Faults,
    spec: AccountSpec,
    credentials: Credentials,
) -> None:
    """Add the signed paths.

    Raises
    ------
    CoordinatorError
        If the account's file cannot be read, or is of a later time than the exchange's clock.
    """
    file = AccountFile(spec.file, spec.balance)
    file.check_time(spot.now())
    file.save()
    signed = signed_request(credentials, spot.now)
    spot_engine = MatchingEngine(file.accounts.spot, MarketVenue(spot, faults), file.save)
    venue = MarketVenue(futures, faults)
    futures_engine = MatchingEngine(file.accounts.futures, venue, file.save)
    app.include_router(spot_account_router(spot_engine, spot, signed))
    app.include_router(futures_order_router(futures_engine, signed))
    app.include_router(position_router(futures_engine, venue, futures, signed))
