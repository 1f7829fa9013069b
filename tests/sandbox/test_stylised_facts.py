"""The simulator is held to the stylised facts of real hourly candles.

Provenance of ``REAL``: Binance spot 1h candles of BTC ETH SOL ADA XRP LTC LINK DOGE against USDT
(../shared/market-data), windows of two years from the beginning of 2019, 2020, 2021 and 2022, every pair
whose window is complete: 28 pair-windows. ``REAL[fact]`` is their (lowest, 10 %, median, 90 %, highest)
value. ``REAL_FUTURES`` is (lowest, highest) over BTC ETH ADA LTC perpetuals from listing to 2023-12-31.
2024 was not looked at. Where the files are present both tables are measured again.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from coordinator.candles.files import list_pairs, read_candles, read_funding
from coordinator.sandbox.futures import simulate_futures
from coordinator.sandbox.market import MarketSpec, simulate

Floats = npt.NDArray[np.float64]
SHARED = Path(__file__).parents[3] / "shared" / "market-data"
needs_real_candles = pytest.mark.skipif(not SHARED.is_dir(), reason="../shared/market-data is absent")

REAL = {
    "hourly sd %": (0.58, 0.79, 1.07, 1.52, 1.91),
    "daily sd %": (2.89, 3.89, 5.32, 7.34, 10.27),
    "excess kurtosis": (9.85, 13.27, 27.29, 71.20, 90.27),
    "acf r lag 1": (-0.063, -0.052, -0.028, -0.003, 0.016),
    "acf |r| lag 1": (0.241, 0.247, 0.284, 0.341, 0.469),
    "acf |r| lag 24": (0.126, 0.136, 0.169, 0.214, 0.285),
    "acf |r| lag 168": (0.035, 0.059, 0.099, 0.123, 0.137),
    "corr volume |r|": (0.458, 0.485, 0.510, 0.534, 0.549),
    "acf volume lag 1": (0.638, 0.674, 0.701, 0.757, 0.817),
    "acf volume lag 24": (0.340, 0.354, 0.404, 0.466, 0.550),
    "range / body": (2.090, 2.101, 2.157, 2.214, 2.270),
    "busiest / quietest hour": (1.366, 1.420, 1.536, 1.764, 2.112),
    "weekend / week": (0.634, 0.745, 0.833, 0.885, 0.920),
    "corr with other pairs": (0.406, 0.579, 0.681, 0.732, 0.763),
}
REAL_FUTURES = {
    "basis sd bp": (7.6, 10.7),
    "basis acf lag 1": (0.70, 0.80),
    "basis acf lag 24": (0.56, 0.70),
    "corr funding basis": (0.76, 0.83),
    "corr funding week's return": (0.31, 0.40),
    "funding sd bp": (2.4, 4.1),
    "funding acf lag 1": (0.74, 0.82),
    "funding at 0.01 %": (0.38, 0.49),
    "100 - corr of hourly returns %": (0.17, 0.37),
}


def autocorrelation(x: Floats, lag: int) -> float:
    """Sample autocorrelation at a lag."""
    centred = x - x.mean()
    return float((centred[lag:] * centred[:-lag]).mean() / (centred**2).mean())


def facts_of(frame: pd.DataFrame) -> dict[str, float]:
    """Stylised facts of one pair's hourly candles."""
    dates = pd.DatetimeIndex(frame["date"])[1:]
    close, volume = frame["close"].to_numpy(), frame["volume"].to_numpy()
    r = np.diff(np.log(close))
    size = np.abs(r)
    # The level of volume drifts over years; the facts are about hours and days.
    log_volume = pd.Series(np.log(volume + 1e-3 * np.median(volume)))
    activity = (log_volume - log_volume.rolling(720, min_periods=100).mean()).to_numpy()[100:]
    spread = np.log(frame["high"] / frame["low"]).to_numpy()
    body = np.abs(np.log(frame["close"] / frame["open"])).to_numpy()
    by_hour = pd.Series(size).groupby(dates.hour).mean()
    weekend = dates.day_of_week >= 5
    daily = np.diff(np.log(frame.set_index("date")["close"].resample("1D").last().ffill().to_numpy()))
    return {
        "hourly sd %": 100 * r.std(),
        "daily sd %": 100 * daily.std(),
        "excess kurtosis": float(((r - r.mean()) ** 4).mean() / r.var() ** 2 - 3),
        "acf r lag 1": autocorrelation(r, 1),
        "acf |r| lag 1": autocorrelation(size, 1),
        "acf |r| lag 24": autocorrelation(size, 24),
        "acf |r| lag 168": autocorrelation(size, 168),
        "corr volume |r|": float(np.corrcoef(activity[1:], size[100:])[0, 1]),
        "acf volume lag 1": autocorrelation(activity, 1),
        "acf volume lag 24": autocorrelation(activity, 24),
        "range / body": float(spread.mean() / body.mean()),
        "busiest / quietest hour": float(by_hour.max() / by_hour.min()),
        "weekend / week": float(size[weekend].mean() / size[~weekend].mean()),
    }


def facts_of_all(frames: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Facts (rows) by pair (columns), with each pair's mean correlation with the others."""
    table = pd.DataFrame({pair: facts_of(frame) for pair, frame in frames.items()})
    closes = pd.DataFrame({pair: frame.set_index("date")["close"] for pair, frame in frames.items()})
    matrix = np.log(closes).diff().corr().to_numpy()
    table.loc["corr with other pairs"] = (matrix.sum(axis=0) - 1.0) / (len(matrix) - 1)
    return table


def futures_facts_of(spot: pd.DataFrame, futures: pd.DataFrame, funding: pd.Series) -> dict[str, float]:
    """Facts of one perpetual; ``funding`` is indexed by settlement."""
    both = pd.DataFrame(
        {"s": spot.set_index("date")["close"], "f": futures.set_index("date")["close"]}
    ).dropna()
    basis = np.log(both["f"] / both["s"])
    at = funding.index
    week = np.log(both["s"]).diff(168).reindex(at)
    returns = np.log(both).diff().dropna()
    return {
        "basis sd bp": 1e4 * basis.std(),
        "basis acf lag 1": basis.autocorr(1),
        "basis acf lag 24": basis.autocorr(24),
        "corr funding basis": funding.corr(basis.rolling(8).mean().reindex(at)),
        "corr funding week's return": funding.corr(week),
        "funding sd bp": 1e4 * funding.std(),
        "funding acf lag 1": funding.autocorr(1),
        "funding at 0.01 %": float((funding == 1e-4).mean()),
        "100 - corr of hourly returns %": 100 * (1.0 - returns["s"].corr(returns["f"])),
    }


def violations(table: pd.DataFrame) -> list[str]:
    """Facts that do not hold: the median outside the real middle 80 %, over a quarter outside the range."""
    broken = []
    for fact, (lowest, low, _, high, highest) in REAL.items():
        values = table.loc[fact]
        inside = float(values.between(lowest, highest).mean())
        if not low <= values.median() <= high or inside < 0.75:
            broken.append(f"{fact}: median {values.median():.3f}, {inside:.0%} inside {lowest}..{highest}")
    return broken


@pytest.fixture(scope="module")
def simulated() -> pd.DataFrame:
    """Facts of twelve seeds of the default market; the pairs of one seed share its market factor."""
    return pd.concat([facts_of_all(simulate(MarketSpec(seed=seed))) for seed in range(12)], axis=1)


@pytest.mark.parametrize("fact", REAL)
def test_simulated_candles_have_the_real_fact(simulated: pd.DataFrame, fact: str) -> None:
    assert not [line for line in violations(simulated) if line.startswith(fact + ":")]


def test_a_random_walk_of_the_same_volatility_would_be_refused() -> None:
    rng = np.random.default_rng(1)
    frames = {}
    for pair, frame in simulate(MarketSpec(seed=0)).items():
        steps = 0.0107 / np.sqrt(60) * rng.standard_normal((len(frame), 60))
        path = np.cumsum(steps.ravel()).reshape(steps.shape)
        opening = np.concatenate(([0.0], path[:-1, -1]))
        high, low = np.maximum(path.max(axis=1), opening), np.minimum(path.min(axis=1), opening)
        logs = {"open": opening, "high": high, "low": low, "close": path[:, -1]}
        frames[pair] = frame.assign(**{name: np.exp(values) for name, values in logs.items()})
    broken = {line.split(":")[0] for line in violations(facts_of_all(frames))}
    clustering = {"acf |r| lag 1", "acf |r| lag 24", "acf |r| lag 168"}
    assert clustering | {"excess kurtosis", "corr volume |r|", "corr with other pairs"} <= broken


@pytest.mark.parametrize("fact", REAL_FUTURES)
def test_simulated_perpetuals_have_the_real_fact(perpetuals: pd.DataFrame, fact: str) -> None:
    lowest, highest = REAL_FUTURES[fact]
    # A quarter of the real level on either side: four real pairs do not span what eight others would.
    slack = 0.25 * (abs(lowest) + abs(highest)) / 2
    assert lowest - slack <= perpetuals.loc[fact].median() <= highest + slack


@pytest.fixture(scope="module")
def perpetuals() -> pd.DataFrame:
    """Facts of the default market's perpetuals, three seeds."""
    facts = {}
    for spec in (MarketSpec(seed=seed) for seed in range(3)):
        spot = simulate(spec)
        for pair, tables in simulate_futures(spec).items():
            funding = tables.funding.set_index("date")["open"]
            name = f"{pair} {spec.seed}"
            facts[name] = futures_facts_of(spot[pair.split(":")[0]], tables.futures, funding)
    return pd.DataFrame(facts)


def test_pairs_of_one_sector_move_together_more() -> None:
    pairs = ("AAA/USDT", "BBB/USDT", "CCC/USDT")
    spec = MarketSpec(pairs=pairs, sectors={"AAA": "one", "BBB": "one", "CCC": "two"})
    returns = np.log(pd.DataFrame({pair: frame["close"] for pair, frame in simulate(spec).items()})).diff()
    # The residual after the market, for which C stands, tells the sector apart from the pairs' market shares.
    apart = MarketSpec(pairs=pairs, sectors={"AAA": "one", "BBB": "three", "CCC": "two"})
    other = np.log(pd.DataFrame({pair: frame["close"] for pair, frame in simulate(apart).items()})).diff()
    together = returns["AAA/USDT"].corr(returns["BBB/USDT"])
    assert together > other["AAA/USDT"].corr(other["BBB/USDT"]) + 0.05


@needs_real_candles
def test_the_real_table_is_what_the_files_say() -> None:
    windows = []
    for year in (2019, 2020, 2021, 2022):
        start, end = (pd.Timestamp(f"{day}-01-01", tz="UTC") for day in (year, year + 2))
        frames = {}
        for pair in list_pairs(SHARED, "spot"):
            frame = read_candles(SHARED, pair, "1h", "spot")
            if frame["date"].iloc[0] <= start:
                frames[pair] = frame[frame["date"].between(start, end, inclusive="left")].reset_index(
                    drop=True
                )
        windows.append(facts_of_all(frames))
    table = pd.concat(windows, axis=1)
    measured = table.quantile([0.0, 0.1, 0.5, 0.9, 1.0], axis=1).T
    for fact, values in REAL.items():
        np.testing.assert_allclose(measured.loc[fact], values, atol=0.0051, err_msg=fact)


@needs_real_candles
def test_the_real_futures_table_is_what_the_files_say() -> None:
    end = pd.Timestamp("2024-01-01", tz="UTC")
    facts = {}
    for pair in list_pairs(SHARED, "futures"):
        futures = read_candles(SHARED, pair, "1h", "futures")
        spot = read_candles(SHARED, pair.split(":")[0], "1h", "spot")
        rates = read_funding(SHARED, pair).set_index("date")["funding_rate"]
        rates.index = rates.index.floor("h")
        frames = [frame[frame["date"] < end] for frame in (spot, futures)]
        frames = [frame.assign(date=frame["date"].dt.as_unit("ns")) for frame in frames]
        facts[pair] = futures_facts_of(*frames, rates[rates.index < end])
    table = pd.DataFrame(facts)
    for fact, (lowest, highest) in REAL_FUTURES.items():
        assert lowest <= table.loc[fact].min(), fact
        assert table.loc[fact].max() <= highest, fact
        assert table.loc[fact].max() - table.loc[fact].min() > 0.5 * (highest - lowest), fact
