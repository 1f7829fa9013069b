"""Accounts and the rolling metrics."""

from __future__ import annotations

from coordinator.reports.comparison import HOLD
from coordinator.reports.page.chart import Chart, Section, Table, chart
from coordinator.reports.page.data import PageData
from coordinator.reports.page.figures.accounts import (
    accounts_figure,
    drawdown_figure,
    monthly_figure,
    rolling_figure,
    virtual_figure,
)
from coordinator.reports.page.run_view import RunView
from coordinator.reports.page.summary import arms_of
from coordinator.reports.rolling.summary import HEAD
from coordinator.reports.rolling.targets import PRIMARY, SECONDARY

__all__ = ["accounts_section", "rolling_section"]

FREQUENCY = SECONDARY[1]


def accounts_section(data: PageData) -> Section:
    """Equity and drawdown of all columns, months, and both sides' virtual trades."""
    accounts = data.accounts
    why = "The bot has closed no trade yet, so its account has not moved."
    charts = [
        chart(
            "equity",
            "Account value",
            "Every account begins at 100; where lines lie on each other, the accounts were the same.",
            accounts_figure(accounts),
            why,
            "tall",
        ),
        chart(
            "drawdown",
            "Drawdown",
            "How far each account stood below its highest value so far; 0 is a new high.",
            drawdown_figure(accounts),
            why,
        ),
        chart(
            "months",
            "Months",
            "What each account made in each calendar month.",
            monthly_figure(accounts),
            why,
        ),
        _virtual_chart(data.main),
    ]
    tables = []
    notes: tuple[str, ...] = ()
    if data.comparison is not None:
        comparison = data.comparison
        tables.append(Table("", ("", *(column.name for column in comparison.columns)), comparison.rows()))
        notes = comparison.notes
    elif data.account is not None:
        notes = _bot_notes(data)
    return Section("accounts", "Accounts", charts=charts, tables=tables, notes=notes)


def _bot_notes(data: PageData) -> tuple[str, ...]:
    account = data.account
    assert account is not None
    notes = [
        "A bot's account is its realised profit after fees; open positions do not count until they close."
    ]
    if account.base > 0:
        notes.append(f"Percents are of {account.base_text}.")
    if not account.named:
        notes.append("The ledger does not know the balance: --balance names it.")
    if not len(data.hold):
        notes.append(
            f"{HOLD} is not shown: it needs candles of the bot's time (--datadir) and an account to begin with."
        )
    else:
        notes.append(
            f"{HOLD}: the same base split evenly over the pairs whose candles were given, without fees."
        )
    return tuple(notes)


def _virtual_chart(run: RunView | None) -> Chart:
    title = "ML and baseline, signal by signal"
    aid = (
        "Each side's own gate alone, as virtual trades at the risk of a trade, when their outcome became known, "
        "however many are open at once, so this compares judgement, not accounts."
    )
    if run is None:
        return Chart("virtual", title, aid, None, "There is no ledger of these runs.", "wide")
    arms = {name: frame for name, frame in arms_of(run).items() if len(frame)}
    why = "No signal has a known outcome yet."
    return chart("virtual", title, aid, virtual_figure(arms, run.since, run.end), why, "wide")


def rolling_section(data: PageData) -> Section:
    """The documented metrics: the last window as a table, each over time."""
    run = data.main
    title = "Rolling metrics"
    views = [view for view in data.runs if view.rolling is not None]
    if run is None or run.rolling is None:
        why = (
            "There is no ledger of these runs."
            if run is None
            else "The run knows of no signal and no trade yet."
        )
        return Section("rolling", title, texts=(why,))
    view = run.rolling
    charts = [
        chart(
            f"rolling-{metric.name}",
            metric.label.lstrip("0123456789 "),
            f"Of the {view.report.days} days to each day"
            + (f"; the documented target is {metric.target_text}." if metric.target_text else "."),
            rolling_figure(view, metric),
            f"No window of {view.report.days} days has a value.",
        )
        for metric in (*PRIMARY, FREQUENCY)
    ]
    tables = []
    for other in views:
        assert other.rolling is not None
        report = other.rolling.report
        rows = [(value.metric.label, value.texts()) for value in report.metrics]
        folder = f"{report.strategy}: all of the last {report.days} days"
        tables.append(Table(report.title, HEAD, rows, folded="" if other is run else folder))
        tables += [Table(part.title, part.head, part.texts(), folded=folder) for part in report.tables]
    notes = (
        "ML and baseline are virtual trades: every signal that the side's own gate takes, however many positions are "
        f"open, at the risk of a trade; the account is what was traded. Each point looks back {view.report.days} days, "
        "on what was known then.",
        "A profit factor above 20 is drawn as 20.",
    )
    return Section(
        "rolling",
        title,
        f"{run.run.strategy}, windows of {view.report.days} days.",
        charts,
        tables,
        (),
        notes,
    )
