"""The real strategy: what a `freqtrade backtesting` process decides, a bot decides candle by candle."""

import json
import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from freqtrade.data.history import load_pair_history
from freqtrade.enums import CandleType

from coordinator.components.samples import stored_schema
from coordinator.ledger.store import Ledger
from coordinator.sandbox.exchange import create_app, wall_clock
from coordinator.sandbox.market_files import write_market
from coordinator.sandbox.overlay import overlay_config
from coordinator.sandbox.server import SandboxServer
from coordinator.sandbox.spec import MarketSpec
from coordinator.signals.panel_features import PANEL_SCHEMA
from coordinator.signals.signal_features import SIGNAL_SCHEMA
from tests.parity.hourly import HOURLY

ROOT = Path(__file__).resolve().parent.parent.parent
PAIRS = ["BTC/USDT", "ETH/USDT"]
START = pd.Timestamp("2023-03-01", tz="UTC")
STARTUP = 960
LIVE = 120  # candles the bot is driven through
COORDINATOR = {
    "decision": {
        "weighting": "fixed",
        "ml_weight": 0.5,
        "threshold": 0.6,
        "require_positive_expectancy": False,
    },
    "thresholds": {"mode": "on", "sigmas": 0.0},
    "targets": {"horizon": 24},
}
SLOW = {
    "baseline": {"clock": "1d", "rearm": "on", "fast_channel": 10, "exit_channel": 5},
    "regime": {"gate": "on", "gate_average": 50},
    "stops": {"basis": "price", "atr_multiple": 2.0, "hard_limit": 0.3},
    "targets": {"enabled": False, "horizon": 20},
    "exits": {"channel": True},
    "sizing": {"earned": {"mode": "on", "days": 30}},
    "quality": {"samples": "panel"},
    "decision": {"threshold": 0.3, "baseline_threshold": 0.3, "percentile_window": 50},
}
BOTH = {**SLOW, "clocks": {"1d": {}, "4h": {"targets": {"horizon": 60}, "risk_share": 0.5}}}
CONFIGS = {"1h": COORDINATOR, "1d": SLOW, "1d and 4h": BOTH}
EXACT = ["direction", "clock", "horizon", "reasons", "accepted", "rejection", "tactic", "threshold", "regime"]
CLOSE = ["price", "stop", "target", "unified_score", "unified_confidence", "ml_score", "ml_rank",
         "win_probability", "expected_r", "lstm_percentile", "fusion_percentile", "selector_percentile"]  # fmt: skip


def backtest(python: str, tmp_path: Path, datadir: Path, strategies: Path, coordinator: dict) -> Ledger:
    """The ledger of a real backtest process."""
    with SandboxServer(create_app(datadir, wall_clock), "127.0.0.1", 0) as server:
        overlay = overlay_config(server.url)
        overlay["exchange"]["pair_whitelist"] = PAIRS
        config = {"freqai": {"enabled": False}, "coordinator": coordinator, "strategy_path": str(strategies)}
        shipped = json.loads((ROOT / "config.json").read_text())
        (tmp_path / "hourly.json").write_text(json.dumps({**shipped, "coordinator": HOURLY}))
        (tmp_path / "overlay.json").write_text(
            json.dumps({**overlay, **config, "user_data_dir": str(tmp_path)})
        )
        end = START + pd.Timedelta(hours=1000 - STARTUP + LIVE)
        command = [python, "-m", "freqtrade", "backtesting", "--strategy", "Pretender"]
        command += [
            "--config",
            str(tmp_path / "hourly.json"),
            "--config",
            str(tmp_path / "overlay.json"),
            "--datadir",
            str(datadir),
        ]
        command += ["--userdir", str(tmp_path), "--timerange", f"{START:%Y%m%d}-{end.ceil('D'):%Y%m%d}"]
        command += ["--cache", "none", "--export", "trades"]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, env=environment)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    (path,) = (tmp_path / "backtest_results").glob("*.ledger.sqlite")
    return Ledger(path)


@pytest.fixture
def market(tmp_path):
    """As much history as the backtest loads, and no more: what a bot's first frames begin with."""
    folder = tmp_path / "candles"
    spec = MarketSpec(
        pairs=tuple(PAIRS),
        start=datetime(2022, 7, 1, tzinfo=UTC),
        end=datetime(2023, 5, 1, tzinfo=UTC),
        seed=5,
    )
    write_market(spec, folder, "spot")
    return folder


@pytest.mark.parametrize("clock", list(CONFIGS))
def test_a_bot_decides_what_the_backtest_decided(warm_python, tmp_path, market, make_bot, monkeypatch, clock):
    monkeypatch.syspath_prepend(str(ROOT))
    coordinator = CONFIGS[clock]
    batch = backtest(warm_python, tmp_path, market, tmp_path / "strategies", coordinator)
    expected = batch.read_decisions()
    begin = START - pd.Timedelta(hours=STARTUP)
    candles = {}
    for pair in PAIRS:
        for timeframe, hours in (("1h", 1), ("4h", 4), ("1d", 24)):
            frame = load_pair_history(
                pair, timeframe, market, candle_type=CandleType.SPOT
            )  # gaps filled, as live
            candles[pair, timeframe] = frame[frame["date"] >= START - pd.Timedelta(hours=hours * STARTUP)]
    user_data = tmp_path / "bot"
    user_data.mkdir()
    bot = make_bot(market, PAIRS, candles, coordinator, user_data)
    first = begin + pd.Timedelta(hours=998)
    moments = pd.date_range(first, periods=LIVE, freq="h")
    for i, now in enumerate(moments):
        if i == LIVE // 2:  # a restart in the middle
            bot = make_bot(market, PAIRS, candles, coordinator, user_data)
        bot.step(now, PAIRS if i % 2 else PAIRS[::-1])
    bots = Ledger(user_data / "coordinator.ledger.sqlite")
    stored = bots.read_decisions()
    live = stored[stored["time"] > first].reset_index(drop=True)
    wanted = expected[expected["time"].between(first, moments[-1], inclusive="right")].reset_index(drop=True)
    assert len(wanted) > (20 if clock == "1h" else 5)
    assert not wanted["accepted"].all()
    assert wanted["clock"].nunique() == len(clock.split(" and "))
    if clock == "1h":
        assert wanted["accepted"].any()
        assert wanted["threshold"].nunique() > 1
    pd.testing.assert_frame_equal(live[["time", "pair", *EXACT]], wanted[["time", "pair", *EXACT]])
    for name in CLOSE:
        np.testing.assert_allclose(live[name], wanted[name], rtol=1e-6, atol=1e-9, err_msg=name)
    assert_same_samples(bots, batch, first, moments[-2], panel=clock == "1d")


def assert_same_samples(bots: Ledger, batch: Ledger, first: pd.Timestamp, last: pd.Timestamp, *, panel: bool):
    """What the bot collected of the candles that it went through is what the backtest collected of them."""
    begin, end = int(first.timestamp()) + 1, int(last.timestamp())
    tables = [(ledger.read_features(1, stored_schema(SIGNAL_SCHEMA)), "features") for ledger in (bots, batch)]
    if panel:
        schema = stored_schema(PANEL_SCHEMA)
        tables = [(ledger.read_panel(schema, "1d"), "panel") for ledger in (bots, batch)]
    keys, values = [], []
    for table, _ in tables:
        here = (table.time >= begin) & (table.time <= end)
        keys.append(list(zip(table.time[here].tolist(), table.pair[here].tolist(), strict=True)))
        values.append(table.values[here])
    assert keys[0] == keys[1]
    assert len(keys[0]) > 5
    np.testing.assert_allclose(values[0], values[1], rtol=1e-7, atol=1e-9)


def test_a_bot_fills_in_the_panels_labels(warm_python, tmp_path, market, make_bot, monkeypatch):
    """Ten days after a sample its label is there, the same that a backtest gives it."""
    monkeypatch.syspath_prepend(str(ROOT))
    panel = {**SLOW, "quality": {"samples": "panel", "panel_horizon": 2}}
    batch = backtest(warm_python, tmp_path, market, tmp_path / "strategies", panel)
    candles = {
        (pair, timeframe): load_pair_history(pair, timeframe, market, candle_type=CandleType.SPOT)
        for pair in PAIRS
        for timeframe in ("1h", "4h", "1d")
    }
    user_data = tmp_path / "bot"
    user_data.mkdir()
    bot = make_bot(market, PAIRS, candles, panel, user_data)
    for now in pd.date_range(START, periods=4, freq="D"):
        for hour in range(3):
            bot.step(now + pd.Timedelta(hours=hour), PAIRS)
    schema = stored_schema(PANEL_SCHEMA)
    bots, wanted = (
        ledger.read_panel(schema, "1d") for ledger in (Ledger(user_data / "coordinator.ledger.sqlite"), batch)
    )
    labels = dict(
        zip(zip(wanted.time.tolist(), wanted.pair, strict=True), wanted.label.tolist(), strict=True)
    )
    known = np.isfinite(bots.label)
    assert known.sum() > 5
    assert (~known).sum() == 2 * len(PAIRS)
    for time, pair, label in zip(bots.time[known].tolist(), bots.pair[known], bots.label[known], strict=True):
        assert label == pytest.approx(labels[time, pair], rel=1e-9)
