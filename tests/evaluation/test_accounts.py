"""Accounts as files, their figures, their parts and their differences, by hand."""

import dataclasses
from concurrent.futures import Future

import numpy as np
import pandas as pd
import pytest

from coordinator.jobs.evaluation import schedule
from coordinator.jobs.evaluation.store import AccountStore
from coordinator.jobs.evaluation.variants import Variant
from coordinator.reports.evaluation.account_run import AccountRun, MlSay, SkillRow, no_account
from coordinator.reports.evaluation.differences import compared
from coordinator.reports.evaluation.periods import by_regime, by_year
from coordinator.reports.evaluation.skill import ml_say, skill_of

from .conftest import DAYS, made_account


def test_an_account_is_the_same_after_a_file():
    skill = (SkillRow("lstm", 5, float("nan"), 0.1, 0.2, 0.3, 0.4, 0.5),)
    account = made_account(
        "a", 0.001, skill=skill, say=MlSay(0.1, 0.2, 0.3, "pilot"), entries={"longs": {"X": 2}}
    )
    again = AccountRun.from_json(account.to_json())
    pd.testing.assert_series_equal(again.daily, account.daily, rtol=0, atol=1e-6, check_freq=False)
    assert str(dataclasses.replace(again, daily=None)) == str(dataclasses.replace(account, daily=None))
    empty = no_account("b", "refused: no")
    assert AccountRun.from_json(empty.to_json()).problem == "refused: no"


def test_figures_by_hand():
    daily = pd.Series(np.linspace(1000.0, 1210.0, 731), index=DAYS)  # two years of 365 days
    account = AccountRun("a", daily, profits=(30.0, -10.0, -5.0), traded=2210.0, exposure=0.5, fees=3.0)
    f = account.figures
    assert f.profit == pytest.approx(0.21) and f.yearly == pytest.approx(0.1)
    assert f.profit_factor == 2.0 and f.win_rate == pytest.approx(1 / 3) and f.trades == 3
    assert f.turnover == pytest.approx(2210.0 / 1105.0 / 2) and f.exposure == 0.5 and f.fees == 3.0
    assert f.max_drawdown == 0.0


def test_years_and_states_share_out_all_days():
    account = made_account("a", 0.001)
    years = by_year(account)
    assert [(part.name, part.days) for part in years] == [("2022", 365), ("2023", 365)]
    whole = np.prod([1 + part.profit for part in years]) - 1
    assert whole == pytest.approx(account.figures.profit)
    states = pd.Series(np.array(["bull", "bear"], dtype=object)[np.arange(731) % 2], index=DAYS)
    parts = {part.name: part for part in by_regime(account, states)}
    returns = account.daily.pct_change().dropna().to_numpy()
    assert {name: part.days for name, part in parts.items()} == {"bull": 365, "bear": 365}
    # The first day begins on the first of January, which is a bull's.
    assert parts["bull"].profit == pytest.approx(np.prod(1 + returns[::2]) - 1)


def test_differences_say_better_worse_noise_and_the_same(made_evaluation):
    found = {one.run.name: one for one in compared(made_evaluation, "improvements")}
    assert found["DCA"].verdict == "better" and found["hedge"].verdict == "worse"
    assert found["no ranking"].verdict == "the same account" and found["no ranking"].sign == 0
    # Equal noise on both sides, so the difference is the drifts', .0004 a day.
    assert found["DCA"].difference.mean == pytest.approx(0.0004 * 365, rel=1e-6)
    noise = compared(made_evaluation, "controls")
    assert {one.verdict for one in noise} <= {"not beyond noise", "worse"}
    (off,) = (one for one in compared(made_evaluation, "components") if one.run.name == "without lstm")
    assert off.against == "ML at 70 %, unearned" and off.difference.mean == pytest.approx(
        -0.0014 * 365, rel=1e-6
    )


def decisions(n=40):
    rng = np.random.default_rng(0)
    r = rng.normal(0, 1, n)
    nothing = {
        f"{name}_{part}": np.nan
        for name in ("attention", "fusion", "selector")
        for part in ("direction", "confidence", "percentile")
    }
    return pd.DataFrame(
        {
            "time": pd.date_range("2023-01-01", periods=n, freq="D", tz="UTC"),
            "direction": np.where(np.arange(n) % 2, 1, -1),
            "outcome_r": r,
            "technical_direction": 1.0, "technical_confidence": 0.5, "technical_percentile": 0.5,
            "lstm_direction": np.where(np.arange(n) % 2, 1.0, -1.0),
            "lstm_confidence": np.where(r > 0, 0.9, 0.1),
            "lstm_percentile": (r > 0) * 1.0,
            "quality_direction": np.nan, "quality_confidence": np.nan, "quality_percentile": np.nan,
            "ml_score": (r > 0) * 1.0, "win_probability": 0.5, "ml_weight": np.where(np.arange(n) < 10, 0.0, 0.2),
            "phase": "pilot", **nothing,
        }
    )  # fmt: skip


def test_skill_of_a_score_that_knows_and_of_one_that_does_not():
    rows = {row.name: row for row in skill_of(decisions())}
    assert set(rows) == {"technical", "lstm", "vote", "decision"}
    assert (
        rows["lstm"].auc == 1.0
        and rows["lstm"].brier == pytest.approx(0.01)
        and rows["lstm"].ece == pytest.approx(0.1)
    )
    assert rows["technical"].auc == 0.5 and rows["technical"].brier == 0.25
    frame = decisions()
    known = frame["outcome_r"]
    assert rows["lstm"].mean_r == pytest.approx(known.mean()) and rows["lstm"].top_r > known.mean()
    winners = int((known > 0).sum())
    assert rows["lstm"].auc_error == pytest.approx((41 / (12 * winners * (40 - winners))) ** 0.5)


def test_a_component_that_speaks_for_the_other_side_is_read_as_one_less():
    frame = decisions()
    frame["lstm_direction"] *= -1
    rows = {row.name: row for row in skill_of(frame)}
    assert rows["lstm"].brier == pytest.approx(0.81)


def test_what_ml_said():
    say = ml_say(decisions())
    assert say == MlSay(0.75, pytest.approx(0.2), pytest.approx(0.2), "pilot")
    assert ml_say(decisions().assign(ml_score=np.nan)) is None


def test_the_store_gives_back_what_is_of_the_same_definition(tmp_path):
    store, one = AccountStore(tmp_path / "accounts"), Variant("DCA", "improvements", "TechnicalBaseline")
    assert store.read([one]) == {}
    store.write(one, made_account("DCA"))
    assert list(store.read([one])) == ["DCA"]
    other = dataclasses.replace(one, settings={"dca": {"enabled": True}})
    assert store.read([other]) == {}
    next(store.folder.iterdir()).write_text("half a fi")
    assert store.read([one]) == {}


def test_an_account_that_was_just_made_is_reported_as_the_file_keeps_it(monkeypatch, tmp_path):
    """Else the same command prints another report the next time."""
    store, variant = AccountStore(tmp_path / "accounts"), Variant("DCA", "improvements", "TechnicalBaseline")
    future, done = Future(), {}
    future.set_result(made_account("DCA", fees=1 / 3))
    monkeypatch.setattr(schedule, "wait", lambda *_, **__: None)
    schedule._collect(store, {future: variant}, done)
    (kept,) = store.read([variant]).values()
    assert done["DCA"].to_json() == kept.to_json()
    pd.testing.assert_series_equal(done["DCA"].daily, kept.daily, check_exact=True)
    assert done["DCA"].fees == kept.fees
