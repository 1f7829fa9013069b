"""Whether models still live in the market they were trained on: the last check of each, and what was done with them."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from coordinator.ledger.learning_events import LearningEvent, learning_events
from coordinator.ledger.registry import ModelRegistry
from coordinator.status.base import View, iso
from coordinator.status.phone import join_parts, wrap
from coordinator.status.source import Source

__all__ = ["Drift", "DriftCheck", "Event", "drift_text", "read_drift"]

NO_CHECKS = (
    "no check yet: a bot looks once a day, from its second day on, at models that keep what they learned from"
)


class DriftCheck(BaseModel):
    """The last check of a name's champion."""

    model_config = ConfigDict(frozen=True)

    name: str
    at: str | None
    model: int | None
    looked_until: str | None
    drifted: bool
    sentence: str
    checks: int
    drifts: int


class Event(BaseModel):
    """Something that was done with the models of a name: trained, drift, evaluated or rollback."""

    model_config = ConfigDict(frozen=True)

    name: str
    kind: str
    at: str | None
    model: int | None
    sentence: str


class Drift(View):
    """``watching``: whether the bot checks (``continuous_learning.drift_check``)."""

    watching: bool
    checks: list[DriftCheck] = []
    events: list[Event] = []


def read_drift(source: Source, limit: int = 20) -> Drift:
    """The view.

    Parameters
    ----------
    limit : events at most, the newest first
    """
    base = Drift(watching=source.settings.continuous_learning.drift_check)
    if not source.ledger.database.exists:
        return base.model_copy(update={"note": NO_CHECKS})
    names = sorted({model.info.name for model in ModelRegistry(source.ledger).models()})
    events = [event for name in names for event in learning_events(source.ledger, name)]
    checks = [check for name in names if (check := _last_check(name, events)) is not None]
    newest = sorted(events, key=lambda event: event.at, reverse=True)[:limit]
    shown = [
        Event(name=e.name, kind=e.kind, at=iso(e.at.timestamp()), model=e.model_id, sentence=e.sentence)
        for e in newest
    ]
    note = "" if checks else NO_CHECKS
    return base.model_copy(update={"checks": checks, "events": shown, "note": note})


def _last_check(name: str, events: list[LearningEvent]) -> DriftCheck | None:
    own = [event for event in events if event.name == name and event.kind == "drift"]
    if not own:
        return None
    last = own[-1]
    return DriftCheck(
        name=name,
        at=iso(last.at.timestamp()),
        model=last.model_id,
        looked_until=iso(last.time_until),
        drifted=bool(last.figures.get("drifted")),
        sentence=last.sentence,
        checks=len(own),
        drifts=sum(bool(event.figures.get("drifted")) for event in own),
    )


def drift_text(view: Drift) -> str:
    """For a phone."""
    parts = ["" if view.watching else "the daily check is off", wrap(view.note)]
    for one in view.checks:
        verdict = "DRIFTED" if one.drifted else "no drift"
        head = f"{one.name.replace('_', ' ')} {str(one.at)[:10]}"
        counted = f"{one.drifts} of {one.checks} checks found one"
        parts.append("\n".join((head, verdict, wrap(one.sentence), counted)))
    done = [e for e in view.events if e.kind != "drift"][:4]
    parts += [wrap(f"{str(e.at)[:10]} {e.kind} {e.name.replace('_', ' ')}: {e.sentence}") for e in done]
    return join_parts(*parts)
