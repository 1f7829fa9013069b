"""The FreqAI side in-process, as a bot drives it: pooled training, latency, one component's failure."""

import itertools
import json
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from freqtrade.enums import RunMode
from freqtrade.exceptions import OperationalException
from freqtrade.freqai.data_kitchen import FreqaiDataKitchen
from freqtrade.strategy import IStrategy

from coordinator.adapters.freqai import CompositeFreqaiModel
from coordinator.adapters.freqai.frames import LABEL, with_feature, with_label
from coordinator.adapters.strategy.fast_start import learn_from_history
from coordinator.components import challenge as judging
from coordinator.components.absence import FAILED, LATE, TRAINED_ON
from coordinator.learning import retraining
from coordinator.learning.promotion import Verdict
from coordinator.run.pair_analysis import analyse
from coordinator.run.predictions import with_predictions
from coordinator.settings import load_settings
from coordinator.signals.candles import Candles
from strategies.MLCoordinator import MLCoordinator

ROOT = Path(__file__).resolve().parents[2]
PAIRS = ("BTC/USDT", "ETH/USDT")
COORDINATOR = {
    "learning": {"epochs": 1, "components": ["lstm", "quality"]},
    "quality": {"trees": 10, "retrain_days": 30},
}


class Provider:
    """A data provider that knows the candles up to a moment."""

    def __init__(self, frames, make_higher):
        self.frames, self.make_higher, self.known = frames, make_higher, 3000

    def current_whitelist(self):
        return list(PAIRS)

    def get_pair_dataframe(self, pair, timeframe):
        base = self.frames[pair].iloc[: self.known]
        if timeframe == "1h":
            return base.reset_index(drop=True)
        frame = self.make_higher(base, timeframe)
        hours = {"4h": 4, "1d": 24}[timeframe]
        return frame[
            frame["date"] + np.timedelta64(hours, "h") <= base["date"].iloc[-1] + np.timedelta64(1, "h")
        ]


@pytest.fixture(scope="module")
def frames(make_walk):
    return {pair: make_walk(seed, 3300) for seed, pair in enumerate(PAIRS, start=20)}


@pytest.fixture
def bot(frames, make_higher, tmp_path, monkeypatch):
    """A model as a dry run has it; every challenger is promoted, as walks teach nothing."""

    def promote(y, challenger, champion, base_rate, margin):
        return Verdict(True, "promoted by the test", 0.6, np.nan, 0.6, 0.7)

    monkeypatch.setattr(judging, "judge", promote)
    monkeypatch.setattr(retraining, "judge", promote)

    def make(**learning):
        config = json.loads((ROOT / "config.json").read_text())
        section = {**COORDINATOR, "learning": {**COORDINATOR["learning"], **learning}}
        config |= {"user_data_dir": tmp_path, "datadir": tmp_path / "data", "coordinator": section}
        config["exchange"]["pair_whitelist"] = list(PAIRS)
        (tmp_path / "data").mkdir(exist_ok=True)
        model = CompositeFreqaiModel(config=config)
        model.live, model._strategy = True, SimpleNamespace(dp=Provider(frames, make_higher))
        return model

    return make


def frame_of(model, pair):
    frame = model._strategy.dp.get_pair_dataframe(pair, "1h")
    return with_label(with_feature(frame), load_settings(COORDINATOR))


def train(model, pair):
    dk = FreqaiDataKitchen(model.config, True, pair)
    frame = frame_of(model, pair)
    dk.find_features(frame)
    dk.find_labels(frame)
    return model.train(frame, pair, dk), dk


def ask(model, pair, dk, candles=10):
    """One candle's prediction: the last row."""
    frame, usable = model.predict(frame_of(model, pair).tail(candles), dk, first=False)
    assert len(frame) == len(usable) == 1
    return frame.iloc[-1], int(usable[-1])


def next_signal(model, pair):
    """Move on to the pair's next candle with a signal."""
    dp = model._strategy.dp
    market = model._source.latest_candles(
        PAIRS, SimpleNamespace(get_pair_dataframe=lambda p, t: dp.frames[p])
    )
    times = market.signal_times(pair)
    base = market.pairs[pair].candles["1h"].time
    dp.known = int(np.searchsorted(base, times[times > base[dp.known + 24]][0])) + 1


def test_one_training_serves_all_pairs_and_speaks_after_it_only(bot):
    model = bot()
    first, dk = train(model, PAIRS[0])
    second, _ = train(model, PAIRS[1])
    assert first is second
    assert [x.name for x in model.verdicts] == ["lstm", "quality"]
    assert set(dk.data["labels_mean"]) == set(dk.data["labels_std"]) == {LABEL, *model.composite.columns}
    model.model = first
    whole, usable = model.predict(frame_of(model, PAIRS[0]), dk)
    assert (usable == 1).all()
    assert (whole["lstm_absence"] == TRAINED_ON).all()  # it was trained on all of them
    assert whole["lstm_buy"].isna().all()
    next_signal(model, PAIRS[0])
    row, usable_now = ask(model, PAIRS[0], dk)
    assert usable_now == 1
    assert row["lstm_hold"] + row["lstm_buy"] + row["lstm_sell"] == pytest.approx(1)
    assert 0 < row["signal_quality"] < 1
    assert list(row.index) == [LABEL, *model.composite.columns]
    assert model.health["predictions"] == 1
    assert 0 < model.health["latency_p50_ms"] <= model.health["latency_p99_ms"]
    model._strategy.dp.known -= 1  # the candle before it has no signal
    assert np.isnan(ask(model, PAIRS[0], dk)[0]["signal_quality"])


def test_a_bots_ensemble_says_how_far_its_members_disagree(bot):
    model = bot(components=["attention"], attention_architecture="transformer", ensemble_seeds=2)
    model.model, dk = train(model, PAIRS[0])
    assert "attention_disagreement" in dk.data["labels_mean"]
    assert [x.kind for x in model.verdicts] == ["transformer ensemble"]
    model._strategy.dp.known += 1
    row, usable = ask(model, PAIRS[0], dk)
    assert usable == 1
    assert row["attention_hold"] + row["attention_buy"] + row["attention_sell"] == pytest.approx(1)
    assert 0 < row["attention_disagreement"] < 1
    assert model.health["latency_p99_ms"] < model.settings.latency_limit_ms


def test_each_pair_has_its_own_network_where_they_are_not_pooled(bot):
    model = bot(pooled=False)
    first, _ = train(model, PAIRS[0])
    second, _ = train(model, PAIRS[1])
    assert first is not second
    assert first.active_models["quality"] is second.active_models["quality"]
    assert {x.name for x in model.verdicts} == {"lstm BTC/USDT", "lstm ETH/USDT", "quality"}


def test_a_late_prediction_is_marked_and_said_once(bot, caplog):
    assert load_settings(None).learning.latency_limit_ms == 50.0  # spec 001
    model = bot(latency_limit_ms=1e-6)
    model.model, dk = train(model, PAIRS[0])
    model._strategy.dp.known += 1
    assert [ask(model, PAIRS[0], dk)[1] for _ in range(3)] == [LATE] * 3
    assert caplog.text.count("ML is late and absent") == 1


@pytest.mark.parametrize(("seconds", "said"), [(0.0499, 1), (0.0501, LATE)])
def test_late_is_later_than_fifty_milliseconds(bot, monkeypatch, seconds, said):
    model = bot()
    model.model, dk = train(model, PAIRS[0])
    model._strategy.dp.known += 1
    clock = SimpleNamespace(perf_counter=itertools.count(step=seconds).__next__)
    monkeypatch.setattr("coordinator.adapters.freqai.model.time", clock)
    assert ask(model, PAIRS[0], dk)[1] == said


def test_live_one_components_failure_leaves_the_others(bot, monkeypatch, caplog):
    model = bot()
    monkeypatch.setattr(model.composite.components["quality"], "train", broken)
    model.model, dk = train(model, PAIRS[0])
    assert "Training of quality raised RuntimeError" in caplog.text
    next_signal(model, PAIRS[0])
    row, usable = ask(model, PAIRS[0], dk)
    assert (row["quality_absence"], row["lstm_absence"], usable) == (FAILED, 0, 1)
    assert np.isfinite(row["lstm_buy"])
    monkeypatch.setattr(model.composite.components["lstm"], "predict", broken)
    row, usable = ask(model, PAIRS[0], dk)
    assert (row["lstm_absence"], usable) == (FAILED, 1)


def test_the_next_training_follows_the_champion_of_the_one_before_a_restart(bot, frames):
    model = bot()
    first, _ = train(model, PAIRS[0])
    again = bot()
    again.dd.model_dictionary[PAIRS[0]] = first
    again._strategy.dp.known += 24 * 8
    seen = []
    lstm = again.composite.components["lstm"]
    original = lstm.train
    lstm.train = lambda window, before: seen.append(before) or original(window, before)
    second, _ = train(again, PAIRS[0])
    assert seen == [first.active_models["lstm"]]
    assert second.end - first.end == 8 * 86400
    assert len(again.verdicts) == 4  # those of before the restart are kept


class Run:
    """What a strategy's run is asked for."""

    needs_history = True
    before = None

    def learn_first(self, before, settings):
        self.before = before
        return "said"


def learn(model, run, mode, timerange=None, reference=None, **coordinator):
    settings = load_settings({**COORDINATOR, **coordinator})
    config = {**model.config, "runmode": mode, "timerange": timerange}
    learn_from_history(run, config, model, model._strategy.dp, settings, reference)
    return run.before


def test_a_run_learns_from_the_history_before_it(bot, frames, caplog):
    """A backtest from its timerange back, a bot from the end of its candles; what was predicted is stored."""
    model = bot(fast_start_days=30)
    model.freqai_info |= {"train_period_days": 60, "backtest_period_days": 20}
    model._strategy.dp.known = len(frames[PAIRS[0]])
    last = frames[PAIRS[0]]["date"].iloc[-1]
    with caplog.at_level("INFO"):
        before = learn(model, Run(), RunMode.DRY_RUN)
    assert "ML earned its say first" in caplog.text
    assert before.until == int(last.timestamp()) + 3600
    spoken = before.table.time[np.isfinite(before.table.votes["lstm"].confidence)]
    assert spoken.min() >= before.until - 30 * 86400
    assert spoken.max() > before.until - 5 * 86400
    model.composite.train = (
        broken  # not trained again: a restart before the first stored day finds the predictions
    )
    again = learn(model, Run(), RunMode.LIVE)
    np.testing.assert_array_equal(again.table.votes["lstm"].score, before.table.votes["lstm"].score)
    kept = model._strategy.dp.frames
    model._strategy.dp.frames = {**kept, PAIRS[1]: kept[PAIRS[1]].assign(volume=1.0)}  # another market
    with pytest.raises(RuntimeError, match="out of order"):
        learn(model, Run(), RunMode.LIVE)
    model = bot(fast_start_days=30)
    model.freqai_info |= {"train_period_days": 60, "backtest_period_days": 20}
    model._strategy.dp.known = len(frames[PAIRS[0]])
    start = (last - pd.Timedelta(days=20)).floor("D")
    before = learn(model, Run(), RunMode.BACKTEST, f"{start:%Y%m%d}-")
    assert before.until == int(start.timestamp())
    assert before.until - 5 * 86400 < before.table.time.max() < before.until  # the run's own come later
    model.live = False
    assert model._whole_market() is model.history.market  # read and computed on once


def test_where_there_is_nothing_to_learn_first(bot, caplog, monkeypatch):
    model = bot(fast_start_days=30)
    continues = Run()
    continues.needs_history = False
    for run, mode, timerange, changed in (
        (continues, RunMode.DRY_RUN, None, {}),
        (Run(), RunMode.BACKTEST, None, {}),  # all candles there are
        (Run(), RunMode.WEBSERVER, None, {}),
        (Run(), RunMode.DRY_RUN, None, {"decision": {"weighting": "fixed"}}),
        (Run(), RunMode.DRY_RUN, None, {"learning": {"fast_start_days": 0}}),
    ):
        assert learn(model, run, mode, timerange, **changed) is None
    monkeypatch.setattr(model.history, "replay", lambda *_: (SimpleNamespace(pairs={}), {}, 0))
    for candles in ({}, {"1h": [1.0], "1d": []}):
        monkeypatch.setattr(model.history, "candles_of", lambda *_, c=candles: c)
        assert learn(model, Run(), RunMode.DRY_RUN, reference="ADA/USDT") is None
        assert "the regime gate's pair ADA/USDT has no history" in caplog.text
        caplog.clear()
    monkeypatch.undo()
    with caplog.at_level("INFO"):
        model.freqai_info |= {"train_period_days": 10_000}
        assert learn(model, Run(), RunMode.DRY_RUN) is None
    assert "No fast start" in caplog.text


def test_a_fall_back_to_shadow_trains_every_pair_anew_whatever_the_age(bot):
    model = bot()
    first, _ = train(model, PAIRS[0])
    now = int(time.time())
    for pair in PAIRS:
        model.dd.pair_dict[pair] = {
            "trained_timestamp": now,
            "model_filename": "",
            "data_path": "",
            "extras": {},
        }
    model._strategy.dp.known += 24  # a day later, and hours before the next training is due
    assert train(model, PAIRS[0])[0] is first

    def due(pair):
        dk = FreqaiDataKitchen(model.config, True, pair)
        return dk.check_if_new_training_required(model.dd.get_pair_dict_info(pair)[1])[0]

    assert not any(map(due, PAIRS))
    model.request_retraining()
    assert all(map(due, PAIRS))
    second, _ = train(model, PAIRS[0])
    assert second is not first
    assert train(model, PAIRS[1])[0] is second


def test_how_quickly_a_bot_answered_goes_with_the_next_verdict(bot):
    model = bot()
    model.model, dk = train(model, PAIRS[0])
    assert all("latency_p99_ms" not in x.metrics for x in model.verdicts)
    model.predict(frame_of(model, PAIRS[0]), dk)  # a whole window is no answer
    next_signal(model, PAIRS[0])
    started = time.perf_counter()
    ask(model, PAIRS[0], dk)
    milliseconds = (time.perf_counter() - started) * 1000
    assert model.health["predictions"] == 1
    assert milliseconds / 100 < model.health["latency_p50_ms"] <= milliseconds
    model._milliseconds.extend([milliseconds] * 100)
    model._milliseconds.extend(milliseconds + i for i in range(1, 101))
    assert model.health["latency_p99_ms"] == pytest.approx(milliseconds + 98)
    model._strategy.dp.known += 24 * 8
    train(model, PAIRS[0])
    newest = [x for x in model.verdicts if x.time == max(y.time for y in model.verdicts)]
    assert [x.metrics["latency_p99_ms"] for x in newest] == [model.health["latency_p99_ms"]] * 2


class Untargeted:
    """What FreqAI asks of a strategy in a backtest."""

    can_short, startup_candle_count, timeframe = False, 0, "1h"
    populate_any_indicators = IStrategy.populate_any_indicators

    def __init__(self, provider):
        self.dp = provider
        self.dp.runmode = RunMode.BACKTEST
        for name in ("expand_all", "expand_basic"):
            setattr(self, f"feature_engineering_{name}", lambda frame, *_, **__: frame)

    def feature_engineering_standard(self, frame, metadata):
        return with_feature(frame)

    def set_freqai_targets(self, frame, metadata):
        return with_label(frame, load_settings(COORDINATOR))


def broken(*_, **__):
    raise RuntimeError("out of order")


@pytest.fixture
def backtest(bot):
    """``start`` of a model in a backtest of three windows: the strategy's frame, whole."""

    def run(model, pair=PAIRS[0], first=100):
        model.live = False
        provider = model._strategy.dp
        provider.known = 3300
        frame = provider.get_pair_dataframe(pair, "1h")
        days = frame["date"].dt.strftime("%Y%m%d")
        model.config["timerange"] = f"{days.iloc[24 * first]}-{days.iloc[24 * 130]}"
        return model.start(frame, {"pair": pair}, Untargeted(provider))

    def make(**learning):
        model = bot(**learning)
        model.config["freqai"] |= {"train_period_days": 60, "backtest_period_days": 10}
        model.config["config_files"] = [str(ROOT / "config.json")]
        return model

    return make, run


def reasons(frame, make_higher):
    """Why each component does not vote on the signals of the backtest's windows."""
    higher = {name: Candles.from_frame(make_higher(frame, name), name) for name in ("4h", "1d")}
    analysis = analyse(PAIRS[0], Candles.from_frame(frame, "1h"), higher, load_settings(COORDINATOR), ml=True)
    voted = with_predictions(analysis, frame, ("lstm", "quality"))
    tested = analysis.index >= 24 * 100
    tested &= analysis.index < 24 * 130
    return {name: set(voted.absence_reasons[name][tested]) for name in ("lstm", "quality")}


def test_a_component_that_fails_in_a_backtest_ends_it_and_the_way_out_is_named(backtest, monkeypatch):
    make, run = backtest
    model = make()
    monkeypatch.setattr(model.composite.components["quality"], "train", broken)
    with pytest.raises(
        OperationalException, match=r'(?s)Training of BTC/USDT failed.*"learning\.on_failure"'
    ):
        run(model)


def test_or_it_is_absent_and_the_rest_trades_on_and_stored_predictions_say_the_same(
    backtest, monkeypatch, caplog, make_higher
):
    make, run = backtest
    model = make(on_failure="baseline")
    monkeypatch.setattr(model.composite.components["quality"], "train", broken)
    first = run(model)
    words = "ML IS ABSENT in part, and the rest trades on: quality failed in 3 of 3 windows."
    assert words in caplog.text
    assert reasons(first, make_higher) == {"lstm": {""}, "quality": {"raised an exception"}}
    caplog.clear()
    again = run(make(on_failure="baseline"))  # nothing is broken now, and nothing is trained
    pd.testing.assert_frame_equal(first, again)
    assert words in caplog.text
    with pytest.raises(
        OperationalException, match=r"quality failed in 3 of 3 windows: give this one another"
    ):
        run(make())


def test_a_window_that_freqai_gives_up_has_no_predictions_and_the_next_one_has(
    backtest, monkeypatch, caplog, make_higher
):
    make, run = backtest
    model = make(on_failure="baseline")
    train_window, given_up = model.train, []

    def train(frame, pair, dk):
        if not given_up:
            given_up.append(pair)
            broken()
        return train_window(frame, pair, dk)

    monkeypatch.setattr(model, "train", train)
    frame = run(model)
    window = slice(24 * 100, 24 * 110)
    assert (frame["do_predict"].iloc[window] == 0).all()
    assert (frame[["lstm_absence", "quality_absence"]].iloc[window] == FAILED).all(axis=None)
    assert reasons(frame, make_higher) == {name: {"raised an exception", ""} for name in ("lstm", "quality")}
    assert frame["lstm_buy"].iloc[24 * 110 : 24 * 130].between(0.01, 0.99).all()
    assert "lstm failed in 1 of 3 windows, quality failed in 1 of 3 windows" in caplog.text
    stored = [pd.read_feather(path) for path in sorted(model.full_path.rglob("*_prediction.feather"))]
    assert [part["lstm_buy"].isna().all() for part in stored] == [True, False, False]
    pd.testing.assert_frame_equal(frame, run(make(on_failure="baseline")))


def test_windows_of_another_first_one_are_trained_as_their_champions_are_others(backtest, monkeypatch):
    make, run = backtest
    model, seen = make(), []
    lstm = model.composite.components["lstm"]
    original = lstm.train
    lstm.train = lambda window, before: seen.append(before) or original(window, before)
    run(model)
    (models,) = model._trained.values()
    assert seen == [None, *(one.active_models["lstm"] for one in models[:2])]
    stored = sorted(model.full_path.rglob("*_prediction.feather"))
    assert len(stored) == 3
    again = make()
    monkeypatch.setattr(again.composite, "train", broken)
    run(again)  # nothing is trained
    later = make()
    run(later, first=110)  # two of the three windows
    assert len(sorted(later.full_path.rglob("*_prediction.feather"))) == 3 + 2
    assert len(sorted(later.full_path.rglob(stored[1].name))) == 2


def test_a_bot_trades_on_whatever_the_setting(bot, monkeypatch):
    model = bot(on_failure="stop")
    monkeypatch.setattr(model.composite.components["quality"], "train", broken)
    assert train(model, PAIRS[0])[0].failed == ("quality",)


@pytest.mark.parametrize(("on_failure", "runs_on"), [("stop", False), ("baseline", True)])
def test_where_freqai_itself_raises_in_a_backtest(on_failure, runs_on, caplog):
    strategy = SimpleNamespace(
        config={"freqai": {"enabled": True}},
        freqai=SimpleNamespace(start=broken, components=("lstm", "fusion")),
        is_bot=False,
        settings=load_settings({"learning": {"on_failure": on_failure}}),
    )
    frame = pd.DataFrame({"close": [1.0]})
    if runs_on:
        assert MLCoordinator.add_predictions(strategy, frame, {"pair": PAIRS[0]}, []) == (frame, [])
        assert "the baseline trades on without ML" in caplog.text
    else:
        with pytest.raises(RuntimeError):
            MLCoordinator.add_predictions(strategy, frame, {"pair": PAIRS[0]}, [])
        assert '"learning.on_failure": "baseline" trades on' in caplog.text


def test_one_selector_votes(bot, monkeypatch):
    monkeypatch.setattr(CompositeFreqaiModel, "only", ("selector",))
    with pytest.raises(OperationalException, match=r"selector\.enabled"):
        bot()
