"""A live bot (``dry_run: false``) on the sandbox exchange: keys of its own, databases of its own, Binance's errors."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import ccxt
import ccxt.async_support
from freqtrade.commands.arguments import Arguments
from freqtrade.configuration.environment_vars import environment_vars_to_dict
from freqtrade.configuration.load_config import load_from_files
from freqtrade.exceptions import OperationalException

from coordinator.adapters.environment import replaced_environment
from coordinator.errors import CoordinatorError
from coordinator.ledger.location import URL_VARIABLE
from coordinator.sandbox.accounts.credentials import Credentials

__all__ = ["LEDGER", "TRADES", "is_live", "live_environment"]

TRADES: Final = "sandbox-trades.sqlite"
LEDGER: Final = "sandbox-ledger.sqlite"
_EXCHANGE: Final = "FREQTRADE__EXCHANGE__"
_HOSTS: Final = {"/fapi/": "https://fapi.binance.com/", "/api/": "https://api.binance.com/"}


def is_live(arguments: Sequence[str]) -> bool:
    """Whether ``freqtrade ARGUMENTS`` trades with ``dry_run: false``; looks where Freqtrade looks.

    Raises
    ------
    CoordinatorError
        Where it does, on an exchange that the sandbox is not.
    """
    asked = Arguments(list(arguments)).get_parsed_arg()
    if asked.get("command") != "trade":
        return False
    try:
        config: dict[str, Any] = load_from_files(asked.get("config") or [])
    except OperationalException:
        return False  # Freqtrade says what is wrong with its files
    environment = environment_vars_to_dict()
    if asked.get("dry_run") or environment.get("dry_run", config.get("dry_run", True)):
        return False
    name = environment.get("exchange", {}).get("name") or config.get("exchange", {}).get("name")
    if name != "binance":
        rule = (
            "be binance for a live bot in the sandbox, which is no other exchange and takes no keys of one; for a "
            'rehearsal without orders give "dry_run": true'
        )
        raise CoordinatorError("exchange.name", "coordinator sandbox run", rule, name)
    return True


@contextmanager
def live_environment(credentials: Credentials, folder: Path, url: str) -> Iterator[None]:
    """While it lasts this process has the sandbox's keys and no others, and a ledger that is not the user's.

    Parameters
    ----------
    credentials : of the sandbox; they go over any key in a config, and no file holds them
    folder : where the ledger goes
    url : the exchange's address
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_EXCHANGE)}
    own = {
        f"{_EXCHANGE}KEY": credentials.key,
        f"{_EXCHANGE}API_KEY": credentials.key,
        f"{_EXCHANGE}SECRET": credentials.secret,
        URL_VARIABLE: f"sqlite:///{(folder / LEDGER).resolve()}",
        "FREQTRADE__DRY_RUN": "false",
    }
    with replaced_environment({**kept, **own}), _errors_by_market(url):
        yield


@contextmanager
def _errors_by_market(url: str) -> Iterator[None]:
    """Ccxt tells what an error of Binance means by the real addresses; here the sandbox's stand for them."""

    def translated(original: Any) -> Any:
        def exceptions(self: Any, address: str | None, kind: str) -> Mapping[str, Any]:
            for path, host in _HOSTS.items():
                if address is not None and address.startswith(url + path):
                    address = host
            found: Mapping[str, Any] = original(self, address, kind)
            return found

        return exceptions

    name = "get_exceptions_by_url"
    originals = {kind: getattr(kind, name) for kind in (ccxt.binance, ccxt.async_support.binance)}
    for kind, original in originals.items():
        setattr(kind, name, translated(original))
    try:
        yield
    finally:
        for kind, original in originals.items():
            setattr(kind, name, original)
