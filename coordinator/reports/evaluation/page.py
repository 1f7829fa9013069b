"""An evaluation as one HTML file that works offline."""

from __future__ import annotations

import json
from pathlib import Path

from coordinator.reports.evaluation.evaluation import Evaluation
from coordinator.reports.evaluation.figures import evaluation_figures
from coordinator.reports.evaluation.summary import summary_lines
from coordinator.reports.evaluation.tables import evaluation_tables
from coordinator.reports.html import page_template, plotly_script, script_json, write_page

__all__ = ["write_evaluation_page"]


def write_evaluation_page(evaluation: Evaluation, path: Path) -> Path:
    """Write the page and return its path; an existing file is replaced.

    Raises
    ------
    CoordinatorError
        If the file cannot be written.
    """
    figures = {name: json.loads(one.to_json()) for name, one in evaluation_figures(evaluation).items()}
    text = page_template("evaluation.html.j2").render(
        title=evaluation.title,
        command=evaluation.command,
        lines=summary_lines(evaluation),
        tables=evaluation_tables(evaluation),
        names=list(figures),
        figures=script_json(figures),
        plotly=plotly_script(),
    )
    return write_page(text, path)
