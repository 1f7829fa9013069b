"""Puts our routes into the FastAPI app of Freqtrade's running API server."""

from __future__ import annotations

from fastapi import FastAPI

from coordinator.adapters.rest.routes import PREFIX, STATE, router
from coordinator.status.source import Source

__all__ = ["attach_rest"]


def attach_rest(app: FastAPI, source: Source) -> None:
    """Add the routes, once an app, and answer from this source from now on.

    They go before FreqUI's catch-all, which stands last and would take every GET.
    """
    setattr(app.state, STATE, source)
    routes = app.router.routes
    if any(getattr(route, "path", "") == PREFIX for route in routes):
        return
    before = list(routes)
    app.include_router(router)
    added = [route for route in app.router.routes if route not in before]
    app.router.routes = [*added, *before]  # in one step: the server's thread goes on serving
    app.openapi_schema = None  # built anew when it is asked for next
