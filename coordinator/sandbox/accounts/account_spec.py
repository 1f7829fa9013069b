"""Which account a sandbox exchange has."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["ACCOUNT_FILE", "BALANCE", "AccountSpec"]

BALANCE: Final = Decimal(10_000)
ACCOUNT_FILE: Final = "sandbox-account.json"


class AccountSpec(BaseModel):
    """A customer of the exchange; travels as JSON. Keys are no part of it: they are made anew at each start.

    Attributes
    ----------
    file : where the account is kept; None for in memory only
    balance : USDT in the spot and in the futures account at the beginning
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    file: Path | None = None
    balance: Decimal = Field(default=BALANCE, gt=0)
