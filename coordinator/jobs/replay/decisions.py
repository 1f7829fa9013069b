"""A bot's decisions beside a backtest's: the same signals, votes and verdicts, or which differ and in what."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from coordinator.ledger.frame import COLUMNS

__all__ = ["DecisionComparison", "compare_decisions"]

KEY = ["time", "pair"]
COMPARED = [name for name in COLUMNS if name not in KEY and not name.startswith("outcome_")]
TOLERANCE = 1e-12  # relative; sums of floats in another order
LEARNED = ("win_probability", "expected_r")
PREDICTED = ("lstm", "attention", "quality", "ml_")


@dataclass(frozen=True)
class DecisionComparison:
    """Two runs' decisions on the same candles.

    Attributes
    ----------
    signals : how many both have
    identical : how many of these are the same in every column
    missing, added : (time, pair) that only the backtest, and only the bot has
    differing : how often each column differs
    verdicts : (time, pair) accepted in one run only
    examples : a few differences, in words
    """

    signals: int
    identical: int
    missing: tuple[tuple[pd.Timestamp, str], ...]
    added: tuple[tuple[pd.Timestamp, str], ...]
    differing: dict[str, int]
    verdicts: tuple[tuple[pd.Timestamp, str], ...]
    examples: tuple[str, ...]

    @property
    def same(self) -> bool:
        """Whether nothing differs."""
        return not self.missing and not self.added and self.identical == self.signals

    def sentences(self) -> list[str]:
        """What the comparison says, in words."""
        said = [
            f"Decisions: {self.identical} of {self.signals} signals identical in all {len(COMPARED)} columns"
        ]
        for keys, who in ((self.missing, "the backtest"), (self.added, "the bot")):
            if keys:
                shown = ", ".join(f"{pair} {time:%m-%d %H:%M}" for time, pair in keys[:5])
                said.append(f"  only {who} has {len(keys)}: {shown}{' ...' if len(keys) > 5 else ''}")
        if self.differing:
            said.append("  differing: " + ", ".join(f"{name} {n}" for name, n in self.differing.items()))
        if self.verdicts:
            shown = ", ".join(f"{pair} {time:%m-%d %H:%M}" for time, pair in self.verdicts[:5])
            said.append(f"  accepted in one run only, {len(self.verdicts)}: {shown}")
        return [*said, *(f"  {example}" for example in self.examples)]


def compare_decisions(backtest: pd.DataFrame, bot: pd.DataFrame, shown: int = 5) -> DecisionComparison:
    """Compare two tables of decisions (``coordinator.ledger.frame``).

    Parameters
    ----------
    backtest, bot : pandas.DataFrame
        The same span of candles.
    shown : int
        How many differences are told in words.
    """
    left, right = backtest.set_index(KEY).sort_index(), bot.set_index(KEY).sort_index()
    both = left.index.intersection(right.index)
    missing, added = left.index.difference(right.index), right.index.difference(left.index)
    left, right = left.loc[both], right.loc[both]
    unequal = pd.DataFrame({name: _unequal(left[name], right[name]) for name in COMPARED}, index=both)
    counts = Counter({name: int(unequal[name].sum()) for name in COMPARED if unequal[name].any()})
    accepted = left["accepted"].astype(bool) != right["accepted"].astype(bool)
    rows = unequal.any(axis=1) if len(both) else pd.Series(dtype=bool)
    return DecisionComparison(
        signals=len(both),
        identical=int(len(both) - rows.sum()),
        missing=tuple(missing),
        added=tuple(added),
        differing=dict(counts.most_common()),
        verdicts=tuple(both[accepted.to_numpy()]),
        examples=tuple(_describe(left, right, unequal, list(both[rows.to_numpy(dtype=bool)][:shown]))),
    )


def _unequal(left: pd.Series, right: pd.Series) -> np.ndarray:
    absent = left.isna().to_numpy() & right.isna().to_numpy()
    if pd.api.types.is_float_dtype(left.dtype):
        a, b = left.to_numpy(dtype=float), right.to_numpy(dtype=float)
        same = np.isclose(a, b, rtol=TOLERANCE, atol=TOLERANCE, equal_nan=True)
    else:
        a, b = left.astype(object).to_numpy(), right.astype(object).to_numpy()
        same = np.array([x == y for x, y in zip(a, b, strict=True)], dtype=bool)
    unequal: np.ndarray = ~(same | absent)
    return unequal


def _describe(
    left: pd.DataFrame, right: pd.DataFrame, unequal: pd.DataFrame, keys: Sequence[tuple[pd.Timestamp, str]]
) -> list[str]:
    said = []
    for key in keys:
        names = [name for name in COMPARED if unequal.loc[key, name]]
        parts = ", ".join(
            f"{n} {_plain(left.loc[key, n])!r} / {_plain(right.loc[key, n])!r}" for n in names[:4]
        )
        time, pair = key
        said.append(f"{pair} {time:%m-%d %H:%M} (backtest / bot): {parts}{' ...' if len(names) > 4 else ''}")
    return said


def _plain(value: object) -> object:
    """Python's own number for one of NumPy's."""
    return value.item() if isinstance(value, np.generic) else value
