"""The progress bar of what can be stopped and gone on with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

__all__ = ["counting_bar"]


@contextmanager
def counting_bar(console: Console, what: str, total: int | None = None) -> Iterator[Callable[..., None]]:
    """A bar of how many are done; gives what moves it: ``(done)``, or ``(done, total)`` where that is not known yet."""
    columns = (
        TextColumn(what),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    try:
        with Progress(*columns, console=console) as progress:
            task = progress.add_task(what, total=total)
            yield lambda done, total=total: progress.update(task, completed=done, total=total)
    except KeyboardInterrupt:
        console.print("Stopped; the same command goes on")
        raise
