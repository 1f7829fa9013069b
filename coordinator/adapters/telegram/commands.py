"""What each command answers: its arguments checked, the view as text. No Telegram, so any test can ask."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from coordinator.status.alerts.history import alerts_text, read_alerts
from coordinator.status.base import UnknownPairError
from coordinator.status.correlation import correlation_text, read_correlation
from coordinator.status.drift import drift_text, read_drift
from coordinator.status.ml_stats import ml_stats_text, read_ml_stats
from coordinator.status.models import models_text, read_models
from coordinator.status.overview import overview_text
from coordinator.status.phase import phase_text, read_phase
from coordinator.status.phone import short, wrap
from coordinator.status.reward_risk import read_reward_risk, reward_risk_text
from coordinator.status.source import Source
from coordinator.status.summary import read_summary, summary_text
from coordinator.status.thresholds import read_thresholds, thresholds_text
from coordinator.status.vol_sizing import read_vol_sizing, vol_sizing_text
from coordinator.status.why import read_why
from coordinator.status.why_text import why_text

__all__ = ["ANSWERS", "RefusedError", "answer"]

WORD = re.compile(r"[A-Za-z0-9.\-]{1,24}(/[A-Za-z0-9.\-]{1,16}(:[A-Za-z0-9.\-]{1,16})?)?", re.ASCII)
MOST_DAYS = 3650
PAIRS_SHOWN = 40


class RefusedError(ValueError):
    """Arguments that are not understood; the text says what would be, and repeats nothing of them."""


def _days(args: Sequence[str]) -> int:
    if not args:
        return 30
    if len(args) > 1 or not re.fullmatch(r"[0-9]{1,4}", args[0], re.ASCII):
        raise RefusedError(f"one number of days, 1 to {MOST_DAYS}, or nothing")
    days = int(args[0])
    if not 1 <= days <= MOST_DAYS:
        raise RefusedError(f"days from 1 to {MOST_DAYS}")
    return days


def _pair(source: Source, args: Sequence[str]) -> str:
    """The pair that is meant, by its name or its coin, in any case."""
    pairs = source.pairs()
    known = ", ".join(short(pair) for pair in pairs[:PAIRS_SHOWN]) or "none yet"
    if len(args) != 1 or not WORD.fullmatch(args[0]):
        raise RefusedError(f"one pair, like /why {short(pairs[0]) if pairs else 'BTC'}. Known: {known}")
    wanted = args[0].upper()
    found = [
        pair for pair in pairs if wanted in (pair.upper(), short(pair).upper(), pair.upper().split(":")[0])
    ]
    if len(found) > 1:
        raise RefusedError(f"which of {', '.join(found)}?")
    if not found:
        raise RefusedError(f"no such pair. Known: {known}")
    return found[0]


def _pair_or_days(source: Source, args: Sequence[str]) -> tuple[str | None, int]:
    """A pair, or days, or neither."""
    if len(args) > 1:
        raise RefusedError(f"one pair, or one number of days, 1 to {MOST_DAYS}, or nothing")
    if args and not args[0].isdigit():
        return _pair(source, args), 30
    return None, _days(args)


def _none(args: Sequence[str]) -> None:
    if args:
        raise RefusedError("nothing behind the command")


def _overview(source: Source, args: Sequence[str]) -> str:
    return overview_text()


def _phase(source: Source, args: Sequence[str]) -> str:
    _none(args)
    return phase_text(read_phase(source))


def _correlation(source: Source, args: Sequence[str]) -> str:
    pair, days = _pair_or_days(source, args)
    return correlation_text(read_correlation(source, days, pair))


def _thresholds(source: Source, args: Sequence[str]) -> str:
    pair, days = _pair_or_days(source, args)
    return thresholds_text(read_thresholds(source, days, pair))


def _without(read: Callable[[Source], str]) -> Callable[[Source, Sequence[str]], str]:
    def own(source: Source, args: Sequence[str]) -> str:
        _none(args)
        return read(source)

    return own


ANSWERS: dict[str, Callable[[Source, Sequence[str]], str]] = {
    "coordinator": _overview,
    "ml_stats": lambda source, args: ml_stats_text(read_ml_stats(source, _days(args))),
    "rr_stats": lambda source, args: reward_risk_text(read_reward_risk(source, _days(args))),
    "correlation": _correlation,
    "thresholds": _thresholds,
    "vol_sizing": lambda source, args: vol_sizing_text(read_vol_sizing(source, _days(args))),
    "phase": _phase,
    "why": lambda source, args: why_text(read_why(source, _pair(source, args))),
    "models": _without(lambda source: models_text(read_models(source))),
    "drift": _without(lambda source: drift_text(read_drift(source))),
    "alerts": _without(lambda source: alerts_text(read_alerts(source))),
    "summary": _without(lambda source: summary_text(read_summary(source))),
}
"""Commands by name."""


def answer(command: str, source: Source, args: Sequence[str]) -> str:
    """The answer to a command, in lines of at most 34 characters.

    Raises
    ------
    Exception
        What a view raises: a ledger that cannot be read. Arguments that are not understood are answered.
    """
    try:
        return ANSWERS[command](source, args)
    except (RefusedError, UnknownPairError) as refused:
        return wrap(f"Not understood: /{command} takes {refused}")
