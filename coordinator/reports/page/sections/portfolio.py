"""The portfolio, the improvements, and how trades were filled."""

from __future__ import annotations

from coordinator.reports.page.chart import Section, Table, chart
from coordinator.reports.page.data import PageData
from coordinator.reports.page.figures import portfolio as figures
from coordinator.reports.page.run_view import RunView
from coordinator.reports.page.sections.decisions import MORE, NO_LEDGER
from coordinator.reports.rolling.comparison import with_and_without_table
from coordinator.reports.rolling.improvements import regime_table, size_table
from coordinator.reports.rolling.portfolio import portfolio_table
from coordinator.reports.rolling.table import MetricTable
from coordinator.trade.exits import shown_reason

__all__ = ["execution_section", "improvements_section", "portfolio_section"]

NO_TRADE = "The ledger holds no filled trade."


def portfolio_section(data: PageData) -> Section:
    """Correlation matrix, sectors, what was held together, and who refused entries."""
    run = data.main
    end = data.results[0].end if data.results else run.end if run is not None else None
    matrix = figures.correlation_matrix(data.candles, end) if end is not None else None
    view = run.rolling if run is not None else None
    improved = None if run is None else run.run.improved[run.run.improved["time"] >= run.since]
    given = (
        "The pairs have too few daily candles in common."
        if data.candles
        else ("A ledger holds no prices: name the candles with --datadir.")
    )
    charts = [
        chart(
            "correlation",
            "Correlation matrix",
            f"Daily returns of the last {figures.CORRELATION_DAYS} days: 1 moves together, 0 by itself, -1 against.",
            figures.correlation_figure(matrix) if matrix is not None else None,
            given,
        ),
        chart(
            "sectors",
            "Sectors",
            "Each sector's share of the open positions; empty days had none.",
            figures.sector_figure(view) if view is not None else None,
            NO_TRADE,
        ),
        chart(
            "together",
            "Held together",
            "High lines are a portfolio that is one bet.",
            figures.held_together_figure(view) if view is not None else None,
            "Never were two pairs held at once, and no filter looked.",
        ),
        chart(
            "filtered",
            "Entries let through and refused",
            "Of those switches that can refuse an entry and are on or in shadow mode.",
            figures.filtered_figure(improved) if improved is not None else None,
            "No switch that can refuse an entry was on or in shadow mode.",
        ),
    ]
    tables = []
    if run is not None and view is not None and len(view.ends):
        part = portfolio_table(view.series, len(view.ends) - 1)
        tables.append(Table(part.title, part.head, part.texts(), folded=MORE))
        until, days = _whole(run)
        tables.append(_folded(regime_table(run.run, until, days)))
    return Section("portfolio", "Portfolio", charts=charts, tables=[table for table in tables if table.rows])


def improvements_section(data: PageData) -> Section:
    """What each improvement made of the same outcomes over the whole run."""
    run, title = data.main, "Improvements"
    if run is None or not len(run.run.days):
        return Section(
            "improvements", title, texts=(NO_LEDGER if run is None else "The run knows nothing yet.",)
        )
    until, days = _whole(run)
    effects = with_and_without_table(run.run, until, days)
    improved = run.run.improved
    off = "No improvement was on or in shadow mode with outcomes known: all ship off (improvements, sizing, entries)."
    charts = [
        chart(
            "effect-r",
            "Mean R without and with",
            "The same outcomes: a higher blue bar is an improvement that helped.",
            figures.effects_figure(effects, "Mean R"),
            off,
        ),
        chart(
            "effect-sharpe",
            "Sharpe ratio without and with",
            "Of the daily sums of the same outcomes.",
            figures.effects_figure(effects, "Sharpe"),
            off,
        ),
        chart(
            "trust",
            "Trust",
            "How far an improvement may depart from the base; its measured effect widens or narrows it.",
            figures.trust_figure(improved, run.end),
            "No trust in an improvement has changed: dynamic reward:risk and volatility sizing are off, or too new.",
            "wide",
        ),
    ]
    whole = MetricTable(f"{effects.title}, whole run", effects.head, effects.units, effects.rows)
    tables = [_folded(whole), _folded(size_table(run.run, until, days))]
    notes = (
        "Limits compare entries asked for with those let through; sizes weigh accepted signals by adjusted over base "
        "size. Shadow mode is compared as if it were on. A ledger has no outcome at another target, so dynamic "
        "reward:risk has no bar.",
    )
    shown = [table for table in tables if table.rows]
    return Section("improvements", title, charts=charts, tables=shown, notes=notes)


def execution_section(data: PageData) -> Section:
    """How trades were filled."""
    run, title = data.main, "Execution"
    if run is None:
        return Section("execution", title, texts=(NO_LEDGER,))
    trades = run.run.trades[run.run.trades["filled_price"].notna()]
    charts = [
        chart(
            "slippage",
            "Slippage by pair",
            "Fill against the price that was decided on: a backtest's next open, a bot's price at the exchange.",
            figures.slippage_figure(trades),
            NO_TRADE if trades.empty else "No trade has both prices.",
            "wide",
        )
    ]
    rows = []
    for reason, own in trades.groupby(trades["exit_reason"].fillna("open").replace("", "open")):
        r = own["r"].dropna()
        mean = f"{r.mean():.3f}" if len(r) else "–"
        rows.append((shown_reason(str(reason)), [f"{len(own):,}", mean]))
    rows.sort(key=lambda row: -int(row[1][0].replace(",", "")))
    tables = [Table("Left on", ("Reason", "Trades", "Mean R"), rows)] if rows else []
    return Section("execution", title, charts=charts, tables=tables)


def _whole(run: RunView) -> tuple[int, int]:
    """The end of a run, seconds, and its days since it began."""
    until = int(run.end.timestamp())
    begin = int(run.since.floor("D").timestamp())
    return until, max(1, -(-(until - begin) // 86400))


def _folded(table: MetricTable) -> Table:
    return Table(table.title, table.head, table.texts(), folded=MORE)
