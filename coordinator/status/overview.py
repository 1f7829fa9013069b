"""What there is to ask, and of which bot."""

from __future__ import annotations

from datetime import UTC, datetime

from coordinator.status.base import View, iso
from coordinator.status.source import NOTHING_YET, Source

__all__ = ["COMMANDS", "Overview", "overview_text", "read_overview"]

COMMANDS = {
    "ml_stats": "metrics, components",
    "rr_stats": "dynamic reward:risk",
    "correlation": "correlations, limits",
    "thresholds": "gates and mistakes",
    "vol_sizing": "size adjustments",
    "phase": "ML's say, reviews",
    "why": "why a pair: /why BTC",
    "models": "champions, ages",
    "drift": "drift checks",
    "alerts": "what was told",
    "summary": "the last day",
}
"""Views by name, as Telegram and REST call them, and what each is about in a few words."""


class Overview(View):
    """The bot's run in the ledger; ``candle``: open of the newest closed candle; None without a bot."""

    run_id: int | None
    at: str
    candle: str | None = None
    pairs: list[str] = []
    views: dict[str, str] = {}


def read_overview(source: Source) -> Overview:
    """The view."""
    facts = source.facts
    at = datetime.now(UTC) if facts is None else facts.at
    return Overview(
        note=NOTHING_YET if facts is None or not facts.candle else "",
        run_id=source.run_id,
        at=str(iso(at.timestamp())),
        candle=None if facts is None or not facts.candle else iso(facts.candle),
        pairs=list(source.pairs()),
        views=COMMANDS,
    )


def overview_text() -> str:
    """The commands, for a phone."""
    return "\n".join(("Coordinator", *(f"/{name:12}{text}" for name, text in COMMANDS.items())))
