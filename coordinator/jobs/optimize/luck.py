"""How likely the winner is luck: statistics over all trials, and in words what they mean."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from optuna.trial import FrozenTrial

from coordinator.jobs.optimize.figures import LABELS, Figures, score
from coordinator.reports.deflated_sharpe import deflated_sharpe
from coordinator.reports.metrics import sharpe
from coordinator.reports.overfitting import Overfitting, backtest_overfitting
from coordinator.reports.texts import number

__all__ = ["Luck", "judge_luck", "returns_of"]

LIKELY_OVERFIT, SURE = 0.5, 0.95
FEW_TRADES = 20  # on the validation days of all folds


@dataclass(frozen=True)
class Luck:
    """The statistics.

    Attributes
    ----------
    overfitting : Overfitting
        Cross-validation over the daily returns of the complete trials, all days of the search.
    deflated_sharpe : float
        Probability that the winner's true Sharpe ratio on the validation days is above what the best of as many
        trials shows by luck, 0..1; NaN where it cannot be told.
    trials : int
        All that were tried, pruned ones too. Those have no returns of all days, so ``spread`` is of the complete
        ones, which makes it somewhat small.
    spread : float
        Standard deviation of the trials' Sharpe ratios on the validation days, per year.
    warnings : tuple of str
        Why the winner may be luck, in words; empty if nothing says so.
    """

    overfitting: Overfitting
    deflated_sharpe: float
    trials: int
    spread: float
    warnings: tuple[str, ...]


def judge_luck(
    complete: Sequence[FrozenTrial],
    best: FrozenTrial,
    tried: int,
    holdout: Figures,
    own_holdout: Figures,
    objective: str,
) -> Luck:
    """Judge a study's winner.

    Parameters
    ----------
    complete : trials with all folds
    best : the winner among them
    tried : number of trials, pruned ones too
    holdout, own_holdout : figures of the winner and of the config's own settings on the holdout
    """
    overfitting = backtest_overfitting(np.column_stack([returns_of(trial) for trial in complete]))
    ratios = [sharpe(_account(returns_of(trial, validation=True))) for trial in complete]
    spread = float(np.nan_to_num(ratios).std(ddof=1)) if len(ratios) > 1 else 0.0
    deflated = deflated_sharpe(_account(returns_of(best, validation=True)), tried, spread)
    warnings = []
    trades = sum(fold["validation"]["trades"] for fold in best.user_attrs["folds"])
    if trades < FEW_TRADES:
        warnings.append(
            f"the winner opened {trades} trades on the validation days: too few to choose by. "
            "Take a longer --timerange, more pairs or more --folds"
        )
    if overfitting.probability > LIKELY_OVERFIT:
        warnings.append(
            f"probability of backtest overfitting {overfitting.probability:.0%}: picking the best of these trials is "
            "no better than picking any of them"
        )
    if not deflated >= SURE:
        sure = "unknown" if math.isnan(deflated) else f"{deflated:.0%}, less than {SURE:.0%}"
        warnings.append(f"deflated Sharpe ratio: the chance that the winner is more than the best of {tried} "
                        f"lucky ones is {sure}")  # fmt: skip
    if score(holdout, objective) < score(own_holdout, objective):
        warnings.append(
            f"on the holdout the winner's {LABELS[objective]} is {number(getattr(holdout, objective))}, below the "
            f"{number(getattr(own_holdout, objective))} of the config's own settings"
        )
    return Luck(overfitting, deflated, tried, spread, tuple(warnings))


def returns_of(trial: FrozenTrial, *, validation: bool = False) -> npt.NDArray[np.float64]:
    """A complete trial's daily returns, fold after fold; of the validation days alone if asked."""
    parts = []
    for fold in trial.user_attrs["folds"]:
        returns = np.array(fold["returns"], dtype=np.float64)
        parts.append(returns[len(returns) - fold["validation_days"] :] if validation else returns)
    return np.concatenate(parts)


def _account(returns: npt.NDArray[np.float64]) -> pd.Series:
    return pd.Series(np.cumprod(np.concatenate(([1.0], 1 + returns))))
