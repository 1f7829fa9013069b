"""What to look at: what is off, in words, each with the bar it is held against."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from coordinator.learning.reliability import ece
from coordinator.learning.scores import auc
from coordinator.ledger.learning_events import LearningEvent
from coordinator.ledger.registry import Model
from coordinator.ledger.schema import COMPONENTS
from coordinator.reports.comparison import HOLD, Column
from coordinator.reports.page.sentences.sentence import FEW, Sentence, day, listed
from coordinator.reports.rolling.health import figure
from coordinator.reports.rolling.summary import RollingReport
from coordinator.reports.texts import number, percent

__all__ = [
    "absence_sentence",
    "all_well",
    "calibration_sentence",
    "cost_sentence",
    "drawdown_sentence",
    "drift_sentence",
    "few_trades_sentence",
    "input_drift_sentence",
    "latency_sentence",
    "models_sentence",
    "refusals_sentence",
    "skill_sentences",
    "slippage_sentence",
    "targets_sentence",
    "trust_sentence",
]

ECE_BAR, FALL_BAR, SLIP_BAR, PSI_BAR, LATENCY_MS = 0.05, 0.10, 0.001, 0.25, 50.0
FEW_DAYS = 10
AUC_SPREAD = 0.289  # of one pair of ranks: 1 / sqrt(12)
LIMITS = {
    "correlation_filter": "the correlation filter",
    "sector_limit": "the sector limit",
    "ranking": "the ranking",
}


def few_trades_sentence(columns: Sequence[Column]) -> Sentence | None:
    """Strategies with fewer than :data:`FEW` trades."""
    few = [c for c in columns if c.name != HOLD and c.metrics.trades < FEW]
    if not few:
        return None
    named = listed(f"{c.name} ({c.metrics.trades})" for c in few)
    return Sentence(f"Fewer than {FEW} trades say little about a strategy: {named}.", "watch")


def drawdown_sentence(name: str, daily: pd.Series) -> Sentence | None:
    """A fall of ten percent or more."""
    fall = 1 - daily / daily.cummax()
    deepest = float(fall.max()) if len(fall) else 0.0
    if not deepest >= FALL_BAR:
        return None
    return Sentence(f"Drawdown of {percent(deepest)} of {name}, deepest in {fall.idxmax():%B %Y}.", "watch")


def cost_sentence(columns: Sequence[Column]) -> Sentence | None:
    """Strategies whose profit would be a loss at twice the fee."""
    thin = [
        c
        for c in columns
        if c.name != HOLD and c.metrics.profit > 0 >= c.metrics.profit_at_twice_the_fee and c.metrics.trades
    ]
    if not thin:
        return None
    named = listed(f"{c.name} ({percent(c.metrics.profit_at_twice_the_fee, sign=True)})" for c in thin)
    return Sentence(f"At twice the fee the profit would be gone: {named}.", "watch")


def calibration_sentence(probability: pd.Series, won: pd.Series) -> Sentence | None:
    """The win probability against what was won, if it is off by more than five points on :data:`FEW` outcomes or more.

    Parameters
    ----------
    probability, won : pandas.Series
        Of resolved signals; NaN where there was no probability.
    """
    has = probability.notna()
    p, y = probability[has].to_numpy(dtype=float), won[has].to_numpy(dtype=bool)
    if len(p) < FEW:
        return None
    off = ece(p, y)
    if not off > ECE_BAR:
        return None
    side = "too high" if p.mean() > y.mean() else "too low"
    return Sentence(
        f"Calibration is off by {percent(off)} on average over {len(p):,} outcomes: the win probability says "
        f"{percent(float(p.mean()))}, {percent(float(y.mean()))} were won ({side}).",
        "watch",
    )


def skill_sentences(frame: pd.DataFrame, begin: pd.Timestamp) -> list[Sentence]:
    """Components whose AUC has fallen by more than two standard errors from before a moment to since it.

    Outcomes of one day move together: the error is that of as many outcomes as there are days, half of them gains.

    Parameters
    ----------
    frame : pandas.DataFrame
        Decisions; each counts when its outcome was resolved.
    """
    known = frame[frame["outcome_r"].notna()]
    recent = known["outcome_time"] >= begin
    out = []
    for name in COMPONENTS:
        rank = known[f"{name}_percentile"]
        parts = [known[rank.notna() & which] for which in (recent, ~recent)]
        days = [part["outcome_time"].dt.floor("D").nunique() for part in parts]
        if min(days) < FEW_DAYS:
            continue
        now, before = (
            auc(p[f"{name}_percentile"].to_numpy(), (p["outcome_r"] > 0).to_numpy()) for p in parts
        )
        error = AUC_SPREAD * np.sqrt(sum(2 / n for n in days)) * np.sqrt(2)
        if now - before < -2 * error:
            out.append(
                Sentence(
                    f"{name} tells good signals from bad less well than before: AUC {before:.2f} before, {now:.2f} "
                    f"since {day(begin)}.",
                    "watch",
                )
            )
    return out


def drift_sentence(events: Sequence[LearningEvent]) -> Sentence | None:
    """The last drift check of each model that found a drift."""
    last = {event.name: event for event in events if event.kind == "drift"}
    drifted = [event for event in last.values() if event.figures.get("drifted")]
    if not drifted:
        return None
    said = "; ".join(f"{event.name} ({day(pd.Timestamp(event.at))}): {event.sentence}" for event in drifted)
    return Sentence(f"The market has moved away from what was learned: {said}.", "watch")


def input_drift_sentence(models: Sequence[Model]) -> Sentence | None:
    """Newest models whose inputs have a population stability index of .25 or more.

    Parameters
    ----------
    models : sequence of Model
        The newest of each name.
    """
    moved = {m.info.name: figure(m.info.metrics, ("feature_drift",)) for m in models}
    named = [f"{name} ({psi:.2f})" for name, psi in moved.items() if psi >= PSI_BAR]
    if not named:
        return None
    return Sentence(
        "Inputs have moved between training and the newest rows (population stability index, .25 is much): "
        f"{listed(named)}.",
        "watch",
    )


def models_sentence(models: Sequence[Model]) -> Sentence | None:
    """How many trainings were refused, if more than half; none where nothing was trained."""
    refused = [m for m in models if "failed" in m.verdict or "none was good enough" in m.verdict]
    if not models or len(refused) <= len(models) / 2:
        return None
    return Sentence(
        f"{len(refused)} of {len(models)} trained models were refused, being no better than the prior: ML has little "
        "to speak with.",
        "watch",
    )


def absence_sentence(drops: pd.DataFrame, signals: int) -> Sentence | None:
    """Components that were absent where they should have spoken, with the most frequent reason.

    Parameters
    ----------
    drops : pandas.DataFrame
        component, reason.
    signals : int
        Decided in the same time.
    """
    if drops.empty or signals == 0:
        return None
    parts = []
    for name, own in drops.groupby("component"):
        share = min(len(own) / signals, 1.0)
        if share >= 0.1:
            parts.append(f"{name} at {share:.0%} of the signals ({own['reason'].value_counts().idxmax()})")
    return Sentence(f"Components were absent: {listed(parts)}.", "watch") if parts else None


def refusals_sentence(improved: pd.DataFrame) -> Sentence | None:
    """Entries that the portfolio's limits refused.

    Parameters
    ----------
    improved : pandas.DataFrame
        name, mode, base, adjusted, as ``RunData.improved``.
    """
    parts = []
    for name, words in LIMITS.items():
        own = improved[(improved["name"] == name) & (improved["mode"] == "on")]
        count = len(own) if name == "ranking" else int((own["adjusted"] >= own["base"]).sum())
        if count:
            parts.append(f"{words} {count:,}")
    return Sentence(f"Entries refused by a limit: {listed(parts)}.", "watch") if parts else None


def slippage_sentence(trades: pd.DataFrame) -> Sentence | None:
    """Mean slippage of entries or exits of a tenth of a percent or more."""
    parts = []
    for column, words in (("slippage", "entries"), ("exit_slippage", "exits")):
        mean = float(trades[column].mean()) if len(trades) else float("nan")
        if mean >= SLIP_BAR:
            parts.append(f"{words} {percent(mean, sign=True)}")
    return (
        Sentence(f"Slippage, mean of all trades: {listed(parts)} worse than intended.", "watch")
        if parts
        else None
    )


def latency_sentence(models: Sequence[Model]) -> Sentence | None:
    """Newest models that need more than 50 ms for a prediction (p99)."""
    slow = {m.info.name: figure(m.info.metrics, ("latency_p99_ms",)) for m in models}
    named = [f"{name} ({ms:.0f} ms)" for name, ms in slow.items() if ms > LATENCY_MS]
    return (
        Sentence(f"Slow predictions, above {LATENCY_MS:.0f} ms: {listed(named)}.", "watch") if named else None
    )


def targets_sentence(report: RollingReport) -> Sentence | None:
    """Metrics of the last window that miss their documented target."""
    missed = [value for value in report.metrics if value.verdict == "not met"]
    judged = [value for value in report.metrics if value.verdict in ("met", "not met")]
    if not missed:
        return None
    named = listed(value.metric.label.split(" ", 1)[1].split(":")[0] for value in missed)
    return Sentence(
        f"In the {report.days} days to {report.end:%Y-%m-%d}, {len(missed)} of {len(judged)} documented targets were "
        f"missed: {named}.",
        "watch",
    )


def trust_sentence(improved: pd.DataFrame) -> Sentence | None:
    """Improvements that were switched off by their measured effect, by their last change.

    Parameters
    ----------
    improved : pandas.DataFrame
        time, pair, name, adjusted: rows ``trust_*`` of pair "*" are the improvement as a whole.
    """
    own = improved[improved["name"].str.startswith("trust_") & (improved["pair"] == "*")]
    last = own.sort_values("time").groupby("name")["adjusted"].last()
    off = [str(name).removeprefix("trust_") for name, value in last.items() if value == 0]
    if not off:
        return None
    return Sentence(f"Switched off, as the measured effect was bad: {listed(off)}.", "watch")


def all_well() -> Sentence:
    """What is said where nothing else is."""
    return Sentence(
        f"Nothing stands out (bars: calibration {number(ECE_BAR)}, drawdown {percent(FALL_BAR)}).", "good"
    )
