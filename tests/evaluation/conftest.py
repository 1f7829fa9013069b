"""Made-up accounts, and an evaluation of them."""

import numpy as np
import pandas as pd
import pytest

from coordinator.reports.evaluation.account_run import AccountRun, MlSay, SkillRow, no_account
from coordinator.reports.evaluation.evaluation import Evaluation

DAYS = pd.date_range("2022-01-01", periods=731, freq="D", tz="UTC").as_unit("us")


def made_account(name, drift=0.0, seed=0, noise=0.01, **more):
    """An account with a drift a day and noise of its seed."""
    returns = drift + np.random.default_rng(seed).normal(0, noise, len(DAYS) - 1)
    daily = pd.Series(1000.0 * np.cumprod(np.concatenate(([1.0], 1 + returns))), index=DAYS)
    known = {"profits": (30.0, -10.0, -5.0), "fees": 2.0, "traded": 5000.0, "exposure": 0.25}
    return AccountRun(name, daily, **{**known, "accepted": 10, "false_signals": 4, **more})


@pytest.fixture
def made_evaluation():
    skill = (SkillRow("quality", 100, 0.55, 0.06, 0.24, 0.03, 0.1, 0.4),)
    accounts = [
        made_account(
            "MLCoordinator", 0.0005, skill=skill, say=MlSay(0.5, 0.2, 0.3, "pilot"), false_signals=2
        ),
        made_account("TechnicalBaseline", 0.0005),
        made_account("ML at 70 %, unearned", 0.0015),
        made_account("without lstm", 0.0001),
        made_account("lstm alone", 0.0005),
        made_account("DCA", 0.0009),
        made_account("hedge", -0.0009),
        made_account("no ranking", 0.0005),
        made_account("TechnicalBaseline, twice the fee", 0.0003),
        made_account("begun 7 days later", 0.0004, 3),
        no_account("baseline.trend_ma 50 → 5", "refused: too short"),
        *(made_account(f"noise {seed}", 0, seed) for seed in range(4)),
        *(
            made_account(f"noise {seed}, earned", 0, seed, say=MlSay(seed / 9, 0.1, 0, "shadow"))
            for seed in range(4)
        ),
        *(made_account(f"random entries {seed}", -0.0004, seed, exposure=0.2) for seed in range(10)),
        made_account("Buy and hold", 0.001, 9, 0.03),
    ]
    names = [one.name for one in accounts]
    groups = {
        "accounts": ("MLCoordinator", "TechnicalBaseline", "Buy and hold"),
        "say": ("ML at 70 %, unearned",),
        "components": ("without lstm", "lstm alone"),
        "improvements": ("DCA", "hedge", "no ranking"),
        "fees": ("TechnicalBaseline, twice the fee",),
        "starts": ("begun 7 days later",),
        "parameters": ("baseline.trend_ma 50 → 5",),
        "controls": tuple(name for name in names if name.startswith("noise")),
        "random": tuple(name for name in names if name.startswith("random")),
    }
    against = {
        name: "TechnicalBaseline"
        for group in ("say", "improvements", "fees", "controls", "random")
        for name in groups[group]
    }
    against |= {
        "MLCoordinator": "TechnicalBaseline",
        "without lstm": "ML at 70 %, unearned",
        "lstm alone": "TechnicalBaseline",
    }
    states = np.array(["bull", "bear"], dtype=object)[np.arange(len(DAYS)) // 400]
    return Evaluation(
        title="made up",
        command="coordinator evaluate",
        currency="USDT",
        fee=0.001,
        accounts={one.name: one for one in accounts},
        groups=groups,
        against=against,
        regimes=pd.Series(states, index=DAYS),
        tried=0,
    )
