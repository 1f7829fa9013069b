"""The FreqAI side in-process, as a bot drives it: pooled training, latency, one component's failure."""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from freqtrade.exceptions import OperationalException
from freqtrade.freqai.data_kitchen import FreqaiDataKitchen

from coordinator.adapters.freqai import CompositeFreqaiModel
from coordinator.adapters.freqai.frames import LABEL, with_features, with_label
from coordinator.components import challenge as judging
from coordinator.components.absence import FAILED, LATE, TRAINED_ON
from coordinator.learning import retraining
from coordinator.learning.promotion import Verdict
from coordinator.settings import load_settings

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
    return with_label(with_features(frame, "1h"), load_settings(COORDINATOR))


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


def test_each_pair_has_its_own_network_where_they_are_not_pooled(bot):
    model = bot(pooled=False)
    first, _ = train(model, PAIRS[0])
    second, _ = train(model, PAIRS[1])
    assert first is not second
    assert first.active_models["quality"] is second.active_models["quality"]
    assert {x.name for x in model.verdicts} == {"lstm BTC/USDT", "lstm ETH/USDT", "quality"}


def test_a_late_prediction_is_marked_and_said_once(bot, caplog):
    model = bot(latency_limit_ms=1e-6)
    model.model, dk = train(model, PAIRS[0])
    model._strategy.dp.known += 1
    assert [ask(model, PAIRS[0], dk)[1] for _ in range(3)] == [LATE] * 3
    assert caplog.text.count("ML is late and absent") == 1


def test_live_one_components_failure_leaves_the_others(bot, monkeypatch, caplog):
    def broken(*_):
        raise RuntimeError("out of order")

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


def test_how_quickly_a_bot_answered_goes_with_the_next_verdict(bot):
    model = bot()
    model.model, dk = train(model, PAIRS[0])
    assert all("latency_p99_ms" not in x.metrics for x in model.verdicts)
    next_signal(model, PAIRS[0])
    ask(model, PAIRS[0], dk)
    model._strategy.dp.known += 24 * 8
    train(model, PAIRS[0])
    newest = [x for x in model.verdicts if x.time == max(y.time for y in model.verdicts)]
    assert [x.metrics["latency_p99_ms"] for x in newest] == [model.health["latency_p99_ms"]] * 2


def test_a_failed_backtest_training_ends_the_run(bot):
    model = bot()
    with pytest.raises(OperationalException, match="Training of BTC/USDT failed"):
        model._append_null_backtesting_predictions(SimpleNamespace(pair="BTC/USDT"), None)


def test_one_selector_votes(bot, monkeypatch):
    monkeypatch.setattr(CompositeFreqaiModel, "only", ("selector",))
    with pytest.raises(OperationalException, match=r"selector\.enabled"):
        bot()
