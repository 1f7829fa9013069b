"""Exporting a run's decisions to Parquet, and finding the ledger that belongs to a backtest."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Final

from coordinator.errors import CoordinatorError
from coordinator.ledger.store import Ledger

__all__ = ["LEDGER_PATTERN", "export_decisions", "find_run", "newest_ledger"]

LEDGER_PATTERN: Final = "*.ledger.sqlite"


def export_decisions(ledger: Ledger, run_id: int | None, output: Path) -> int:
    """Write a run's decisions (the last run's if None) as zstd Parquet; the number of signals written.

    The columns are :data:`coordinator.ledger.frame.COLUMNS` in their order. An existing file is replaced.

    Raises
    ------
    CoordinatorError
        If the ledger or the run cannot be read, or the file cannot be written.
    """
    frame = ledger.read_decisions(run_id)
    try:
        frame.to_parquet(output, compression="zstd", index=False)
    except OSError as error:
        raise CoordinatorError("output", str(output), "be writable", str(error)) from error
    return len(frame)


def newest_ledger(folder: Path) -> Path:
    """The ledger file of a folder that was written last.

    Raises
    ------
    CoordinatorError
        If there is none.
    """
    files = sorted(folder.glob(LEDGER_PATTERN), key=lambda path: (path.stat().st_mtime_ns, path.name))
    if not files:
        raise CoordinatorError("ledger", str(folder), f"hold a {LEDGER_PATTERN} file", "none")
    return files[-1]


def find_run(folder: Path, strategy: str, begin: datetime, end: datetime) -> tuple[Ledger, int] | None:
    """The run that a strategy recorded in a folder's ledgers between two times: ledger and id, or None.

    A backtest writes its ledger while it runs, so its own begin and end tell which one is its. Files that are
    no ledgers are passed over; of several runs the last started one is taken.

    Parameters
    ----------
    begin, end : datetime.datetime
        Timezone-aware, both included.
    """
    newest: tuple[datetime, Ledger, int] | None = None
    for path in sorted(folder.glob(LEDGER_PATTERN)):
        ledger = Ledger(path)
        try:
            runs = ledger.runs()
        except CoordinatorError:
            continue
        runs = runs[(runs["strategy"] == strategy) & runs["started_at"].between(begin, end)]
        if len(runs) and (newest is None or runs["started_at"].iloc[-1] > newest[0]):
            newest = runs["started_at"].iloc[-1], ledger, int(runs["id"].iloc[-1])
    return None if newest is None else (newest[1], newest[2])
