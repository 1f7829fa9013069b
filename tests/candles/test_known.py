"""Candles of a broken answer: empty rows in front of the true ones, and nothing but empty rows."""

import numpy as np
import pandas as pd

from coordinator.candles.known import known_candles, on_known_candles


def broken(walk, empty, n):
    front = pd.DataFrame({"date": pd.date_range("1970-01-01", periods=empty, freq="h", tz="UTC")})
    return pd.concat([front, walk.iloc[:n]], ignore_index=True)


def test_work_sees_the_true_candles_and_the_rows_stay_as_many(walk):
    frame, seen = broken(walk, 7, 20), []

    def work(known):
        seen.append(known)
        return known.assign(twice=2 * known["close"])

    out = on_known_candles(frame, work)
    pd.testing.assert_frame_equal(seen[0], walk.iloc[:20], check_dtype=False)
    assert len(out) == len(frame)
    assert out["date"].tolist() == frame["date"].tolist()
    assert out["twice"].isna().tolist() == [True] * 7 + [False] * 20


def test_sound_candles_are_handed_on_as_they_are(walk):
    assert known_candles(walk) is walk
    assert on_known_candles(walk, lambda frame: frame) is walk


def test_without_any_true_candle_there_is_no_work(walk):
    frame = broken(walk, 7, 0)

    def work(known):
        raise AssertionError

    assert on_known_candles(frame, work) is frame
    assert len(known_candles(frame)) == 0
    assert not np.isfinite(frame["close"].to_numpy(dtype=float)).any()
