"""Freqtrade's file layout: names, listing, reading, writing, and errors that list what there is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from coordinator.candles.files import (
    candle_path,
    check_datadir,
    list_pairs,
    list_timeframes,
    pair_from_filename,
    read_candles,
    read_funding,
    write_candles,
)
from coordinator.errors import CoordinatorError

REAL = Path(__file__).parents[3] / "shared" / "market-data"


def candles(rows: int = 48) -> pd.DataFrame:
    """Hourly candles."""
    close = 100.0 + np.sin(np.arange(rows))
    dates = pd.date_range("2024-01-01", periods=rows, freq="h", tz="UTC").as_unit("ns")
    prices = {"open": close, "high": close + 1, "low": close - 1, "close": close}
    return pd.DataFrame({"date": dates, **prices, "volume": 5.0})


def funding() -> pd.DataFrame:
    """Three settlements in the older layout, with the rate in open."""
    dates = pd.date_range("2024-01-01", periods=3, freq="8h", tz="UTC")
    return pd.DataFrame(
        {"date": dates, "open": [1e-4, -2e-4, 3e-4], "high": 0.0, "low": 0.0, "close": 0.0, "volume": 0.0}
    )


@pytest.fixture
def datadir(tmp_path: Path) -> Path:
    """BTC spot 1h and 4h, ETH spot 1h, BTC futures with mark and funding."""
    write_candles(candles(), tmp_path / "BTC_USDT-1h.feather")
    write_candles(candles().iloc[::4], tmp_path / "BTC_USDT-4h.feather")
    write_candles(candles(), tmp_path / "ETH_USDT-1h.feather")
    for kind, frame in (("futures", candles()), ("mark", candles()), ("funding_rate", funding())):
        write_candles(frame, tmp_path / "futures" / f"BTC_USDT_USDT-1h-{kind}.feather")
    (tmp_path / "notes.txt").write_text("not candles")
    return tmp_path


@pytest.mark.parametrize(
    ("name", "pair"),
    [
        ("BTC_USDT-1h.feather", "BTC/USDT"),
        ("BTC_USDT_USDT-8h-funding_rate.feather", "BTC/USDT:USDT"),
        ("BTC_USDT-trades.feather", None),
        ("BTC_USDT-1M.feather", None),
        ("BTC_USDT-1h.json", None),
    ],
)
def test_pairs_are_read_from_file_names(name: str, pair: str | None) -> None:
    assert pair_from_filename(name) == pair


def test_paths_and_pairs_are_inverse() -> None:
    for pair, mode in (("1000PEPE/USDT", "spot"), ("BTC/USDT:USDT", "futures")):
        assert pair_from_filename(candle_path(Path(), pair, "1h", mode).name) == pair


def test_listing_tells_spot_from_futures(datadir: Path) -> None:
    assert list_pairs(datadir, "spot") == ["BTC/USDT", "ETH/USDT"]
    assert list_pairs(datadir, "futures") == ["BTC/USDT:USDT"]
    assert list_timeframes(datadir, "BTC/USDT", "spot") == ["1h", "4h"]


def test_what_is_written_is_read_back(datadir: Path) -> None:
    pd.testing.assert_frame_equal(read_candles(datadir, "BTC/USDT", "1h", "spot"), candles())
    assert read_funding(datadir, "BTC/USDT:USDT")["funding_rate"].tolist() == [1e-4, -2e-4, 3e-4]


def test_funding_in_the_newer_layout_is_read(datadir: Path) -> None:
    newer = funding().loc[:, ["date", "open"]].rename(columns={"open": "funding_rate"})
    write_candles(newer, candle_path(datadir, "BTC/USDT:USDT", "1h", "futures", "funding_rate"))
    assert read_funding(datadir, "BTC/USDT:USDT")["funding_rate"].tolist() == [1e-4, -2e-4, 3e-4]


@pytest.mark.parametrize(
    ("pair", "timeframe", "message"),
    [
        ("SOL/USDT", "1h", "'pair' of spot data .* be one of: BTC/USDT, ETH/USDT. Got 'SOL/USDT'"),
        (
            "BTC/USDT",
            "5m",
            "'5m candles' of BTC/USDT spot data .* be there: .* 1h, 4h.* 'no BTC_USDT-5m.feather'",
        ),
    ],
)
def test_what_is_missing_is_named_with_what_there_is(
    datadir: Path, pair: str, timeframe: str, message: str
) -> None:
    with pytest.raises(CoordinatorError, match=message):
        read_candles(datadir, pair, timeframe, "spot")


def test_an_absent_directory_is_named(tmp_path: Path) -> None:
    with pytest.raises(CoordinatorError, match=r"datadir.*existing directory.*nowhere"):
        list_pairs(tmp_path / "nowhere", "spot")


def test_a_broken_file_is_named(datadir: Path) -> None:
    (datadir / "BTC_USDT-1h.feather").write_bytes(b"not a feather file")
    with pytest.raises(CoordinatorError, match=r"BTC_USDT-1h.feather must be a readable feather file"):
        read_candles(datadir, "BTC/USDT", "1h", "spot")


def test_an_unwritable_place_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CoordinatorError, match="be writable"):
        write_candles(candles(), tmp_path / "file" / "BTC_USDT-1h.feather")


def test_a_run_needs_candles_of_every_pair_and_timeframe(datadir: Path) -> None:
    check_datadir(datadir, ["BTC/USDT"], ["1h", "4h"], "spot")
    with pytest.raises(CoordinatorError, match=r"4h candles.*ETH/USDT"):
        check_datadir(datadir, ["BTC/USDT", "ETH/USDT"], ["1h", "4h"], "spot")


@pytest.mark.parametrize("kind", ["mark", "funding_rate"])
def test_a_futures_run_needs_mark_prices_and_funding(datadir: Path, kind: str) -> None:
    check_datadir(datadir, ["BTC/USDT:USDT"], ["1h"], "futures")
    path = candle_path(datadir, "BTC/USDT:USDT", "1h", "futures", kind)
    path.unlink()
    with pytest.raises(CoordinatorError, match=f"'{kind}' of BTC/USDT:USDT.*no {path.name}"):
        check_datadir(datadir, ["BTC/USDT:USDT"], ["1h"], "futures")


@pytest.mark.skipif(not REAL.is_dir(), reason="../shared/market-data is absent")
def test_real_candles_pass() -> None:
    for mode in ("spot", "futures"):
        pairs = list_pairs(REAL, mode)
        assert pairs
        check_datadir(REAL, pairs, ["1h", "4h", "1d"], mode)
