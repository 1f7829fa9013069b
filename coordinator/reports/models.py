"""The trained models of a run: what each was trained on, how healthy it was, and why it was used or not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from coordinator.ledger.registry import Model
from coordinator.reports.texts import UNDEFINED, number

__all__ = ["MODELS_HEAD", "attention_rows", "confidence_row", "importance_rows", "model_rows"]

Rows = list[tuple[str, list[str]]]
MODELS_HEAD = (
    "Trained until", "Status", "Accuracy", "AUC", "Brier", "ECE", "Log loss", "of the prior", "Train-test gap",
    "Score drift", "p99 ms", "Verdict",
)  # fmt: skip
FIGURES = (
    "accuracy",
    "auc",
    "brier",
    "ece",
    "log_loss",
    "prior_log_loss",
    "gap",
    "score_drift",
    "latency_p99_ms",
)
ELSEWHERE = {
    "ece": "calibration_error",
    "auc": "challenger_auc",
    "log_loss": "judged_log_loss",
    "prior_log_loss": "judged_prior_log_loss",
}
FEATURES_SHOWN = 15


def model_rows(models: Sequence[Model]) -> Rows:
    """One row a model, as they were trained: its name, and cells as :data:`MODELS_HEAD`.

    Figures are of the slice that it was judged on, which it had not been trained on.
    """
    rows = []
    for model in models:
        metrics = model.info.metrics
        cells = [number(_metric(metrics, name), 4) for name in FIGURES]
        until = f"{datetime.fromtimestamp(model.info.trained_until, tz=UTC):%Y-%m-%d}"
        rows.append((f"{model.info.name} ({model.info.kind})", [until, model.status, *cells, model.verdict]))
    return rows


def importance_rows(models: Sequence[Model]) -> Rows:
    """The features of the newest model that keeps importances, the weightiest first: gain and permutation."""
    for model in reversed(models):
        gain = model.info.metrics.get("importance_gain")
        if gain:
            lost: Mapping[str, Any] = model.info.metrics.get("importance_permutation") or {}
            total = sum(gain.values()) or 1.0
            best = sorted(gain, key=lambda name: -gain[name])[:FEATURES_SHOWN]
            return [
                (name, [number(gain[name] / total, 3), number(_float(lost.get(name)), 4)]) for name in best
            ]
    return []


def attention_rows(models: Sequence[Model]) -> Rows:
    """What the newest attention network looks at: the features with most of its attention, and their shares."""
    for model in reversed(models):
        shares: Mapping[str, Any] = model.info.metrics.get("attention_features") or {}
        if shares:
            best = sorted(shares, key=lambda name: -shares[name])[:FEATURES_SHOWN]
            return [(name, [number(_float(shares[name]), 3)]) for name in best]
    return []


def confidence_row(models: Sequence[Model]) -> list[str]:
    """Quantiles 0, 10, 25, 50, 75, 90 and 100 % of the newest model's scores; empty where none keeps them."""
    for model in reversed(models):
        quantiles = model.info.metrics.get("confidence")
        if quantiles:
            return [number(_float(q), 3) for q in quantiles]
    return []


def _metric(metrics: Mapping[str, Any], name: str) -> float:
    value = metrics.get(name)
    return _float(metrics.get(ELSEWHERE.get(name, name)) if value is None else value)


def _float(value: Any) -> float:
    return float("nan") if value is None or value == UNDEFINED else float(value)
