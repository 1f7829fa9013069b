"""What the views of the improvements share: mode, trust, and each pair's last signal without and with it."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from coordinator.reports.rolling.comparison import with_and_without_table
from coordinator.reports.rolling.run_data import RunData
from coordinator.settings import Mode, Settings
from coordinator.status.base import Figures, iso, known, records
from coordinator.status.phone import percent, plain, short, table
from coordinator.status.source import Source

__all__ = ["LastSignal", "comparison", "effective_mode", "last_signals", "last_text", "trusted_range"]


class LastSignal(BaseModel):
    """A pair's last signal: a number without an improvement, and with it."""

    model_config = ConfigDict(frozen=True)

    pair: str
    at: str | None
    base: float | None
    adjusted: float | None
    regime: str


def effective_mode(settings: Settings, name: str) -> Mode:
    """off, shadow or on, under the global switches."""
    improvements = settings.improvements
    mode: Mode = settings.thresholds.mode if name == "thresholds" else getattr(improvements, name).mode
    return improvements.effective(mode)


def trusted_range(source: Source, name: str) -> float | None:
    """Greatest change that it is trusted with, a share of its base; None where that is not known."""
    own = getattr(source.settings.improvements, name).range
    if own is not None:
        return known(own)
    if source.facts is not None and name in source.facts.trust:
        return known(source.facts.trust[name])
    stored = source.state("trust")
    trust = (stored or {}).get("trusts", {}).get(name)
    return None if trust is None else known(trust["range"])


def last_signals(source: Source, name: str) -> list[LastSignal]:
    """Of every pair that had one with the improvement, from the bot or else the ledger."""
    facts = source.facts
    if facts is not None and facts.signals:
        return [
            LastSignal(
                pair=pair,
                at=iso(facts.signals[pair]["time"]),
                base=values[name][1],
                adjusted=values[name][2],
                regime=str(facts.signals[pair].get("regime") or ""),
            )
            for pair, values in sorted(facts.improvements.items())
            if name in values
        ]
    run = source.run()
    if run is None:
        return []
    own = run.improvements[run.improvements["name"] == name].groupby("pair").tail(1)
    regimes = run.decisions[["time", "pair", "regime"]]
    rows = own.merge(regimes, on=["time", "pair"], how="left").sort_values("pair")
    return [
        LastSignal(
            pair=row.pair,
            at=iso(row.time),
            base=known(row.base),
            adjusted=known(row.adjusted),
            regime=row.regime if isinstance(row.regime, str) else "",
        )
        for row in records(rows)
    ]


def comparison(run: RunData, until: int, days: int, names: tuple[str, ...]) -> Figures:
    """Outcomes with and without some improvements."""
    whole = with_and_without_table(run, until, days).as_dict()
    rows = [row for row in whole["rows"] if row["Improvement"] in names]
    return Figures(title=whole["title"], rows=rows)


def last_text(signals: list[LastSignal], digits: int = 2) -> str:
    """For a phone; empty without any."""
    if not signals:
        return ""
    rows = [
        (
            short(one.pair),
            plain(one.base, digits),
            plain(one.adjusted, digits),
            percent(None if not one.base or one.adjusted is None else one.adjusted / one.base - 1),
            str(one.at)[5:10],
        )
        for one in signals
    ]
    return table(("Pair", "Base", "Now", "+/-", "Signal"), rows)
