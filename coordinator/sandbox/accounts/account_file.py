"""The file that an exchange's accounts survive in, written whole or not at all."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from coordinator.errors import CoordinatorError
from coordinator.sandbox.accounts.futures_account import FuturesAccount
from coordinator.sandbox.accounts.spot_account import SpotAccount
from coordinator.whole_file import write_whole

__all__ = ["AccountFile", "Accounts"]

_OWNER = "the sandbox account"


class Accounts(BaseModel):
    """The two accounts of a customer."""

    model_config = ConfigDict(extra="forbid")

    spot: SpotAccount
    futures: FuturesAccount


class AccountFile:
    """Accounts kept in a JSON file; in memory only where there is no path.

    Parameters
    ----------
    path : pathlib.Path, optional
        Read if it exists, else made at the first change.
    balance : decimal.Decimal
        USDT in each account at the beginning; a file's own balances go over it.

    Raises
    ------
    CoordinatorError
        Where the file cannot be read.
    """

    def __init__(self, path: Path | None, balance: Decimal) -> None:
        self._path = path
        if path is not None and path.is_file():
            try:
                self.accounts = Accounts.model_validate_json(path.read_text(encoding="utf-8"))
            except (ValidationError, OSError) as error:
                rule = f"be readable, else deleted ({str(error).splitlines()[0]})"
                raise CoordinatorError("account", _OWNER, rule, str(path)) from None
        else:
            self.accounts = Accounts(
                spot=SpotAccount(balances={"USDT": balance}), futures=FuturesAccount(wallet=balance)
            )

    def check_time(self, now: int) -> None:
        """Refuse an account that has seen later times than the exchange's clock: its orders would run backwards."""
        latest = max(self.accounts.spot.seen, self.accounts.futures.seen)
        if latest > now:
            seen = datetime.fromtimestamp(-(-latest // 1000), tz=UTC)  # the whole second after it
            rule = f"be no later than the clock; go on from its end ({seen:%Y-%m-%dT%H:%M:%SZ}), or delete it"
            raise CoordinatorError("account", _OWNER, rule, str(self._path))

    def save(self) -> None:
        """Write the accounts as they are."""
        if self._path is None:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(self._path, self.accounts.model_dump_json().encode())
