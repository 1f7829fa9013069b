"""Skill of the scores of a run: how well each told the signals' outcomes, as numbers."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from coordinator.learning.reliability import brier, ece
from coordinator.learning.scores import auc
from coordinator.ledger.schema import COMPONENTS
from coordinator.reports.evaluation.account_run import MlSay, SkillRow
from coordinator.reports.skill import mean_of_best
from coordinator.types import Floats

__all__ = ["ml_say", "skill_of"]

BEST = 0.1


def skill_of(decisions: pd.DataFrame) -> tuple[SkillRow, ...]:
    """Skill on the resolved signals: of each component that spoke, of the vote and of the decision.

    Ranked are the percentiles that the vote reads. What a component says as a probability is its confidence that the
    signal is right: one less it where it speaks for the other side, one half where it says hold.

    Parameters
    ----------
    decisions : pandas.DataFrame
        A run's signals (:data:`coordinator.ledger.frame.COLUMNS`), of the time that is judged.
    """
    known = decisions[decisions["outcome_r"].notna()]
    rows = [_row(name, known, known[f"{name}_percentile"], _probability(known, name)) for name in COMPONENTS]
    if known["ml_score"].notna().any():
        rows.append(_row("vote", known, known["ml_score"], known["ml_score"]))
        win = known["win_probability"]
        rows.append(_row("decision", known, win, win))
    return tuple(row for row in rows if row.signals)


def ml_say(decisions: pd.DataFrame) -> MlSay | None:
    """How much ML said in a run; None of one without ML."""
    if decisions.empty or decisions["ml_score"].isna().all():
        return None
    weight = decisions["ml_weight"].fillna(0.0)
    said = weight > 0
    mean = float(weight[said].mean()) if said.any() else 0.0
    return MlSay(float(said.mean()), mean, float(weight.iloc[-1]), str(decisions["phase"].iloc[-1]))


def _probability(known: pd.DataFrame, name: str) -> pd.Series:
    side = known[f"{name}_direction"] * known["direction"]
    confidence = known[f"{name}_confidence"]
    values = np.select([side > 0, side < 0, side == 0], [confidence, 1 - confidence, 0.5], np.nan)
    return pd.Series(values, index=known.index)


def _row(name: str, known: pd.DataFrame, score: pd.Series, probability: pd.Series) -> SkillRow:
    here = score.notna()
    s, r = score[here].to_numpy(dtype=float), known.loc[here, "outcome_r"].to_numpy(dtype=float)
    won: np.ndarray = r > 0
    p = probability[here].to_numpy(dtype=float)
    quarter = known.loc[here, "time"].dt.tz_localize(None).dt.to_period("Q").to_numpy()
    return SkillRow(
        name=name,
        signals=len(s),
        auc=auc(s, won),
        auc_error=_auc_error(won),
        brier=brier(p, won),
        ece=ece(p, won),
        mean_r=float(r.mean()) if len(r) else math.nan,
        top_r=mean_of_best(s, r, quarter, BEST) if len(r) else math.nan,
    )


def _auc_error(won: Floats) -> float:
    """Standard error of the AUC of a score without skill (Mann-Whitney), signals taken as independent."""
    winners, losers = int(won.sum()), int(len(won) - won.sum())
    return math.sqrt((winners + losers + 1) / (12 * winners * losers)) if winners and losers else math.nan
