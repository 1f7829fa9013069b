"""Keeps a dry run and live trading out of each other's open trades, where one database serves both."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from freqtrade.persistence import Trade

from coordinator.errors import CoordinatorError
from coordinator.shown_url import shown_url

__all__ = ["refuse_mixed_trades"]

_DRY_RUN = "dry_run_"
"""Begin of the ids that Freqtrade gives a dry run's orders."""


def refuse_mixed_trades(config: Mapping[str, Any]) -> None:
    """Look through a bot's open trades before it begins.

    A live bot would count a dry run's trades as held, and sell at the exchange what was never bought; a dry run would
    close real trades on paper, after which nobody manages what is held.

    Raises
    ------
    CoordinatorError
        If its database has open trades of the other kind.
    """
    dry_run = bool(config["dry_run"])
    others = [
        trade.pair
        for trade in Trade.get_open_trades()
        if any(order.order_id.startswith(_DRY_RUN) != dry_run for order in trade.orders)
    ]
    if others:
        bot, kind = (
            ("a dry run", "with real orders") if dry_run else ("a bot with real orders", "of a dry run")
        )
        rule = f"have no open trade {kind} ({', '.join(others)}): give this bot another database (--db-url)"
        raise CoordinatorError("db_url", bot, rule, shown_url(str(config["db_url"])))
