"""Where ledgers are: a bot's, and the newest of a bot and of backtests."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from pathlib import Path
from typing import Any, Final

from coordinator.errors import CoordinatorError
from coordinator.ledger.export import LEDGER_PATTERN, newest_ledger
from coordinator.settings import Settings

__all__ = ["BOT_LEDGER", "URL_VARIABLE", "configured_url", "default_ledger", "ledger_location"]

BOT_LEDGER: Final = "coordinator.ledger.sqlite"
URL_VARIABLE: Final = "COORDINATOR_LEDGER_URL"
configured_url: ContextVar[Callable[[], str | None]] = ContextVar("configured_url", default=lambda: None)
"""Reads ``ledger.url`` in the working directory's config: Freqtrade's, which this part of the library does not know."""
_WAL: Final = "-wal"  # what SQLite writes first


def ledger_location(config: Mapping[str, Any], settings: Settings) -> str:
    """Database URL or file of a bot's ledger: the environment's, the settings', else in its user directory."""
    default = Path(config["user_data_dir"]) / BOT_LEDGER
    return os.environ.get(URL_VARIABLE) or settings.ledger.url or str(default)


def default_ledger(results: Path) -> str:
    """The ledger that a command means which names none.

    A database URL (environment, or ``ledger.url`` of the working directory's config) goes first; otherwise the file
    written last of the bot's, beside the folder of results, and the backtests' in it.

    Raises
    ------
    CoordinatorError
        If there is none at all.
    """
    url = os.environ.get(URL_VARIABLE) or configured_url.get()()
    if url:
        return url
    bot = results.parent / BOT_LEDGER
    try:
        backtest = newest_ledger(results)
    except CoordinatorError:
        if bot.is_file():
            return str(bot)
        rule = f"be named with --ledger where neither a bot's {bot} nor a backtest's {LEDGER_PATTERN} in {results} is"
        raise CoordinatorError("ledger", "this command", rule, "none") from None
    return str(bot) if bot.is_file() and _written(bot) > _written(backtest) else str(backtest)


def _written(path: Path) -> int:
    files = [path, path.with_name(path.name + _WAL)]
    return max(file.stat().st_mtime_ns for file in files if file.is_file())
