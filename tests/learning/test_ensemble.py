"""Several networks as one model: their mean, what their disagreement takes from it, and what they may learn from."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from coordinator.errors import CoordinatorError
from coordinator.learning.artefact import encode, read, write
from coordinator.learning.blocks import Block, label_ends, pool, split_by_time
from coordinator.learning.classifier import SequenceClassifier
from coordinator.learning.ensemble.disagreement import disagreement, doubted
from coordinator.learning.ensemble.network_ensemble import NetworkEnsemble, network_model
from coordinator.learning.networks.registry import NETWORKS
from coordinator.settings.learning import LearningSettings

SMALL = {"attention_width": 8, "attention_heads": 2, "transformer_layers": 1, "transformer_feedforward": 16}
SETTINGS = LearningSettings(ensemble_seeds=2, ensemble_horizons=(3, 30), epochs=1, batch_size=64, **SMALL)


def block(n=700, seed=0):
    """Labels of 12, 3 and 30 candles ahead, the longest's ends."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 4))
    labels = {h: np.sign(np.round(x[:, h % 4] + rng.normal(size=n))) for h in SETTINGS.horizons}
    for label in labels.values():
        label[-30:] = np.nan
    first = labels.pop(12)
    times = 3600 * np.arange(n)
    return Block(x, first, times, label_end=label_ends(times, 30), further_labels=labels)


@pytest.fixture(scope="module")
def fitted():
    return network_model(SETTINGS, "attention").fit_pooled([block()])


probabilities = arrays(np.float64, (4, 6, 3), elements=st.floats(0.0, 1.0)).map(
    lambda each: (each + 1e-12) / (each + 1e-12).sum(axis=-1, keepdims=True)
)


@given(probabilities)
def test_doubt_softens_the_answer_and_changes_none(each):
    doubt, mean = disagreement(each), each.mean(axis=0)
    assert ((doubt >= 0) & (doubt <= 1)).all()
    said = doubted(mean, doubt)
    np.testing.assert_allclose(said.sum(axis=1), 1, atol=1e-12)
    assert (said.max(axis=1) <= mean.max(axis=1) + 1e-12).all()
    assert (said.max(axis=1) >= 1 / 3 - 1e-12).all()
    best = mean.argmax(axis=1)[:, None]
    # The likeliest class stays it, but for ties that rounding breaks.
    assert (said.max(axis=1) - np.take_along_axis(said, best, axis=1)[:, 0] < 1e-12).all()
    np.testing.assert_allclose(disagreement(np.stack([mean] * 4)), 0, atol=1e-12)


def test_the_mutual_information_by_hand():
    """Two members, .8/.1/.1 and .2/.7/.1: the entropy of .5/.4/.1 less the mean of theirs, by log 3."""
    each = np.array([[[0.8, 0.1, 0.1]], [[0.2, 0.7, 0.1]]])

    def entropy(*p):
        return -sum(q * np.log(q) for q in p)

    by_hand = entropy(0.5, 0.4, 0.1) - (entropy(0.8, 0.1, 0.1) + entropy(0.2, 0.7, 0.1)) / 2
    np.testing.assert_allclose(disagreement(each), by_hand / np.log(3))
    np.testing.assert_allclose(
        doubted(each.mean(axis=0), np.array([0.25])), [[0.375 + 1 / 12, 0.3 + 1 / 12, 0.075 + 1 / 12]]
    )
    nothing_left = doubted(np.array([[1.0, 0.0, 0.0]]), np.array([1.0]))
    np.testing.assert_allclose(nothing_left, 1 / 3)


def test_each_member_is_the_network_of_its_seed_and_horizon_and_their_mean_speaks(fitted):
    own, each = block(), []
    for horizon in (12, 3, 30):
        for seed in (42, 43):
            settings = SETTINGS.model_copy(
                update={"ensemble_seeds": 1, "ensemble_horizons": (), "label_horizon": horizon, "seed": seed}
            )
            labels = own.labels if horizon == 12 else own.further_labels[horizon]
            alone = SequenceClassifier(settings, "attention").fit_pooled([replace(own, labels=labels)])
            each.append(alone.predict_proba(own.features)[0])
    usable = np.arange(9, 700)
    each = np.array(each)[:, usable]
    assert len(np.unique(each[:, 0, 0])) == 6
    doubt = disagreement(each)
    assert (doubt > 0).all()
    np.testing.assert_allclose(fitted.columns(own.features)[usable, 3], doubt, rtol=1e-9)
    np.testing.assert_allclose(
        fitted.columns(own.features)[usable, :3], doubted(each.mean(axis=0), doubt), rtol=1e-12
    )
    said, known = fitted.predict_proba(own.features)
    np.testing.assert_array_equal(said, fitted.columns(own.features)[:, :3])
    np.testing.assert_array_equal(np.flatnonzero(known), usable)


def test_one_seed_and_one_horizon_are_the_network_alone():
    plain = SETTINGS.model_copy(update={"ensemble_seeds": 1, "ensemble_horizons": ()})
    assert isinstance(network_model(plain, "attention"), SequenceClassifier)
    assert plain.members == (plain,)
    assert LearningSettings().members == (LearningSettings(),)


@pytest.mark.parametrize("network", NETWORKS)
def test_one_row_predicts_what_the_whole_window_does(network):
    """To the bit, as a single network does."""
    settings = SETTINGS.model_copy(update={"ensemble_horizons": ()})
    model, x = network_model(settings, network).fit_pooled([block()]), block().features
    whole = model.columns(x)
    for end in (*range(9, 700, 23), 699):
        np.testing.assert_array_equal(model.columns(x[end - 9 : end + 1])[-1], whole[end])
    x = x.copy()
    x[400:] = 100.0  # what comes later
    np.testing.assert_array_equal(model.columns(x)[:400], whole[:400])


def test_the_rows_that_judge_change_no_member_and_those_whose_longest_label_sees_them_train_none(fitted):
    own, s = block(), SETTINGS
    data = pool([own], s.longest_horizon)
    split = split_by_time(data, s.sequence_length, s.validation_share, s.promotion_share)
    judge, stop = split.promotion[0], split.validation[0]
    assert split.validation[-1] == judge - 30 - 1
    assert split.train[-1] == stop - 30 - 1
    assert fitted.metrics_["rows_train"] == len(split.train)
    x, labels = (
        own.features.copy(),
        {12: own.labels.copy(), **{h: y.copy() for h, y in own.further_labels.items()}},
    )
    x[judge:] = 7 * x[judge:][::-1]
    for label in labels.values():
        label[split.validation[-1] + 1 :] *= -1  # purged, or judging
        label[split.train[-1] + 1 : stop] *= -1  # purged
    other = replace(own, features=x, labels=labels.pop(12), further_labels=labels)
    again = network_model(s, "attention").fit_pooled([other])
    assert encode(again.to_artefact()) == encode(fitted.to_artefact())
    labels[30][split.train[-1]] *= -1  # the last one that does train
    third = network_model(s, "attention").fit_pooled([replace(other, further_labels=labels)])
    assert encode(third.to_artefact()) != encode(fitted.to_artefact())


def test_a_file_holds_all_members_and_predicts_the_same_bits(fitted, tmp_path):
    written = write(fitted.to_artefact(), tmp_path / "model.safetensors")
    artefact = read(tmp_path / "model.safetensors")
    assert artefact.kind == "attention ensemble"
    again = NetworkEnsemble.from_artefact(artefact)
    np.testing.assert_array_equal(again.columns(block().features), fitted.columns(block().features))
    assert (again.settings, again.metrics_, again.schema_) == (SETTINGS, fitted.metrics_, fitted.schema_)
    assert write(again.to_artefact(), tmp_path / "again.safetensors") == written
    twice = network_model(SETTINGS, "attention").fit_pooled([block()])
    assert encode(twice.to_artefact()) == (tmp_path / "model.safetensors").read_bytes()
    with pytest.raises(CoordinatorError, match="'kind' of a model file must end in ' ensemble'"):
        NetworkEnsemble.from_artefact(fitted.members[0].to_artefact())
    with pytest.raises(CoordinatorError, match="be one of lstm, attention, transformer"):
        SequenceClassifier.from_artefact(fitted.to_artefact())


def test_its_figures_are_of_what_it_says_about_its_own_horizon(fitted):
    own, s, metrics = block(), SETTINGS, fitted.metrics_
    split = split_by_time(pool([own], 30), s.sequence_length, s.validation_share, s.promotion_share)
    said = fitted.columns(own.features)[split.validation]
    truth = own.labels[split.validation].astype(int) % 3  # HOLD, BUY, SELL are columns 0, 1 and 2
    loss = -np.log(np.take_along_axis(said, truth[:, None], axis=1)).mean()
    assert metrics["log_loss"] == pytest.approx(loss)
    assert metrics["accuracy"] == pytest.approx((said[:, :3].argmax(axis=1) == truth).mean())
    assert metrics["disagreement"] == pytest.approx(said[:, 3].mean())
    first = fitted.members[0]
    assert metrics["prior_log_loss"] == first.metrics_["prior_log_loss"]
    assert first.metrics_["log_loss"] != metrics["member_log_loss"] > 0
    seen = fitted.attention(own.features[-50:])
    shares = [member.attention(own.features[-50:])["attention_lags"]["0"] for member in fitted.members]
    assert seen["attention_lags"]["0"] == pytest.approx(np.mean(shares))


def test_a_warm_start_begins_with_each_members_own_weights(fitted):
    warm = network_model(SETTINGS, "attention").fit_pooled([block(seed=1)], previous=fitted)
    cold = network_model(SETTINGS, "attention").fit_pooled([block(seed=1)])
    for i, member in enumerate(warm.members):
        alone = SequenceClassifier(member.settings, "attention")
        horizon, own = member.settings.label_horizon, block(seed=1)
        labelled = own if horizon == 12 else replace(own, labels=own.further_labels[horizon])
        alone.fit_pooled([labelled], previous=fitted.members[i])
        assert member.validation_loss_ == alone.validation_loss_ != cold.members[i].validation_loss_


def test_labels_of_a_horizon_that_is_not_there_are_missed_by_name():
    bare = replace(block(), further_labels={3: block().labels})
    with pytest.raises(CoordinatorError, match=r"further_labels.*hold labels of 30 candles.*\[3\]"):
        network_model(SETTINGS, "attention").fit_pooled([bare])


def test_what_was_stored_before_there_were_ensembles_is_read_as_ever():
    """A file of a version without these settings, and a model that FreqAI pickled then."""
    new = {"ensemble_seeds", "ensemble_horizons", "attention_architecture"}
    new |= {"transformer_layers", "transformer_feedforward"}
    plain = SETTINGS.model_copy(update={"ensemble_seeds": 1, "ensemble_horizons": ()})
    model, x = SequenceClassifier(plain, "attention").fit_pooled([block()]), block().features
    artefact = model.to_artefact()
    old = {key: value for key, value in artefact.about["settings"].items() if key not in new}
    assert len(old) == len(LearningSettings.model_fields) - len(new)
    again = SequenceClassifier.from_artefact(replace(artefact, about={**artefact.about, "settings": old}))
    np.testing.assert_array_equal(again.columns(x), model.columns(x))
    state = model.settings.__getstate__()
    kept = {key: value for key, value in state["__dict__"].items() if key not in new}
    again.settings = LearningSettings.__new__(LearningSettings)
    again.settings.__setstate__({**state, "__dict__": kept})
    assert not hasattr(again.settings, "ensemble_seeds")
    np.testing.assert_array_equal(again.columns(x), model.columns(x))
