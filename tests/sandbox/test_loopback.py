"""The server, the overlay and the runner, with real HTTP, real ccxt and real freqtrade processes."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import ccxt
import httpx
import numpy as np
import pytest
from typer.testing import CliRunner

from coordinator.candles.files import read_candles
from coordinator.errors import CoordinatorError
from coordinator.sandbox.child_command import complete_command
from coordinator.sandbox.commands import data_app
from coordinator.sandbox.exchange import create_app, wall_clock
from coordinator.sandbox.overlay import API_PATHS, overlay_config
from coordinator.sandbox.runner import run_sandboxed
from coordinator.sandbox.server import SandboxServer

STRATEGY = """
from freqtrade.strategy import IStrategy
import talib


class SandboxSample(IStrategy):
    timeframe = "1h"
    stoploss = -0.10
    minimal_roi = {"0": 0.04}
    can_short = CAN_SHORT
    startup_candle_count = 30

    def populate_indicators(self, dataframe, metadata):
        dataframe["rsi"] = talib.RSI(dataframe["close"], 14)
        return dataframe

    def populate_entry_trend(self, dataframe, metadata):
        dataframe.loc[dataframe["rsi"] < 30, "enter_long"] = 1
        if self.can_short:
            dataframe.loc[dataframe["rsi"] > 70, "enter_short"] = 1
        return dataframe

    def populate_exit_trend(self, dataframe, metadata):
        dataframe.loc[dataframe["rsi"] > 60, "exit_long"] = 1
        return dataframe
"""


@pytest.fixture
def sandbox(warm_python: str) -> list[str]:
    """The words of `coordinator sandbox`."""
    return [warm_python, "-u", "-m", "coordinator", "sandbox"]


@pytest.fixture(scope="module")
def server(market_dir: Path) -> Iterator[SandboxServer]:
    """The market on a free port."""
    with SandboxServer(create_app(market_dir, wall_clock)) as running:
        yield running


def test_the_overlay_covers_every_api_ccxt_knows_with_its_path() -> None:
    urls = ccxt.binance().urls["api"]
    assert set(API_PATHS) == set(urls)
    for name, url in urls.items():
        assert url.endswith(API_PATHS[name]), name


@pytest.mark.parametrize(
    ("kind", "pair", "mode"), [("spot", "ADA/USDT", "spot"), ("swap", "ADA/USDT:USDT", "futures")]
)
def test_ccxt_reads_the_files_candles(
    server: SandboxServer, market_dir: Path, kind: str, pair: str, mode: Any
) -> None:
    config = overlay_config(server.url)["exchange"]["ccxt_config"]
    exchange = ccxt.binance({**config, "options": {"defaultType": kind}})
    markets = exchange.load_markets()
    assert set(markets) == {"ADA/USDT", "BTC/USDT", "ADA/USDT:USDT", "BTC/USDT:USDT"}
    frame = read_candles(market_dir, pair, "1h", mode).iloc[100:300]
    since = int(frame["date"].iloc[0].timestamp() * 1000)
    rows = np.array(exchange.fetch_ohlcv(pair, "1h", since=since, limit=200))
    np.testing.assert_array_equal(rows[:, 0], frame["date"].dt.as_unit("ms").astype("int64"))
    np.testing.assert_allclose(rows[:, 1:], frame[["open", "high", "low", "close", "volume"]], rtol=1e-12)
    assert markets[pair]["precision"]["price"] == 0.0001
    book = exchange.fetch_order_book(pair, 5)
    assert book["bids"][0][0] < book["asks"][0][0]
    assert exchange.fetch_ticker(pair)["last"] == exchange.fetch_tickers()[pair]["last"]
    assert exchange.fetch_bids_asks()[pair]["bid"] == book["bids"][0][0]
    with pytest.raises(ccxt.BadSymbol):
        exchange.publicGetKlines({"symbol": "NOPEUSDT", "interval": "1h"})
    if kind == "swap":
        assert len(exchange.fetch_funding_rate_history(pair, limit=10)) == 10
        assert exchange.fetch_funding_rate(pair)["markPrice"] > 0


def test_a_port_in_use_is_told_in_one_line(server: SandboxServer, market_dir: Path) -> None:
    with pytest.raises(CoordinatorError) as caught:
        SandboxServer(create_app(market_dir, wall_clock), port=server.port)
    rule = f"must be free on 127.0.0.1. Got {server.port} instead."
    assert str(caught.value) == f"The 'port' of coordinator sandbox serve {rule}"


def test_the_port_is_free_after_the_end_and_only_loopback_was_bound(market_dir: Path) -> None:
    with SandboxServer(create_app(market_dir, wall_clock)) as running:
        assert running.url == f"http://127.0.0.1:{running.port}"
        client = httpx.Client()  # A connection kept open must not hold up the end.
        assert client.get(f"{running.url}/api/v3/ping", timeout=5).json() == {}
        with pytest.raises(OSError), socket.create_connection(("127.0.0.2", running.port), timeout=1):
            pass
        begin = time.monotonic()
    assert time.monotonic() - begin < 5
    client.close()
    with pytest.raises(OSError), socket.create_connection(("127.0.0.1", running.port), timeout=1):
        pass


@pytest.mark.parametrize(
    ("command", "files", "added"),
    [
        (["freqtrade", "trade"], ["config.json"], ["--config", "config.json", "--config", "o.json"]),
        (["freqtrade", "trade"], [], ["--config", "o.json"]),
        (
            ["freqtrade", "trade"],
            ["config.json", "user_data/config.json"],
            ["--config", "user_data/config.json", "--config", "o.json"],
        ),
        (["freqtrade", "trade", "-c", "a.json"], ["config.json"], ["--config", "o.json"]),
        (["freqtrade", "trade", "--config=a.json"], ["config.json"], ["--config", "o.json"]),
        (["/v/bin/freqtrade", "trade"], ["config.json"], ["--config", "config.json", "--config", "o.json"]),
        (["python", "-m", "freqtrade", "trade"], [], ["--config", "o.json"]),
        (["freqtrade", "--version"], ["config.json"], []),
        (["pytest", "tests"], ["config.json"], []),
    ],
)
def test_freqtrade_commands_get_the_configs(
    tmp_path: Path, command: list[str], files: list[str], added: list[str]
) -> None:
    for name in files:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("{}")
    assert complete_command(command, Path("o.json"), "http://x", tmp_path) == command + added


def test_other_commands_get_the_words_replaced() -> None:
    command = ["tool", "--config={overlay}", "{url}/api"]
    assert complete_command(command, Path("o.json"), "http://x", Path()) == [
        "tool",
        "--config=o.json",
        "http://x/api",
    ]


def test_the_command_sees_the_exchange_and_its_exit_code_comes_back(market_dir: Path, tmp_path: Path) -> None:
    program = (
        "import json, sys, urllib.request as u\n"
        "config = json.load(open(sys.argv[1]))\n"
        "base = config['exchange']['ccxt_config']['urls']['api']['public']\n"
        "symbols = json.load(u.urlopen(base + '/exchangeInfo'))['symbols']\n"
        f"open({str(tmp_path / 'seen')!r}, 'w').write(sys.argv[1] + ' ' + str(len(symbols)))\n"
        "sys.exit(5)"
    )
    assert run_sandboxed([sys.executable, "-c", program, "{overlay}"], market_dir) == 5
    overlay, symbols = (tmp_path / "seen").read_text().split()
    assert symbols == "2"
    assert not Path(overlay).exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signals_reach_the_command_and_its_end_decides(
    sandbox: list[str], market_dir: Path, tmp_path: Path, number: int
) -> None:
    ready = tmp_path / "ready"
    program = (
        "import pathlib, signal, sys, time\n"
        f"signal.signal({int(number)}, lambda *_: sys.exit(9))\n"
        f"pathlib.Path({str(ready)!r}).write_text('')\n"
        "time.sleep(30)"
    )
    ours = [*sandbox, "run", "--datadir", str(market_dir), "--", sys.executable, "-c", program]
    with subprocess.Popen(ours) as process:
        deadline = time.monotonic() + 25
        while not ready.exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        process.send_signal(number)
        assert process.wait(timeout=15) == 9


def test_serve_ends_on_sigterm(sandbox: list[str], market_dir: Path) -> None:
    ours = [*sandbox, "serve", "--datadir", str(market_dir), "--port", "0"]
    with subprocess.Popen(ours, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().split()[-1]
        assert httpx.get(f"{url}/fapi/v1/time", timeout=5).status_code == 200
        process.terminate()
        assert process.wait(timeout=15) == 0


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ([], r"'command' of coordinator sandbox run must follow"),
        (["no-such-program"], r"be an installed program"),
    ],
)
def test_commands_that_cannot_run_are_refused(market_dir: Path, command: list[str], message: str) -> None:
    with pytest.raises(CoordinatorError, match=message):
        run_sandboxed(command, market_dir)


def test_simulate_and_check_from_the_command_line(tmp_path: Path) -> None:
    runner = CliRunner()
    simulate = ["simulate", "--datadir", str(tmp_path), "--pairs", "BTC/USDT,NEW/USDT", "--end", "2022-02-01"]
    done = runner.invoke(data_app, [*simulate, "--trading-mode", "both"])
    assert done.exit_code == 0, done.output
    assert len(list(tmp_path.rglob("*.feather"))) == 2 * 3 + 2 * 5
    again = runner.invoke(data_app, simulate)
    assert isinstance(again.exception, CoordinatorError)
    assert "--overwrite" in str(again.exception)
    assert runner.invoke(data_app, [*simulate, "--overwrite"]).exit_code == 0
    checked = runner.invoke(data_app, ["check", "--datadir", str(tmp_path), "--trading-mode", "both"])
    assert checked.exit_code == 0, checked.output
    assert checked.output.count("NEW/USDT") == 6
    (tmp_path / "BTC_USDT-4h.feather").write_bytes(b"")
    broken = runner.invoke(data_app, ["check", "--datadir", str(tmp_path)])
    assert broken.exit_code == 2
    assert broken.stdout.count("NEW/USDT") == 3  # the sound ones all the same
    assert "BTC_USDT-4h.feather must be a readable feather file" in broken.stderr
    wrong = runner.invoke(data_app, ["simulate", "--datadir", str(tmp_path), "--start", "tomorrow"])
    assert isinstance(wrong.exception, CoordinatorError)


def freqtrade(sandbox: list[str], folder: Path, market_dir: Path, *arguments: str) -> str:
    """Output of a freqtrade command in the sandbox, which must succeed."""
    ours = [*sandbox, "run", "--", "freqtrade", *arguments, "--datadir", str(market_dir)]
    # No proxy may stand between the client and the loopback address.
    environment = {key: value for key, value in os.environ.items() if not key.lower().endswith("_proxy")}
    done = subprocess.run(
        ours, cwd=folder, capture_output=True, text=True, timeout=120, env={**environment, "COLUMNS": "200"}
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert "Traceback" not in done.stderr
    return done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["spot", "futures"])
def test_unmodified_freqtrade_lists_pairs_and_backtests(
    sandbox: list[str], market_dir: Path, tmp_path: Path, mode: str
) -> None:
    suffix = ":USDT" if mode == "futures" else ""
    pairs = [f"ADA/USDT{suffix}", f"BTC/USDT{suffix}"]
    config = {
        "stake_currency": "USDT",
        "stake_amount": "unlimited",
        "max_open_trades": 2,
        "dry_run_wallet": 10_000,
        "trading_mode": mode,
        "margin_mode": "isolated" if mode == "futures" else "",
        "entry_pricing": {"price_side": "same", "use_order_book": True},
        "exit_pricing": {"price_side": "same", "use_order_book": True},
        "exchange": {"name": "binance", "pair_whitelist": pairs},
        "pairlists": [{"method": "StaticPairList"}],
        "strategy": "SandboxSample",
        "strategy_path": str(tmp_path),
    }
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "SandboxSample.py").write_text(STRATEGY.replace("CAN_SHORT", str(mode == "futures")))
    with contextlib.suppress(FileExistsError):
        (tmp_path / "user_data").mkdir()
    if mode == "spot":
        assert json.loads(freqtrade(sandbox, tmp_path, market_dir, "list-pairs", "--print-json")) == pairs
    # Two weeks of warm-up, then two months.
    freqtrade(
        sandbox, tmp_path, market_dir, "backtesting", "--timerange", "20230115-20230315", "--cache", "none"
    )
    (result,) = (tmp_path / "user_data" / "backtest_results").glob("*.meta.json")
    metadata = json.loads(result.read_text())["SandboxSample"]
    start, end = (datetime.fromtimestamp(metadata[f"backtest_{side}_ts"], UTC) for side in ("start", "end"))
    assert (start.date().isoformat(), end.date().isoformat()) == ("2023-01-15", "2023-03-15")
