"""Whether scores tell good signals from bad: each component, the vote and the controls side by side."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from coordinator.learning.scores import auc, top_share
from coordinator.ledger.schema import COMPONENTS
from coordinator.reports.texts import UNDEFINED, number
from coordinator.types import Floats

__all__ = ["SKILL_HEAD", "mean_of_best", "skill_rows"]

Rows = list[tuple[str, list[str]]]
SKILL_HEAD = ("Signals", "AUC, target", "AUC, R > 0", "R of all", "R of best 30 %", "R of best 10 %")
BEST = (0.3, 0.1)
NOISE_SEED = 0


def skill_rows(frame: pd.DataFrame) -> Rows:
    """How well each score ranks the resolved signals on which it was given.

    A component's score is its percentile, as the vote uses it; "vote" is the ML components' weighted mean, "decision"
    the confidence that met the gate. The best share is taken within each calendar quarter, so a good year does not look
    like a good score; it is still hindsight within the quarter, and what a gate makes of it stands in the accepted
    signals. Controls: a constant (the first signals of each quarter), and noise with a seed.

    Returns
    -------
    list of (name, cells)
        Cells as :data:`SKILL_HEAD`. AUC .5 is no skill; its standard error is about .29 / sqrt(winners).
    """
    known = frame[frame["outcome_r"].notna()]
    scores = {name: known[f"{name}_percentile"] for name in COMPONENTS}
    scores |= {
        "vote": known["ml_score"],
        "decision": known["unified_confidence"],
    }
    noise = np.random.default_rng(NOISE_SEED).random(len(known))
    scores |= {
        "control: constant": pd.Series(0.5, index=known.index),
        "control: noise": pd.Series(noise, index=known.index),
    }
    return [(name, _cells(known, score)) for name, score in scores.items()]


def _cells(known: pd.DataFrame, score: pd.Series) -> list[str]:
    scored = score.notna()
    if not scored.any():
        return ["0", *[UNDEFINED] * (len(SKILL_HEAD) - 1)]
    s, r = score[scored].to_numpy(), known.loc[scored, "outcome_r"].to_numpy()
    won = (known.loc[scored, "outcome_exit"] == "target").to_numpy()
    quarter = known.loc[scored, "time"].dt.tz_localize(None).dt.to_period("Q").to_numpy()
    best = [number(mean_of_best(s, r, quarter, share), 3) for share in BEST]
    return [
        f"{len(s):,}",
        number(auc(s, won), 4),
        number(auc(s, r > 0), 4),
        number(float(r.mean()), 3),
        *best,
    ]


def mean_of_best(score: Floats, r: Floats, quarter: npt.NDArray[Any], share: float) -> float:
    """Mean R of the share of each quarter that scores best."""
    chosen = np.zeros(len(r), dtype=bool)
    for name in pd.unique(quarter):
        in_quarter = np.flatnonzero(quarter == name)
        chosen[in_quarter[top_share(score[in_quarter], share)]] = True
    return float(r[chosen].mean())
