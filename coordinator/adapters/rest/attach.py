"""Puts our routes into the FastAPI app of Freqtrade's running API server."""

from __future__ import annotations

from fastapi import FastAPI

from coordinator.adapters.rest.routes import PREFIX, STATE, router
from coordinator.status.source import Source

__all__ = ["attach_rest"]


def attach_rest(app: FastAPI, source: Source) -> str:
    """Add the routes, once an app, and answer from this source from now on.

    They go before FreqUI's catch-all, which stands last and would take every GET.

    Returns
    -------
    str
        The path under which they are.
    """
    first = not hasattr(app.state, STATE)
    setattr(app.state, STATE, source)
    if not first:
        return PREFIX
    before = list(app.router.routes)
    app.include_router(router)
    added = app.router.routes[len(before) :]
    app.router.routes = [*added, *before]  # in one step: the server's thread goes on serving
    app.openapi_schema = None  # built anew when it is asked for next
    return PREFIX
