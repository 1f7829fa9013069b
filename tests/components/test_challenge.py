"""Which rows judge a new model."""

import numpy as np
import pytest

from coordinator.components.challenge import PromotionSlice, challenge
from coordinator.components.component import ActiveModel
from coordinator.learning.blocks import Block, pool, split_by_time
from coordinator.settings.learning import LearningSettings
from coordinator.settings.networks import FusionModelSettings

HOUR = 3600


def blocks():
    """Two pairs, the second begins later and ends earlier; every third label is HOLD."""
    found = []
    for first, n in ((0, 900), (200, 600)):
        rng = np.random.default_rng(n)
        labels = np.tile([1.0, 0.0, -1.0], n // 3)
        found.append(Block(rng.normal(size=(n, 2)), labels, HOUR * (first + np.arange(n))))
    return found


@pytest.mark.parametrize(
    "settings",
    [
        LearningSettings(validation_share=0.2, promotion_share=0.1, label_horizon=8),
        FusionModelSettings(validation_share=0.2, promotion_share=0.1, label_horizon=8),
    ],
)
def test_they_come_after_all_that_the_model_was_fitted_stopped_and_tempered_on(settings):
    newest = PromotionSlice.of(blocks(), settings, 5, None)
    data = pool(blocks(), settings.label_horizon)
    split = split_by_time(data, 5, settings.validation_share, settings.promotion_share)
    seen = np.concatenate((split.train, split.validation))
    judging = np.concatenate([block.times[newest.rows(block)] for block in newest.blocks])
    assert len(judging) > 50
    assert judging.min() > data.label_end[seen].max()
    assert newest.start == data.times[split.promotion].min()
    assert newest.last == data.times.max()
    for block in newest.blocks:
        assert (block.labels[newest.rows(block)] != 0).all()


def test_a_champion_is_not_judged_on_what_it_was_trained_on():
    settings = LearningSettings()
    plain = PromotionSlice.of(blocks(), settings, 5, None)
    until = plain.start + 40 * HOUR
    for trained_until, start in ((until, until), (plain.start - HOUR, plain.start)):
        later = PromotionSlice.of(blocks(), settings, 5, ActiveModel(None, trained_until, trained_until))
        assert later.start == start
        for block in later.blocks:
            assert not later.rows(block)[block.times < start].any()


def test_up_against_down_decides_on_the_rows_where_both_models_speak():
    """HOLD takes any share of a row; on every third one the champion is silent and the challenger wrong."""
    settings = LearningSettings(validation_share=0.2, promotion_share=0.1, label_horizon=8)
    newest, rng = PromotionSlice.of(blocks(), settings, 5, None), np.random.default_rng(1)
    new, old = [], []
    for block in newest.blocks:
        up, hold = block.labels[newest.rows(block)] > 0, rng.uniform(0, 0.9, newest.rows(block).sum())
        silent = np.arange(len(up)) % 3 == 0
        share = np.where(up ^ silent, 0.6, 0.4)
        new.append(np.column_stack((hold, (1 - hold) * share, (1 - hold) * (1 - share))))
        old.append(np.where(silent[:, None], np.nan, new[-1][:, [0, 2, 1]]))
    verdict = challenge([newest], [new], [old], 0.005)
    assert (verdict.challenger_auc, verdict.champion_auc, verdict.promoted) == (1.0, 0.0, True)
