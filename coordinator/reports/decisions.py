"""What a table of decisions (:mod:`coordinator.ledger.frame`) says, summed up for the report."""

from __future__ import annotations

import pandas as pd

from coordinator.ledger.schema import COMPONENTS
from coordinator.reports.learning import mean_with_error
from coordinator.reports.texts import UNDEFINED, number, percent

__all__ = ["component_rows", "group_rows", "rejection_rows"]

Rows = list[tuple[str, list[str]]]


def group_rows(frame: pd.DataFrame) -> Rows:
    """Accepted, rejected and all signals: count, resolved, mean outcome R, its standard error, targets reached.

    Outcomes are virtual trades with each signal's own stop and target, so rejected signals have them too.
    """
    groups = (
        ("Accepted", frame[frame["accepted"]]),
        ("Rejected", frame[~frame["accepted"]]),
        ("All signals", frame),
    )
    return [(name, [f"{len(group):,}", *_outcome_cells(group)]) for name, group in groups]


def rejection_rows(frame: pd.DataFrame) -> Rows:
    """Reasons for rejection, the most frequent first: count, then as :func:`group_rows`."""
    rejected = frame[~frame["accepted"]]
    reasons = rejected["rejection"].where(rejected["rejection"] != "", "no reason given")
    counts = reasons.value_counts().rename_axis("reason").reset_index(name="count")
    ordered = counts.sort_values(["count", "reason"], ascending=[False, True])["reason"].tolist()
    groups = [(str(reason), rejected[reasons == reason]) for reason in ordered]
    return [(reason, [f"{len(group):,}", *_outcome_cells(group)]) for reason, group in groups]


def component_rows(frame: pd.DataFrame) -> Rows:
    """Each component: votes, share of signals voted on, agreement, confidence, and mean R by agreement.

    Agreement is a vote in the signal's direction; a hold counts as disagreement.
    """
    rows = []
    for component in COMPONENTS:
        vote = frame[f"{component}_direction"]
        voted = vote.notna()
        if not voted.any():
            rows.append((component, ["0", *[UNDEFINED] * 6]))
            continue
        agrees = voted & (vote == frame["direction"])
        cells = [
            f"{int(voted.sum()):,}",
            percent(float(voted.mean())),
            percent(float(agrees.sum() / voted.sum())),
            number(float(frame[f"{component}_confidence"].mean())),
            number(float(frame[f"{component}_percentile"].mean())),
            number(float(frame.loc[agrees, "outcome_r"].mean()), 3),
            number(float(frame.loc[voted & ~agrees, "outcome_r"].mean()), 3),
        ]
        rows.append((component, cells))
    return rows


def _outcome_cells(group: pd.DataFrame) -> list[str]:
    """Resolved signals, their mean R, its standard error and the share that reached the target."""
    r = group["outcome_r"].dropna()
    exits = group.loc[r.index, "outcome_exit"]
    reached = float((exits == "target").mean()) if len(r) else float("nan")
    return [f"{len(r):,}", *mean_with_error(r), percent(reached)]
