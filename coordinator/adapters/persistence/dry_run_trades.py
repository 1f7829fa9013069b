"""Keeps live trading away from a database in which trades of a dry run are still open."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from freqtrade.persistence import Trade

from coordinator.errors import CoordinatorError
from coordinator.shown_url import shown_url

__all__ = ["refuse_dry_run_trades"]

_DRY_RUN = "dry_run_"
"""Begin of the ids that Freqtrade gives a dry run's orders."""


def refuse_dry_run_trades(config: Mapping[str, Any]) -> None:
    """Freqtrade would hold such trades for real: count their slots, and sell at the exchange what was never bought.

    Raises
    ------
    CoordinatorError
        If a live bot's database has open trades whose orders were a dry run's.
    """
    if config["dry_run"]:
        return
    held = [
        trade.pair
        for trade in Trade.get_open_trades()
        if any(order.order_id.startswith(_DRY_RUN) for order in trade.orders)
    ]
    if held:
        rule = f"have no open trade of a dry run ({', '.join(held)}): give live trading another (--db-url)"
        raise CoordinatorError("db_url", "a bot with real orders", rule, shown_url(str(config["db_url"])))
