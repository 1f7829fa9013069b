"""The decisions of a run as one table, a row per signal: its columns, its checks and its dtypes."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from coordinator.errors import CoordinatorError
from coordinator.ledger.schema import COMPONENTS

__all__ = [
    "COLUMNS",
    "DECISION_FIELDS",
    "DETAILS",
    "OPTIONAL_TEXTS",
    "VOTE_PARTS",
    "normalise_decisions",
    "vote_columns",
]

VOTE_PARTS: Final = ("direction", "confidence", "percentile")


def vote_columns(component: str) -> tuple[str, ...]:
    """The three columns of a component.

    Examples
    --------
    >>> vote_columns("lstm")
    ('lstm_direction', 'lstm_confidence', 'lstm_percentile')
    """
    return tuple(f"{component}_{part}" for part in VOTE_PARTS)


DETAILS: Final = ("ml_score", "ml_rank", "win_probability", "expected_r", "tactic", "phase", "arm", "regime")
"""How a decision came about; ledgers from before they were kept have none."""

DECISION_FIELDS: Final = (
    "unified_score", "unified_confidence", "threshold", "ml_weight", "accepted", "rejection", *DETAILS,
)  # fmt: skip

OPTIONAL_TEXTS: Final = ("rejection", "outcome_exit", "tactic", "phase", "arm", "regime")
"""Texts that may be empty; the database has NULL there."""

CLOCK: Final = "1h"
"""Clock of a signal where none is named: ledgers from before there were several."""

_VOTES: Final = tuple(column for component in COMPONENTS for column in vote_columns(component))
_FLOATS: Final = (
    "price", "stop", "target", *_VOTES,
    "unified_score", "unified_confidence", "threshold", "ml_weight", "outcome_r", *DETAILS[:4],
)  # fmt: skip
_TEXTS: Final = ("pair", "clock", "reasons", *OPTIONAL_TEXTS)
_TIMES: Final = ("time", "outcome_time")

COLUMNS: Final = (
    "time", "pair", "direction", "price", "stop", "target", "horizon", "clock", "reasons", *_VOTES,
    *DECISION_FIELDS, "outcome_r", "outcome_exit", "outcome_time",
)  # fmt: skip


def normalise_decisions(frame: pd.DataFrame, owner: str) -> pd.DataFrame:
    """Check a table of decisions and bring it to its one form.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row per signal, :data:`COLUMNS`. The columns of components that never voted, ``clock`` (:data:`CLOCK`) and
        :data:`DETAILS` may be missing, any order of rows and columns and any resolution of times will do; other columns
        are left out.
    owner : str
        Whose table it is, for errors.

    Returns
    -------
    pandas.DataFrame
        Shape (signals, 44), :data:`COLUMNS` in order, sorted by time, then pair. Times are
        ``datetime64[us, UTC]``, direction int8, horizon int64, accepted bool, texts str (empty where there is
        none), numbers float64 (NaN where there is none).

    Raises
    ------
    CoordinatorError
        If a column is missing or holds other things than it must, or a signal (time and pair) stands twice.
    """
    there = {*frame.columns, *_VOTES, *DETAILS, "clock"}
    missing = [name for name in COLUMNS if name not in there]
    if missing:
        raise CoordinatorError("columns", owner, f"include {', '.join(missing)}", list(frame.columns))
    # Only the whole absence of a component is fine: two of its three columns are a mistake.
    for component in COMPONENTS:
        present = [name for name in vote_columns(component) if name in frame.columns]
        if present and len(present) < len(VOTE_PARTS):
            raise CoordinatorError(
                "columns", owner, f"hold all of {vote_columns(component)} or none", present
            )
    typed = {}
    for name in COLUMNS:
        if name in frame.columns:
            values = pd.Series(frame[name].array)
        else:
            values = pd.Series(CLOCK if name == "clock" else np.nan, index=range(len(frame)))
        typed[name] = _typed(values, name, owner).array
    out = pd.DataFrame(typed, columns=list(COLUMNS))
    doubled = out.duplicated(["time", "pair"])
    if doubled.any():
        first = out.loc[doubled, ["time", "pair"]].iloc[0]
        raise CoordinatorError("time", owner, "stand once per pair", f"{first['pair']} at {first['time']}")
    return out.sort_values(["time", "pair"], kind="stable", ignore_index=True)


def _typed(column: pd.Series, name: str, owner: str) -> pd.Series:
    """One column in its dtype; raises CoordinatorError for values that are not of its kind."""
    if name in _TIMES:
        return _time(column, name, owner)
    if name in _TEXTS:
        pairs = zip(column.isna().tolist(), column.tolist(), strict=True)
        return pd.Series(["" if absent else str(value) for absent, value in pairs], dtype="str")
    try:
        if name in _FLOATS:
            return column.astype("float64")
        whole = column.astype("float64")
    except (TypeError, ValueError) as error:
        raise CoordinatorError(name, owner, "be numbers", str(error)) from error
    if name == "accepted":
        if not whole.isin((0.0, 1.0)).all():
            raise CoordinatorError(name, owner, "be true or false", column[~whole.isin((0.0, 1.0))].iloc[0])
        return whole.astype(bool)
    is_direction = name == "direction"
    good = whole.abs() == 1 if is_direction else whole % 1 == 0
    if not good.all():
        rule = "be -1 or 1" if is_direction else "be whole candles"
        raise CoordinatorError(name, owner, rule, column[~good].iloc[0])
    return whole.astype("int8" if is_direction else "int64")


def _time(column: pd.Series, name: str, owner: str) -> pd.Series:
    """UTC at microseconds; candle times are whole seconds, and only an outcome's may be missing."""
    if isinstance(column.dtype, pd.DatetimeTZDtype) or column.isna().all():
        times = pd.Series(pd.to_datetime(column, utc=True).dt.as_unit("us"))
        if name == "time" and times.isna().any():
            raise CoordinatorError(name, owner, "be known for every signal", "NaT")
        if (times.dropna() == times.dropna().dt.floor("s")).all():
            return times
    raise CoordinatorError(name, owner, "be UTC times of whole seconds", str(column.dtype))
