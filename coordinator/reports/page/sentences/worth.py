"""Is ML worth it: the accounts' difference, the say it had and why, and how well it tells good signals from bad."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from coordinator.reports.comparison import HOLD, Column
from coordinator.reports.difference import annual_difference
from coordinator.reports.page.sentences.sentence import (
    FEW,
    FEW_BLOCKS,
    Sentence,
    blocks,
    day,
    mean_with_spread,
    signed_r,
)
from coordinator.reports.texts import percent

__all__ = ["difference_sentence", "halves_sentence", "say_sentence", "virtual_sentence"]


def difference_sentence(columns: Sequence[Column]) -> Sentence:
    """The first strategy against the second: a difference only where the 90 % interval does not hold 0."""
    own = [column for column in columns if column.name != HOLD]
    if len(own) < 2:
        only = own[0].name if own else "no strategy"
        return Sentence(
            f"Only {only} was run, so this page cannot say what ML adds: backtest MLCoordinator and TechnicalBaseline."
        )
    one, other = own[0], own[1]
    made = (
        f"{one.name} made {percent(one.metrics.profit, sign=True)} against "
        f"{percent(other.metrics.profit, sign=True)} of {other.name}"
    )
    if one.equity.daily.equals(other.equity.daily):
        return Sentence(f"{made}: the two accounts are the same on every day, so ML changed nothing.")
    mean, low, high = annual_difference(one.equity.daily, other.equity.daily)
    if mean != mean:
        return Sentence(f"{made}; these are too few days to tell a difference from noise.")
    interval = f"90 % interval {percent(low, sign=True)} to {percent(high, sign=True)} a year"
    if low > 0:
        return Sentence(f"{made}: better beyond noise ({interval}).", "good")
    if high < 0:
        return Sentence(f"{made}: worse beyond noise ({interval}).", "bad")
    return Sentence(f"{made}: the difference is within noise ({interval}).")


def say_sentence(frame: pd.DataFrame, weights: pd.DataFrame) -> Sentence:
    """How much of a say ML had in the decisions, in which phase, since when, and the last review's reason.

    Parameters
    ----------
    frame : pandas.DataFrame
        Decisions.
    weights : pandas.DataFrame
        ``Ledger.history(run, "weights")``: time, phase, ml_weight, reason.
    """
    weight = frame["ml_weight"]
    if (weight > 0).any():
        had = weight > 0
        return Sentence(
            f"ML had a say in {percent(float(had.mean()))} of the signals, with a weight of "
            f"{percent(float(weight[had].mean()))} on average and {percent(float(weight.iloc[-1]))} at the end"
            f"{_phase(frame, weights)}."
        )
    if frame["ml_score"].notna().sum() == 0 and weights.empty:
        return Sentence("ML took no part in this run: no trained component voted.")
    return Sentence(f"ML had no say in any signal{_phase(frame, weights)}.")


def _phase(frame: pd.DataFrame, weights: pd.DataFrame) -> str:
    """The last phase, since when, and why it is not another."""
    if weights.empty:
        known = frame.loc[frame["phase"] != "", "phase"]
        return f"; phase {known.iloc[-1]}" if len(known) else ""
    phase = str(weights["phase"].iloc[-1])
    same = (weights["phase"] == phase).to_numpy()
    others = np.flatnonzero(~same)
    since = weights["time"].iloc[others[-1] + 1 if len(others) else 0]
    # What a fast start replayed is no review.
    reviews = weights[~weights["reason"].str.startswith("fast start")]
    if reviews.empty:
        return f"; phase {phase} since {day(since)}"
    last = reviews.iloc[-1]
    return f"; phase {phase} since {day(since)} (review of {day(last['time'])}: {last['reason']})"


def halves_sentence(frame: pd.DataFrame) -> Sentence | None:
    """Whether signals that ML rates above its middle made more R than the others; None where it rated none.

    Beyond noise is two standard errors of the difference, weeks as clusters; below :data:`FEW` outcomes or
    :data:`FEW_BLOCKS` weeks a side it is not judged.
    """
    known = frame[frame["outcome_r"].notna() & frame["ml_rank"].notna()]
    if known.empty:
        return None
    r = known.set_index(blocks(known["time"]))["outcome_r"]
    yes = (known["ml_rank"] >= 0.5).to_numpy()
    if min(int(yes.sum()), int((~yes).sum())) < FEW:
        return Sentence(f"Too few signals that ML rated have a known outcome to judge it ({len(known):,}).")
    if min(r[yes].index.nunique(), r[~yes].index.nunique()) < FEW_BLOCKS:
        weeks = r.index.nunique()
        return Sentence(
            f"The signals that ML rated are of {weeks} weeks, which move together: too few to judge it."
        )
    (above, error_above), (below, error_below) = mean_with_spread(r[yes]), mean_with_spread(r[~yes])
    gap, error = above - below, float(np.hypot(error_above, error_below))
    text = (
        f"Signals that ML rates in its better half made {signed_r(above)} each, the others {signed_r(below)}: "
        f"{signed_r(gap)} apart, standard error {error:.2f}"
    )
    if gap > 2 * error:
        return Sentence(f"{text}, so it tells good from bad.", "good")
    if gap < -2 * error:
        return Sentence(f"{text}, so it is wrong more than by chance.", "bad")
    return Sentence(f"{text}, which is noise.")


def virtual_sentence(ml: pd.Series, baseline: pd.Series) -> Sentence | None:
    """What the signals through ML's gate alone and the baseline's alone made; None where one of them took none.

    Parameters
    ----------
    ml, baseline : pandas.Series
        R, indexed by week.
    """
    if ml.empty or baseline.empty:
        return None
    (one, error_one), (other, error_other) = mean_with_spread(ml), mean_with_spread(baseline)
    return Sentence(
        f"As virtual trades, ML's gate alone took {len(ml):,} signals at {signed_r(one)} each (standard error "
        f"{error_one:.2f}), the baseline's gate {len(baseline):,} at {signed_r(other)} ({error_other:.2f})."
    )
