"""The timerange in walk-forward folds, and a holdout that the search never sees."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from coordinator.errors import CoordinatorError

__all__ = ["Fold", "Periods", "divide"]

OWNER = "coordinator optimize"
MIN_VALIDATION, MIN_HOLDOUT = 10, 10  # days in which a Sharpe ratio begins to mean something


@dataclass(frozen=True)
class Fold:
    """A block of days: train from ``start``, validation from ``split``, until ``end``; midnights UTC, end excluded."""

    start: datetime
    split: datetime
    end: datetime

    def __str__(self) -> str:
        return f"{self.start:%Y-%m-%d} .. {self.split:%Y-%m-%d} .. {self.end:%Y-%m-%d}"


@dataclass(frozen=True)
class Periods:
    """The folds in time order, and the holdout after them."""

    folds: tuple[Fold, ...]
    holdout_start: datetime
    holdout_end: datetime


def divide(
    start: datetime, end: datetime, folds: int = 3, holdout: float = 0.2, validation: float = 0.3
) -> Periods:
    """Divide a timerange.

    Parameters
    ----------
    start, end : midnights UTC, end excluded
    folds : blocks of equal length before the holdout, 1 or more
    holdout : share of all days, the newest
    validation : share of each block's days, its newest

    Raises
    ------
    CoordinatorError
        If a validation part or the holdout would be shorter than ten days.

    Examples
    --------
    >>> print(divide(datetime(2021, 1, 1), datetime(2023, 1, 1)).folds[0])
    2021-01-01 .. 2021-05-18 .. 2021-07-15
    """
    days = (end - start).days
    searched = days - round(days * holdout)
    edges = [start + timedelta(days=round(searched * i / folds)) for i in range(folds + 1)]
    blocks = []
    for first, last in pairwise(edges):
        judged = round((last - first).days * validation)
        if judged < MIN_VALIDATION or days - searched < MIN_HOLDOUT:
            needed = (
                round(max(MIN_VALIDATION * folds / validation / (1 - holdout), MIN_HOLDOUT / holdout)) + 5
            )
            rule = f"be about {needed} days or longer for {folds} folds and a holdout"
            raise CoordinatorError("--timerange", OWNER, rule, f"{days} days")
        blocks.append(Fold(first, last - timedelta(days=judged), last))
    return Periods(tuple(blocks), edges[-1], end)
