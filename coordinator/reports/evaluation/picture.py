"""The accounts of an evaluation as a small SVG picture, for pages that run no scripts."""

from __future__ import annotations

import numpy as np
import pandas as pd

from coordinator.reports.evaluation.evaluation import Evaluation
from coordinator.reports.evaluation.tables.measures import SHOWN
from coordinator.reports.html import page_template

__all__ = ["evaluation_picture"]

WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM = 960, 420, 56, 40, 16, 30
COLOURS = ("#0072b2", "#c26f00", "#00795a", "#b0528a", "#737d89")
POINTS = 400  # of a line: more than can be told apart
STEPS = (5, 10, 20, 25, 50, 100, 200, 250, 500, 1000, 2500, 5000, 10_000)
MOST_LINES = 8


def evaluation_picture(evaluation: Evaluation) -> str:
    """Account values in percent of the start over time; an account that is another's lies dashed on it."""
    runs = [run for run in map(evaluation.account, SHOWN) if run is not None]
    values = {run.name: 100 * run.daily / run.daily.iloc[0] for run in runs}
    low = min(float(one.min()) for one in values.values())
    high = max(float(one.max()) for one in values.values())
    step = next((step for step in STEPS if (high - low) / step <= MOST_LINES), STEPS[-1])
    grid = [level for level in range(0, int(high) + step, step) if low <= level <= high]
    first, last = runs[0].daily.index[0], runs[0].daily.index[-1]

    def x(moment: pd.Timestamp) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * float((moment - first) / (last - first))

    def y(value: float) -> float:
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * (value - low) / (high - low)

    def path(daily: pd.Series) -> str:
        rows = np.unique(np.linspace(0, len(daily) - 1, POINTS).astype(int))
        return " ".join(f"{x(daily.index[i]):.1f},{y(float(daily.iloc[i])):.1f}" for i in rows)

    years = [moment for moment in pd.date_range(first, last, freq="YS") if moment > first]
    text: str = page_template("evaluation.svg.j2").render(
        width=WIDTH,
        height=HEIGHT,
        left=LEFT,
        right=WIDTH - RIGHT,
        bottom=HEIGHT - BOTTOM,
        top=TOP,
        title=evaluation.title,
        levels=[(f"{level} %", f"{y(level):.1f}") for level in grid],
        years=[(moment.year, f"{x(moment):.1f}") for moment in years],
        lines=[
            (name, colour, i % 2, path(daily))
            for i, ((name, daily), colour) in enumerate(zip(values.items(), COLOURS, strict=False))
        ],
    )
    return text
