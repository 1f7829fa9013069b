"""Settings of the ledger's database and of what is collected in it."""

from __future__ import annotations

from pydantic import Field

from coordinator.settings.base import Section

__all__ = ["DataCollectionSettings", "LedgerSettings"]


class LedgerSettings(Section):
    """Where a bot keeps its ledger. A URL with a password belongs in the environment variable instead."""

    url: str = Field(
        "",
        description="SQLAlchemy database URL or file; empty: coordinator.ledger.sqlite in the user directory. The "
        "environment variable COORDINATOR_LEDGER_URL comes first",
    )


class DataCollectionSettings(Section):
    """What models learn from, kept in the ledger by every backtest and bot (spec 002)."""

    enabled: bool = Field(
        True, description="write features of signals, panel samples and predictions; never in hyperopt"
    )
