"""A market that falls by 40 % within ten days: TechnicalBaseline with guard and hedge, and without, spot and futures.

Every pair of a simulated market gets the same fall on top of its own candles (so correlations rise too). Printed per
seed: greatest drawdown of the account marked to market at every midnight, the same within the fall, profit, trades and
the hedge's part; with neither, with each alone, with both. Entries are let through without an edge shown first
(``require_positive_expectancy`` off): simulated prices have none, and a baseline that stays out would show nothing.

What is without an edge loses its costs, and whatever trades less loses less. So the same market without the fall is
run beside it: only what the guard and the hedge save there less is the fall's.
"""

import json
import tempfile
import zipfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.result import Result
from coordinator.adapters.strategy.hedging import SCALE_OUT_TAG
from coordinator.candles.files import FUNDING_TIMEFRAME, TradingMode, candle_path, read_candles, write_candles
from coordinator.jobs.freqtrade_process import run_freqtrade
from coordinator.reports.equity import strategy_equity
from coordinator.reports.metrics import max_drawdown
from coordinator.reports.results import latest_results
from coordinator.sandbox.exchange import create_app, wall_clock
from coordinator.sandbox.market import resample_candles
from coordinator.sandbox.market_files import TIMEFRAMES, write_market
from coordinator.sandbox.overlay import overlay_config
from coordinator.sandbox.server import SandboxServer
from coordinator.sandbox.spec import MarketSpec

TIMERANGE = "20230301-20230701"
CRASH, DAYS, DEPTH = datetime(2023, 5, 1, tzinfo=UTC), 10, 0.40
SEEDS = (1, 2)
MODES: tuple[TradingMode, ...] = ("spot", "futures")
PRICES = ["open", "high", "low", "close"]
GUARD, HEDGE = {"protection": {"enabled": True}}, {"hedge": {"mode": "on"}}
VARIANTS: dict[str, dict[str, Any]] = {
    "neither": {},
    "guard": GUARD,
    "hedge": HEDGE,
    "both": {**GUARD, **HEDGE},
}
DECISION = {"require_positive_expectancy": False, "weighting": "fixed"}


@dataclass(frozen=True)
class Outcome:
    """Of one backtest: greatest drawdown, the same within the fall and profit as ratios, and what was traded."""

    drawdown: float
    fall: float
    profit: float
    trades: int
    hedges: int
    hedge_profit: float
    scale_outs: int


def crashed(frame: pd.DataFrame, depth: float) -> pd.DataFrame:
    """Candles with the fall imposed, even in logarithms; before it they are unchanged."""

    def factor(moments: pd.Series) -> np.ndarray:
        share = ((moments - pd.Timestamp(CRASH)) / pd.Timedelta(days=DAYS)).clip(0, 1)
        return np.exp(np.log(1 - depth) * share.to_numpy())

    begin, end = factor(frame["date"]), factor(frame["date"] + pd.Timedelta(hours=1))
    out = frame.assign(open=frame["open"] * begin, close=frame["close"] * end)
    out["high"] = np.maximum(frame["high"] * end, out[["open", "close"]].max(axis=1))
    out["low"] = np.minimum(frame["low"] * begin, out[["open", "close"]].min(axis=1))
    return out


def market(folder: Path, mode: TradingMode, seed: int, depth: float) -> MarketSpec:
    """Write a simulated market with the fall."""
    spec = MarketSpec(
        start=datetime(2022, 10, 1, tzinfo=UTC), end=datetime(2023, 7, 1, tzinfo=UTC), seed=seed
    )
    write_market(spec, folder, mode)
    for name in spec.pairs:
        pair = name if mode == "spot" else f"{name}:{name.split('/')[1]}"
        hourly = crashed(read_candles(folder, pair, "1h", mode), depth)
        for timeframe in TIMEFRAMES:
            frame = hourly if timeframe == "1h" else resample_candles(hourly, timeframe)
            write_candles(frame, candle_path(folder, pair, timeframe, mode))
        if mode == "futures":
            mark = crashed(read_candles(folder, pair, FUNDING_TIMEFRAME, mode, "mark"), depth)
            write_candles(mark, candle_path(folder, pair, FUNDING_TIMEFRAME, mode, "mark"))
    return spec


def backtest(
    url: str, datadir: Path, mode: TradingMode, spec: MarketSpec, section: dict[str, Any]
) -> Outcome:
    """One real backtest; FreqtradeError if it fails."""
    pairs = [name if mode == "spot" else f"{name}:{name.split('/')[1]}" for name in spec.pairs]
    with tempfile.TemporaryDirectory() as tmp:
        overlay = overlay_config(url)
        overlay["exchange"]["pair_whitelist"] = pairs
        overlay |= {"trading_mode": mode, "freqai": {"enabled": False}, "coordinator": section}
        path = Path(tmp) / "overlay.json"
        path.write_text(json.dumps(overlay))
        run_freqtrade(
            [
                "backtesting",
                *("--config", "config.json", "--config", str(path), "--strategy", "TechnicalBaseline"),
                *("--timerange", TIMERANGE, "--datadir", str(datadir), "--userdir", tmp),
                *("--cache", "none", "--enable-protections"),
            ],
            Path(tmp) / "backtest.log",
            lambda share, doing: None,
        )
        (result,) = latest_results(Path(tmp) / "backtest_results")
        candles = {pair: read_candles(datadir, pair, "1h", mode) for pair in pairs}
        daily = strategy_equity(result, candles).daily
        hedge = result.trades[result.trades["enter_tag"].str.startswith("hedge", na=False)]
        within = daily[(daily.index >= CRASH) & (daily.index <= CRASH + timedelta(days=DAYS))]
        return Outcome(
            max_drawdown(daily),
            max_drawdown(within),
            float(daily.iloc[-1] / daily.iloc[0] - 1),
            len(result.trades),
            len(hedge),
            float(hedge["profit_abs"].sum() / daily.iloc[0]),
            _scale_outs(Path(tmp)),
        )


def _scale_outs(folder: Path) -> int:
    (path,) = (folder / "backtest_results").glob("*.zip")
    with zipfile.ZipFile(path) as archive:
        return archive.read(path.with_suffix(".json").name).count(f'"{SCALE_OUT_TAG}"'.encode())


def run() -> list[Result]:
    found: dict[tuple[str, str], list[Outcome]] = {}
    for mode in MODES:
        for seed in SEEDS:
            for depth in (DEPTH, 0.0):
                with tempfile.TemporaryDirectory() as tmp:
                    spec = market(Path(tmp), mode, seed, depth)
                    with SandboxServer(create_app(Path(tmp), wall_clock), "127.0.0.1", 0) as server:
                        for name in VARIANTS if depth else ("neither", "both"):
                            section = {"decision": DECISION, "portfolio": VARIANTS[name]}
                            x = backtest(server.url, Path(tmp), mode, spec, section)
                            found.setdefault((f"{mode}{'' if depth else '_no_fall'}", name), []).append(x)
                            print(
                                f"{mode}, seed {seed}, fall {depth:.0%}, {name}: drawdown {x.drawdown:.1%}, within "
                                f"the fall {x.fall:.1%}, profit {x.profit:+.1%}, {x.trades} trades, of them "
                                f"{x.hedges} hedges with {x.hedge_profit:+.2%}, {x.scale_outs} scale-outs",
                                flush=True,
                            )
    return [
        _result(name, both, found[name, "neither"]) for (name, how), both in found.items() if how == "both"
    ]


def _result(name: str, both: list[Outcome], neither: list[Outcome]) -> Result:
    without = np.mean([x.drawdown for x in neither])
    value = float(np.mean([x.drawdown for x in both]))
    return Result(
        f"crash_drawdown_{name}", value, "ratio", f"neither: {without:.4g}; mean of {len(both)} seeds"
    )
