"""How alike the pairs move, what is held together, and the entries that limits and ranking refused."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from coordinator.portfolio.sectors import sector_of
from coordinator.reports.rolling.improvements import filter_table
from coordinator.reports.rolling.portfolio import CORRELATION, portfolio_series, portfolio_table
from coordinator.reports.rolling.summary import WINDOW_DAYS, stored_correlation
from coordinator.status.base import Figures, View, figures, iso
from coordinator.status.facts import Facts
from coordinator.status.improvement import effective_mode
from coordinator.status.phone import WIDTH, fields, join_parts, percent, plain, short, table, wrap
from coordinator.status.source import Source

__all__ = ["Correlation", "Refusal", "Sector", "correlation_text", "read_correlation"]

NO_PRICES = "no correlations: they need a running bot with two pairs, and the candles of the window"


class Sector(BaseModel):
    """A sector: its coins among the pairs, and how many of its positions are open beside the most allowed."""

    model_config = ConfigDict(frozen=True)

    name: str
    pairs: list[str]
    held: int
    allowed: int


class Refusal(BaseModel):
    """The last entry of a pair that was refused."""

    model_config = ConfigDict(frozen=True)

    pair: str
    at: str | None
    reason: str


class Correlation(View):
    """Correlations of the last ``window`` candles' returns, -1..1; rows and columns in the order of ``pairs``."""

    days: int
    mode: str
    threshold: float
    window: int
    max_correlated: int
    pairs: list[str] = []
    matrix: list[list[float | None]] = []
    average: float | None = None
    held: list[str] = []
    average_held: float | None = None
    sectors: list[Sector] = []
    checked: int = 0
    refused: dict[str, int] = {}
    refusals: list[Refusal] = []
    filtered: Figures | None = None
    portfolio: Figures | None = None


def read_correlation(source: Source, days: int = WINDOW_DAYS, pair: str | None = None) -> Correlation:
    """The view; with a pair, the matrix has its row alone. Counts of entries are since the bot's start."""
    if pair is not None:
        source.check_pair(pair)
    s = source.settings.improvements.correlation_filter
    facts = source.facts
    found = source.window()
    update: dict[str, object] = {}
    if facts is not None:
        update |= _of_bot(facts, source, pair)
    if facts is None or facts.correlations is None:
        update["note"] = NO_PRICES
    if found is not None:
        run, until = found
        series = portfolio_series(run, days)
        stored = source.ledger.metrics(run.run_id, CORRELATION)
        if len(stored):
            series |= stored_correlation(run, stored)
        update["filtered"] = figures(filter_table(run, until, days))
        update["portfolio"] = figures(portfolio_table(series, len(run.days) - 1))
    return Correlation(
        days=days,
        mode=effective_mode(source.settings, "correlation_filter"),
        threshold=s.threshold,
        window=s.window,
        max_correlated=s.max_correlated,
    ).model_copy(update=update)


def _of_bot(facts: Facts, source: Source, pair: str | None) -> dict[str, object]:
    s = source.settings.improvements.correlation_filter
    held = [trade.pair for trade in facts.trades if not trade.is_hedge]
    names = source.pairs()
    sectors = [
        Sector(
            name=name,
            pairs=[p for p in names if sector_of(p, s.sectors) == name],
            held=sum(sector_of(p, s.sectors) == name for p in held),
            allowed=s.max_per_sector,
        )
        for name in s.sectors
    ]
    refusals = [
        Refusal(pair=p, at=iso(time), reason=reason)
        for p, (time, reason) in sorted(facts.refusals.items(), key=lambda item: -item[1][0])
    ]
    update: dict[str, object] = {
        "held": held,
        "sectors": [sector for sector in sectors if sector.pairs],
        "checked": facts.checked,
        "refused": dict(facts.refused),
        "refusals": [refusal for refusal in refusals if pair in (None, refusal.pair)],
    }
    if facts.correlations is not None:
        pairs, matrix = list(facts.correlations.pairs), [list(row) for row in facts.correlations.matrix]
        update["average"] = _average(pairs, matrix, pairs)
        update["average_held"] = _average(pairs, matrix, held)
        update["pairs"] = pairs
        update["matrix"] = matrix if pair not in pairs else [matrix[pairs.index(pair)]]
    return update


def _average(pairs: list[str], matrix: list[list[float | None]], of: list[str]) -> float | None:
    """Mean of what is known above the diagonal, of some pairs."""
    rows = [i for i, pair in enumerate(pairs) if pair in of]
    values = [matrix[i][j] for i in rows for j in rows if i < j]
    numbers = [value for value in values if value is not None]
    return round(sum(numbers) / len(numbers), 6) if numbers else None


def correlation_text(view: Correlation) -> str:
    """For a phone: correlations in hundredths, the matrix in parts as wide as the screen."""
    head = [
        ("Filter", view.mode),
        ("Average", plain(view.average)),
        ("Average of what is held", plain(view.average_held)),
        (f"Limit ({view.window} candles)", f"{view.max_correlated} above {view.threshold:g}"),
    ]
    sectors = [(one.name, f"{one.held} of {one.allowed}") for one in view.sectors]
    refused = [(name.replace("_", " "), str(count)) for name, count in view.refused.items()]
    refusals = [
        wrap(f"{short(r.pair)} {str(r.at)[5:16].replace('T', ' ')}: {r.reason}") for r in view.refusals[:4]
    ]
    return join_parts(
        fields(head),
        wrap(view.note),
        _matrix(view),
        "Open positions by sector\n" + fields(sectors) if sectors else "",
        fields([("Entries checked", str(view.checked)), *refused]),
        "\n".join(("Refused last", *refusals)) if refusals else "",
        _window(view),
    )


def _matrix(view: Correlation) -> str:
    if not view.matrix:
        return ""
    names = [short(pair)[:4] for pair in view.pairs]
    single = len(view.matrix) == 1 and len(view.pairs) > 1
    if single:
        row = view.matrix[0]
        return table(("Pair", "Corr."), [(name, plain(v)) for name, v in zip(names, row, strict=True)])
    per_part = (WIDTH - 4) // 5
    rows_names, parts = names, []
    for first in range(0, len(names), per_part):
        part = slice(first, first + per_part)
        rows = [
            (name, *("" if i == first + j else _hundredths(v) for j, v in enumerate(row[part])))
            for i, (name, row) in enumerate(zip(rows_names, view.matrix, strict=True))
        ]
        parts.append(table(("", *names[part]), rows))
    return join_parts(*parts)


def _hundredths(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.0f}"


def _window(view: Correlation) -> str:
    rows = [] if view.filtered is None else view.filtered.rows
    lines = [
        (
            str(row["Limit"]).replace("_", " "),
            str(row["Let through"]),
            str(row["Refused"]),
            percent(row["Share"] if isinstance(row["Share"], float) else None),
        )
        for row in rows
    ]
    return f"{view.days} days\n{table(('Limit', 'Ok', 'Ref.', 'Share'), lines)}" if lines else ""
