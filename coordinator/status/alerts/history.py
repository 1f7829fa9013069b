"""What a bot has told, from its ledger."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from coordinator.status.alerts.book import PREFIX
from coordinator.status.base import View
from coordinator.status.phone import join_parts, wrap
from coordinator.status.source import Source

__all__ = ["AlertLine", "Alerts", "alerts_text", "read_alerts"]

NONE_YET = "nothing was told yet"


class AlertLine(BaseModel):
    """An alert, or a day's summary (kind "daily")."""

    model_config = ConfigDict(frozen=True)

    at: str
    kind: str
    message: str


class Alerts(View):
    """The newest first."""

    alerts: list[AlertLine] = []


def read_alerts(source: Source, limit: int = 50) -> Alerts:
    """The last ``limit`` alerts."""
    run_id = source.run_id
    states = [] if run_id is None else source.ledger.named_snapshots(run_id, PREFIX)
    told = [
        AlertLine(at=state["at"], kind=state["kind"], message=state["message"])
        for _, (_, state) in states
        if state.get("message")
    ]
    newest = sorted(told, key=lambda one: one.at, reverse=True)[:limit]
    return Alerts(alerts=newest, note="" if newest else NONE_YET)


def alerts_text(view: Alerts) -> str:
    """For a phone."""
    lines = [
        "\n".join((f"{one.at[5:16].replace('T', ' ')} {one.kind}", *map(wrap, one.message.split("\n"))))
        for one in view.alerts[:8]
    ]
    return join_parts(wrap(view.note), *lines)
