"""The composite model: causal, pooled, one component's failure is its own, and nobody speaks of what it has seen."""

import hashlib
import pickle
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from coordinator.components import challenge as judging
from coordinator.components import selector as selector_component
from coordinator.components.absence import FAILED, NO_MODEL, TRAINED_ON
from coordinator.components.component import Window
from coordinator.components.composite import Composite, CompositeModel
from coordinator.components.market_history import MarketHistory, PairHistory
from coordinator.components.model_files import ModelFiles, read_verdicts, register_models
from coordinator.errors import CoordinatorError
from coordinator.learning import retraining
from coordinator.learning.artefact import decode
from coordinator.learning.ensemble.network_ensemble import NetworkEnsemble
from coordinator.learning.promotion import Verdict, judge
from coordinator.ledger.registry import ModelRegistry
from coordinator.ledger.store import Ledger
from coordinator.run.collection.samples import Predicted, said_on_signals
from coordinator.run.pair_analysis import analyse
from coordinator.run.predictions import with_predictions
from coordinator.run.signal_table import build_signal_table
from coordinator.settings import load_settings
from coordinator.signals.candles import Candles

PAIRS = ("BTC/USDT", "ETH/USDT")
NAMES = ("lstm", "attention", "fusion", "quality")
WITH_SELECTOR = (*NAMES, "selector")
SETTINGS = load_settings(
    {
        "learning": {"epochs": 1, "components": list(NAMES)},
        "fusion_models": {"trees": 5, "label_horizon": 4},
        "quality": {"trees": 10, "retrain_days": 30, "embargo_candles": 0},
        "selector_policy": {"timesteps": 512, "rollout": 256, "batch_size": 64},
    }
)
HOUR, DAY = 3600, 86400
ROWS = 9600  # 400 days: the daily features need 168


@pytest.fixture(scope="module")
def frames(make_walk):
    return {pair: make_walk(seed, ROWS) for seed, pair in enumerate(PAIRS, start=3)}


@pytest.fixture(scope="module")
def make_market(make_higher):
    def make(frames):
        histories = {}
        for pair, frame in frames.items():
            candles = {name: Candles.from_frame(make_higher(frame, name), name) for name in ("4h", "1d")}
            histories[pair] = PairHistory({"1h": Candles.from_frame(frame, "1h"), **candles})
        return MarketHistory(histories, SETTINGS)

    return make


@pytest.fixture(scope="module")
def market(frames, make_market):
    return make_market(frames)


@pytest.fixture(scope="module")
def edges(market):
    """Begin and end of the training window, end of the window that is predicted, seconds."""
    start = int(market.pairs[PAIRS[0]].candles["1h"].time[0])
    return start + 280 * DAY, start + 370 * DAY, start + 385 * DAY


def promote(y, challenger, champion, base_rate, margin):
    return Verdict(True, "promoted by the test", 0.6, np.nan, 0.6, 0.7)


@pytest.fixture
def _promoted(monkeypatch):
    """Random walks teach nothing: every challenger wins, whatever it knows."""
    monkeypatch.setattr(judging, "judge", promote)
    monkeypatch.setattr(retraining, "judge", promote)
    monkeypatch.setattr(selector_component, "_verdict", lambda new, old: promote(0, 0, 0, 0, 0))


def train(market, edges, names=NAMES, before=None, tolerant=False, composite=None):
    """The composite, its model and what was filed by component."""
    composite, filed = composite or Composite(names, SETTINGS), {}
    begin, end, _ = edges
    window = Window(begin, end, market.pairs, market)
    model = composite.train(window, before, filed.__setitem__, tolerant=tolerant)
    return composite, model, filed


def hours(begin, end):
    return np.arange(begin, end, HOUR)


def scrambled(frames, make_higher, after):
    """The same candles with everything that opens at or after a time dealt anew."""
    out = {}
    for pair, frame in frames.items():
        later = frame["date"].dt.as_unit("s").astype("int64").to_numpy() >= after
        noise = np.exp(np.random.default_rng(1).normal(0, 0.05, int(later.sum())))
        changed = frame.copy()
        for name in ("open", "high", "low", "close", "volume"):
            changed.loc[later, name] = changed.loc[later, name].to_numpy() * noise
        changed["high"] = changed[["open", "high", "low", "close"]].max(axis=1)
        changed["low"] = changed[["open", "high", "low", "close"]].min(axis=1)
        out[pair] = changed
    return out


@pytest.mark.usefixtures("_promoted")
def test_what_comes_after_a_window_changes_neither_its_models_nor_its_predictions(
    frames, market, make_market, make_higher, edges
):
    _, end, last = edges
    composite, model, filed = train(market, edges, WITH_SELECTOR)
    assert set(model.active_models) == set(WITH_SELECTOR)
    blind = make_market(scrambled(frames, make_higher, end))
    assert not np.array_equal(
        blind.pairs[PAIRS[0]].tables["1h"][-500:], market.pairs[PAIRS[0]].tables["1h"][-500:]
    )
    _, _, refiled = train(blind, edges, WITH_SELECTOR)
    for name in WITH_SELECTOR:
        assert filed[name].content
        assert filed[name].content == refiled[name].content, name
        assert filed[name].trained_until + filed[name].label_horizon * HOUR < end
    later = make_market(scrambled(frames, make_higher, last))
    for pair in PAIRS:
        said, again = (
            composite.predict(model, pair, hours(end, last), x, tolerant=False) for x in (market, later)
        )
        for column in composite.columns:
            np.testing.assert_array_equal(said[column], again[column], err_msg=column)
            assert np.isfinite(said[column]).any(), column


def test_the_candles_that_judge_have_not_been_learnt_from(market, edges, monkeypatch):
    """Their labels turned round: the verdict turns with them, and the model's file stays."""
    starts, slice_of, block_of = [], judging.PromotionSlice.of, PairHistory.block

    def watch(*arguments):
        starts.append(slice_of(*arguments).start)
        return slice_of(*arguments)

    def turned(*arguments):
        block = block_of(*arguments)
        return replace(block, labels=np.where(block.times >= starts[0], -block.labels, block.labels))

    monkeypatch.setattr(judging.PromotionSlice, "of", watch)
    filed = train(market, edges, ("lstm", "attention"))[2]
    monkeypatch.setattr(PairHistory, "block", turned)
    refiled = train(market, edges, ("lstm", "attention"))[2]
    assert len(set(starts)) == 1
    for name, one in filed.items():
        assert one.content == refiled[name].content
        assert one.verdict.challenger_auc == pytest.approx(1 - refiled[name].verdict.challenger_auc)
        assert one.metrics["temperature"] > 0


def test_fusion_learns_from_its_train_days_of_all_that_there_is(market, edges):
    assert SETTINGS.fusion_models.train_days == 720
    _, end, _ = edges
    recent = SETTINGS.fusion_models.model_copy(update={"train_days": 250})
    some = Composite(("fusion",), SETTINGS.model_copy(update={"fusion_models": recent}))
    begun = [
        train(market, edges, ("fusion",), composite=one)[2]["fusion"].trained_from for one in (None, some)
    ]
    assert begun[0] < edges[0] < end  # not from FreqAI's train_period_days
    assert end - 250 * DAY <= begun[1] <= end - 250 * DAY + 2 * DAY


@pytest.mark.usefixtures("_promoted")
def test_one_candle_alone_gets_what_it_gets_in_the_window(market, edges):
    _, end, last = edges
    composite, model, _ = train(market, edges, WITH_SELECTOR)
    times = hours(end, last)
    whole = composite.predict(model, PAIRS[0], times, market, tolerant=False)
    signals = np.isin(times, market.signal_times(PAIRS[0]))
    for i in (0, 100, int(np.flatnonzero(signals)[0]), len(times) - 1):
        alone = composite.predict(model, PAIRS[0], times[i : i + 1], market, tolerant=False)
        for column in composite.columns:
            np.testing.assert_allclose(alone[column], whole[column][i : i + 1], atol=1e-6, err_msg=column)


@pytest.mark.usefixtures("_promoted")
def test_quality_speaks_on_signals_only_and_nobody_on_candles_it_was_trained_on(market, edges):
    begin, end, last = edges
    composite, model, _ = train(market, edges, WITH_SELECTOR)
    times = hours(begin, last)
    said = composite.predict(model, PAIRS[1], times, market, tolerant=False)
    seen = times < end
    for name in NAMES:
        assert (said[f"{name}_absence"][seen] == TRAINED_ON).all()
        assert (said[f"{name}_absence"][~seen] == 0).all()
    for column in ("lstm_buy", "attention_buy", "fusion_model_score"):
        assert np.isnan(said[column][seen]).all()
        assert np.isfinite(said[column][~seen]).all()
    signals = np.isin(times, market.signal_times(PAIRS[1])) & ~seen
    assert signals.sum() > 10
    np.testing.assert_array_equal(np.isfinite(said["signal_quality"]), signals)
    np.testing.assert_array_equal(np.isfinite(said["selector_buy"]), signals)
    total = said["selector_hold"] + said["selector_buy"] + said["selector_sell"]
    np.testing.assert_allclose(total[signals], 1.0)


@pytest.mark.usefixtures("_promoted")
def test_live_a_component_that_raises_is_absent_while_the_others_speak(market, edges, monkeypatch, caplog):
    def broken(*_):
        raise RuntimeError("out of order")

    _, end, last = edges
    composite = Composite(("lstm", "fusion"), SETTINGS)
    with monkeypatch.context() as patch:
        patch.setattr(composite.components["lstm"], "train", broken)
        _, model, filed = train(market, edges, composite=composite, tolerant=True)
        with pytest.raises(RuntimeError):
            train(market, edges, composite=composite)
    assert set(filed) == set(model.active_models) == {"fusion"}
    said = composite.predict(model, PAIRS[0], hours(end, last), market, tolerant=True)
    assert (said["lstm_absence"] == FAILED).all()
    assert (said["fusion_absence"] == 0).all()
    assert np.isfinite(said["fusion_model_score"]).all()

    _, model, _ = train(market, edges, composite=composite)
    monkeypatch.setattr(composite.components["fusion"], "predict", broken)
    for _ in range(3):
        said = composite.predict(model, PAIRS[0], hours(end, last), market, tolerant=True)
    assert np.isnan(said["fusion_model_score"]).all()
    assert (said["fusion_absence"] == FAILED).all()
    assert np.isfinite(said["lstm_buy"]).all()
    assert caplog.text.count("fusion raised RuntimeError in a prediction") == 1
    with pytest.raises(RuntimeError):
        composite.predict(model, PAIRS[0], hours(end, last), market, tolerant=False)


def test_a_young_pair_has_no_model_of_its_own_which_is_said_once_and_no_failure(
    frames, make_market, edges, caplog
):
    """As with ``learning.pooled`` off; where it is the whole market, too few candles are an error."""
    begin, end, later = edges
    old, new = PAIRS
    listed = pd.Timestamp(end - 3 * DAY, unit="s", tz="UTC")
    young = make_market({old: frames[old], new: frames[new][frames[new]["date"] >= listed]})
    composite, filed = Composite(("lstm",), SETTINGS), {}
    for until in (end, end, end - 4 * DAY):  # with few candles, and with none
        window = Window(until - 90 * DAY, until, {new: young.pairs[new]}, young)
        model = composite.train(window, None, filed.__setitem__, tolerant=False)
        assert (model.active_models, model.failed, filed) == ({}, (), {})
    own = Window(end - 90 * DAY, end, {new: young.pairs[new]}, young)
    before = CompositeModel(end - DAY, {"lstm": object()})  # what it had, it keeps
    assert (
        composite.train(own, before, filed.__setitem__, tolerant=False).active_models == before.active_models
    )
    brief = Window(end - 3 * DAY, end, {old: young.pairs[old]}, young)  # of the other pair, too few as well
    composite.train(brief, None, filed.__setitem__, tolerant=False)
    said = [text for text in caplog.messages if "has no lstm of its own" in text]
    assert [text.split()[0] for text in said] == [new, old]
    columns = composite.predict(model, new, hours(end, later), young, tolerant=False)
    assert (columns["lstm_absence"] == NO_MODEL).all()
    alone = make_market({new: frames[new][frames[new]["date"] >= listed]})
    with pytest.raises(CoordinatorError, match="at least 200 labelled sequences"):
        composite.train(Window(begin, end, alone.pairs, alone), None, filed.__setitem__, tolerant=False)


def test_a_model_that_does_not_beat_the_prior_is_not_used(market, edges, monkeypatch):
    def wrong(y, challenger, champion, base_rate, margin):
        return judge(y, np.where(y > 0, 0.4, 0.6), champion, base_rate, margin)

    monkeypatch.setattr(judging, "judge", wrong)
    _, end, last = edges
    composite, model, filed = train(market, edges, ("lstm",))
    assert not model.active_models
    assert filed["lstm"].verdict.sentence.startswith("no model: the new one failed, its log loss .916")
    said = composite.predict(model, PAIRS[0], hours(end, last), market, tolerant=False)
    assert (said["lstm_absence"] == NO_MODEL).all()
    assert np.isnan(said["lstm_buy"]).all()


def test_the_champion_stays_until_a_challenger_beats_it_on_candles_that_neither_knows(
    market, edges, monkeypatch
):
    begin, end, _ = edges
    seen = []

    def first_only(y, challenger, champion, base_rate, margin):
        seen.append((len(y), None if champion is None else len(champion)))
        assert margin == 0.005  # spec 002
        return replace(promote(y, challenger, champion, base_rate, margin), promoted=champion is None)

    monkeypatch.setattr(judging, "judge", first_only)
    composite, first, _ = train(market, edges, ("lstm", "fusion"))
    week = 7 * DAY
    _, second, filed = train(
        market, (begin + week, end + week, end + 2 * week), before=first, composite=composite
    )
    assert second.active_models == first.active_models  # the old models, known until the old end
    assert not filed["lstm"].verdict.promoted
    # A week of two pairs judges, less the labels' horizon and what neither went up nor down.
    for count, champions in seen[2:]:
        assert count == champions
        assert count <= 2 * 24 * 7 * 1.5


@pytest.mark.usefixtures("_promoted")
def test_models_pickle_and_files_and_verdicts_go_to_the_ledger(market, edges, tmp_path):
    _, end, last = edges
    composite, model, filed = train(market, edges, WITH_SELECTOR)
    again = pickle.loads(pickle.dumps(model))  # noqa: S301
    said, copied = (
        composite.predict(m, PAIRS[0], hours(end, last), market, tolerant=False) for m in (model, again)
    )
    for column in composite.columns:
        np.testing.assert_array_equal(said[column], copied[column])
    files = ModelFiles(tmp_path / "coordinator")
    for name, trained in filed.items():
        files.write(name, end, replace(trained, content=b"of a training that is repeated"))
        files.write(name, end, trained)
    stored = read_verdicts(tmp_path / "coordinator")
    assert stored == files.verdicts
    assert [x.name for x in stored] == sorted(WITH_SELECTOR)
    for verdict in stored:
        content = Path(verdict.file).read_bytes()
        assert content == filed[verdict.name].content
        assert hashlib.sha256(content).hexdigest() == verdict.file_hash
    ledger = Ledger(tmp_path / "ledger.sqlite")
    for _ in range(2):
        register_models(ledger, stored, HOUR)
    registry = ModelRegistry(ledger)
    for name in WITH_SELECTOR:
        (one,) = registry.models(name)
        assert one.status == "champion"
        assert one.verdict == "promoted by the test"
        assert Path(one.info.file).read_bytes() == filed[name].content
        assert hashlib.sha256(filed[name].content).hexdigest() == one.info.file_hash
        health = one.info.metrics
        assert np.isfinite([health["gap"], health["feature_drift"]]).all()
        assert set(health["drifted"]) <= set(one.info.features.names)
        weights = health.get("importance") or health.get("importance_permutation")
        assert (weights is None) == (name == "selector")
        assert weights is None or set(weights) == set(one.info.features.names)
        assert name == "selector" or len(health["confidence"]) == 7
        assert registry.champion(name, end) == one
        assert registry.champion(name, end - 1) is None
    kept = {path.name: path.read_bytes() for path in files.folder.iterdir() if path.name != "verdicts.json"}
    refused = replace(filed["lstm"].verdict, promoted=False)
    later = replace(filed["lstm"], verdict=refused, content=b"another")
    files.write("lstm", end + DAY, later)  # the next training's stands beside it
    assert [x.time for x in read_verdicts(files.folder) if x.name == "lstm"] == [end, end + DAY]
    register_models(ledger, files.verdicts, HOUR)
    assert [x.status for x in registry.models("lstm")] == ["champion", "retired"]
    later = {path.name: path.read_bytes() for path in files.folder.iterdir()}
    assert kept.items() <= later.items()
    assert len(later) == len(kept) + 2


SEVERAL = load_settings(
    {
        "learning": {
            "epochs": 1,
            "components": ["lstm", "attention"],
            "ensemble_horizons": [24],
            "attention_architecture": "transformer",
            "attention_width": 16,
            "transformer_layers": 1,
            "transformer_feedforward": 16,
        }
    }
)


@pytest.fixture(scope="module")
def several(market, edges):
    """An ensemble of LSTMs and one of transformers, trained once: the composite, its model, what was filed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(judging, "judge", promote)
        return train(market, edges, composite=Composite(SEVERAL.learning.components, SEVERAL))


@pytest.mark.usefixtures("_promoted")
def test_ensembles_and_transformers_know_nothing_of_what_comes_after(
    several, frames, market, make_market, make_higher, edges
):
    """The members' longest horizon decides which rows are known; candles from then on change no file and no answer."""
    composite, model, filed = several
    _, end, last = edges
    blind = make_market(scrambled(frames, make_higher, end))
    _, _, refiled = train(blind, edges, composite=Composite(SEVERAL.learning.components, SEVERAL))
    assert {name: result.kind for name, result in filed.items()} == {
        "lstm": "lstm ensemble",
        "attention": "transformer ensemble",
    }
    for name, result in filed.items():
        assert result.content == refiled[name].content, name
        assert result.label_horizon == 24
        assert (
            result.trained_until == end - 25 * HOUR
        )  # its labels are known as the candle before the end closes
    later = make_market(scrambled(frames, make_higher, last))
    for pair in PAIRS:
        said, again = (
            composite.predict(model, pair, hours(end, last), x, tolerant=False) for x in (market, later)
        )
        for column in composite.columns:
            np.testing.assert_array_equal(said[column], again[column], err_msg=column)
            assert np.isfinite(said[column]).all(), column


def test_an_ensembles_labels_are_known_on_the_same_rows(market, edges):
    begin, end, _ = edges
    history, learning = market.pairs[PAIRS[0]], SEVERAL.learning
    both = history.block(learning, begin, end)
    assert set(both.further_labels) == {24}
    known = np.isfinite(both.labels)
    np.testing.assert_array_equal(known, np.isfinite(both.further_labels[24]))
    np.testing.assert_array_equal(known, both.label_end + HOUR <= end)
    np.testing.assert_array_equal(both.label_end, both.times + 24 * HOUR)
    for horizon, labels in ((12, both.labels), (24, both.further_labels[24])):
        alone = history.block(learning.at_horizon(horizon), begin, end)
        np.testing.assert_array_equal(labels[known], alone.labels[known])
        np.testing.assert_array_equal(alone.label_end, alone.times + horizon * HOUR)
    assert (both.labels[known] != both.further_labels[24][known]).any()


def test_an_ensemble_says_how_far_its_members_disagree_and_is_the_less_sure(several, market, edges, tmp_path):
    """Its columns, its vote, one candle alone, its file and its pickle; a network alone has no such column."""
    composite, model, filed = several
    _, end, last = edges
    times = hours(end, last)
    said = composite.predict(model, PAIRS[0], times, market, tolerant=False)
    again = composite.predict(pickle.loads(pickle.dumps(model)), PAIRS[0], times, market, tolerant=False)  # noqa: S301
    alone = composite.predict(model, PAIRS[0], times[77:78], market, tolerant=False)
    assert set(said) == set(composite.columns)
    for column in composite.columns:
        np.testing.assert_array_equal(said[column], again[column])
        np.testing.assert_array_equal(alone[column], said[column][77:78])
    first, behind = np.searchsorted(market.pairs[PAIRS[0]].candles["1h"].time, (end, last))
    table, rows = market.pairs[PAIRS[0]].tables["1h"][first - 9 : behind], slice(9, None)
    for name in SEVERAL.learning.components:
        read = NetworkEnsemble.from_artefact(decode(filed[name].content))
        answers = [f"{name}_{answer}" for answer in ("hold", "buy", "sell", "disagreement")]
        np.testing.assert_array_equal(
            np.column_stack([said[column] for column in answers]), read.columns(table)[rows]
        )
        assert [member.settings.label_horizon for member in read.members] == [12, 24]
        mean = np.mean([member.predict_proba(table)[0][rows] for member in read.members], axis=0)
        doubt = said[answers[3]]
        assert ((doubt > 0) & (doubt < 1)).all()
        confidence = np.max([said[column] for column in answers[:3]], axis=0)
        np.testing.assert_allclose(confidence, (1 - doubt) * mean.max(axis=1) + doubt / 3, rtol=1e-12)
        assert filed[name].metrics["disagreement"] > 0
    files = ModelFiles(tmp_path)
    for name, result in filed.items():
        files.write(name, end, result)
    assert read_verdicts(tmp_path) == files.verdicts
    assert "disagreement" not in "".join(Composite(NAMES, SETTINGS).columns)


def test_an_ensembles_answers_become_votes_and_its_disagreement_is_collected(several, market, edges):
    composite, model, _ = several
    candles = market.pairs[PAIRS[0]].candles
    analysis = analyse(PAIRS[0], candles["1h"], candles, SEVERAL, ml=True)
    new = candles["1h"].time >= edges[1]
    said = composite.predict(model, PAIRS[0], candles["1h"].time[new], market, tolerant=False)
    columns = pd.DataFrame(said, index=np.flatnonzero(new)).reindex(range(len(new))).assign(do_predict=1)
    voted = with_predictions(analysis, columns, ("lstm", "attention"))
    after = new[analysis.index]
    assert after.sum() > 10
    for name in ("lstm", "attention"):
        assert (voted.absence_reasons[name][after] == "").all()
        answers = columns[[f"{name}_{answer}" for answer in ("hold", "buy", "sell")]]
        confidence = answers.iloc[analysis.index[after]].max(axis=1)
        np.testing.assert_array_equal(voted.votes[name].confidence[after], confidence)
    own = {name: component.columns for name, component in composite.components.items()}
    dated = columns.assign(date=pd.to_datetime(candles["1h"].time, unit="s", utc=True))
    signals = build_signal_table({PAIRS[0]: voted}, SEVERAL)
    collected = said_on_signals(
        {PAIRS[0]: Predicted(dated, own)}, signals, np.ones(len(signals), bool), pooled=True
    )
    assert [one.name for one in collected] == ["lstm", "attention"]
    for one in collected:
        doubt = columns[f"{one.name}_disagreement"].iloc[analysis.index[after]]
        assert [values[f"{one.name}_disagreement"] for values in one.values] == doubt.tolist()


def test_columns_become_votes_quality_and_reasons(frames, make_higher):
    frame = frames[PAIRS[0]].iloc[:1500].reset_index(drop=True)
    higher = {name: Candles.from_frame(make_higher(frame, name), name) for name in ("4h", "1d")}
    analysis = analyse(PAIRS[0], Candles.from_frame(frame, "1h"), higher, SETTINGS, ml=True)
    n, own = len(frame), analysis.votes["fusion"]
    assert len(analysis.index) > 20
    half = analysis.index[len(analysis.index) // 2]
    speaks = np.arange(n) >= half  # before, FreqAI's filling
    predicted = pd.DataFrame(
        {
            "lstm_hold": np.where(speaks, 0.2, 0.0),
            "lstm_buy": np.where(speaks, 0.5, 0.0),
            "lstm_sell": np.where(speaks, 0.3, 0.0),
            "lstm_absence": 0.0,
            "fusion_model_direction": -1.0,
            "fusion_model_confidence": np.where(speaks, 0.9, 0.0),
            "fusion_model_score": -0.5,
            "fusion_absence": 0.0,
            "signal_quality": np.where(speaks, 0.6, 0.0),
            "quality_absence": np.where(speaks, 0.0, NO_MODEL),
            "do_predict": 1.0,
        }
    )
    voted = with_predictions(analysis, predicted, ("lstm", "fusion", "quality"))
    there = speaks[analysis.index]
    np.testing.assert_array_equal(np.isfinite(voted.votes["quality"].confidence), there)
    np.testing.assert_array_equal(np.isfinite(voted.votes["lstm"].score), there)
    fused = voted.votes["fusion"]
    assert (fused.score[there] == -0.5).all()
    np.testing.assert_array_equal(fused.score[~there], own.score[~there])  # the indicators' fusion stays
    assert set(voted.absence_reasons["quality"][~there]) == {"no model: none was good enough"}
    assert set(voted.absence_reasons["lstm"][~there]) == {"no prediction"}
    late = with_predictions(analysis, predicted.assign(do_predict=3.0), ("lstm", "fusion", "quality"))
    assert np.isnan(late.votes["quality"].confidence).all()
    assert set(late.absence_reasons["lstm"]) == {"late"}
    np.testing.assert_array_equal(late.votes["fusion"].score, own.score)
    nothing = with_predictions(analysis, predicted[["do_predict"]], ("lstm", "quality"))
    assert set(nothing.absence_reasons["quality"]) == {"no model yet"}
    assert "lstm" not in nothing.votes


@pytest.mark.parametrize("wrong", [[], ["lstm", "lstm"], ["lstn"]])
def test_components_are_named_once(wrong):
    with pytest.raises(CoordinatorError, match=r"learning"):
        load_settings({"learning": {"components": wrong}})


def test_a_market_without_higher_candles_still_has_networks_and_quality(frames, edges):
    """4h and 1d may be missing; then fusion has nothing to learn from, says so, and the indicators' stays."""
    candles = {pair: Candles.from_frame(frame, "1h") for pair, frame in frames.items()}
    empty = SimpleNamespace(frame=frames[PAIRS[0]].iloc[:0])
    none = {name: Candles.from_frame(empty.frame, name) for name in ("4h", "1d")}
    market = MarketHistory({p: PairHistory({"1h": c, **none}) for p, c in candles.items()}, SETTINGS)
    _, model, filed = train(market, edges, NAMES, tolerant=True)
    assert not model.failed
    assert set(filed) == set(NAMES)
    assert "fusion" not in model.active_models
    assert "too few" in filed["fusion"].verdict.sentence
    assert not filed["fusion"].content


@pytest.mark.parametrize(
    ("new", "old", "promoted", "words"),
    [
        (0.01, float("nan"), True, "promoted"),
        (-0.01, float("nan"), False, "no model"),
        (0.01, 0.02, False, "kept current model"),
        (-0.01, -0.02, False, "kept current model"),
        (0.03, 0.02, True, "promoted"),
        (float("nan"), float("nan"), False, "no model"),
    ],
)
def test_a_policy_must_earn_more_than_flat_and_than_the_one_before(new, old, promoted, words):
    verdict = selector_component._verdict(new, old)
    assert verdict.promoted is promoted
    assert verdict.sentence.startswith(words)
