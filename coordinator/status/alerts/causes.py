"""What is worth an alert, from what a bot knows and its ledger: kind, cause and text of each."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple

from coordinator.components.absence import ABSENCE_REASONS, FAILED
from coordinator.ledger.registry import ModelRegistry
from coordinator.settings.alerts import AlertKind
from coordinator.status.facts import Facts
from coordinator.status.models import read_models
from coordinator.status.source import Source
from coordinator.types import SECONDS_PER_DAY

__all__ = ["Alert", "candle_alerts", "silence_alerts"]

SECONDS_PER_HOUR = 3600


class Alert(NamedTuple):
    """Something to tell: what has the same kind and cause is the same."""

    kind: AlertKind
    cause: str
    message: str


def silence_alerts(facts: Facts, now: datetime, candle_seconds: int, hours: float) -> Iterator[Alert]:
    """The exchange, or a pair alone, has brought no closed candle for too long.

    Parameters
    ----------
    now : timezone-aware
    hours : from which on it is silent
    """
    if not facts.candle:
        return
    age = now.timestamp() - facts.candle - candle_seconds
    if age > hours * SECONDS_PER_HOUR:
        yield Alert(
            "anomaly",
            f"silent {facts.candle}",
            f"Coordinator: no new candle of any pair since the one that closed at "
            f"{_moment(facts.candle + candle_seconds)}: the exchange is silent, or the bot is cut off from it",
        )
        return
    for pair, newest in sorted(facts.newest.items()):
        behind = facts.candle - newest
        if pair in facts.pairs and behind > hours * SECONDS_PER_HOUR:
            last = _moment(newest + candle_seconds)
            text = f"{pair} has had no candle since {last}, other pairs have: halted or delisted?"
            yield Alert("anomaly", f"silent {pair} {newest}", f"Coordinator: {text}")


def candle_alerts(source: Source, facts: Facts, since: int) -> Iterator[Alert]:
    """All that is looked at once a candle.

    Parameters
    ----------
    since : open time of the newest candle when the bot began for the first time: what is older is not told
    """
    yield from _portfolio(facts)
    yield from _no_signal(source, facts, since)
    yield from _trainings(facts)
    yield from _models(source, since)


def _portfolio(facts: Facts) -> Iterator[Alert]:
    hedge = facts.hedge
    if hedge.get("since"):
        cause = f"{'on' if hedge['active'] else 'off'} {hedge['since']}"
        yield Alert("hedge", cause, f"Coordinator: {hedge['words']}")
    for pair, (time, reason) in sorted(facts.refusals.items()):
        day = time // SECONDS_PER_DAY
        yield Alert(
            "guard",
            f"{day} {pair} {_general(reason)}",
            f"Coordinator: {pair}: the entry is refused: {reason}",
        )


def _general(reason: str) -> str:
    """A reason without its numbers, which change from candle to candle."""
    return "".join(sign for sign in reason if not sign.isdigit())


def _no_signal(source: Source, facts: Facts, since: int) -> Iterator[Alert]:
    days = source.settings.alerts.no_signal_days
    last = max((int(row["time"]) for row in facts.signals.values()), default=since)
    quiet = facts.candle - max(last, 0)
    if facts.newest and quiet > days * SECONDS_PER_DAY:
        text = f"no signal on any pair for {quiet / SECONDS_PER_DAY:.0f} days, the last on {_moment(last)}"
        yield Alert("anomaly", f"no signal since {last}", f"Coordinator: {text}")


def _trainings(facts: Facts) -> Iterator[Alert]:
    day = facts.candle // SECONDS_PER_DAY
    for component, pairs in sorted(facts.absences.items()):
        failed = sorted(
            pair
            for pair, reason in pairs.items()
            if reason == ABSENCE_REASONS[FAILED] or reason.startswith("FreqAI raised")
        )
        if failed:
            text = f"{component} failed for {', '.join(failed)}; the others decide. The log has the error"
            yield Alert("training", f"{day} {component}", f"Coordinator: {text}")
    for time, error in facts.failed_trainings:
        text = f"a training failed ({error}); the models of before go on. The log has the error"
        yield Alert("training", f"{time // SECONDS_PER_DAY} {error}", f"Coordinator: {text}")


def _models(source: Source, since: int) -> Iterator[Alert]:
    view = read_models(source)
    registry = ModelRegistry(source.ledger)
    for line in view.names:
        succession = registry.succession(line.name)
        for time, model in zip(succession.times, succession.champions, strict=True):
            if time > since and model is not None:
                text = f"{line.name}: model {model.id} is champion from {_moment(time)}: {model.verdict}"
                yield Alert("promotion", f"{model.info.file_hash} {time}", f"Coordinator: {text}")
        champion = line.champion
        if line.stale and champion is not None:
            text = (
                f"{line.name}: the champion is stale, its newest sample is {champion.age_days:.0f} days old"
            )
            yield Alert("anomaly", f"stale {line.name} {champion.id}", f"Coordinator: {text}")


def _moment(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, tz=UTC):%Y-%m-%d %H:%M}"
