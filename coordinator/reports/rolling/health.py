"""Metrics 11 to 15 of spec 001: how healthy the models are, from their votes in a run and from their trainings.

A training's figures are of rows that the model had not seen; they count from the first candle that it may speak for.
Figures that a kind of model does not have are NaN: a policy has no calibration, a network no AUC.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np

from coordinator.learning.reliability import ece
from coordinator.learning.scores import auc
from coordinator.ledger.registry import Model
from coordinator.ledger.schema import COMPONENTS
from coordinator.reports.rolling.run_data import NEVER, RunData, known_models
from coordinator.reports.rolling.table import Cell, MetricTable, Rows
from coordinator.reports.rolling.targets import ACCOUNT, ML, Key
from coordinator.types import SECONDS_PER_DAY, Floats

__all__ = [
    "confidence_table",
    "health_series",
    "importance_table",
    "model_table",
    "newest_models",
    "skill_table",
]

QUANTILES = (0.1, 0.5, 0.9)
FIGURES = {
    "model_auc": ("auc", "challenger_auc"),
    "model_accuracy": ("accuracy",),
    "model_calibration_error": ("ece", "calibration_error"),
    "model_gap": ("gap",),
    "model_score_drift": ("score_drift",),
    "model_feature_drift": ("feature_drift",),
    "latency_ms": ("latency_p99_ms",),
}
"""Metrics of a model: where its training keeps them, the first that is known."""
WORST = ("latency_ms", "model_gap", "model_feature_drift")
"""Metrics of models of which the largest counts for all."""
FEATURES_SHOWN = 5


def health_series(run: RunData, length: int) -> dict[Key, Floats]:
    """At the end of every day, shape (n_days,).

    - ``confidence_p10``, ``_p50``, ``_p90``: quantiles of the confidence over the signals decided, of ML's score and by
      component on its own scale
    - ``calibration_error``: mean distance of ten bins of the win probability from what was won, over the outcomes
    - ``auc``: of each component's percentile against R > 0, over the outcomes; .5 is no skill
    - the figures of the newest model of each name (:data:`FIGURES`); without a subject the largest of them
      (:data:`WORST`)
    """
    ends = (run.days + 1) * SECONDS_PER_DAY
    out = _from_votes(run, ends, length)
    names = sorted({model.info.name for model in run.models})
    for metric, keys in FIGURES.items():
        for name in names:
            own = [model for model in run.models if model.info.name == name]
            since = np.array([model.info.valid_from for model in own], dtype=np.int64)
            order = np.argsort(since, kind="stable")
            values = np.array([np.nan, *(figure(own[i].info.metrics, keys) for i in order)])
            out[ACCOUNT, metric, name] = values[np.searchsorted(since[order], ends, side="right")]
    nothing = np.full(len(ends), np.nan)
    for metric in WORST:
        out[ACCOUNT, metric, ""] = np.fmax.reduce([nothing, *(out[ACCOUNT, metric, name] for name in names)])
    return out


def _from_votes(run: RunData, ends: Any, length: int) -> dict[Key, Floats]:
    frame, n = run.decisions, len(ends)
    scores = {"": frame["ml_score"]} | {name: frame[f"{name}_confidence"] for name in COMPONENTS[1:]}
    confidences = {name: column.to_numpy(dtype=np.float64) for name, column in scores.items()}
    ranks = {name: frame[f"{name}_percentile"].to_numpy(dtype=np.float64) for name in COMPONENTS}
    out: dict[Key, Floats] = {
        (ML, f"confidence_p{q * 100:.0f}", name): np.full(n, np.nan)
        for name in confidences
        for q in QUANTILES
    }
    out |= {(ML, "auc", name): np.full(n, np.nan) for name in ranks}
    out[ACCOUNT, "calibration_error", ""] = np.full(n, np.nan)
    by_outcome = np.argsort(run.resolved_at, kind="stable")
    resolved, gained = run.resolved_at[by_outcome], frame["outcome_r"].to_numpy()[by_outcome] > 0
    p, won = frame["win_probability"].to_numpy()[by_outcome], run.won[by_outcome]
    for day, end in enumerate(ends.tolist()):
        begin = end - length * SECONDS_PER_DAY
        first, last = np.searchsorted(run.decided_at, (begin, end), side="right").tolist()
        for name, values in confidences.items():
            known = values[first:last][~np.isnan(values[first:last])]
            if len(known):
                for q, value in zip(QUANTILES, np.quantile(known, QUANTILES).tolist(), strict=True):
                    out[ML, f"confidence_p{q * 100:.0f}", name][day] = value
        first, last = np.searchsorted(resolved, (begin, end), side="right").tolist()
        out[ACCOUNT, "calibration_error", ""][day] = ece(p[first:last], won[first:last])
        for name, values in ranks.items():
            rank = values[by_outcome[first:last]]
            known = ~np.isnan(rank)
            if known.any():
                out[ML, "auc", name][day] = auc(rank[known], gained[first:last][known])
    return out


def newest_models(models: Sequence[Model], until: int) -> list[Model]:
    """The newest model of each name that may speak by a moment, by name."""
    newest = {
        model.info.name: model
        for model in sorted(known_models(models, until), key=lambda m: m.info.valid_from)
    }
    return [newest[name] for name in sorted(newest)]


def model_table(models: Sequence[Model], until: int) -> MetricTable:
    """The newest model of each name: what its training says about it.

    The gap is in the unit of what it compares: AUC of signal quality, accuracy of networks and fusion, mean reward of
    the selector's policy. Drift is the population stability index between training and the newest rows: from .25 on
    they have moved.
    """
    rows: Rows = []
    for model in newest_models(models, until):
        metrics = model.info.metrics
        until_day = f"{datetime.fromtimestamp(model.info.trained_until, tz=UTC):%Y-%m-%d}"
        cells = [figure(metrics, keys) for keys in FIGURES.values()]
        rows.append((f"{model.info.name} ({model.info.kind})", [until_day, model.status, *cells]))
    head = (
        "Model",
        "Trained until",
        "Status today",
        "AUC",
        "Accuracy",
        "ECE",
        "Train-test gap",
        "Score drift",
        "Input drift",
    )
    units = ("text", "text", "number", "percent", "percent", *("number",) * 3, "ms")
    return MetricTable("Models: newest training of each", (*head, "Latency p99"), units, rows)


def importance_table(models: Sequence[Model], until: int) -> MetricTable:
    """The weightiest features of the newest model of each name, with their share of all (what helps nothing is 0).

    Signal quality: AUC lost when a feature is shuffled; networks: log loss gained; fusion: share of the trees' gain.
    """
    rows: Rows = []
    for model in newest_models(models, until):
        shares = importance_shares(model.info.metrics)
        best = sorted(shares, key=lambda name: -shares[name])[:FEATURES_SHOWN]
        rows += [(model.info.name, [name, shares[name]]) for name in best]
    return MetricTable("12 Feature importance", ("Model", "Feature", "Share"), ("text", "percent"), rows)


def importance_shares(metrics: Mapping[str, Any]) -> dict[str, float]:
    """Importance by feature as shares that sum to 1; empty where the model keeps none."""
    kept = (
        metrics.get("importance_permutation")
        or metrics.get("importance")
        or metrics.get("importance_gain")
        or {}
    )
    positive = {str(name): max(0.0, figure(kept, (name,))) for name in kept}
    known = {name: value for name, value in positive.items() if value == value}
    total = sum(known.values())
    return {name: value / total for name, value in known.items()} if total > 0 else {}


def confidence_table(series: Mapping[Key, Floats], day: int) -> MetricTable:
    """Quantiles of the confidence over the window's signals: ML's score, and each component on its own scale."""
    rows: Rows = []
    for name in ("", *COMPONENTS[1:]):
        cells: list[Cell] = [float(series[ML, f"confidence_p{q * 100:.0f}", name][day]) for q in QUANTILES]
        if cells[0] == cells[0]:
            rows.append((name or "ML", cells))
    head = ("Confidence of", "10 %", "Median", "90 %")
    return MetricTable("11 Prediction confidence", head, ("number",) * 3, rows)


def skill_table(run: RunData, until: int, length: int) -> MetricTable:
    """Metric 13, degradation: how well each component told gains from losses in the window, and before it (AUC)."""
    begin = until - length * SECONDS_PER_DAY
    gained = run.decisions["outcome_r"].to_numpy() > 0
    known = (run.resolved_at <= until) & (run.resolved_at != NEVER)
    rows: Rows = []
    for name in COMPONENTS:
        rank = run.decisions[f"{name}_percentile"].to_numpy(dtype=np.float64)
        own = known & ~np.isnan(rank)
        if own.any():
            recent, before = own & (run.resolved_at > begin), own & (run.resolved_at <= begin)
            now, then = (auc(rank[part], gained[part]) for part in (recent, before))
            rows.append((name, [int(recent.sum()), now, int(before.sum()), then, now - then]))
    head = ("Component", "Outcomes", "AUC", "Before", "AUC before", "Change")
    return MetricTable("13 Skill over time", head, ("count", "number", "count", "number", "number"), rows)


def figure(metrics: Mapping[str, Any], keys: Sequence[str]) -> float:
    """The first of the figures that is known; NaN where none is."""
    return next((float(metrics[key]) for key in keys if metrics.get(key) is not None), float("nan"))
