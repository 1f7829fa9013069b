"""The registry answers by candle time: never a model that has seen the candle, and never otherwise afterwards."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coordinator.errors import CoordinatorError
from coordinator.ledger.feature_store import FeatureSchema
from coordinator.ledger.registry import ModelInfo, ModelRegistry
from coordinator.ledger.samples.prediction_rows import Said, read_predictions, write_predictions
from coordinator.ledger.store import Ledger

HOUR = 3600
INFO = ModelInfo(
    name="signal_quality",
    kind="lightgbm",
    trained_from=0,
    trained_until=100 * HOUR,
    label_horizon=48,
    candle_seconds=HOUR,
    features=FeatureSchema("1", ("rsi", "adx")),
    metrics={"auc": 0.55, "ece": float("nan")},
    file="models/a.txt",
    file_hash="ab" * 32,
)
SPEAKS = 149 * HOUR


@pytest.fixture
def registry(ledger_url):
    return ModelRegistry(Ledger(ledger_url))


def test_a_model_comes_back_as_it_was_registered(registry):
    model = registry.register(INFO)
    assert registry.register(INFO) == model
    back = registry.get(model)
    assert (back.status, back.verdict) == ("challenger", "")
    assert back.info == replace(INFO, metrics={"auc": 0.55, "ece": None})
    assert back.info.valid_from == SPEAKS == INFO.trained_until + 48 * HOUR + HOUR
    assert registry.models("signal_quality") == (back,)
    assert registry.models("other") == ()
    with pytest.raises(CoordinatorError, match="stay as registered"):
        registry.register(replace(INFO, metrics={"auc": 0.9}))


def test_a_champion_speaks_only_after_what_its_labels_have_seen(registry):
    model = registry.register(INFO)
    assert registry.champion("signal_quality", 10**9) is None
    with pytest.raises(CoordinatorError, match=f"be {SPEAKS} or later"):
        registry.promote(model, SPEAKS - 1, "better")
    registry.promote(model, SPEAKS, "AUC .55 against .52")
    assert registry.champion("signal_quality", SPEAKS - 1) is None
    champion = registry.champion("signal_quality", SPEAKS)
    assert (champion.id, champion.status, champion.verdict) == (model, "champion", "AUC .55 against .52")
    assert registry.champion("other", SPEAKS) is None


def test_succession_and_retirement(registry):
    first = registry.register(INFO)
    second = registry.register(replace(INFO, trained_until=200 * HOUR))
    registry.promote(first, SPEAKS, "first")
    registry.promote(second, 260 * HOUR, "better")
    assert [registry.get(model).status for model in (first, second)] == ["retired", "champion"]
    registry.promote(second, 270 * HOUR, "still")  # it is already
    with pytest.raises(CoordinatorError, match="earlier answers stay"):
        registry.promote(first, 260 * HOUR, "no")
    with pytest.raises(CoordinatorError, match="earlier answers stay"):
        registry.retire(second, 259 * HOUR, "no")
    registry.retire(second, 300 * HOUR, "drift")
    asked = {hour: registry.champion("signal_quality", hour * HOUR) for hour in (259, 260, 299, 300)}
    assert {hour: model and model.id for hour, model in asked.items()} == {
        259: first,
        260: second,
        299: second,
        300: None,
    }
    registry.promote(first, 310 * HOUR, "rolled back")
    assert registry.champion("signal_quality", 310 * HOUR).id == first


steps = st.lists(
    st.tuples(st.sampled_from(["register", "promote", "retire"]), st.integers(0, 3), st.integers(0, 25)),
    max_size=20,
)


@settings(max_examples=40, deadline=None)
@given(steps=steps)
def test_whatever_is_done_no_champion_has_seen_its_candle_and_no_earlier_answer_changes(steps):
    registry, models, last = ModelRegistry(Ledger("sqlite://")), [], 0
    registry.register(replace(INFO, name="another"))  # so that the database exists
    answers: dict[int, int | None] = {}
    for action, which, at in steps:
        try:
            if action == "register":
                new = replace(INFO, trained_until=at, label_horizon=which + 1, candle_seconds=1)
                models.append(registry.register(replace(new, file_hash=f"{len(models)}")))
                continue
            if not models:
                continue
            change = registry.promote if action == "promote" else registry.retire
            change(models[which % len(models)], at, "why")
            last = max(last, at)
        except CoordinatorError:
            pass
        found = {t: registry.champion("signal_quality", t) for t in range(32)}
        for t, model in found.items():
            if model is not None:
                assert model.info.trained_until + model.info.label_horizon < t
            if t in answers and t < at:
                assert answers[t] == (model and model.id)
        answers = {t: model and model.id for t, model in found.items()}


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"trained_from": 101 * HOUR}, "not lie before trained_from"),
        ({"label_horizon": 0}, "be at least 1"),
        ({"candle_seconds": 0}, "be at least 1"),
        ({"file": "models/a.pkl"}, r"end with one of \.txt, \.json, \.safetensors"),
        ({"metrics": {"auc": float("inf")}}, "be finite"),
    ],
)
def test_a_model_that_cannot_be_is_refused(tmp_path, change, rule):
    registry = ModelRegistry(Ledger(tmp_path / "x.sqlite"))
    with pytest.raises(CoordinatorError, match=rule):
        registry.register(replace(INFO, **change))


def test_an_unknown_model_is_refused(registry):
    registry.register(INFO)
    with pytest.raises(CoordinatorError, match="be a registered model's id"):
        registry.promote(99, SPEAKS, "")


def test_a_model_and_its_verdict_are_entered_together_or_not_at_all(registry):
    champion = registry.enter(INFO, SPEAKS, "AUC .55", promoted=True)
    assert (champion.status, champion.verdict) == ("champion", "AUC .55")
    assert registry.enter(INFO, SPEAKS + HOUR, "again", promoted=False) == champion
    early = replace(INFO, trained_until=200 * HOUR)
    with pytest.raises(CoordinatorError, match="or later, after the last candle"):
        registry.enter(early, SPEAKS, "too early", promoted=True)
    assert registry.models() == (champion,)
    retired = registry.enter(early, 300 * HOUR, "no better", promoted=False)
    assert (retired.status, registry.champion("signal_quality", 300 * HOUR)) == ("retired", champion)


def test_a_succession_answers_as_the_registry_does(registry):
    first = registry.enter(INFO, SPEAKS, "first", promoted=True)
    registry.enter(replace(INFO, trained_until=200 * HOUR), 260 * HOUR, "better", promoted=True)
    registry.retire(registry.succession("signal_quality").last.id, 300 * HOUR, "drift")
    registry.promote(first.id, 310 * HOUR, "rolled back")
    succession = registry.succession("signal_quality")
    hours = np.arange(140, 320) * HOUR
    expected = [registry.champion("signal_quality", int(t)) for t in hours]
    assert [succession.at(int(t)) for t in hours] == expected
    places = succession.places(hours)
    assert [None if place < 0 else succession.champions[place] for place in places] == expected
    assert expected[0] is None
    assert expected[-1].id == first.id
    assert registry.succession("other").last is None
    assert registry.succession("other").places(hours).max() == -1


def test_an_archived_name_begins_anew(registry):
    model = registry.enter(INFO, SPEAKS, "first", promoted=True)
    assert registry.archive("signal_quality") == "signal_quality before 1"
    assert registry.champion("signal_quality", SPEAKS) is None
    assert registry.champion("signal_quality before 1", SPEAKS).id == model.id
    again = registry.enter(INFO, SPEAKS, "anew", promoted=True)
    assert again.id != model.id
    assert registry.archive("signal_quality") == "signal_quality before 2"


def test_predictions_are_kept_and_never_of_what_the_model_has_seen(ledger_url):
    ledger = Ledger(ledger_url)
    registry = ModelRegistry(ledger)
    registry.enter(INFO, SPEAKS, "first", promoted=True)
    said = [{"probability": 0.51, "q": 0.1}, {"probability": 0.4, "q": float("nan")}]
    both = Said("signal_quality", [SPEAKS, SPEAKS], ["BTC/USDT", "ETH/USDT"], said)
    assert [write_predictions(ledger, both) for _ in range(2)] == [2, 0]
    later = Said("signal_quality", [SPEAKS - HOUR, SPEAKS + HOUR], ["BTC/USDT"] * 2, said)
    assert write_predictions(ledger, later) == 1
    expected = {
        (SPEAKS, "BTC/USDT"): said[0],
        (SPEAKS, "ETH/USDT"): {"probability": 0.4, "q": None},
        (SPEAKS + HOUR, "BTC/USDT"): {"probability": 0.4, "q": None},
    }
    assert read_predictions(ledger, "signal_quality") == expected
    with pytest.raises(CoordinatorError, match="stay as written"):
        write_predictions(ledger, replace(both, values=said[::-1]))
    assert read_predictions(ledger, "signal_quality") == expected
    assert write_predictions(ledger, replace(both, name="other")) == 0
