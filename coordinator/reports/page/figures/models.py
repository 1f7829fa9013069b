"""The models: their health at each training, drift, and what they and the settings hang on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from coordinator.ledger.learning_events import LearningEvent
from coordinator.ledger.registry import Model
from coordinator.reports.page.theme import DOWN, GREY, SERIES, figure, hline, plain
from coordinator.reports.rolling.health import figure as metric_of
from coordinator.reports.rolling.health import importance_shares

__all__ = ["drift_figure", "feature_figure", "health_figure", "parameter_figure", "prior_figure"]

FEATURES_SHOWN = 12


def health_figure(
    models: Sequence[Model], keys: Sequence[str], unit: str, bar: tuple[float, str] | None
) -> go.Figure:
    """A figure of every training, by the day it was trained until: champions filled, those never used hollow.

    Parameters
    ----------
    keys : where a training keeps the figure, the first that is known
    bar : a line to compare with and what it means
    """
    fig = figure(unit, hover="closest")
    for (name, own), colour in zip(_by_name(models).items(), SERIES, strict=False):
        values = [metric_of(model.info.metrics, keys) for model in own]
        if not np.isfinite(values).any():
            continue
        _add_trainings(
            fig,
            name,
            own,
            values,
            colour,
            symbols=["circle-open" if "failed" in model.verdict else "circle" for model in own],
            said=[f"{model.status}: {model.verdict}" for model in own],
            digits=".4~g",
        )
    if fig.data and bar is not None:
        hline(fig, bar[0], bar[1], DOWN)
    return fig


def _add_trainings(
    fig: go.Figure,
    name: str,
    own: Sequence[Model],
    values: Sequence[float],
    colour: str,
    *,
    symbols: str | list[str],
    said: Sequence[str],
    digits: str,
) -> None:
    """A line of a name's trainings by the day each was trained until, a point each with what is said of it."""
    fig.add_scatter(
        x=pd.to_datetime([model.info.trained_until for model in own], unit="s", utc=True),
        y=plain(values),
        name=escape(name),
        mode="lines+markers",
        line={"color": colour, "width": 1},
        marker={"size": 8, "color": colour, "symbol": symbols},
        text=[escape(text[:120]) for text in said],
        hovertemplate=f"%{{y:{digits}}}<br>%{{text}}",
    )


def prior_figure(models: Sequence[Model]) -> go.Figure:
    """Log loss of every training on rows it had not seen, less the prior's: below 0 it knows something."""
    fig = figure("log loss less the prior's", hover="closest")
    for (name, own), colour in zip(_by_name(models).items(), SERIES, strict=False):
        gaps = [
            metric_of(m.info.metrics, ("judged_log_loss", "log_loss"))
            - metric_of(m.info.metrics, ("judged_prior_log_loss", "prior_log_loss"))
            for m in own
        ]
        if np.isfinite(gaps).any():
            said = [model.verdict for model in own]
            _add_trainings(fig, name, own, gaps, colour, symbols="circle", said=said, digits=".4f")
    if fig.data:
        hline(fig, 0.0, "the prior", GREY)
    return fig


def drift_figure(events: Sequence[LearningEvent]) -> go.Figure:
    """Share of features beyond their limits at each drift check, percent; triangles found a drift."""
    fig = figure("% of features moved", hover="closest")
    checks = [event for event in events if event.kind == "drift" and event.figures.get("share") is not None]
    names = list(dict.fromkeys(event.name for event in checks))
    for name, colour in zip(names, SERIES, strict=False):
        own = [event for event in checks if event.name == name]
        fig.add_scatter(
            x=pd.to_datetime([event.time_until or event.at.timestamp() for event in own], unit="s", utc=True),
            y=plain(100 * float(event.figures["share"]) for event in own),
            name=escape(name),
            mode="lines+markers",
            line={"color": colour, "width": 1},
            marker={
                "size": 9,
                "color": colour,
                "symbol": ["triangle-up" if event.figures.get("drifted") else "circle" for event in own],
            },
            text=[escape(event.sentence[:160]) for event in own],
            hovertemplate="%{y:.1f} %<br>%{text}",
        )
    return fig.update_yaxes(rangemode="tozero")


def feature_figure(newest: Sequence[Model]) -> go.Figure:
    """The weightiest features of the newest model of each name, share of all, percent.

    Parameters
    ----------
    newest : sequence of Model
        One of each name.
    """
    fig = figure(hover="closest")
    shares = {model.info.name: importance_shares(model.info.metrics) for model in newest}
    shares = {name: own for name, own in shares.items() if own}
    best: dict[str, float] = {}
    for own in shares.values():
        for feature, share in own.items():
            best[feature] = max(best.get(feature, 0.0), share)
    shown = sorted(best, key=lambda feature: best[feature])[-FEATURES_SHOWN:]
    for (name, own), colour in zip(shares.items(), SERIES, strict=False):
        fig.add_bar(
            y=[escape(feature) for feature in shown],
            x=plain(100 * own.get(feature, np.nan) for feature in shown),
            name=escape(name),
            orientation="h",
            marker={"color": colour},
            hovertemplate="%{x:.1f} %",
        )
    return fig.update_xaxes(title="share of the model's importance, %").update_layout(
        barmode="group", bargap=0.25
    )


def parameter_figure(importance: Mapping[str, float]) -> go.Figure:
    """Share of each setting in the differences between trials of an optimization, percent."""
    fig = figure(hover="closest")
    names = sorted(importance, key=lambda name: importance[name])[-FEATURES_SHOWN:]
    if names:
        fig.add_bar(
            y=[escape(name) for name in names],
            x=plain(100 * importance[name] for name in names),
            orientation="h",
            marker={"color": SERIES[0]},
            hovertemplate="%{x:.1f} %<extra></extra>",
            name="share",
        )
    return fig.update_xaxes(title="share of the differences between trials, %").update_layout(
        showlegend=False
    )


def _by_name(models: Sequence[Model]) -> dict[str, list[Model]]:
    names = dict.fromkeys(model.info.name for model in models)
    return {name: [model for model in models if model.info.name == name] for name in names}
