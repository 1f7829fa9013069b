"""A sentence of the summary, and the words that several of them use."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd

from coordinator.reports.texts import number, percent

__all__ = [
    "FEW",
    "FEW_BLOCKS",
    "Sentence",
    "Tone",
    "blocks",
    "day",
    "known",
    "listed",
    "mean_with_spread",
    "signed_r",
]

BLOCK, FEW_BLOCKS = pd.Timedelta(days=7), 8
"""Outcomes of one week depend on each other, as the bootstrap of accounts has it; fewer weeks have no error."""
Tone = Literal["plain", "good", "bad", "watch"]
FEW = 30
"""Outcomes below which a mean is not spoken of as if it said something."""


class Sentence(NamedTuple):
    """One statement.

    Attributes
    ----------
    text : plain text, never empty
    tone : "good" or "bad" where the figures are beyond noise, "watch" for what to look at, else "plain"
    """

    text: str
    tone: Tone = "plain"


def known(sentences: Iterable[Sentence | None]) -> list[Sentence]:
    """Those that had something to say."""
    return [sentence for sentence in sentences if sentence is not None]


def listed(words: Iterable[str]) -> str:
    """Words as a list in a sentence.

    Examples
    --------
    >>> listed(["a"]), listed(["a", "b", "c"])
    ('a', 'a, b and c')
    """
    *first, last = list(words)
    return f"{', '.join(first)} and {last}" if first else last


def day(moment: pd.Timestamp) -> str:
    """A day as 2024-01-31."""
    return f"{moment:%Y-%m-%d}"


def signed_r(value: float) -> str:
    """An R with its sign.

    Examples
    --------
    >>> signed_r(0.1234), signed_r(-1.0), signed_r(float("nan"))
    ('+0.12 R', '-1.00 R', '– R')
    """
    text = number(value)
    return f"{'+' if value > 0 and text[0].isdigit() and percent(value) != '0.00%' else ''}{text} R"


def blocks(times: pd.Series) -> pd.Series:
    """The week of each moment, what :func:`mean_with_spread` takes for one observation."""
    weeks: pd.Series = times.dt.floor(BLOCK)
    return weeks


def mean_with_spread(r: pd.Series) -> tuple[float, float]:
    """Mean and its standard error, in which all outcomes of one block count as one; NaN for fewer than two blocks.

    Parameters
    ----------
    r : pandas.Series
        Outcomes in R without NaN, indexed by their block.
    """
    if r.empty:
        return float("nan"), float("nan")
    mean = float(r.mean())
    # The cluster-robust error of a mean: the blocks' sums of what is above it.
    sums = (r - mean).groupby(level=0).sum().to_numpy()
    if len(sums) < 2:
        return mean, float("nan")
    error = np.sqrt(np.square(sums).sum() * len(sums) / (len(sums) - 1)) / len(r)
    return mean, float(error)
