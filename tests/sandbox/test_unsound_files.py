"""A pair with a broken candle file is not served, and one line says which file and why; the others are."""

import numpy as np
import pandas as pd
import pytest
from fastapi.testclient import TestClient

from coordinator.candles.files import candle_path, write_candles
from coordinator.errors import CoordinatorError
from coordinator.sandbox.exchange import create_app
from coordinator.sandbox.store import check_market_is_open

NOW = pd.Timestamp("2024-01-01", tz="UTC").to_pydatetime()


def cell(frame, column, value):
    return frame.assign(**{column: np.where(frame.index == 5, value, frame[column])})


BREAKS = {
    "TWICE": (
        lambda f: pd.concat([f.iloc[:5], f.iloc[4:]]),
        "not hold a candle twice (first offence: candle 2023-01-01 04:00",
    ),
    "MIXED": (
        lambda f: pd.concat([f.iloc[5:9], f.iloc[:5], f.iloc[9:]]),
        "ascend from row to row (first offence",
    ),
    "AWRY": (
        lambda f: f.assign(date=f["date"] + pd.Timedelta(minutes=7)),
        "lie on the UTC grid of 1h candles",
    ),
    "MINUS": (
        lambda f: cell(f, "low", -1.0),
        "be above 0 (first offence: candle 2023-01-01 05:00 UTC, row 5)",
    ),
    "NAN": (lambda f: cell(f, "close", np.nan), "be a finite number (first offence: candle 2023-01-01 05:00"),
    "COLUMNS": (lambda f: f.drop(columns="volume"), "be a column of it"),
    "EMPTY": (lambda f: f.iloc[:0], "hold at least one candle"),
    "UNREADABLE": (None, "be a readable feather file"),
}


def write(folder, base, change=lambda frame: frame, mode="spot"):
    pair = f"{base}/USDT" if mode == "spot" else f"{base}/USDT:USDT"
    for timeframe in ("1h", "1d"):
        n = 72 if timeframe == "1h" else 3
        dates = pd.date_range("2023-01-01", periods=n, freq=timeframe.replace("d", "D"), tz="UTC")
        frame = pd.DataFrame(
            {"date": dates, "open": 2.0, "high": 3.0, "low": 1.0, "close": 2.0, "volume": 1.0}
        )
        path = candle_path(folder, pair, timeframe, mode)
        if timeframe == "1h" and change is None:
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(b"no feather")
        else:
            write_candles(change(frame) if timeframe == "1h" else frame, path)


@pytest.fixture
def broken(tmp_path):
    for base, (change, _) in BREAKS.items():
        write(tmp_path, base, change)
    write(tmp_path, "SOUND")
    return tmp_path


def test_only_the_broken_pairs_are_missing_and_each_is_told_once(broken, caplog):
    client = TestClient(create_app(broken, lambda: NOW))
    for path in ("/api/v3/exchangeInfo", "/api/v3/exchangeInfo", "/api/v3/ticker/24hr"):
        answer = client.get(path)
        assert answer.status_code == 200, answer.text
        symbols = answer.json() if "ticker" in path else answer.json()["symbols"]
        assert [entry["symbol"] for entry in symbols] == ["SOUNDUSDT"]
    said = [record.getMessage() for record in caplog.records if "not served" in record.getMessage()]
    assert len(said) == len(BREAKS)
    for base, (_, rule) in BREAKS.items():
        (line,) = [line for line in said if line.startswith(f"{base}/USDT is not served")]
        assert f"{base}_USDT-1h.feather" in line
        assert rule in line
        assert f"freqtrade download-data --erase --pairs {base}/USDT" in line
        assert "\n" not in line
    klines = client.get("/api/v3/klines", params={"symbol": "SOUNDUSDT", "interval": "1h"})
    assert len(klines.json()) == 72


def test_a_broken_longer_timeframe_and_mark_file_count_too(tmp_path, caplog):
    for base in ("ONE", "TWO"):
        write(tmp_path, base)
        write(tmp_path, base, mode="futures")
    candle_path(tmp_path, "ONE/USDT", "1d", "spot").write_bytes(b"")
    candle_path(tmp_path, "TWO/USDT:USDT", "1h", "futures", "mark").write_bytes(b"")
    client = TestClient(create_app(tmp_path, lambda: NOW))
    spot, futures = (client.get(f"{path}/exchangeInfo").json()["symbols"] for path in ("/api/v3", "/fapi/v1"))
    assert [entry["symbol"] for entry in spot] == ["TWOUSDT"]
    assert [entry["symbol"] for entry in futures] == ["ONEUSDT"]
    said = " ".join(record.getMessage() for record in caplog.records)
    assert "ONE_USDT-1d.feather" in said
    assert "TWO_USDT_USDT-1h-mark.feather" in said
    assert "--trading-mode futures" in said


def test_a_bot_is_refused_where_no_pair_is_sound(tmp_path):
    write(tmp_path, "ONE", BREAKS["NAN"][0])
    with pytest.raises(
        CoordinatorError, match=r"sound candles of one pair at least .*coordinator data check"
    ):
        check_market_is_open(tmp_path, NOW)
