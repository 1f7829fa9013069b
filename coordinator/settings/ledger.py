"""Settings of the ledger's database."""

from __future__ import annotations

from pydantic import Field

from coordinator.settings.base import Section

__all__ = ["LedgerSettings"]


class LedgerSettings(Section):
    """Where a bot keeps its ledger. A URL with a password belongs in the environment variable instead."""

    url: str = Field(
        "",
        description="SQLAlchemy database URL or file; empty: coordinator.ledger.sqlite in the user directory. The "
        "environment variable COORDINATOR_LEDGER_URL comes first",
    )
