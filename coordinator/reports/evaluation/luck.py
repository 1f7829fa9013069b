"""How much of an evaluation may be luck: deflated Sharpe ratio, probability of overfitting, and the controls."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coordinator.reports.deflated_sharpe import deflated_sharpe
from coordinator.reports.evaluation.account_run import AccountRun
from coordinator.reports.evaluation.evaluation import BASELINE, HOLD, HOLD_EXPOSED, Evaluation
from coordinator.reports.metrics import sharpe
from coordinator.reports.overfitting import Overfitting, backtest_overfitting
from coordinator.types import Floats

__all__ = ["Luck", "NoiseControls", "RandomControls", "evaluation_luck", "noise_controls", "random_controls"]

CHOSEN_FROM = ("accounts", "say", "components", "models", "improvements", "parameters")
"""Groups whose accounts somebody could choose; controls, fees and starts are no choices."""


@dataclass(frozen=True)
class Luck:
    """Attributes
    ----------
    variants, tried : accounts compared here, and before
    spread : standard deviation of the Sharpe ratios of those compared here, per year
    deflated : mapping of name to the probability that its true Sharpe ratio is above what the best of as many shows by
        luck, 0..1
    overfitting : of choosing the best of those compared here
    """

    variants: int
    tried: int
    spread: float
    deflated: dict[str, float]
    overfitting: Overfitting


@dataclass(frozen=True)
class NoiseControls:
    """Noise in every model's place, a seed each; Sharpe ratios of shape (seeds,).

    Attributes
    ----------
    unearned : with the whole weight from the first candle on
    said : of those that had to earn it, how many ever had a say
    """

    unearned: Floats
    earned: Floats
    said: int


@dataclass(frozen=True)
class RandomControls:
    """Random entries with the baseline's exits, a seed each; arrays of shape (seeds,)."""

    sharpe: Floats
    profit: Floats
    exposure: Floats


def evaluation_luck(evaluation: Evaluation, names: tuple[str, ...]) -> Luck:
    """Luck of the accounts of some names among all that were compared."""
    known = (run for group in CHOSEN_FROM for run in evaluation.known(group))
    runs = {run.name: run for run in known if run.name not in (HOLD, HOLD_EXPOSED)}
    ratios = np.nan_to_num([sharpe(run.daily) for run in runs.values()])
    spread = float(ratios.std(ddof=1)) if len(ratios) > 1 else 0.0
    base = runs.get(BASELINE)
    same_days = [
        run for run in runs.values() if base is not None and run.daily.index.equals(base.daily.index)
    ]
    matrix: Floats = np.column_stack(
        [run.daily.pct_change().dropna().to_numpy() for run in _distinct(same_days)]
    )
    trials = len(runs) + evaluation.tried
    return Luck(
        variants=len(runs),
        tried=evaluation.tried,
        spread=spread,
        deflated={name: deflated_sharpe(runs[name].daily, trials, spread) for name in names if name in runs},
        overfitting=backtest_overfitting(matrix),
    )


def _distinct(runs: list[AccountRun]) -> list[AccountRun]:
    """One of each account: a switch that changes nothing is not another try."""
    found: list[AccountRun] = []
    for run in runs:
        if not any(run.daily.equals(other.daily) for other in found):
            found.append(run)
    return found


def noise_controls(evaluation: Evaluation) -> NoiseControls | None:
    """The seeds of noise; None where there are none."""
    runs = [run for run in evaluation.known("controls") if run.name.startswith("noise ")]
    earned = [run for run in runs if run.name.endswith(", earned")]
    unearned = [run for run in runs if not run.name.endswith(", earned")]
    if not runs:
        return None
    said = sum(run.say is not None and run.say.share > 0 for run in earned)
    return NoiseControls(_sharpes(unearned), _sharpes(earned), said)


def random_controls(evaluation: Evaluation) -> RandomControls | None:
    """The seeds of random entries; None where there are none."""
    runs = [run for run in evaluation.known("random") if run.name.startswith("random entries ")]
    if not runs:
        return None
    figures = [run.figures for run in runs]
    return RandomControls(
        _sharpes(runs),
        np.array([one.profit for one in figures]),
        np.array([one.exposure for one in figures]),
    )


def _sharpes(runs: list[AccountRun]) -> Floats:
    return np.nan_to_num(np.array([sharpe(run.daily) for run in runs], dtype=np.float64))
