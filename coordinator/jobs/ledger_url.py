"""The ledger's database URL in the working directory's config."""

from __future__ import annotations

from pathlib import Path

__all__ = ["configured_ledger_url"]


def configured_ledger_url() -> str | None:
    """``coordinator.ledger.url`` of ``config.json``, as Freqtrade reads it; None without the file or the key.

    Raises
    ------
    CoordinatorError
        If the file cannot be read, or its "coordinator" section is wrong.
    """
    from coordinator.adapters.configuration import read_config
    from coordinator.settings import load_settings

    config = Path("config.json")
    return (
        load_settings(read_config(config).get("coordinator")).ledger.url or None if config.is_file() else None
    )
