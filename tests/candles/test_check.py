"""check_candles and check_funding name the file, the column, the rule and the first offending candle."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordinator.candles.check import check_candles, check_funding
from coordinator.errors import CoordinatorError


def sound(rows: int = 6) -> pd.DataFrame:
    """Hourly candles that break no rule."""
    close = 100.0 + np.arange(rows)
    return pd.DataFrame(
        {
            "date": pd.date_range("2024-01-01", periods=rows, freq="h", tz="UTC"),
            "open": close - 0.5,
            "high": close + 1.0,
            "low": close - 1.0,
            "close": close,
            "volume": 10.0,
        }
    )


def put(column: str, value: object, row: int = 2) -> Callable[[pd.DataFrame], pd.DataFrame]:
    """A change of one cell."""

    def change(frame: pd.DataFrame) -> pd.DataFrame:
        frame.loc[row, column] = value
        return frame

    return change


def naive(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(date=frame["date"].dt.tz_localize(None))


CASES = {
    "no column": (lambda f: f.drop(columns="volume"), "volume", "be a column"),
    "empty": (lambda f: f.iloc[:0], "date", "at least one candle"),
    "naive date": (naive, "date", "timezone-aware UTC"),
    "other zone": (
        lambda f: f.assign(date=f["date"].dt.tz_convert("Asia/Tokyo")),
        "date",
        "timezone-aware UTC",
    ),
    "text date": (lambda f: f.assign(date="2024-01-01"), "date", "timezone-aware UTC"),
    "NaT": (put("date", pd.NaT), "date", "be set in every row"),
    "twice": (
        lambda f: f.assign(date=f["date"].where(f.index != 2, f["date"][1])),
        "date",
        "hold a candle twice",
    ),
    "unsorted": (lambda f: f.iloc[[0, 1, 3, 2, 4, 5]].reset_index(drop=True), "date", "ascend"),
    "off grid": (put("date", pd.Timestamp("2024-01-01 02:30", tz="UTC")), "date", "grid of 1h"),
    "text price": (lambda f: f.assign(open="many"), "open", "hold numbers"),
    "NaN": (put("close", np.nan), "close", "finite"),
    "infinite": (put("volume", np.inf), "volume", "finite"),
    "zero price": (put("low", 0.0), "low", "above 0"),
    "negative volume": (put("volume", -1.0), "volume", "at least 0"),
    "low above high": (put("low", 200.0), "low", "at most the high"),
    "open above high": (put("open", 150.0), "open", "at most the high"),
    "open below low": (put("open", 50.0), "open", "at least the low"),
    "close above high": (put("close", 150.0), "close", "at most the high"),
    "close below low": (put("close", 50.0), "close", "at least the low"),
}


@pytest.mark.parametrize("case", CASES)
def test_a_violation_is_told_with_its_column_rule_and_source(case: str) -> None:
    break_it, column, rule = CASES[case]
    with pytest.raises(CoordinatorError, match=re.escape(rule)) as caught:
        check_candles(break_it(sound()), "BTC_USDT-1h.feather", "1h")
    assert caught.value.name == column
    assert caught.value.owner == "BTC_USDT-1h.feather"


def test_the_first_offending_candle_and_the_number_of_them_are_told() -> None:
    frame = sound()
    frame.loc[3:, "volume"] = -1.0
    with pytest.raises(CoordinatorError, match=r"candle 2024-01-01 03:00 UTC, row 3; 3 in all.*Got -1.0"):
        check_candles(frame, "x")


@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
def test_sound_candles_with_gaps_pass_in_any_resolution(unit: str) -> None:
    frame = sound().drop(index=[2, 3]).reset_index(drop=True)
    before = frame.copy()
    check_candles(frame.assign(date=frame["date"].dt.as_unit(unit)), "x", "1h")
    pd.testing.assert_frame_equal(frame, before)


def test_weekly_candles_open_on_mondays() -> None:
    mondays = pd.date_range("2024-01-01", periods=6, freq="7D", tz="UTC")
    check_candles(sound().assign(date=mondays), "x", "1w")
    with pytest.raises(CoordinatorError, match="grid of 1w"):
        check_candles(sound().assign(date=mondays + pd.Timedelta(days=3)), "x", "1w")


def test_an_unknown_timeframe_is_refused() -> None:
    with pytest.raises(CoordinatorError, match="timeframe"):
        check_candles(sound(), "x", "1 hour")


@given(
    row=st.integers(0, 29),
    column=st.sampled_from(["open", "high", "low", "close", "volume"]),
    value=st.sampled_from([np.nan, np.inf, -np.inf, -1.0]),
)
def test_one_bad_number_anywhere_is_found_at_its_row(row: int, column: str, value: float) -> None:
    frame = sound(30)
    frame.loc[row, column] = value
    with pytest.raises(CoordinatorError, match=rf"row {row}\)") as caught:
        check_candles(frame, "x")
    assert caught.value.name == column


@pytest.mark.parametrize(("rate", "passes"), [(-0.003, True), (0.01, True), (np.nan, False), (1.5, False)])
def test_funding_rates_are_finite_fractions(rate: float, passes: bool) -> None:
    frame = pd.DataFrame({"date": sound()["date"], "funding_rate": [0.0001] * 5 + [rate]})
    if passes:
        check_funding(frame, "x")
    else:
        with pytest.raises(CoordinatorError, match=r"funding_rate.*row 5"):
            check_funding(frame, "x")
