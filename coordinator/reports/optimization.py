"""The page of a finished `coordinator optimize`: one HTML file that works offline, Optuna's own plots in it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import optuna
import plotly.graph_objects as go
from optuna.trial import TrialState

from coordinator.reports.html import page_template, plotly_script, script_json, write_page

__all__ = ["write_optimization_page"]

FEWEST = 2  # trials that a plot of relations needs


def write_optimization_page(
    study: optuna.Study, content: Mapping[str, Any], importance: Mapping[str, float], path: Path
) -> Path:
    """Write the page and return its path.

    Parameters
    ----------
    study : optuna.Study
        With a complete trial or more.
    content : mapping
        title (str), about (mapping of str to JSON), values (rows of setting, config, optimized), figures_head,
        figures_rows, importance, luck and notes (lines of text).
    importance : mapping of str to float
        Parameter to its share, as printed.
    path : pathlib.Path
        An existing file is replaced.

    Raises
    ------
    CoordinatorError
        If the file cannot be written.
    """
    figures = {
        name: json.loads(_bare(figure).to_json()) for name, figure in _figures(study, importance).items()
    }
    text = page_template("optimization.html.j2").render(
        **content,
        trials=len(study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED))),
        parameters=len(study.best_params),
        names=list(figures),
        figures=script_json(figures),
        plotly=plotly_script(),
    )
    return write_page(text, path)


def _figures(study: optuna.Study, importance: Mapping[str, float]) -> dict[str, go.Figure]:
    plots = optuna.visualization
    figures = {"history": plots.plot_optimization_history(study), "edf": plots.plot_edf(study)}
    if importance:
        figures["importance"] = _importance_figure(importance)
    complete = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    if len(complete) >= FEWEST:
        figures["parallel"] = plots.plot_parallel_coordinate(study)
        figures["slice"] = plots.plot_slice(study)
    return figures


def _importance_figure(importance: Mapping[str, float]) -> go.Figure:
    """The printed shares; Optuna's own plot would grow another forest, and show other ones."""
    names = list(importance)[::-1]
    shares = [100 * importance[name] for name in names]
    figure = go.Figure(go.Bar(x=shares, y=names, orientation="h", hovertemplate="%{x:.1f} %<extra></extra>"))
    return figure.update_layout(xaxis={"title": "share of the differences between trials, %"})


def _bare(figure: go.Figure) -> go.Figure:
    """Without a theme of its own: the page has a light and a dark one."""
    return figure.update_layout(
        template="none",
        title=None,
        width=None,
        height=None,
        margin={"l": 60, "r": 20, "t": 30, "b": 50},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
    )
