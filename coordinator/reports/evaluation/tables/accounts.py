"""Tables of accounts, and of their differences from the account that each is compared with."""

from __future__ import annotations

import math

import numpy as np

from coordinator.reports.evaluation.account_run import AccountFigures, AccountRun
from coordinator.reports.evaluation.differences import Compared, compared
from coordinator.reports.evaluation.evaluation import UNEARNED, Evaluation
from coordinator.reports.evaluation.tables.table import Table
from coordinator.reports.evaluation.targets import false_share
from coordinator.reports.texts import UNDEFINED, money, number, percent

__all__ = [
    "accounts_table",
    "chance_note",
    "components_table",
    "controls_table",
    "differences_table",
    "spread_note",
]


def accounts_table(e: Evaluation) -> Table:
    """The accounts with all their figures."""
    head = (
        *("", "Profit", "A year", "Sharpe", "Sortino", "Calmar", "Profit factor", "Max drawdown", "Win rate"),
        *("Trades", "Exposure", "Turnover a year", f"Fees ({e.currency})", "ML's say"),
    )
    rows = [(run.name, *_cells(run.figures, e.currency), _say(run)) for run in e.known("accounts")]
    note = (
        f"Fee {e.fee:.3%} of each order's value. All figures from daily account values, open positions included; a "
        "year has 365 days. Exposure: mean cost of open positions over the account. Turnover: value of orders over it."
    )
    return Table("Accounts", head, tuple(rows), note)


def _cells(f: AccountFigures, currency: str) -> tuple[str, ...]:
    return (
        percent(f.profit, sign=True),
        percent(f.yearly, sign=True),
        number(f.sharpe),
        number(f.sortino),
        number(f.calmar),
        number(f.profit_factor),
        percent(f.max_drawdown),
        percent(f.win_rate),
        f"{f.trades:,}",
        percent(f.exposure),
        number(f.turnover, 1),
        money(f.fees, currency=currency),
    )


def _say(run: AccountRun) -> str:
    say = run.say
    if say is None:
        return UNDEFINED
    words = f"{say.share:.0%} of signals, {say.mean_weight:.0%} on average"
    return f"{words}, {say.last_weight:.0%} at the end ({say.phase or 'fixed'})"


DIFFERENCE_HEAD = (
    *("", "Profit", "Sharpe", "Max drawdown", "Trades"),
    *("A year less", "90 % interval", "Verdict", "Sharpe less", "90 % interval", "Verdict"),
)


def differences_table(e: Evaluation, group: str, title: str, note: str, *, folded: bool = False) -> Table:
    """A group of accounts, each less the one it is compared with, which is named where it is not the baseline."""
    rows = tuple((one.label, *_difference_row(one)) for one in compared(e, group))
    return Table(title, DIFFERENCE_HEAD, rows, note, folded)


def _difference_row(one: Compared) -> tuple[str, ...]:
    f, d = one.run.figures, one.difference
    cells = (percent(f.profit, sign=True), number(f.sharpe), percent(f.max_drawdown), f"{f.trades:,}")
    interval = f"{percent(d.low, sign=True)} to {percent(d.high, sign=True)}"
    x = one.sharpe
    ratios = (f"{x.mean:+.2f}", f"{x.low:+.2f} to {x.high:+.2f}", one.sharpe_verdict)
    return (*cells, percent(d.mean, sign=True), interval, one.verdict, *ratios)


def components_table(e: Evaluation) -> Table:
    """Each component off in the whole vote, and alone."""
    head = (*DIFFERENCE_HEAD[:5], "Win rate", "False signals", *DIFFERENCE_HEAD[5:])
    rows = []
    for one in compared(e, "components"):
        row = _difference_row(one)
        lost = percent(false_share(one.run))
        rows.append((one.run.name, *row[:4], percent(one.run.figures.win_rate), lost, *row[4:]))
    note = (
        f'"Without": its vote is 0 in "{UNEARNED}", and it is compared with that; "alone": the others\' are, compared '
        "with TechnicalBaseline. False signals: those taken that resolved at R of 0 or less."
    )
    whole = e.account(UNEARNED)
    if whole is not None:
        note += (
            f" With all of them the win rate is {percent(whole.figures.win_rate)}, false signals are "
            f"{percent(false_share(whole))}."
        )
    return Table("Each component off, and alone", head, tuple(rows), note)


def controls_table(e: Evaluation) -> Table:
    """What stands in every model's place."""
    note = (
        "In every model's place: the same score always, seeded noise (a draw for each pair and day), or the models "
        "themselves trained and promoted on shuffled labels. With the weight of 70 % from the beginning, or earned."
    )
    return differences_table(e, "controls", "Controls", note, folded=True)


def chance_note(e: Evaluation) -> str:
    """How many parts matter, beside how many would by chance."""
    found = compared(e, "improvements")
    clear = [one for one in found if one.sign]
    return (
        f"{len(clear)} of {len(found)} intervals leave out 0; of as many without an effect one in ten would by chance."
        if found
        else ""
    )


def spread_note(e: Evaluation) -> str:
    """The neighbours' Sharpe ratios in a line."""
    ratios = [run.figures.sharpe for run in e.known("parameters")]
    ratios = [ratio for ratio in ratios if not math.isnan(ratio)]
    if not ratios:
        return ""
    words = f"Sharpe ratios {min(ratios):.2f} to {max(ratios):.2f}, mean {np.mean(ratios):.2f}"
    return f"{len(ratios)} neighbours: {words}."
