import json

import numpy as np
import pytest

from coordinator.errors import CoordinatorError
from coordinator.learning.blocks import Block, pool, split_by_time
from coordinator.learning.fusion_models import FusionModels
from coordinator.learning.labels import CLASSES
from coordinator.learning.timeframe_model import TimeframeModel
from coordinator.settings.networks import FusionModelSettings
from coordinator.settings.signals import FusionSettings
from coordinator.signals.candles import Candles
from coordinator.signals.feature_schema import FeatureSchema
from coordinator.signals.feature_table import feature_table
from coordinator.signals.fusion import TIMEFRAMES, TimeframeView, join_views

S = FusionModelSettings(trees=12, rows_per_leaf=0.02)
SCHEMA = FeatureSchema(tuple("abcd"), 1)


def learnable(seed, n=1500):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 4))
    return x, np.where(x[:, 1] > 0.5, 1.0, np.where(x[:, 1] < -0.5, -1.0, 0.0))


@pytest.fixture(scope="module")
def frames(make_walk, make_higher):
    """Two pairs of 600 days in three timeframes."""
    pairs = []
    for seed in (3, 4):
        hourly = make_walk(seed, 24 * 600)
        pairs.append(
            {
                timeframe: Candles.from_frame(
                    hourly if timeframe == "1h" else make_higher(hourly, timeframe), timeframe
                )
                for timeframe in TIMEFRAMES
            }
        )
    return pairs


@pytest.fixture(scope="module")
def fitted(frames):
    time = frames[0]["1h"].time
    return FusionModels(S, FusionSettings()).fit(frames, time[0], time[-1] + 3600)


def test_a_timeframe_model_learns_and_says_so():
    model = TimeframeModel(FusionModelSettings()).fit([Block(*learnable(0))], SCHEMA)
    new_x, new_y = learnable(1)
    direction, confidence, usable = model.view(new_x)
    assert usable.all()
    assert (direction == new_y).mean() > 0.9
    assert model.metrics_["log_loss"] < 0.5 * model.metrics_["prior_log_loss"]
    assert ((confidence > 1 / 3 - 1e-9) & (confidence <= 1)).all()
    figures = model.metrics_
    assert figures["accuracy"] > 0.9
    assert figures["gap"] == pytest.approx(figures["train_accuracy"] - figures["accuracy"])
    assert abs(figures["gap"]) < 0.1
    assert figures["feature_drift"] < 0.1


def test_on_shuffled_labels_it_knows_nothing():
    x, y = learnable(0)
    y = np.random.default_rng(1).permutation(y)
    model = TimeframeModel(FusionModelSettings()).fit([Block(x, y)], SCHEMA)
    assert model.metrics_["log_loss"] > model.metrics_["prior_log_loss"] - 0.01


def test_the_rows_that_judge_change_no_tree():
    x, y = learnable(0)
    split = split_by_time(pool([Block(x, y)], S.label_horizon), 1, S.validation_share, S.promotion_share)
    later = split.validation[-1] + S.label_horizon + 1
    assert later == split.promotion[0]
    other_x, other_y = x.copy(), y.copy()
    other_x[later:], other_y[later:] = 7 * x[later:][::-1], -y[later:]
    one, two = (
        TimeframeModel(S).fit([Block(*data)], SCHEMA).to_json() for data in ((x, y), (other_x, other_y))
    )
    assert one == two
    assert one["metrics"]["rows_validation"] == len(split.validation)


def test_one_row_is_the_whole_window_and_nan_rows_say_nothing():
    x, y = learnable(0)
    model = TimeframeModel(S).fit([Block(x, y)], SCHEMA)
    x[7, 2] = np.nan
    whole, usable = model.predict_proba(x)
    assert not usable[7]
    assert np.isnan(whole[7]).all()
    assert model.view(x)[0][7] == 0
    for row in (0, 6, 8, 1499):
        np.testing.assert_array_equal(model.predict_proba(x[row : row + 1])[0][0], whole[row])
    order = [2, 0, 3, 1]
    np.testing.assert_array_equal(model.predict_proba(x[:, order], [*"cadb"])[0], whole)


def test_two_runs_write_the_same_file_and_it_reads_back(frames, fitted, tmp_path):
    time = frames[0]["1h"].time
    again = FusionModels(S, FusionSettings()).fit(frames, time[0], time[-1] + 3600)
    assert fitted.write(tmp_path / "one.json") == again.write(tmp_path / "two.json")
    read = FusionModels.decode((tmp_path / "one.json").read_bytes())
    assert read.encode() == fitted.encode()
    one, two = (m.join(frames[0]["1h"], frames[0]) for m in (fitted, read))
    np.testing.assert_array_equal(one.score, two.score)


def test_the_models_views_are_joined_by_the_documented_formula(frames, fitted):
    pair = frames[1]
    result = fitted.join(pair["1h"], pair)
    known = np.flatnonzero(np.isfinite(result.score))
    assert 24 * 168 < known[0] < 24 * 170
    row = known[-5]
    close = pair["1h"].time[row] + 3600
    score, directions = 0.0, []
    for timeframe, weight in zip(TIMEFRAMES, (0.25, 0.35, 0.40), strict=True):
        candles = pair[timeframe]
        last = np.flatnonzero(candles.time + candles.seconds <= close)[-1]
        probabilities, _ = fitted.models_[timeframe].predict_proba(feature_table(candles)[last : last + 1])
        directions.append(CLASSES[int(probabilities.argmax())])
        score += weight * directions[-1] * probabilities.max()
    assert result.score[row] == pytest.approx(score, abs=1e-12)
    different = len(set(directions))
    assert result.agreement[row] == {1: 1.0, 2: 0.6, 3: 0.3}[different]
    expected = 0.6 * abs(score) + 0.25 * result.agreement[row] + 0.15 * result.consistency[row]
    assert result.confidence[row] == pytest.approx(expected, abs=1e-12)


def test_nothing_later_changes_what_was_said(frames, fitted):
    """Cut every timeframe at an hour's close: what was said up to it stays, to the bit."""
    pair, hours = frames[0], 24 * 400 + 7
    close = pair["1h"].time[hours - 1] + 3600
    cut = {}
    for name, c in pair.items():
        keep = c.time + c.seconds <= close
        cut[name] = Candles(
            *(getattr(c, field)[keep] for field in ("time", "open", "high", "low", "close", "volume")),
            c.seconds,
        )
    whole, part = fitted.join(pair["1h"], pair), fitted.join(cut["1h"], cut)
    np.testing.assert_array_equal(part.score, whole.score[:hours])
    np.testing.assert_array_equal(part.confidence, whole.confidence[:hours])


def test_training_sees_no_candle_that_closes_after_its_end(frames):
    """Scramble what comes after the end: the file stays the same."""
    end = int(frames[0]["1h"].time[24 * 500])
    other = []
    for pair in frames:
        other.append({})
        for name, c in pair.items():
            later = c.time + c.seconds > end
            shape = np.where(later, 1.7 + np.sin(c.time / 1e5), 1.0)
            columns = (c.open * shape, c.high * shape, c.low * shape, c.close * shape)
            other[-1][name] = Candles(c.time, *columns, c.volume, c.seconds)
    begin = int(frames[0]["1h"].time[0])
    one, two = (FusionModels(S, FusionSettings()).fit(x, begin, end).encode() for x in (frames, other))
    assert one == two


def test_an_unknown_view_is_no_fusion():
    ones = np.ones(48)
    hourly = Candles(3600 * np.arange(48), ones, ones, ones, ones, ones, 3600)
    known = np.arange(48) >= 10
    views = {name: TimeframeView(hourly, np.ones(48, dtype=int), 0.8 * ones) for name in TIMEFRAMES}
    views["4h"] = TimeframeView(hourly, np.ones(48, dtype=int), 0.8 * ones, known)
    result = join_views(hourly, views, FusionSettings())
    np.testing.assert_array_equal(np.isfinite(result.score), known)
    np.testing.assert_array_equal(result.direction, known.astype(int))


def test_other_files_are_refused(fitted):
    document = json.loads(fitted.encode())
    for data in (b"", b"{}", b"\x80", b"[1]", json.dumps({**document, "format": 2}).encode()):
        with pytest.raises(CoordinatorError):
            FusionModels.decode(data)
    document["models"]["4h"]["features"][0] = "another"
    with pytest.raises(CoordinatorError, match="fit its features"):
        FusionModels.decode(json.dumps(document).encode())
    del document["models"]["4h"]["trees"]
    with pytest.raises(CoordinatorError, match="4h"):
        FusionModels.decode(json.dumps(document).encode())
    with pytest.raises(CoordinatorError, match="at least 200 labelled rows"):
        TimeframeModel(S).fit([Block(*learnable(0, 150))], SCHEMA)
