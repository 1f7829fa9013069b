"""The simulator: deterministic, each pair alone, sound candles, consistent timeframes."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from coordinator.candles.check import check_candles
from coordinator.candles.files import check_datadir, list_pairs, read_candles
from coordinator.errors import CoordinatorError
from coordinator.sandbox.futures import simulate_futures
from coordinator.sandbox.market import MarketSpec, resample_candles, simulate, simulate_pairs
from coordinator.sandbox.market_conditions import BEAR, BULL, RANGE, log_volatility, market_conditions
from coordinator.sandbox.market_files import existing_files, write_market
from coordinator.sandbox.profiles import profile_of
from coordinator.sandbox.streams import stream

SHARED = Path(__file__).parents[3] / "shared" / "market-data"
SHORT = MarketSpec(
    pairs=("BTC/USDT", "ADA/USDT"),
    start=datetime(2023, 1, 1, tzinfo=UTC),
    end=datetime(2023, 5, 1, tzinfo=UTC),
    seed=5,
    outages_per_year=30,
)


def same(one: pd.DataFrame, other: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(one, other, check_exact=True)


def test_equal_specs_give_equal_candles_and_other_seeds_do_not() -> None:
    first, again = simulate(SHORT), simulate(SHORT)
    other = simulate(dataclasses.replace(SHORT, seed=6))
    for pair in SHORT.pairs:
        same(first[pair], again[pair])
        assert not np.array_equal(
            first[pair]["close"].to_numpy()[:500], other[pair]["close"].to_numpy()[:500]
        )


def test_more_pairs_in_any_order_leave_the_others_unchanged() -> None:
    alone = simulate(SHORT)
    crowd = dataclasses.replace(SHORT, pairs=("NEW/USDT", "ADA/USDT", "ETH/USDT", "BTC/USDT"))
    for pair in SHORT.pairs:
        same(alone[pair], simulate(crowd)[pair])
        same(simulate_futures(SHORT)[f"{pair}:USDT"].mark, simulate_futures(crowd)[f"{pair}:USDT"].mark)


@pytest.mark.parametrize("table", ["spot", "futures", "mark", "funding"])
def test_a_later_end_leaves_earlier_candles_unchanged(table: str) -> None:
    longer = dataclasses.replace(SHORT, end=SHORT.end + timedelta(days=40))

    def candles(spec: MarketSpec) -> pd.DataFrame:
        if table == "spot":
            return simulate(spec)["ADA/USDT"]
        tables: pd.DataFrame = getattr(simulate_futures(spec)["ADA/USDT:USDT"], table)
        return tables

    short, long = candles(SHORT), candles(longer)
    assert len(long) > len(short)
    same(short, long.iloc[: len(short)])


@pytest.mark.parametrize("seed", range(4))
def test_candles_are_sound_and_on_the_tick(seed: int) -> None:
    spec = dataclasses.replace(SHORT, seed=seed, pairs=("BTC/USDT", "DOGE/USDT", "SHIB/USDT"))
    for pair, frame in simulate(spec).items():
        check_candles(frame, pair, "1h")
        ticks = frame[["open", "high", "low", "close"]].to_numpy() / profile_of(pair.split("/")[0]).tick
        np.testing.assert_allclose(ticks, np.rint(ticks), atol=1e-4)


def test_outages_take_the_same_hours_from_all_pairs() -> None:
    frames = simulate(SHORT)
    dates = [frame["date"] for frame in frames.values()]
    pd.testing.assert_series_equal(dates[0], dates[1])
    gaps = dates[0].diff().dropna() / pd.Timedelta(hours=1)
    assert 1 <= (gaps > 1).sum() <= 30
    assert gaps.max() <= 7 * 2
    unbroken = simulate(dataclasses.replace(SHORT, outages_per_year=0))["BTC/USDT"]
    assert len(unbroken) == SHORT.hours
    merged = unbroken.set_index("date").loc[dates[0]].reset_index()
    same(merged, frames["BTC/USDT"])


def test_longer_candles_are_made_of_the_hours_that_exist() -> None:
    hourly = simulate(SHORT)["BTC/USDT"]
    for timeframe, hours in (("4h", 4), ("1d", 24)):
        longer = resample_candles(hourly, timeframe)
        check_candles(longer, timeframe, timeframe)
        labels = hourly["date"].dt.floor(f"{hours}h")
        assert longer["date"].tolist() == labels.drop_duplicates().tolist()
        for row in range(0, len(longer), 37):
            part = hourly[labels == longer["date"][row]]
            expected = [part["open"].iloc[0], part["high"].max(), part["low"].min(), part["close"].iloc[-1]]
            assert longer.loc[row, ["open", "high", "low", "close"]].tolist() == expected
            assert longer.loc[row, "volume"] == pytest.approx(part["volume"].sum())


@pytest.mark.skipif(not SHARED.is_dir(), reason="../shared/market-data is absent")
@pytest.mark.parametrize("timeframe", ["4h", "1d"])
def test_resampling_makes_the_real_longer_candles_of_the_real_hours(timeframe: str) -> None:
    hourly, longer = (read_candles(SHARED, "BTC/USDT", name, "spot") for name in ("1h", timeframe))
    pd.testing.assert_frame_equal(resample_candles(hourly, timeframe), longer)


def test_regimes_last_weeks_and_all_occur() -> None:
    spec = MarketSpec(start=datetime(2000, 1, 1, tzinfo=UTC), end=datetime(2024, 1, 1, tzinfo=UTC))
    conditions = market_conditions(spec, np.zeros(spec.hours))
    changes = int((np.diff(conditions.regimes) != 0).sum())
    assert 3.2 < spec.hours / 168 / changes < 4.8
    shares = [float((conditions.regimes == regime).mean()) for regime in (BULL, BEAR, RANGE)]
    assert min(shares) > 0.25
    yearly = [
        float(conditions.drift[conditions.regimes == regime].mean() * 8766) for regime in (BULL, BEAR, RANGE)
    ]
    assert yearly == pytest.approx([0.4, -0.4, 0.0])


def test_bear_regimes_are_more_volatile_than_ranging_ones() -> None:
    spec = MarketSpec()
    shocks = np.zeros(spec.hours)
    conditions = market_conditions(spec, shocks)
    extra = conditions.log_volatility - conditions.rhythm - log_volatility(spec, ("market",), shocks)
    for regime, expected in ((BULL, 0.0), (BEAR, 0.12), (RANGE, -0.12)):
        np.testing.assert_allclose(extra[conditions.regimes == regime], expected, atol=1e-12)


def test_without_drift_the_expected_simple_return_is_zero() -> None:
    # Long enough that forgetting half the variance (0.5 a year for these pairs) is five standard errors.
    spec = MarketSpec(
        pairs=("SOL/USDT", "ADA/USDT", "DOGE/USDT"),
        start=datetime(2000, 1, 1, tzinfo=UTC),
        end=datetime(2024, 1, 1, tzinfo=UTC),
        bull_drift=0.0,
        bear_drift=0.0,
    )
    weeks = []
    for seed in range(4):
        _, walks = simulate_pairs(dataclasses.replace(spec, seed=seed))
        returns = np.mean([np.expm1(np.diff(walk.fair_close)) for walk in walks.values()], axis=0)
        weeks.append(returns[: len(returns) // 168 * 168].reshape(-1, 168).sum(axis=1))
    pooled = np.concatenate(weeks)
    assert abs(pooled.mean() / (pooled.std() / np.sqrt(len(pooled)))) < 3.3


def test_streams_are_the_same_in_every_process_and_differ_by_name() -> None:
    program = "from coordinator.sandbox.streams import stream; print(stream(7, 'pair', 'BTC').random())"
    values = {
        subprocess.run(
            [sys.executable, "-c", program],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    }
    assert {float(value) for value in values} == {float(stream(7, "pair", "BTC").random())}
    others = [stream(8, "pair", "BTC"), stream(7, "pairBTC"), stream(7, "pair", "ETH")]
    assert len({float(rng.random()) for rng in others} | {float(value) for value in values}) == 4


def test_futures_tables_have_the_columns_of_freqtrade_files() -> None:
    tables = simulate_futures(SHORT)["BTC/USDT:USDT"]
    for frame in (tables.futures, tables.mark):
        check_candles(frame, "futures", "1h")
    assert (tables.mark["volume"] == 0).all()
    assert list(tables.funding.columns) == list(tables.futures.columns)
    assert set(tables.funding["date"].dt.hour) == {0, 8, 16}
    assert tables.funding["date"].iloc[0] == pd.Timestamp("2023-01-01 08:00", tz="UTC")
    assert tables.funding["date"].iloc[-1] < SHORT.end
    assert tables.funding["open"].abs().max() <= 0.003
    assert tables.funding["open"].std() > 1e-5


@pytest.mark.skipif(not SHARED.is_dir(), reason="../shared/market-data is absent")
def test_files_have_the_types_of_real_ones(tmp_path: Path) -> None:
    names = [f"futures/BTC_USDT_USDT-1h-{kind}.feather" for kind in ("mark", "funding_rate")]
    for mode in ("spot", "futures"):
        write_market(SHORT, tmp_path, mode)
    for name in ["BTC_USDT-1h.feather", "BTC_USDT-4h.feather", "BTC_USDT-1d.feather", *names]:
        real, simulated = pd.read_feather(SHARED / name), pd.read_feather(tmp_path / name)
        assert simulated.dtypes.to_dict() == real.dtypes.to_dict(), name


def test_a_written_market_is_complete(tmp_path: Path) -> None:
    seen: list[str] = []
    assert existing_files(SHORT, tmp_path, "futures") == []
    for mode, pairs in (("spot", ["ADA/USDT", "BTC/USDT"]), ("futures", ["ADA/USDT:USDT", "BTC/USDT:USDT"])):
        files = write_market(SHORT, tmp_path, mode, seen.append)
        assert sorted(files) == sorted(existing_files(SHORT, tmp_path, mode))
        assert list_pairs(tmp_path, mode) == pairs
        check_datadir(tmp_path, pairs, ["1h", "4h", "1d"], mode)
    assert len(seen) == 4
    same(read_candles(tmp_path, "BTC/USDT", "1h", "spot"), simulate(SHORT)["BTC/USDT"])


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"pairs": ()}, "pairs"),
        ({"pairs": ("BTC/USDT", "BTC/USDT")}, "pairs"),
        ({"pairs": ("BTC/USDT:USDT",)}, "pairs"),
        ({"start": datetime(2023, 1, 1)}, "start"),
        ({"start": datetime(2023, 1, 1, 5, tzinfo=UTC)}, "start"),
        ({"end": datetime(2022, 1, 1, tzinfo=UTC)}, "end"),
        ({"end": datetime(2073, 1, 1, tzinfo=UTC)}, "end"),  # for hours nobody would know why
        ({"seed": -1}, "seed"),
        ({"regime_weeks": 0.0}, "regime_weeks"),
        ({"bull_drift": float("nan")}, "bull_drift"),
    ],
)
def test_what_cannot_be_simulated_is_refused(change: dict[str, object], name: str) -> None:
    with pytest.raises(CoordinatorError) as caught:
        dataclasses.replace(SHORT, **change)  # type: ignore[arg-type]
    assert caught.value.name == name


def test_two_years_of_eight_pairs_take_seconds() -> None:
    begin = time.perf_counter()
    frames = simulate(MarketSpec())
    # A fifth of a second when idle; the bound leaves room for a busy machine.
    assert time.perf_counter() - begin < 5.0
    assert len(frames) == 8
