import dataclasses

import numpy as np
import pytest

from coordinator.learning.quality import train_model
from coordinator.learning.retraining import Champion, retrain
from coordinator.settings.quality import QualitySettings

DAY = 86400
SETTINGS = QualitySettings(trees=40, learning_rate=0.1, leaf_samples=40, retrain_days=60)


@pytest.fixture(scope="module")
def signals(make_signals):
    return make_signals(n=4000, seed=3)  # 500 days


def test_the_first_model_is_promoted_and_its_figures_come_with_it(signals):
    now = 400 * DAY
    found = retrain(signals, SETTINGS, now)
    assert found.verdict.promoted and found.champion.model is found.challenger
    assert found.champion.trained_until == now - 60 * DAY
    assert (
        0
        < found.trained_from
        < found.trained_until
        < found.champion.trained_until - SETTINGS.embargo_candles * 3600
    )
    assert found.health.auc == found.verdict.challenger_auc > 0.6
    assert not found.health.failed


def test_it_learns_from_all_signals_or_from_those_of_its_last_days(signals):
    now, recent = 400 * DAY, SETTINGS.model_copy(update={"train_days": 100})
    assert SETTINGS.train_days == 0
    assert retrain(signals, SETTINGS, now).trained_from == signals.time.min()
    begun = (now - 60 * DAY) - retrain(signals, recent, now).trained_from  # before the days that judge
    assert 95 * DAY < begun <= 100 * DAY


def test_what_comes_after_now_changes_nothing(signals):
    now = 400 * DAY
    later = (signals.time >= now) | (signals.outcome_time >= now)
    rng = np.random.default_rng(0)
    other = dataclasses.replace(
        signals,
        r=np.where(later, rng.normal(0, 1, len(signals)), signals.r),
        exit_kind=np.where(later, 1, signals.exit_kind),
        x=np.where(later[:, None], 7.0, signals.x),
    )
    one, two = retrain(signals, SETTINGS, now), retrain(other, SETTINGS, now)
    assert one.challenger.to_bytes() == two.challenger.to_bytes()
    assert one.verdict.sentence == two.verdict.sentence
    assert one.health == two.health


def test_what_the_challenger_looks_at_comes_with_it(signals):
    found = retrain(signals, SETTINGS, 400 * DAY)
    assert set(found.permutation) == set(signals.schema.names)
    assert max(found.permutation.values()) > 0.01  # these signals can be told apart
    assert retrain(signals, SETTINGS, 5 * DAY).permutation == {}


def test_the_same_again_is_kept_and_a_better_one_replaces_a_bad_one(signals, make_signals):
    first = retrain(signals, SETTINGS, 300 * DAY)
    wide = SETTINGS.model_copy(update={"auc_margin": 0.2})
    again = retrain(signals, wide, 360 * DAY, first.champion)
    assert not again.verdict.promoted
    assert again.champion is first.champion
    assert "kept current model: AUC improvement below threshold" in again.verdict.sentence
    noise = train_model(make_signals(n=4000, seed=9, skill=0.0), SETTINGS)
    replaced = retrain(signals, SETTINGS, 360 * DAY, Champion(noise, 240 * DAY))
    assert replaced.verdict.promoted and replaced.champion.model is replaced.challenger
    assert replaced.verdict.champion_auc < 0.6 < replaced.verdict.challenger_auc


def test_the_slice_begins_after_what_the_champion_has_seen(signals):
    first = retrain(signals, SETTINGS, 300 * DAY)
    informed = Champion(first.challenger, 350 * DAY)
    found = retrain(signals, SETTINGS, 360 * DAY, informed)
    tested = (signals.time >= 350 * DAY) & (signals.outcome_time < 360 * DAY)
    assert found.health.signals == tested.sum()


def test_too_few_signals_keep_what_there_is(signals):
    found = retrain(signals, SETTINGS, 5 * DAY)
    assert found.champion is None and found.challenger is None
    assert found.verdict.sentence.startswith("no model: insufficient samples, ")
    champion = Champion(retrain(signals, SETTINGS, 300 * DAY).challenger, 359 * DAY)
    kept = retrain(signals, SETTINGS, 360 * DAY, champion)
    assert kept.champion is champion and kept.verdict.sentence.startswith("kept current model: insufficient")
