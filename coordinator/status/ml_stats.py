"""The rolling metrics beside their targets; each component's weight, accuracy and absences; calibration."""

from __future__ import annotations

from collections import Counter

import numpy as np
from pydantic import BaseModel, ConfigDict

from coordinator.ledger.schema import COMPONENTS
from coordinator.reports.rolling.improvements import in_window
from coordinator.reports.rolling.portfolio import CORRELATION
from coordinator.reports.rolling.run_data import RunData
from coordinator.reports.rolling.summary import WINDOW_DAYS, summarise
from coordinator.reports.rolling.targets import PRIMARY
from coordinator.reports.texts import UNDEFINED, number
from coordinator.status.base import Figures, View, iso, known
from coordinator.status.phone import fields, join_parts, percent, table, wrap
from coordinator.status.source import NOTHING_YET, Source

__all__ = ["CalibrationBin", "Component", "Metric", "MlStats", "ml_stats_text", "read_ml_stats"]

SHORT = {
    "accuracy": "Accuracy", "sharpe": "Sharpe", "win_rate": "Win rate", "profit_factor": "Profit f.",
    "max_drawdown": "Drawdown", "hit_rate": "Hit rate", "trade_frequency": "Trades/day",
    "hold_minutes": "Hold, h", "entry_slippage": "Slip in", "exit_slippage": "Slip out",
    "latency_ms": "p99, ms", "confidence_p50": "Confidence", "model_feature_drift": "Drift PSI",
    "calibration_error": "ECE", "model_gap": "Overfit",
}  # fmt: skip
ARMS = tuple(metric.name for metric in PRIMARY)
BINS = np.linspace(0.0, 1.0, 6)


class Metric(BaseModel):
    """One of the 15 metrics of spec 001: of ML's arm, the baseline's, the account; null where it has none."""

    model_config = ConfigDict(frozen=True)

    metric: str
    label: str
    unit: str
    ml: float | None
    baseline: float | None
    account: float | None
    target: float | None
    target_is: str
    verdict: str
    baseline_verdict: str


class Component(BaseModel):
    """A component: its share of ML's score (of technical: none), and how often it was right in the window.

    Right: it rated the signal above its own median and the outcome was R > 0, or below and R <= 0.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    weight: float | None
    votes: int
    outcomes: int
    accuracy: float | None
    absent: int
    absent_now: dict[str, str]
    reasons: dict[str, int]


class CalibrationBin(BaseModel):
    """Signals whose calibrated win probability lay between ``low`` and ``high``: what was said and what came."""

    model_config = ConfigDict(frozen=True)

    low: float
    high: float
    outcomes: int
    said: float
    won: float


class MlStats(View):
    """The window's metrics, components, calibration and further tables."""

    days: int
    end: str | None = None
    strategy: str | None = None
    metrics: list[Metric] = []
    components: list[Component] = []
    calibration: list[CalibrationBin] = []
    tables: list[Figures] = []


def read_ml_stats(source: Source, days: int = WINDOW_DAYS) -> MlStats:
    """The view of the last ``days``."""
    found = source.window()
    if found is None:
        return MlStats(days=days, note=NOTHING_YET)
    run, until = found
    stored = source.ledger.metrics(run.run_id, CORRELATION) if days == WINDOW_DAYS else None
    report = summarise(run, days, None, stored).as_dict()
    return MlStats(
        days=days,
        end=iso(until),
        strategy=run.strategy,
        metrics=[Metric(**value) for value in report["metrics"]],
        components=_components(source, run, until, days),
        calibration=_calibration(run, until, days),
        tables=[Figures(**one) for one in report["tables"]],
    )


def _components(source: Source, run: RunData, until: int, days: int) -> list[Component]:
    frame = run.decisions
    decided, resolved = in_window(run.decided_at, until, days), in_window(run.resolved_at, until, days)
    gained = frame["outcome_r"].to_numpy() > 0
    learned, facts = source.learners(), source.facts
    weights = {} if learned is None else learned["vote_weights"]["weights"]
    drops = source.ledger.history(run.run_id, "drops")
    at = drops["time"].dt.as_unit("s").astype("int64").to_numpy() + run.candle_seconds
    drops = drops[in_window(at, until, days)]
    out = []
    for name in COMPONENTS:
        rank = frame[f"{name}_percentile"].to_numpy(dtype=np.float64)
        voted = ~np.isnan(rank)
        own = voted & resolved
        reasons = Counter(drops["reason"][drops["component"] == name].tolist())
        now = {} if facts is None else dict(facts.absences.get(name, {}))
        if not (voted.any() or reasons or now):
            continue
        right = (rank >= 0.5)[own] == gained[own]
        out.append(
            Component(
                name=name,
                weight=known(weights.get(name)),
                votes=int((voted & decided).sum()),
                outcomes=int(own.sum()),
                accuracy=known(float(right.mean())) if own.any() else None,
                absent=sum(reasons.values()),
                absent_now=now,
                reasons=dict(reasons),
            )
        )
    return out


def _calibration(run: RunData, until: int, days: int) -> list[CalibrationBin]:
    said = run.decisions["win_probability"].to_numpy(dtype=np.float64)
    own = in_window(run.resolved_at, until, days) & ~np.isnan(said)
    said, won = said[own], run.won[own]
    place = np.clip(np.digitize(said, BINS) - 1, 0, len(BINS) - 2)
    return [
        CalibrationBin(
            low=float(BINS[i]),
            high=float(BINS[i + 1]),
            outcomes=int((place == i).sum()),
            said=round(float(said[place == i].mean()), 6),
            won=round(float(won[place == i].mean()), 6),
        )
        for i in range(len(BINS) - 1)
        if (place == i).any()
    ]


def ml_stats_text(view: MlStats) -> str:
    """For a phone."""
    if view.note:
        return wrap(view.note)
    marks = {"met": "ok", "not met": "no", "unknown": "?", "": ""}
    rows = []
    for m in view.metrics:
        of_arms = m.metric in ARMS or m.ml is not None
        values = (_short(m, m.ml), _short(m, m.baseline)) if of_arms else (_short(m, m.account), "")
        rows.append((SHORT[m.metric], *values, _target(m), marks[m.verdict]))
    account = [(SHORT[m.metric], _short(m, m.account)) for m in view.metrics if m.metric in ARMS]
    parts = [
        f"{view.days} days to {str(view.end)[:10]}",
        table(("Metric", "ML", "Base", "Aim", ""), rows),
        "One number: of the whole account",
        "Account\n" + fields(row for row in account if row[1] != UNDEFINED),
    ]
    components = [
        (one.name[:9], percent(one.weight), str(one.outcomes), percent(one.accuracy), str(one.absent))
        for one in view.components
    ]
    if components:
        parts.append(table(("Component", "Wgt", "N", "Right", "Gone"), components))
    gone = [
        f"{one.name} absent: {reason} ({', '.join(sorted(p.split('/')[0] for p in pairs))})"
        for one in view.components
        for reason, pairs in _by_reason(one.absent_now).items()
    ]
    parts += ["\n".join(wrap(line) for line in gone)]
    bins = [
        (f"{b.low:.0%}..{b.high:.0%}", str(b.outcomes), percent(b.said), percent(b.won))
        for b in view.calibration
    ]
    if bins:
        parts.append(table(("Win prob.", "N", "Said", "Won"), bins))
    return join_parts(*parts)


def _by_reason(absent: dict[str, str]) -> dict[str, list[str]]:
    out: dict[str, list[str]] = {}
    for pair, reason in absent.items():
        out.setdefault(reason, []).append(pair)
    return out


def _short(metric: Metric, value: float | None) -> str:
    if value is None:
        return UNDEFINED
    if metric.metric == "hold_minutes":
        return number(value / 60, 1)
    if metric.unit == "percent":
        return f"{value:.1%}".replace("-0.0%", "0.0%")
    return number(value, 2 if abs(value) < 100 else 0)


def _target(metric: Metric) -> str:
    if metric.target is None:
        return ""
    number_ = f"{metric.target:.0%}" if metric.unit == "percent" else f"{metric.target:g}"
    return f"{'<' if metric.target_is == 'below' else '>'}{number_}"
