"""Freqtrade's plain installation, a user's own config, and the pack put beside it: real commands, offline."""

from __future__ import annotations

import json
import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from coordinator.reports.results import latest_results
from coordinator.sandbox.exchange import create_app, wall_clock
from coordinator.sandbox.market_files import write_market
from coordinator.sandbox.overlay import overlay_config
from coordinator.sandbox.server import SandboxServer
from coordinator.sandbox.spec import MarketSpec

TIMERANGE = "20230601-20230801"


@pytest.fixture
def freqtrade(warm_python, user_data, own_config, coordinator, tmp_path):
    """Runs `freqtrade ...` from an empty directory after `coordinator init --yes`."""
    coordinator("init", user_data, "--yes")

    environment = {**os.environ, "COLUMNS": "500"}

    def run(command: str, *arguments: str | Path) -> str:
        line = [warm_python, "-m", "freqtrade", command, *map(str, arguments), "--userdir", str(user_data)]
        done = subprocess.run(
            line, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300
        )
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-3000:]
        assert " - ERROR - " not in done.stderr, done.stderr[-3000:]  # a refused config ends with code 0
        return done.stdout + done.stderr

    return run


@pytest.fixture
def configs(user_data, own_config):
    return ["-c", own_config, "-c", user_data / "coordinator.json"]


def test_freqtrade_finds_all_that_was_put_there(freqtrade, user_data):
    commands = ("list-strategies", "list-freqaimodels", "list-hyperoptloss")
    strategies, models, losses = (freqtrade(command, "-1").split() for command in commands)
    assert {"MLCoordinator", "TechnicalBaseline"} <= set(strategies)
    assert {"CoordinatorClassifier", "StrategySelectorRL"} <= set(models)
    assert {"ExpectancyRHyperOptLoss", "CalmarFloorHyperOptLoss"} <= set(losses)
    for kind, names in (("strategies", strategies), ("freqaimodels", models), ("hyperopts", losses)):
        assert {path.stem for path in (user_data / kind).glob("*.py")} <= set(names)


def test_the_users_own_settings_stay_and_the_strategys_hold(freqtrade, configs):
    shown = freqtrade("show-config", *configs)
    found = json.loads(shown[shown.index("{") : shown.rindex("}") + 1])
    assert (found["strategy"], found["freqaimodel"]) == ("MLCoordinator", "CoordinatorClassifier")
    assert (found["stake_amount"], found["max_open_trades"], found["fiat_display_currency"]) == (
        250,
        3,
        "EUR",
    )
    assert found["exchange"]["pair_whitelist"] == ["BTC/USDT", "ETH/USDT"]
    assert (found["timeframe"], found["position_adjustment_enable"]) == ("1h", True)
    assert found["freqai"]["identifier"] == "coordinator"
    assert found["order_types"]["stoploss_on_exchange"] is True
    assert found["process_only_new_candles"] is found["use_exit_signal"] is True
    assert found["trailing_stop"] is found["exit_profit_only"] is found["ignore_roi_if_entry_signal"] is False


def test_a_backtest_runs_on_the_users_config(freqtrade, configs, user_data, tmp_path):
    start, end = datetime(2023, 1, 1, tzinfo=UTC), datetime(2023, 8, 1, tzinfo=UTC)
    spec = MarketSpec(pairs=("BTC/USDT", "ETH/USDT"), start=start, end=end, seed=3)
    datadir = user_data / "data" / "binance"
    write_market(spec, datadir, "spot")
    mine = tmp_path / "mine.json"  # a third file of the user's own, over the overlay
    settings = {"portfolio": {"protection": {"enabled": True}}, "regime": {"gate": "off"}}
    settings["targets"] = {"horizon": 9}  # with so few candles of warm-up: docs/exchange-kraken.md
    own = {"coordinator": settings, "freqai": {"enabled": False}, "startup_candle_count": 719}
    with SandboxServer(create_app(datadir, wall_clock)) as server:
        mine.write_text(json.dumps({**overlay_config(server.url), **own}))
        output = freqtrade(
            "backtesting",
            *(*configs, "-c", mine, "--strategy", "TechnicalBaseline", "--timerange", TIMERANGE),
            *("--cache", "none", "--enable-protections"),
        )
    assert (
        f"Using resolved protection PortfolioGuard from '{user_data}/protections/PortfolioGuard.py'" in output
    )
    assert (
        f"Using resolved strategy TechnicalBaseline from '{user_data}/strategies/TechnicalBaseline.py'"
        in output
    )
    (result,) = latest_results(user_data / "backtest_results", ["TechnicalBaseline"])
    assert len(result.trades) > 0
