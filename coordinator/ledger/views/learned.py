"""What a run's learners had learned by its last snapshot, as tables of texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from coordinator.ledger.store import Ledger

__all__ = ["TextTable", "learned_tables"]

LATEST = 2**40
REVIEWS_SHOWN = 12


class TextTable(NamedTuple):
    """A table ready to print."""

    title: str
    head: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]


def learned_tables(ledger: Ledger, run_id: int) -> list[TextTable]:
    """ML weight and its reviews, vote weights, thresholds, and the selector's Q-table.

    Of a run that has stored no state of its learners yet (a bot within its first hour), an empty table says so.
    """
    snapshot = ledger.snapshot(run_id, "fold", LATEST)
    if snapshot is None:
        nothing = (
            "Nothing is stored yet: a bot does so with its second candle, a backtest with --export trades"
        )
        return [TextTable(f"Run {run_id}", ("What it learned",), [(nothing,)])]
    state: Mapping[str, Any] = snapshot.state["fold"]["learners"]
    return [
        _weight(state["manager"]),
        TextTable("Vote weights", ("Component", "Weight"), _shares(state["vote_weights"]["weights"])),
        TextTable(
            "Adaptive thresholds",
            ("Pair", "Threshold", "Outcomes"),
            [
                (row["pair"], f"{row['threshold']:.2f}", str(len(row["rows"])))
                for row in state["thresholds"]["pairs"]
            ],
        ),
        _q_table(state["selector"]),
    ]


def _weight(manager: Mapping[str, Any]) -> TextTable:
    rows = [
        (
            f"{datetime.fromtimestamp(review['time'], tz=UTC):%Y-%m-%d}",
            review["phase_after"],
            f"{review['weight_after']:.0%}",
            review["reason"],
            str(review["evidence"]["outcomes"]),
            _evidence(review["evidence"]),
        )
        for review in manager["reviews"][-REVIEWS_SHOWN:]
    ]
    title = f"ML weight {manager['weight']:.0%}, phase {manager['phase']}; the last reviews"
    return TextTable(title, ("Review", "Phase", "Weight", "Why", "Outcomes", "Evidence"), rows)


def _evidence(evidence: Mapping[str, Any]) -> str:
    """What the criterion looks at: the better half's gain, or the accuracy."""
    if "p_halves" in evidence:
        return f"better half {evidence['halves']:+.3f} R, P {evidence['p_halves']:.2f}"
    return f"accuracy {evidence['right'] / max(evidence['outcomes'], 1):.1%}"


def _shares(weights: Mapping[str, float]) -> list[tuple[str, ...]]:
    return [(name, f"{weight:.3f}") for name, weight in weights.items()]


def _q_table(selector: Mapping[str, Any]) -> TextTable:
    tactics = tuple(next(iter(selector["q"].values())))
    rows = [(name, *(f"{row[tactic]:+.3f}" for tactic in tactics)) for name, row in selector["q"].items()]
    title = f"Tactic values after {selector['updates']:,} updates, exploration {selector['epsilon']:.1%}"
    return TextTable(title, ("State", *tactics), rows)
