"""A day in a few lines: signals, trades, ML's say, the portfolio, what was told."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from coordinator.errors import CoordinatorError
from coordinator.reports.rolling.improvements import in_window
from coordinator.reports.rolling.summary import WINDOW_DAYS, summarise
from coordinator.status.alerts.history import read_alerts
from coordinator.status.base import View, known
from coordinator.status.models import now_of
from coordinator.status.phase import read_phase
from coordinator.status.phone import fields, join_parts, percent, plain, wrap
from coordinator.status.source import NOTHING_YET, Source
from coordinator.types import SECONDS_PER_DAY

__all__ = ["Summary", "read_summary", "summary_text"]

SHOWN = ("sharpe", "win_rate", "max_drawdown")


class Summary(View):
    """The day (UTC) that ended last, unless another is named; profit and equity in the stake currency."""

    day: str
    currency: str = ""
    signals: int = 0
    accepted: int = 0
    outcomes: int = 0
    mean_r: float | None = None
    opened: int = 0
    closed: int = 0
    profit: float | None = None
    profit_r: float | None = None
    open_trades: list[str] = []
    equity: float | None = None
    phase: str | None = None
    ml_weight: float | None = None
    next_review: str | None = None
    window_days: int = WINDOW_DAYS
    ml: dict[str, float | None] = {}
    baseline: dict[str, float | None] = {}
    hedge: str = ""
    alerts: int = 0


def read_summary(source: Source, day: int | None = None) -> Summary:
    """The view.

    Parameters
    ----------
    day : days since the epoch; by default the one that ended last
    """
    day = int(now_of(source)) // SECONDS_PER_DAY - 1 if day is None else day
    until, name = (
        (day + 1) * SECONDS_PER_DAY,
        f"{datetime.fromtimestamp(day * SECONDS_PER_DAY, tz=UTC):%Y-%m-%d}",
    )
    facts, phase = source.facts, read_phase(source, 1)
    told = [one for one in read_alerts(source, 1000).alerts if one.at[:10] == name and one.kind != "daily"]
    base = Summary(
        day=name,
        currency="" if facts is None else facts.currency,
        open_trades=[] if facts is None else [trade.pair for trade in facts.trades],
        equity=None if facts is None else known(facts.equity),
        phase=phase.phase,
        ml_weight=phase.ml_weight,
        next_review=phase.next_review,
        hedge="" if facts is None or not facts.hedge.get("active") else str(facts.hedge["words"]),
        alerts=len(told),
    )
    run = source.run()
    if run is None:
        return base.model_copy(update={"note": NOTHING_YET})
    decided, resolved = in_window(run.decided_at, until, 1), in_window(run.resolved_at, until, 1)
    opened, closed = in_window(run.opened_at, until, 1), in_window(run.closed_at, until, 1)
    profits = run.trades[closed]
    update: dict[str, Any] = {
        "signals": int(decided.sum()),
        "accepted": int(run.decisions["accepted"].to_numpy()[decided].sum()),
        "outcomes": int(resolved.sum()),
        "mean_r": known(run.decisions["outcome_r"][resolved].mean()) if resolved.any() else None,
        "opened": int(opened.sum()),
        "closed": int(closed.sum()),
        "profit": known(profits["profit"].sum()) if closed.any() else None,
        "profit_r": known(profits["r"].sum()) if closed.any() else None,
    }
    try:
        report = summarise(run, WINDOW_DAYS, datetime.fromtimestamp(until, tz=UTC))
    except CoordinatorError:  # the run began later
        return base.model_copy(update=update)
    for arm in ("ml", "baseline"):
        update[arm] = {
            m.metric.name: known(getattr(m, arm)) for m in report.metrics if m.metric.name in SHOWN
        }
    return base.model_copy(update=update)


def summary_text(view: Summary) -> str:
    """For a phone, and for a message."""
    money = f" {view.currency}" if view.currency else ""
    profit = "–" if view.profit is None else f"{view.profit:+,.2f}{money}"
    rows = [
        ("Signals", f"{view.signals}, taken {view.accepted}"),
        ("Virtual outcomes", f"{view.outcomes}, mean {plain(view.mean_r)} R"),
        ("Trades opened, closed", f"{view.opened}, {view.closed}"),
        ("Profit", profit if view.profit_r is None else f"{profit}, {view.profit_r:+.2f} R"),
        ("Open now", str(len(view.open_trades))),
    ]
    rows += [("Equity", f"{view.equity:,.2f}{money}")] if view.equity is not None else []
    if view.phase is not None:
        rows += [
            ("ML", f"{view.phase}, weight {percent(view.ml_weight)}"),
            ("Next review", str(view.next_review)[:10]),
        ]
    arms = [
        (f"{label}, {view.window_days} d", f"{form(view.ml.get(name))} / {form(view.baseline.get(name))}")
        for name, label, form in (
            ("sharpe", "Sharpe", plain),
            ("win_rate", "Won", percent),
            ("max_drawdown", "Drawdown", percent),
        )
        if any(value is not None for value in (*view.ml.values(), *view.baseline.values()))
    ]
    return join_parts(
        f"Coordinator, {view.day}",
        wrap(view.note),
        fields(rows),
        "ML / baseline\n" + fields(arms) if arms else "",
        wrap(view.hedge),
        f"{view.alerts} alert{'s' * (view.alerts != 1)} that day" if view.alerts else "",
    )
