"""How Freqtrade finds ``PortfolioGuard.py``, and how that finds the portfolio monitor."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from freqtrade.persistence import Trade
from freqtrade.resolvers import ProtectionResolver

from coordinator.portfolio.guard import Position
from coordinator.portfolio.monitor import PortfolioMonitor
from coordinator.shipped import shipped_folder

__all__ = ["Lock", "drawdown_lock", "lock_end", "pair_lock", "portfolio_protections"]

FOLDER_KEY = "coordinator_protections_path"
FILE = "PortfolioGuard.py"

Lock = tuple[int, str, str]
"""Seconds since the epoch until which it holds, its reason and its side ("long", "short" or "*")."""


def portfolio_protections(config: dict[str, Any], monitor: PortfolioMonitor) -> list[dict[str, Any]]:
    """The protection's entry where it is switched on; others in its folder are found either way.

    Freqtrade has no user folder for protections: the resolver learns it here, each time, because a hyperopt worker gets
    the strategy by value and runs no module's top level.
    """
    ProtectionResolver.extra_path = FOLDER_KEY
    config[FOLDER_KEY] = str(_folder(config))
    if not monitor.settings.portfolio.protection.enabled:
        return []
    return [{"method": "PortfolioGuard", "monitor": monitor}]


def _folder(config: dict[str, Any]) -> Path:
    """Where the protection is: in the user directory if ``coordinator init`` put it there, else where it ships."""
    own = Path(config.get("user_data_dir") or "user_data") / "protections"
    return (own if (own / FILE).is_file() else shipped_folder() / "protections").resolve()


def drawdown_lock(monitor: PortfolioMonitor, now: datetime) -> Lock | None:
    """The lock of all pairs while the drawdown is above the hedge's trigger."""
    s, limit = monitor.settings.portfolio.protection, monitor.settings.portfolio.hedge.drawdown
    drawdown = monitor.tracker.drawdown
    if drawdown <= limit:
        return None
    until = int(now.timestamp()) + s.lock_minutes * 60
    return (
        until,
        f"drawdown {100 * drawdown:.0f} % above {100 * limit:.0f} %",
        "*" if s.both_sides else "long",
    )


def pair_lock(monitor: PortfolioMonitor, pair: str, side: str, now: datetime) -> Lock | None:
    """The lock of a pair and side whose entry the correlation or sector limit would refuse, until the next refresh."""
    held = [Position(trade.pair, -1 if trade.is_short else 1) for trade in Trade.get_open_trades()]
    refusing = (
        monitor.refusing_limits(pair, -1 if side == "short" else 1, monitor.time, held)
        if monitor.time >= 0
        else []
    )
    if not refusing:
        return None
    step = monitor.settings.improvements.correlation_filter.update_minutes * 60
    until = (int(now.timestamp()) // step + 1) * step
    limit = refusing[0]
    what = limit.name.replace("_", " ")
    return until, f"{what}: {limit.held} held, {limit.allowed} allowed ({limit.reason})", side


def lock_end(seconds: int) -> datetime:
    """A lock's end as Freqtrade wants it."""
    return datetime.fromtimestamp(seconds, tz=UTC)
