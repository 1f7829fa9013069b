"""The report as one HTML file that works offline: plotly.js is inlined, nothing is fetched."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from coordinator.errors import CoordinatorError
from coordinator.ledger.registry import Model
from coordinator.reports.comparison import compare
from coordinator.reports.decisions import summarise
from coordinator.reports.figures import (
    candle_figure,
    confidence_figure,
    drawdown_figure,
    equity_figure,
    reliability_figure,
    rolling_figure,
    weight_figure,
)
from coordinator.reports.learning import CALIBRATION_HEAD, SIDES_HEAD
from coordinator.reports.models import (
    MODELS_HEAD,
    attention_rows,
    confidence_row,
    importance_rows,
    model_rows,
)
from coordinator.reports.results import BacktestResult
from coordinator.reports.rolling.summary import HEAD, RollingView
from coordinator.reports.rolling.targets import PRIMARY
from coordinator.reports.skill import SKILL_HEAD
from coordinator.reports.texts import money, percent

__all__ = ["page_template", "plotly_script", "script_json", "write_report"]

MAX_TRADES = 2000  # rows of each trades table; a browser handles these at once

_COMPONENT_HEAD = (
    "Votes", "Voted on", "Agrees", "Mean confidence", "Mean percentile", "Mean R, agrees",
    "Mean R, holds or against",
)  # fmt: skip


def write_report(
    results: Sequence[BacktestResult],
    decisions: Mapping[str, pd.DataFrame],
    candles: Mapping[str, pd.DataFrame],
    path: Path,
    fee: float | None = None,
    models: Sequence[Model] = (),
    rolling: Sequence[RollingView] = (),
) -> Path:
    """Write the report and return its path.

    Parameters
    ----------
    results : sequence of BacktestResult
        Strategies in the order of the columns.
    decisions : mapping of strategy to pandas.DataFrame
        Their ledgers (:data:`coordinator.ledger.frame.COLUMNS`); strategies may be left out.
    candles : mapping of pair to pandas.DataFrame
        date (UTC, open), open, high, low, close; at least the pairs of the first result.
    path : pathlib.Path
        The file to write; its folder must exist, an existing file is replaced.
    fee : float, optional
        As in :func:`~coordinator.reports.comparison.compare`.
    models : sequence of Model
        Those trained for the runs, from their ledgers.
    rolling : sequence of RollingView
        The runs' metrics over time, from their ledgers.

    Raises
    ------
    CoordinatorError
        As :func:`~coordinator.reports.comparison.compare` does, if a table is not one of decisions, or if the
        file cannot be written.
    """
    comparison = compare(results, candles, fee)
    recorded = [result.strategy for result in results if result.strategy in decisions]
    summaries = [summarise(strategy, decisions[strategy]) for strategy in recorded]
    plotted = {pair: candles[pair] for pair in results[0].pairs}
    figures = {"equity": equity_figure(comparison), "drawdown": drawdown_figure(comparison)}
    for i, (pair, frame) in enumerate(plotted.items()):
        inside = frame[frame["date"].between(results[0].start, results[0].end)]
        figures[f"candles-{i}"] = candle_figure(pair, inside, results)
    for i, summary in enumerate(summaries):
        for part in ("confidence", "percentile"):
            figures[f"{part}-{i}"] = confidence_figure(summary.frame, part)
        figures[f"weight-{i}"] = weight_figure(summary.frame)
        figures[f"reliability-{i}"] = reliability_figure(summary.frame)
    for i, view in enumerate(rolling):
        figures |= {f"rolling-{i}-{metric.name}": rolling_figure(view, metric) for metric in PRIMARY}
    text = page_template("report.html.j2").render(
        comparison=comparison,
        pairs=list(plotted),
        results=[_trades(result) for result in results],
        summaries=summaries,
        unrecorded=[result.strategy for result in results if result.strategy not in recorded],
        component_head=_COMPONENT_HEAD,
        sides_head=SIDES_HEAD,
        skill_head=SKILL_HEAD,
        models=model_rows(models),
        models_head=MODELS_HEAD,
        importance=importance_rows(models),
        attention=attention_rows(models),
        quantiles=confidence_row(models),
        calibration_head=CALIBRATION_HEAD,
        rolling=[view.report for view in rolling],
        rolling_head=HEAD[1:],
        primary=PRIMARY,
        figures=script_json({name: json.loads(figure.to_json()) for name, figure in figures.items()}),
        plotly=plotly_script(),
    )
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise CoordinatorError("output", str(path), "be writable", str(error)) from error
    return path


def page_template(name: str) -> Any:
    """A page's template, by the name of its file in this folder."""
    environment = Environment(
        loader=PackageLoader("coordinator", "reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(name)


def plotly_script() -> Markup:
    """plotly.js for a script element. Trusted, but it must not end the element it stands in."""
    return Markup(get_plotlyjs().replace("</script", "<\\/script"))


def script_json(value: object) -> Markup:
    """JSON for a script element: no text in it can end the element or open a comment."""
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)


def _trades(result: BacktestResult) -> dict[str, Any]:
    """The rows of a trades table: the last ones if there are too many."""
    orders = result.orders.groupby("trade").agg(orders=("fee", "size"), fees=("fee", "sum"))
    table = result.trades.join(orders).tail(MAX_TRADES)
    # In the order of the template's head.
    columns = (
        table["open_date"].dt.strftime("%Y-%m-%d %H:%M"),
        table["close_date"].dt.strftime("%Y-%m-%d %H:%M"),
        table["pair"],
        table["is_short"].map({True: "short", False: "long"}),
        table["orders"].map("{:.0f}".format),
        table["open_rate"].map("{:,.8g}".format),
        table["close_rate"].map("{:,.8g}".format),
        table["max_stake_amount"].map(money),
        table["profit_ratio"].map(lambda ratio: percent(ratio, sign=True)),
        table["profit_abs"].map(lambda amount: money(amount, sign=True)),
        table["fees"].map(money),
        table["enter_tag"],
        table["exit_reason"],
    )
    rows = list(zip(*columns, strict=True))
    return {"strategy": result.strategy, "count": len(result.trades), "rows": rows}
