"""The sandbox exchange as a server in a thread of this process."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from contextlib import suppress
from itertools import count
from types import TracebackType
from typing import Final

import uvicorn
from starlette.types import ASGIApp

from coordinator.errors import CoordinatorError
from coordinator.sandbox.faults import FaultLayer

__all__ = ["SandboxServer"]

_START_SECONDS: Final = 15.0


class _Server(uvicorn.Server):  # type: ignore[misc]  # mypy does not read uvicorn
    """Ends at once: uvicorn looks every tenth of a second whether it is to end, and waits another one then."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ended = asyncio.Event()

    def end(self) -> None:
        """From another thread."""
        self.should_exit = True
        if self._loop is not None:
            with suppress(RuntimeError):  # it has ended by itself, and its loop is closed
                self._loop.call_soon_threadsafe(self._ended.set)

    async def main_loop(self) -> None:
        self._loop = asyncio.get_running_loop()
        for tick in count():
            if await self.on_tick(tick):
                return
            with suppress(TimeoutError):
                await asyncio.wait_for(self._ended.wait(), 0.1)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Clients keep connections open; nothing is worth waiting for at the end."""
        for opened in (*self.servers, *(sockets or [])):
            opened.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        await asyncio.sleep(0)


class SandboxServer:
    """Serves an application from entering to leaving a ``with`` block.

    Parameters
    ----------
    app : ASGI application
        The exchange.
    host : str
        Address to bind; the default is reachable from this machine only.
    port : int
        0 takes a free one; see ``url`` for which.

    Raises
    ------
    CoordinatorError
        If the address cannot be bound, e.g. because the port is in use.
    """

    def __init__(self, app: ASGIApp, host: str = "127.0.0.1", port: int = 0) -> None:
        if not 0 <= port <= 65535:
            raise CoordinatorError("port", "coordinator sandbox serve", "be between 0 and 65535", port)
        self._socket = _bind(host, port)
        self.port = int(self._socket.getsockname()[1])
        self.url = f"http://{'127.0.0.1' if host == '0.0.0.0' else host}:{self.port}"
        # A faulty exchange's faults are no news.
        level = "critical" if isinstance(app, FaultLayer) else "warning"
        config = uvicorn.Config(app, log_level=level, access_log=False, lifespan="off")
        self._server = _Server(config)
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],), daemon=True)

    def __enter__(self) -> SandboxServer:
        """Start, and return once requests are answered."""
        self._thread.start()
        deadline = time.monotonic() + _START_SECONDS
        while not self._server.started:
            if not self._thread.is_alive() or time.monotonic() > deadline:
                self._stop()
                raise RuntimeError("The sandbox exchange did not start.")
            time.sleep(0.01)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop, and free the port."""
        self._stop()

    def _stop(self) -> None:
        self._server.end()
        self._thread.join(timeout=10.0)
        self._socket.close()


def _bind(host: str, port: int) -> socket.socket:
    """A bound socket: binding before the server starts leaves no moment for others to take the port."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
    except OSError as error:
        bound.close()
        raise CoordinatorError("port", "coordinator sandbox serve", f"be free on {host}", port) from error
    return bound
