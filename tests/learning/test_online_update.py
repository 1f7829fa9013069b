"""The online update learns from what was known, no more, begins as the model is, and follows a market that turned."""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest

from coordinator.errors import CoordinatorError
from coordinator.learning.quality_models.online_update import OnlineUpdate
from coordinator.learning.quality_rows import QualityRows
from coordinator.learning.scores import auc
from coordinator.settings import load_settings
from coordinator.settings.quality import QualitySettings
from coordinator.signals.feature_schema import FeatureSchema

DAY, TRAINED = 86400, 400 * 86400
SETTINGS = QualitySettings(samples="panel", online_days=7)
WIDTH = 3


def made_rows(seed=0, days=700, pairs=4):
    """Outcomes follow the first feature until the training's end, and its opposite afterwards; known ten days later."""
    rng = np.random.default_rng(seed)
    time = np.repeat(np.arange(days) * DAY, pairs)
    x = rng.normal(2.0, 3.0, (len(time), WIDTH))
    sign = np.where(time < TRAINED, 1.0, -1.0)
    r = sign * (x[:, 0] - 2.0) + rng.normal(0, 1.0, len(time))
    return QualityRows(
        schema=FeatureSchema(tuple("abc"), 1),
        x=x,
        time=time,
        outcome_time=time + 10 * DAY,
        r=r,
        exit_kind=np.zeros(len(time), dtype=np.int64),
        reward_risk=1.0,
        candle_seconds=3600,
    )


def old_model():
    """What was right before: a high first feature."""
    return SimpleNamespace(predict_proba=lambda x, schema=None: 1 / (1 + np.exp(-(x[:, 0] - 2.0))))


def learnt(rows, until=690 * DAY, settings=SETTINGS):
    return OnlineUpdate.learn(old_model(), rows, settings, TRAINED, until)


def corrected(update, rows):
    return update.corrected(old_model().predict_proba(rows.x), rows.x, rows.time)


def test_until_the_first_outcome_is_known_the_model_speaks_as_it_is():
    rows = made_rows()
    out, score = corrected(learnt(rows), rows), old_model().predict_proba(rows.x)
    before = rows.time < TRAINED + 7 * DAY
    np.testing.assert_array_equal(out[before], score[before])
    # The first step knows outcomes of before the turn only, which the model has right.
    assert np.abs(out - score)[rows.time < TRAINED + 14 * DAY].max() < 0.2
    assert np.abs(out - score)[rows.time > TRAINED + 60 * DAY].max() > 0.2


def test_it_follows_a_market_that_turned():
    rows = made_rows()
    late = rows.time > 600 * DAY
    won = (rows.r > 0)[late]
    assert auc(old_model().predict_proba(rows.x)[late], won) < 0.2
    assert auc(corrected(learnt(rows), rows)[late], won) > 0.8


@pytest.mark.parametrize("until", [420, 455, 530])
def test_nothing_known_later_changes_a_score(until):
    rows = made_rows()
    later = rows.outcome_time >= until * DAY
    rng = np.random.default_rng(5)
    changed = dataclasses.replace(rows, r=np.where(later, rng.normal(0, 9, len(rows)), rows.r))
    cut = dataclasses.replace(rows, **{
        name: getattr(rows, name)[~later] for name in ("x", "time", "outcome_time", "r", "exit_kind")
    })  # fmt: skip
    seen = rows.time <= until * DAY
    whole = corrected(learnt(rows), rows)[seen]
    np.testing.assert_array_equal(corrected(learnt(changed), rows)[seen], whole)
    np.testing.assert_array_equal(corrected(learnt(cut, until * DAY), rows)[seen], whole)
    assert (corrected(learnt(changed), rows)[~seen] != corrected(learnt(rows), rows)[~seen]).any()


def test_the_order_of_the_rows_does_not_matter():
    rows = made_rows()
    order = np.random.default_rng(1).permutation(len(rows))
    mixed = dataclasses.replace(rows, **{
        name: getattr(rows, name)[order] for name in ("x", "time", "outcome_time", "r", "exit_kind")
    })  # fmt: skip
    # Rows known at once and of one time keep the order in which they came: pairs have one each.
    unique = dataclasses.replace(rows, time=rows.time + np.arange(len(rows)) % 4)
    again = dataclasses.replace(mixed, time=unique.time[order])
    np.testing.assert_allclose(learnt(unique).weights, learnt(again).weights, rtol=0, atol=1e-12)


def test_unknown_features_count_as_their_mean_and_an_unknown_score_stays_unknown():
    rows = made_rows()
    update = learnt(rows)
    x = np.array([[np.nan, 2.0, 2.0], [2.0, 2.0, 2.0]])
    mean = x.copy()
    mean[0, 0] = update.mean[0]
    times, score = np.array([650 * DAY, 650 * DAY]), np.array([0.6, np.nan])
    out = update.corrected(score, x, times)
    assert out[0] == update.corrected(score, mean, times)[0] and np.isnan(out[1])


def test_a_week_without_outcomes_or_with_one_kind_of_them_is_fine():
    rows = made_rows()
    week = (rows.outcome_time >= TRAINED + 7 * DAY) & (rows.outcome_time < TRAINED + 14 * DAY)
    won = dataclasses.replace(rows, r=np.where(week, 1.0, rows.r))
    none = dataclasses.replace(rows, r=np.where(week, np.nan, rows.r))
    assert np.isfinite(learnt(won).weights).all()
    steps = learnt(none).weights
    np.testing.assert_array_equal(steps[1], steps[0])


def test_models_of_the_registry_have_none():
    with pytest.raises(CoordinatorError, match="online_days must be 0 where source is registry"):
        load_settings({"quality": {"source": "registry", "online_days": 7}})
