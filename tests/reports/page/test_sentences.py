"""The summary in words: each sentence for made-up figures, and that noise is called noise."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest

from coordinator.ledger.feature_store import FeatureSchema
from coordinator.ledger.learning_events import LearningEvent
from coordinator.ledger.registry import Model, ModelInfo
from coordinator.reports.comparison import HOLD, Column
from coordinator.reports.equity import Equity
from coordinator.reports.metrics import Metrics
from coordinator.reports.page.sentences import happened, look_at, worth
from coordinator.reports.page.sentences.sentence import listed, mean_with_spread

DAYS = pd.date_range("2024-01-01", periods=301, freq="D", tz="UTC")
NAN = float("nan")


def column(name: str, drift: float = 0.0, seed: int = 0, **figures) -> Column:
    """An account of 300 days with a mean daily return of ``drift`` and a spread of one percent."""
    returns = np.random.default_rng(seed).normal(0, 0.01, 300)
    daily = pd.Series(np.concatenate(([1.0], np.cumprod(1 + returns - returns.mean() + drift))), index=DAYS)
    profit = float(daily.iloc[-1] - 1)
    known = {"profit": profit, "trades": 100, "profit_at_twice_the_fee": profit - 0.01} | figures
    rest = {name: NAN for name in Metrics.__dataclass_fields__ if name not in known}
    return Column(name, Metrics(**known, **rest), Equity(daily, "marked to market"))


def said(columns) -> tuple[str, str]:
    sentence = worth.difference_sentence(columns)
    return sentence.tone, sentence.text


def test_ml_helps_harms_or_makes_no_difference_that_is_not_noise():
    baseline, hold = column("TechnicalBaseline", 0.0, 1), column(HOLD, 0.0, 2)
    tone, text = said([column("MLCoordinator", 0.004), baseline, hold])
    assert tone == "good"
    assert "better beyond noise (90 % interval +" in text
    tone, text = said([column("MLCoordinator", -0.004), baseline, hold])
    assert tone == "bad"
    assert "worse beyond noise" in text
    tone, text = said([column("MLCoordinator", 0.0002), baseline, hold])
    assert tone == "plain"
    assert "MLCoordinator made +" in text
    assert "the difference is within noise (90 % interval -" in text


def test_the_same_account_one_strategy_and_too_few_days():
    ml = column("MLCoordinator")
    same = replace(column("TechnicalBaseline"), equity=ml.equity)
    assert said([ml, same])[1].endswith("the two accounts are the same on every day, so ML changed nothing.")
    assert "Only MLCoordinator was run" in said([ml, column(HOLD)])[1]
    short = [
        replace(c, equity=Equity(c.equity.daily[:5], "")) for c in (ml, column("TechnicalBaseline", 0.1, 3))
    ]
    assert "too few days to tell a difference from noise" in said(short)[1]


def test_what_the_accounts_made():
    columns = [
        column("A", profit=0.1, trades=1),
        column("B", profit=0.0, trades=0),
        column(HOLD, profit=-0.5),
    ]
    assert happened.account_sentence(columns).text == (
        "A made +10.00% in 1 trade, B made no trades and buy and hold -50.00%."
    )


def test_the_deepest_fall_and_whether_it_was_made_good():
    daily = pd.Series([100.0, 110.0, 88.0, 105.0, 120.0], index=DAYS[:5])
    assert happened.fall_sentence("X", daily).text == (
        "The deepest fall of X was 20.00%, from 2024-01-02 to 2024-01-03, made good by 2024-01-05."
    )
    assert happened.fall_sentence("X", daily[:4]).text.endswith("not made good since.")
    assert happened.fall_sentence("X", daily[:2]) is None
    assert look_at.drawdown_sentence("X", daily).text == "Drawdown of 20.00% of X, deepest in January 2024."
    assert look_at.drawdown_sentence("X", daily[3:]) is None


def signals(n: int = 80, skill: float = 0.0, weight: float = 0.0) -> pd.DataFrame:
    """A signal a day; those that ML rates high (every other one) make ``skill`` R more than the others."""
    yes = np.arange(n) % 2 == 0
    r = np.random.default_rng(0).normal(0, 1, n) + skill * yes
    time = pd.date_range("2024-01-01", periods=n, freq="D", tz="UTC")
    return pd.DataFrame(
        {
            "time": time,
            "outcome_time": time + pd.Timedelta(days=1),
            "ml_rank": np.where(yes, 0.9, 0.1),
            "ml_score": 0.5,
            "ml_weight": weight,
            "phase": "shadow",
            "accepted": yes,
            "outcome_r": r,
            **{
                f"{name}_percentile": NAN
                for name in ("technical", "fusion", "selector", "attention", "quality")
            },
            "lstm_percentile": np.where(yes, 0.9, 0.1),
        }
    )


WEIGHTS = pd.DataFrame(
    {
        "time": pd.to_datetime(["2023-01-01", "2023-02-01", "2023-03-01", "2023-03-02"], utc=True),
        "phase": ["foundation", "shadow", "shadow", "shadow"],
        "ml_weight": 0.0,
        "reason": [
            "",
            "promoted: 100 outcomes collected",
            "kept: not sure enough",
            "fast start: 9 signals replayed",
        ],
    }
)


def test_ml_had_no_say_since_when_and_why():
    assert worth.say_sentence(signals(), WEIGHTS).text == (
        "ML had no say in any signal; phase shadow since 2023-02-01 (review of 2023-03-01: kept: not sure enough)."
    )
    assert (
        worth.say_sentence(signals(), WEIGHTS.iloc[:0]).text == "ML had no say in any signal; phase shadow."
    )
    without = signals().assign(ml_score=NAN)
    assert worth.say_sentence(without, WEIGHTS.iloc[:0]).text.startswith("ML took no part in this run")


def test_ml_had_a_say():
    frame = signals(4).assign(ml_weight=[0.0, 0.1, 0.3, 0.3])
    text = worth.say_sentence(frame, WEIGHTS).text
    assert "a say in 75.00% of the signals, with a weight of 23.33% on average and 30.00% at the end" in text


@pytest.mark.parametrize(
    ("skill", "tone", "words"),
    [
        (2.0, "good", "tells good from bad"),
        (-2.0, "bad", "wrong more than by chance"),
        (0.0, "plain", "which is noise"),
        (0.4, "plain", "which is noise"),
        (-0.3, "plain", "which is noise"),
    ],
)
def test_whether_ml_tells_good_signals_from_bad(skill, tone, words):
    sentence = worth.halves_sentence(signals(skill=skill))
    assert sentence.tone == tone
    assert words in sentence.text


def test_a_few_signals_or_weeks_are_not_judged_as_many():
    assert worth.halves_sentence(signals(59, skill=2.0)).text.startswith("Too few signals that ML rated")
    assert worth.halves_sentence(signals(40).assign(ml_rank=NAN)) is None
    # As many outcomes within four weeks, which touch five by the calendar: five observations.
    often = signals(100, skill=2.0)
    often["time"] = pd.date_range("2024-01-01", periods=100, freq="6h", tz="UTC")
    assert worth.halves_sentence(often).text.startswith("The signals that ML rated are of 5 weeks, which")
    for hours, judged in ((10, False), (12, True)):  # seven weeks, and eight
        often["time"] = pd.date_range("2024-01-01", periods=100, freq=f"{hours}h", tz="UTC")
        assert (worth.halves_sentence(often).tone == "good") == judged


def test_the_error_of_a_mean_takes_a_block_as_one():
    r = pd.Series([1.0, 1.0, -1.0, -1.0], index=[1, 1, 2, 2])
    # Residuals by block are 2 and -2: sqrt(8 * 2 / 1) / 4.
    assert mean_with_spread(r) == (0.0, 1.0)
    assert np.isnan(mean_with_spread(r[:2])[1])


def test_calibration_is_looked_at_where_it_is_off():
    p = pd.Series(np.full(100, 0.5))
    won = pd.Series(np.arange(100) < 30)
    assert look_at.calibration_sentence(p, won).text == (
        "Calibration is off by 20.00% on average over 100 outcomes: the win probability says 50.00%, 30.00% were won "
        "(too high)."
    )
    assert look_at.calibration_sentence(p, pd.Series(np.arange(100) < 52)) is None
    assert look_at.calibration_sentence(p[:20], won[:20]) is None


def test_a_component_that_lost_its_skill():
    frame = signals(200)
    yes = frame["ml_rank"] > 0.5
    split = frame["outcome_time"].iloc[150]
    right = np.where(yes, 1.0, -1.0)
    frame["outcome_r"] = np.where(frame["outcome_time"] < split, right, -right)
    (sentence,) = look_at.skill_sentences(frame, split)
    assert sentence.text.startswith(
        "lstm tells good signals from bad less well than before: AUC 1.00 before, 0.00"
    )
    assert look_at.skill_sentences(frame.assign(outcome_r=right), split) == []
    assert look_at.skill_sentences(frame, frame["outcome_time"].iloc[195]) == []  # five days say nothing


def test_drift_is_the_last_check_of_each_model():
    at = datetime(2024, 5, 1, tzinfo=UTC)
    drifted = LearningEvent(
        "quality", "drift", at, "features moved (30% beyond their limits)", figures={"drifted": True}
    )
    calm = replace(drifted, sentence="features as in training", figures={"drifted": False})
    assert look_at.drift_sentence([calm, drifted]).text.endswith(
        "quality (2024-05-01): features moved (30% beyond their limits)."
    )
    assert look_at.drift_sentence([drifted, calm]) is None


def model(name: str, verdict: str = "first model", **metrics) -> Model:
    info = ModelInfo(name, name, 0, 1, 1, 3600, FeatureSchema("1", ("a",)), metrics, "x.json", "x")
    return Model(1, info, "champion", verdict)


def test_models_that_have_moved_are_slow_or_were_refused():
    models = [model("lstm", feature_drift=0.3, latency_p99_ms=60.0), model("fusion", feature_drift=0.1)]
    assert "lstm (0.30)." in look_at.input_drift_sentence(models).text
    assert look_at.latency_sentence(models).text.endswith("lstm (60 ms).")
    assert look_at.input_drift_sentence(models[1:]) is None
    assert look_at.latency_sentence(models[1:]) is None
    failed = model("lstm", "no model: the new one failed, its log loss .7 is above the prior's .6")
    assert look_at.models_sentence([failed, failed, *models[:1]]).text.startswith(
        "2 of 3 trained models were refused"
    )
    assert look_at.models_sentence([failed, *models]) is None
    assert look_at.models_sentence([]) is None


def test_refusals_slippage_absence_and_trust():
    improved = pd.DataFrame(
        {
            "time": DAYS[:6],
            "pair": ["A", "A", "A", "A", "*", "*"],
            "name": [
                "correlation_filter",
                "correlation_filter",
                "sector_limit",
                "ranking",
                *["trust_volatility_sizing"] * 2,
            ],
            "mode": ["on", "on", "shadow", "on", "on", "on"],
            "base": [2.0, 2.0, 1.0, 1.0, 0.1, 0.05],
            "adjusted": [2.0, 1.0, 1.0, 0.0, 0.05, 0.0],
        }
    )
    assert look_at.refusals_sentence(improved).text == (
        "Entries refused by a limit: the correlation filter 1 and the ranking 1."
    )
    assert look_at.refusals_sentence(improved[1:3]) is None
    assert look_at.trust_sentence(improved).text.endswith("volatility_sizing.")
    assert look_at.trust_sentence(improved[:5]) is None
    trades = pd.DataFrame({"slippage": [0.003, 0.001], "exit_slippage": [0.0, 0.0001]})
    assert (
        look_at.slippage_sentence(trades).text
        == "Slippage, mean of all trades: entries +0.20% worse than intended."
    )
    assert look_at.slippage_sentence(trades * 0.4) is None
    drops = pd.DataFrame({"component": ["lstm"] * 3, "reason": ["no model yet", "no model yet", "late"]})
    assert (
        look_at.absence_sentence(drops, 10).text
        == "Components were absent: lstm at 30% of the signals (no model yet)."
    )
    assert look_at.absence_sentence(drops, 100) is None


def test_few_trades_and_costs_that_eat_the_profit():
    columns = [
        column("A", profit=0.02, profit_at_twice_the_fee=-0.01, trades=29),
        column("B", profit=0.02, profit_at_twice_the_fee=0.01),
        column(HOLD, trades=2),
    ]
    assert look_at.few_trades_sentence(columns).text.endswith("a strategy: A (29).")
    assert look_at.cost_sentence(columns).text == "At twice the fee the profit would be gone: A (-1.00%)."
    assert look_at.few_trades_sentence(columns[1:]) is None
    assert look_at.cost_sentence(columns[1:]) is None


def test_pairs_and_lists_in_words():
    profits = pd.Series({"A": 1.0, "B": -2.0, "C": 3.0})
    assert happened.pairs_sentence(profits, "USDT").text == "Best pair C (+3.00 USDT), worst B (-2.00 USDT)."
    assert happened.pairs_sentence(profits[:1], "USDT") is None
    assert listed(["a", "b"]) == "a and b"
