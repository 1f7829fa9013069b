"""Volatility sizing and the other adjustments of size: their modes, the last signals', what they made of the window."""

from __future__ import annotations

from coordinator.reports.rolling.improvements import SIZES, size_table
from coordinator.reports.rolling.summary import WINDOW_DAYS
from coordinator.run.improvements import VOLATILITY_SIZING
from coordinator.status.base import Cell, Figures, View, figures, iso
from coordinator.status.improvement import (
    LastSignal,
    comparison,
    effective_mode,
    last_signals,
    last_text,
    trusted_range,
)
from coordinator.status.phone import fields, join_parts, percent, plain, table, wrap
from coordinator.status.source import NOTHING_YET, Source

__all__ = ["VolSizing", "read_vol_sizing", "vol_sizing_text"]


class VolSizing(View):
    """Multipliers of the planned size; ``volatility`` of each pair's last signal is the level of its regime."""

    days: int
    mode: str
    multipliers: dict[str, float]
    max_increase: float
    trusted_range: float | None = None
    end: str | None = None
    signals: list[LastSignal] = []
    volatility: dict[str, str] = {}
    sizes: Figures | None = None
    comparison: Figures | None = None


def read_vol_sizing(source: Source, days: int = WINDOW_DAYS) -> VolSizing:
    """The view of the last ``days``."""
    own = source.settings.improvements.volatility_sizing
    mode = effective_mode(source.settings, VOLATILITY_SIZING)
    base = VolSizing(
        days=days,
        mode=mode,
        multipliers={name: getattr(own, name) for name in ("low", "normal", "high", "extreme")},
        max_increase=own.max_increase,
        trusted_range=None if mode == "off" else trusted_range(source, VOLATILITY_SIZING),
    )
    found = source.window()
    if found is None:
        return base.model_copy(update={"note": NOTHING_YET})
    run, until = found
    last = run.decisions[["pair", "regime"]].groupby("pair").tail(1)
    return base.model_copy(
        update={
            "end": iso(until),
            "signals": last_signals(source, VOLATILITY_SIZING),
            "volatility": dict(sorted(zip(last["pair"], last["regime"], strict=True))),
            "sizes": figures(size_table(run, until, days)),
            "comparison": comparison(run, until, days, SIZES),
        }
    )


def vol_sizing_text(view: VolSizing) -> str:
    """For a phone."""
    head = [
        ("Volatility sizing", view.mode),
        *((f"  at {name} volatility", f"x {value:g}") for name, value in view.multipliers.items()),
        ("Trusted with", percent(view.trusted_range) if view.mode != "off" else "–"),
    ]
    regimes = [(pair.split("/")[0], regime.replace("_", " ")) for pair, regime in view.volatility.items()]
    sizes = [] if view.sizes is None else view.sizes.rows
    rows = [
        (
            str(row["Improvement"]).replace("_", " "),
            str(row["Mode"]),
            str(row["Signals"]),
            plain(row["Mean"] if isinstance(row["Mean"], float) else None),
        )
        for row in sizes
    ]
    compared = [] if view.comparison is None else view.comparison.rows
    names = dict.fromkeys(str(row["Improvement"]) for row in compared)
    sides = [_compared(name, column, compared) for name in names for column in ("Sharpe", "Drawdown")]
    return join_parts(
        fields(head),
        wrap(view.note),
        last_text(view.signals),
        f"Sizes, {view.days} days\n{table(('Adjustment', 'Mode', 'N', 'Mean'), rows)}" if rows else "",
        table(("Outcomes", "without", "with"), sides) if sides else "",
        "Regime at the last signal\n" + fields(regimes) if regimes else "",
    )


def _compared(name: str, column: str, rows: list[dict[str, Cell]]) -> tuple[str, str, str]:
    """A figure without an improvement, and with it."""
    values = {row["Side"]: row[column] for row in rows if row["Improvement"] == name}
    known = [value if isinstance(value, float) else None for value in map(values.get, ("without", "with"))]
    form = plain if column == "Sharpe" else percent
    return f"{name.split('_')[0]} {column}", form(known[0]), form(known[1])
