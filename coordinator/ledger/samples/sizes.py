"""How much room collected samples take, by year and pair."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NamedTuple

from sqlalchemy import func, select

from coordinator.ledger.schema_models import ml_panel_samples, ml_trade_features
from coordinator.ledger.store import Ledger
from coordinator.types import SECONDS_PER_DAY

__all__ = ["SampleSize", "sample_sizes", "size_sentence"]


class SampleSize(NamedTuple):
    """Samples of a pair in a calendar year; bytes are those of their features."""

    year: int
    pair: str
    signals: int
    panel: int
    bytes: int


def sample_sizes(ledger: Ledger, run_id: int | None = None) -> list[SampleSize]:
    """Of a run, or of all; by year, then pair. Bytes are those of the features."""
    found: dict[tuple[int, str], list[int]] = {}
    with ledger.database.read() as connection:
        for place, table in enumerate((ml_trade_features, ml_panel_samples)):
            day = table.c.time // SECONDS_PER_DAY
            count, size = func.count(), func.sum(func.length(table.c.features))
            query = select(day, table.c.pair, count, size).group_by(day, table.c.pair)
            if run_id is not None:
                query = query.where(table.c.run_id == run_id)
            for number, pair, rows, length in connection.execute(query):
                year = datetime.fromtimestamp(int(number) * SECONDS_PER_DAY, tz=UTC).year
                entry = found.setdefault((year, pair), [0, 0, 0])
                entry[place] += int(rows)
                entry[2] += int(length)
    return [SampleSize(*key, *values) for key, values in sorted(found.items())]


def size_sentence(sizes: list[SampleSize]) -> str:
    """The whole and what a year of a pair takes, in words."""
    if not sizes:
        return "no samples"
    signals, panel = sum(size.signals for size in sizes), sum(size.panel for size in sizes)
    length = sum(size.bytes for size in sizes)
    return (
        f"{signals:,} signals and {panel:,} panel samples, {length / 1e6:.1f} MB: "
        f"{length / len(sizes) / 1e3:.0f} kB a year and pair"
    )
