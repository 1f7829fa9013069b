"""Model health, drift, and what models and settings hang on."""

from __future__ import annotations

from collections.abc import Sequence

from coordinator.ledger.learning_events import LearningEvent
from coordinator.ledger.registry import Model
from coordinator.reports.models import (
    MODELS_HEAD,
    attention_rows,
    confidence_row,
    importance_rows,
    model_rows,
)
from coordinator.reports.page.chart import Chart, Section, Table, chart
from coordinator.reports.page.data import PageData
from coordinator.reports.page.figures import models as figures
from coordinator.reports.page.sections.decisions import MORE
from coordinator.reports.rolling.health import FIGURES, newest_models

__all__ = ["models_section"]

NO_MODEL = "No model was trained for this run."
QUANTILES = ("", "0 %", "10 %", "25 %", "50 %", "75 %", "90 %", "100 %")


def models_section(data: PageData) -> Section:
    """Health at each training, drift checks, importance of features and of settings."""
    run = data.main
    models = run.run.models if run is not None else ()
    events = run.events if run is not None else ()
    none = NO_MODEL if run is not None else "There is no ledger of these runs."
    missing = none if not models else "No training kept this figure."
    missing_latency = none if not models else "Only a bot measures it, and none has yet."
    charts = [
        *_training_charts(models, missing),
        chart(
            "psi",
            "Input drift",
            "How far the newest rows lie from those trained on (population stability index).",
            figures.health_figure(models, FIGURES["model_feature_drift"], "PSI", (0.25, "they have moved")),
            missing,
        ),
        chart(
            "latency",
            "Latency of predictions",
            "The slowest of a hundred, at each training's verdict.",
            figures.health_figure(models, FIGURES["latency_ms"], "ms", (50.0, "target < 50 ms")),
            missing_latency,
        ),
        chart(
            "drift",
            "Drift checks",
            "Features beyond the limits that chance leaves them, at each check; triangles found a drift.",
            figures.drift_figure(events),
            "No drift check is on record: coordinator learning check-drift and continuous learning make them; the "
            "chart of input drift shows each training's own.",
        ),
        _feature_chart(data, none),
        _parameter_chart(data),
    ]
    return Section("models", "Models", charts=charts, tables=_tables(data, events))


def _training_charts(models: Sequence[Model], missing: str) -> list[Chart]:
    """What each training says of its model."""
    return [
        chart(
            "prior",
            "Better than guessing?",
            "Log loss on rows not trained on: below 0 a model knows more than how often things happen.",
            figures.prior_figure(models),
            missing,
        ),
        chart(
            "model-auc",
            "AUC of each training",
            "On rows not trained on; hollow ones failed and were never used.",
            figures.health_figure(models, FIGURES["model_auc"], "AUC", (0.5, "no skill")),
            missing,
        ),
        chart(
            "model-gap",
            "Train-test gap",
            "High is a model that has learned its rows by heart.",
            figures.health_figure(models, FIGURES["model_gap"], "gap", None),
            missing,
        ),
        chart(
            "model-ece",
            "Calibration error of each training",
            "How far its probabilities lie from what happened.",
            figures.health_figure(models, FIGURES["model_calibration_error"], "ECE", None),
            missing,
        ),
    ]


def _feature_chart(data: PageData, none: str) -> Chart:
    run = data.main
    newest = newest_models(run.run.models, int(run.end.timestamp())) if run is not None else []
    aid = "The newest of each kind: AUC lost when shuffled (quality), log loss gained (networks), gain (fusion)."
    why = none if not newest else "No newest model keeps importances."
    return chart("features", "What the models look at", aid, figures.feature_figure(newest), why)


def _parameter_chart(data: PageData) -> Chart:
    found = data.importance
    aid = "Which settings the trials' results hang on (fANOVA)"
    aid += f": {found.source}." if found is not None else "."
    why = f"No optimization is on record in {data.importance_folder or 'user_data/optimize'} (coordinator optimize)."
    return chart(
        "parameters",
        "Parameter importance",
        aid,
        figures.parameter_figure(found.shares if found else {}),
        why,
    )


def _tables(data: PageData, events: tuple[LearningEvent, ...]) -> list[Table]:
    run = data.main
    models = run.run.models if run is not None else ()
    if not models:
        return []
    checks = [
        (f"{event.at:%Y-%m-%d}", [event.name, event.kind, event.sentence]) for event in reversed(events)
    ]
    importance = importance_rows(models)
    quantiles = confidence_row(models)
    tables = [
        Table("All trainings", ("Model", *MODELS_HEAD), model_rows(models), folded=MORE),
        Table(
            "What the newest signal-quality model looks at",
            ("Feature", "Share of gain", "AUC lost when shuffled"),
            importance,
            folded=MORE,
        ),
        Table(
            "What the newest attention network looks at",
            ("Feature", "Share of attention"),
            attention_rows(models),
            folded=MORE,
        ),
        Table("Signal quality's scores", QUANTILES, [("score", quantiles)] if quantiles else [], folded=MORE),
        Table(
            "What was done with the models, newest first",
            ("Day", "Model", "What", "In words"),
            checks,
            folded=MORE,
        ),
    ]
    return [table for table in tables if table.rows]
