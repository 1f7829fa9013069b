"""The metrics of spec 003 in one window: what each improvement did, and what became of it.

Outcomes are the virtual trades of the signals, with the base target and one unit of size, so they say what kind of
signals an improvement enlarged, shrank, let through or refused. "Signals" and "entries" are of the window, outcomes
those that became known in it.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

import numpy as np
import pandas as pd

from coordinator.reports.rolling.run_data import RunData
from coordinator.reports.rolling.table import Cell, MetricTable, Rows
from coordinator.types import SECONDS_PER_DAY, Bools, Floats, Ints

__all__ = [
    "filter_table",
    "regime_table",
    "reward_risk_table",
    "score_table",
    "size_table",
    "threshold_table",
]

LIMITS = ("correlation_filter", "sector_limit", "ranking")
SIZES = ("volatility_sizing", "volatility_target", "earned_risk", "kelly_cap")
LEVELS = (0.0, 2.0, 2.5, 3.0, 3.5, np.inf)
QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9)
SCORES = ("technical_percentile", "ml_rank", "unified_confidence")


def in_window(moments: Ints, until: int, length: int) -> Bools:
    """Which moments (seconds since the epoch) belong to the days up to a midnight."""
    inside: Bools = (moments > until - length * SECONDS_PER_DAY) & (moments <= until)
    return inside


def regime_table(run: RunData, until: int, length: int) -> MetricTable:
    """Average reward:risk, win rate and profit factor by market condition (the pair's regime and volatility level)."""
    decided, resolved = in_window(run.decided_at, until, length), in_window(run.resolved_at, until, length)
    regime, rr, r = run.decisions["regime"], reward_risk(run), run.decisions["outcome_r"].to_numpy()
    rows: Rows = []
    for name in sorted(set(regime[decided | resolved])):
        own = (regime == name).to_numpy()
        cells = [int((own & decided).sum()), mean(rr[own & decided]), *outcome_cells(r[own & resolved])]
        rows.append((name or "not recorded", cells))
    head = ("Market", "Signals", "Average R:R", *OUTCOME_HEAD)
    return MetricTable(
        "Reward:risk and outcomes by market condition", head, ("count", "number", *OUTCOME_UNITS), rows
    )


def reward_risk_table(run: RunData, until: int, length: int) -> MetricTable:
    """Win rate at different levels of reward:risk; signals without a target have none."""
    resolved, rr = in_window(run.resolved_at, until, length), reward_risk(run)
    r = run.decisions["outcome_r"].to_numpy()
    rows: Rows = []
    for low, high in pairwise(LEVELS):
        own = resolved & (rr >= low) & (rr < high)
        if own.any():
            name = f"{low:g} and more" if high == np.inf else f"{low:g} to {high:g}"
            rows.append((name, outcome_cells(r[own])))
    return MetricTable("Win rate at reward:risk", ("R:R", *OUTCOME_HEAD), OUTCOME_UNITS, rows)


def filter_table(run: RunData, until: int, length: int) -> MetricTable:
    """Entries that the correlation filter, the sector limit and the ranking let through and refused.

    A row of the ranking is an entry that lost against better ones; those that it let through leave none.
    """
    asked = run.improved[in_window(run.improved["at"].to_numpy(), until, length)]
    rows: Rows = []
    for name in LIMITS:
        own = asked[asked["name"] == name]
        if len(own):
            refused = refuses(own)
            r = own["outcome_r"].where(own["resolved_at"] <= until).to_numpy()
            part = float("nan") if name == "ranking" else share(refused)
            cells: list[Cell] = [str(own["mode"].iloc[-1]), int((~refused).sum()), int(refused.sum()), part]
            rows.append((name, [*cells, mean(r[~refused]), mean(r[refused])]))
    head = ("Limit", "Mode", "Let through", "Refused", "Share", "Mean R let through", "Mean R refused")
    return MetricTable(
        "Signals filtered", head, ("text", "count", "count", "percent", "number", "number"), rows
    )


def threshold_table(run: RunData, until: int, length: int) -> MetricTable:
    """Each pair's threshold at the window's end, its changes, and the share of wrong answers on both sides of it.

    False positives: outcomes with R <= 0 among those whose confidence met the threshold of the signal. False negatives:
    outcomes with R > 0 among the others. Signals that no confidence could have taken are in neither.
    """
    frame, resolved = run.decisions, in_window(run.resolved_at, until, length)
    decided = run.decided_at <= until
    met = (frame["unified_confidence"] >= frame["threshold"]).to_numpy()
    known = (
        frame[["unified_confidence", "threshold"]].notna().all(axis=1).to_numpy()
        & resolved
        & run.could_be_taken
    )
    lost, pairs = frame["outcome_r"].to_numpy() <= 0, frame["pair"].to_numpy(dtype=object)
    changed = run.thresholds[
        in_window(run.thresholds["time"].dt.as_unit("s").astype("int64").to_numpy(), until, length)
    ]
    rows: Rows = []
    for pair in sorted(set(pairs[decided].tolist())):
        own = pairs == pair
        last = float(frame["threshold"].to_numpy()[own & decided][-1])
        yes, no = own & known & met, own & known & ~met
        cells = [last, int((changed["pair"] == pair).sum()), int(yes.sum()), share(lost[yes])]
        rows.append((pair, [*cells, int(no.sum()), share(~lost[no])]))
    head = ("Pair", "Threshold", "Changes", "Accepted", "False positives", "Rejected", "False negatives")
    units = ("number", "count", "count", "percent", "count", "percent")
    return MetricTable("Thresholds and their mistakes", head, units, rows)


def score_table(run: RunData, until: int, length: int) -> MetricTable:
    """Distribution of the scores over the signals of the window."""
    decided = in_window(run.decided_at, until, length)
    rows: Rows = [
        (name.replace("_", " "), [int(np.isfinite(x).sum()), *quantiles(x)])
        for name in SCORES
        for x in [run.decisions[name].to_numpy(dtype=np.float64)[decided]]
    ]
    head = ("Score", "Signals", *(f"{q:.0%}" for q in QUANTILES))
    return MetricTable("Scores", head, ("count", *("number",) * len(QUANTILES)), rows)


def size_table(run: RunData, until: int, length: int) -> MetricTable:
    """Distribution of what was made of each planned size: adjusted over base."""
    asked = run.improved[in_window(run.improved["at"].to_numpy(), until, length)]
    rows: Rows = []
    for name in SIZES:
        own = asked[asked["name"] == name]
        if len(own):
            factor = size_factor(own)
            cells: list[Cell] = [str(own["mode"].iloc[-1]), len(own), mean(factor), *quantiles(factor)]
            rows.append((name, cells))
    head = ("Improvement", "Mode", "Signals", "Mean", *(f"{q:.0%}" for q in QUANTILES))
    return MetricTable("Size adjustments", head, ("text", "count", *("number",) * (1 + len(QUANTILES))), rows)


OUTCOME_HEAD = ("Outcomes", "Mean R", "Win rate", "Profit factor")
OUTCOME_UNITS = ("count", "number", "percent", "number")


def outcome_cells(r: Floats) -> list[Cell]:
    """Number, mean R, win rate and profit factor (sum of profits over sum of losses) of known outcomes."""
    with np.errstate(divide="ignore", invalid="ignore"):
        factor = float(np.divide(np.maximum(r, 0.0).sum(), np.maximum(-r, 0.0).sum()))
    return [len(r), mean(r), share(r > 0), factor]


def reward_risk(run: RunData) -> Floats:
    """Reward:risk of each signal: the dynamic one where it is not off, else target over stop; NaN without a target."""
    frame = run.decisions
    with np.errstate(divide="ignore", invalid="ignore"):
        planned = ((frame["target"] - frame["price"]) / (frame["price"] - frame["stop"])).to_numpy()
    dynamic = run.improvements[run.improvements["name"] == "dynamic_reward_risk"]
    joined = frame[["time", "pair"]].merge(
        dynamic[["time", "pair", "adjusted"]], on=["time", "pair"], how="left"
    )
    adjusted = joined["adjusted"].to_numpy(dtype=np.float64)
    return np.where(np.isnan(adjusted), planned, adjusted)


def refuses(rows: pd.DataFrame) -> Bools:
    """Which checks of a limit refused: as many held as are allowed, or beaten in the ranking."""
    beaten = rows["name"] == "ranking"
    return np.asarray(beaten | (rows["adjusted"] >= rows["base"]))


def size_factor(rows: pd.DataFrame) -> Floats:
    """Adjusted over base; NaN where the base is nothing."""
    base = rows["base"].where(rows["base"] != 0)
    return (rows["adjusted"] / base).to_numpy(dtype=np.float64)


def quantiles(values: Floats) -> list[float]:
    """:data:`QUANTILES` of the finite values; NaN without any."""
    known = values[np.isfinite(values)]
    return np.quantile(known, QUANTILES).tolist() if len(known) else [float("nan")] * len(QUANTILES)


def mean(values: Iterable[float] | Floats) -> float:
    """Of the known values; NaN without any."""
    x = np.asarray(values, dtype=np.float64)
    known = x[~np.isnan(x)]
    return float(known.mean()) if len(known) else float("nan")


def share(answers: Bools) -> float:
    """How many are true; NaN without any."""
    return float(answers.mean()) if len(answers) else float("nan")
