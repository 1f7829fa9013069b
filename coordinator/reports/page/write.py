"""The report as one HTML file that works offline: plotly.js is inlined, nothing is fetched."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from coordinator.reports.html import page_template, plotly_script, script_json, write_page
from coordinator.reports.page.chart import Section
from coordinator.reports.page.data import PageData
from coordinator.reports.page.facts import facts_of, title_of
from coordinator.reports.page.sections.accounts import accounts_section, rolling_section
from coordinator.reports.page.sections.decisions import components_section, say_section, signals_section
from coordinator.reports.page.sections.models import models_section
from coordinator.reports.page.sections.portfolio import (
    execution_section,
    improvements_section,
    portfolio_section,
)
from coordinator.reports.page.sections.trades import candle_figures, trade_lists
from coordinator.reports.page.summary import summary_of

__all__ = ["sections_of", "write_report"]


def write_report(data: PageData, path: Path) -> Path:
    """Write the page and return its path.

    Parameters
    ----------
    data : PageData
    path : pathlib.Path
        The file to write; its folder must exist, an existing file is replaced.

    Raises
    ------
    CoordinatorError
        If the file cannot be written.
    """
    sections = sections_of(data)
    candles = candle_figures(data)
    figures: dict[str, Any] = {
        chart.name: chart.figure
        for section in sections
        for chart in section.charts
        if chart.figure is not None
    }
    figures |= {f"candles-{i}": figure for i, figure in enumerate(candles.values())}
    text = page_template("report.html.j2").render(
        title=title_of(data),
        names=", ".join(run.run.strategy for run in data.runs)
        if data.comparison is None
        else data.comparison.title,
        facts=facts_of(data),
        summary=summary_of(data),
        sections=sections,
        candles=list(candles),
        trades=trade_lists(data),
        figures=script_json({name: json.loads(figure.to_json()) for name, figure in figures.items()}),
        plotly=plotly_script(),
    )
    return write_page(text, path)


def sections_of(data: PageData) -> list[Section]:
    """The page's sections in order, without trades."""
    return [
        accounts_section(data),
        rolling_section(data),
        say_section(data),
        signals_section(data),
        components_section(data),
        portfolio_section(data),
        improvements_section(data),
        models_section(data),
        execution_section(data),
    ]
