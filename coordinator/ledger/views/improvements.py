"""What each improvement did in a run, and what became of the signals it did it to, as tables of texts."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import NamedTuple

from coordinator.errors import CoordinatorError
from coordinator.ledger.records import ImprovementRow
from coordinator.ledger.store import Ledger
from coordinator.ledger.views.learned import TextTable

__all__ = ["improvement_tables"]

TRUST = "trust_"
GATES = ("regime_gate", "regime_avoid")
REFUSING = ("correlation_filter", "sector_limit", "ranking", *GATES)
NUMBERS = ("dynamic_reward_risk", "volatility_sizing", "adaptive_thresholds", "kelly_cap")


class _Row(NamedTuple):
    """A row's mode and numbers with the R of its signal; NaN where one is not known."""

    mode: str
    base: float
    adjusted: float
    r: float


def improvement_tables(ledger: Ledger, run_id: int) -> list[TextTable]:
    """Numbers that were adjusted, entries that were refused, exits that shadow mode saw, and changes of trust.

    Mean R, win rate and profit factor are of the signals' own virtual trades (the base target), so they say what kind
    of signals an improvement enlarges, shrinks or refuses.

    Raises
    ------
    CoordinatorError
        If the run has no improvement's rows: all of them were off.
    """
    decisions = ledger.read_decisions(run_id)
    times = decisions["time"].dt.as_unit("s").astype("int64")
    keys = zip(times.tolist(), decisions["pair"].tolist(), strict=True)
    outcome = dict(zip(keys, decisions["outcome_r"].tolist(), strict=True))
    by_name: dict[str, list[_Row]] = defaultdict(list)
    changes: list[tuple[int, ImprovementRow]] = []
    for record in ledger.replay(run_id):
        for row in record.improvements:
            if row.name.startswith(TRUST):
                changes.append((record.time, row))
            else:
                r = outcome.get((record.time, row.pair), math.nan)
                by_name[row.name].append(_Row(row.mode, _number(row.base), _number(row.adjusted), r))
    if not by_name and not changes:
        rule = "have an improvement that is not off (set its mode to shadow or on, and run again: docs/settings.md)"
        raise CoordinatorError("run", ledger.database.name, rule, run_id)
    tables = [
        TextTable(
            "Numbers",
            ("Improvement", "Mode", "Change", "Signals", "Mean base", "Mean adjusted", *_OUTCOME),
            [row for name in NUMBERS for row in _levels(name, by_name.get(name, []))],
        ),
        TextTable(
            "Entries asked for",
            ("Limit", "Mode", "Answer", "Entries", *_OUTCOME),
            [row for name in REFUSING for row in _answers(name, by_name.get(name, []))],
        ),
        TextTable("Would have done in shadow mode", ("Rule", "Times", "Share"), _others(by_name)),
        TextTable("Trust", ("Improvement", "Pair", "Day", "Range before", "After"), _trust(changes)),
    ]
    return [table for table in tables if table.rows]


_OUTCOME = ("Mean R", "Win rate", "Profit factor")


def _number(value: float | None) -> float:
    return math.nan if value is None else value


def _outcomes(rows: Iterable[_Row]) -> tuple[str, ...]:
    r = [row.r for row in rows if row.r == row.r]
    if not r:
        return ("-",) * 3
    lost = -sum(x for x in r if x < 0)
    factor = f"{sum(x for x in r if x > 0) / lost:.2f}" if lost else "-"
    return f"{sum(r) / len(r):+.3f}", f"{sum(x > 0 for x in r) / len(r):.1%}", factor


def _levels(name: str, rows: list[_Row]) -> list[tuple[str, ...]]:
    def line(change: str, part: list[_Row]) -> tuple[str, ...]:
        base, adjusted = (
            sum(getattr(row, side) for row in part) / len(part) for side in ("base", "adjusted")
        )
        numbers = (f"{len(part):,}", f"{base:.3f}", f"{adjusted:.3f}")
        return (name, part[-1].mode, change, *numbers, *_outcomes(part))

    parts = {
        "lower": [row for row in rows if row.adjusted < row.base],
        "as it is": [row for row in rows if row.adjusted == row.base],
        "higher": [row for row in rows if row.adjusted > row.base],
    }
    return [line(change, part) for change, part in parts.items() if part]


def _answers(name: str, rows: list[_Row]) -> list[tuple[str, ...]]:
    """A limit's rows hold what is allowed and what was found, a gate's 1 and then 0 where it bars; the ranking's are
    of entries that lost alone."""

    def refuses(row: _Row) -> bool:
        return name == "ranking" or (row.adjusted == 0 if name in GATES else row.adjusted >= row.base)

    refused = [row for row in rows if refuses(row)]
    allowed = [row for row in rows if not refuses(row)]
    return [
        (name, part[-1].mode, answer, f"{len(part):,}", *_outcomes(part))
        for answer, part in (("allowed", allowed), ("refused", refused))
        if part
    ]


def _others(by_name: Mapping[str, list[_Row]]) -> list[tuple[str, ...]]:
    return [
        (name, f"{len(rows):,}", f"{rows[-1].adjusted:.0%}")
        for name, rows in sorted(by_name.items())
        if name not in (*NUMBERS, *REFUSING)
    ]


def _trust(changes: list[tuple[int, ImprovementRow]]) -> list[tuple[str, ...]]:
    return [
        (
            row.name.removeprefix(TRUST),
            row.pair,
            f"{datetime.fromtimestamp(time, tz=UTC):%Y-%m-%d}",
            f"{_number(row.base):.0%}",
            f"{row.adjusted:.0%}" if row.adjusted else "off",
        )
        for time, row in changes
    ]
