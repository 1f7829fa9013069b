"""What FreqUI talks to: a real dry-run bot with its API server, and a real ``freqtrade webserver`` process.

Both over two simulated pairs and the sandbox exchange; the bot's clock is turned back to the market's last signal, and
its data directory is empty: all candles come from the exchange.
"""

from __future__ import annotations

import json
import logging
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import requests
import time_machine
from freqtrade.configuration import Configuration
from freqtrade.enums import RunMode, State
from freqtrade.freqtradebot import FreqtradeBot
from freqtrade.persistence import Trade, enable_database_use

from coordinator.run.pair_analysis import analyse
from coordinator.run.trading_run import TradingRun
from coordinator.sandbox.exchange import create_app, wall_clock
from coordinator.sandbox.market_files import write_market
from coordinator.sandbox.overlay import overlay_config
from coordinator.sandbox.server import SandboxServer
from coordinator.sandbox.spec import MarketSpec
from coordinator.settings import load_settings
from coordinator.signals.candles import Candles

ROOT = Path(__file__).resolve().parent.parent.parent
PAIRS = ("BTC/USDT", "ETH/USDT")
USER, PASSWORD = "trader", "not-a-secret"
QUICK = {"train_period_days": 60, "backtest_period_days": 30}


@pytest.fixture(scope="session")
def datadir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("candles")
    start, end = datetime(2022, 6, 1, tzinfo=UTC), datetime(2023, 7, 1, tzinfo=UTC)
    for mode in ("spot", "futures"):
        write_market(MarketSpec(pairs=PAIRS, start=start, end=end, seed=11), folder, mode)
    return folder


def config(url: str, user_data: Path, port: int, **changes: Any) -> dict[str, Any]:
    """The shipped config with short training windows, few epochs and an API server."""
    shipped, overlay = json.loads((ROOT / "config.json").read_text()), overlay_config(url)
    return {
        **shipped,
        **overlay,
        "exchange": {**shipped["exchange"], **overlay["exchange"], "pair_whitelist": [*PAIRS]},
        "strategy_path": str(ROOT / "strategies"),
        "freqaimodel_path": str(ROOT / "freqai_models"),
        "hyperopt_path": str(ROOT / "hyperopts"),
        "user_data_dir": str(user_data),
        "freqai": {**shipped["freqai"], **QUICK},
        "coordinator": {**shipped["coordinator"], "learning": {"epochs": 1, "fast_start_days": 60}},
        "api_server": {
            "enabled": True,
            "listen_ip_address": "127.0.0.1",
            "listen_port": port,
            "username": USER,
            "password": PASSWORD,
            "jwt_secret_key": "x" * 40,
            "enable_openapi": True,
        },
        **changes,
    }


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Client(requests.Session):
    """FreqUI's side: JSON over HTTP, with the password."""

    def __init__(self, port: int) -> None:
        super().__init__()
        self.base, self.auth = f"http://127.0.0.1:{port}/api/v1", (USER, PASSWORD)

    def call(self, method: str, path: str, **arguments: Any) -> requests.Response:
        return self.request(method, self.base + path, timeout=120, **arguments)

    def answer(self, method: str, path: str, **arguments: Any) -> Any:
        """The JSON of an answer that must be 200."""
        found = self.call(method, path, **arguments)
        assert found.status_code == 200, f"{method} {path}: {found.status_code} {found.text[:500]}"
        return found.json()


# --- the bot ----------------------------------------------------------------------------------------------------


class Records(logging.Handler):
    """A bot's log lines."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(f"{record.levelname} {record.getMessage()}")

    def having(self, text: str) -> list[str]:
        return [line for line in self.lines if text in line]


@dataclass
class Bot:
    """A running bot, its clock and its log."""

    freqtrade: FreqtradeBot
    client: Client
    clock: time_machine.Coordinates
    log: Records
    signal: pd.Timestamp
    pair: str

    def at(self, *minutes: float) -> None:
        """Turn the clock to minutes after the signal's candle opened, and let the bot look."""
        for minute in minutes:
            self.clock.move_to((self.signal + pd.Timedelta(minutes=minute)).to_pydatetime())
            self.freqtrade.process()

    @property
    def other(self) -> str:
        """The pair that is traded by hand."""
        return next(pair for pair in PAIRS if pair != self.pair)


def last_signal(datadir: Path) -> tuple[pd.Timestamp, str]:
    """When the shipped baseline takes its last long, days before the market's end, and of which pair."""
    settings = load_settings(json.loads((ROOT / "config.json").read_text())["coordinator"])
    run = TradingRun(can_short=False)
    frames = {
        pair: {
            name: Candles.from_frame(
                pd.read_feather(datadir / f"{pair.replace('/', '_')}-{name}.feather"), name
            )
            for name in ("1h", "4h", "1d")
        }
        for pair in PAIRS
    }
    for pair, candles in frames.items():
        higher = {name: candles[name] for name in ("4h", "1d")}
        run.put(analyse(pair, candles["1h"], higher, settings, ml=False, market=frames[PAIRS[0]]))
    decided, table = run.decisions(settings), run.market.signals(settings)
    row = int((decided.accepted & (table.time < table.time[-1] - 5 * 86_400)).nonzero()[0][-1])
    return pd.Timestamp(int(table.time[row]), unit="s", tz="UTC"), table.pairs[table.pair[row]]


def trade_by_hand(bot: Bot) -> None:
    """The signal's trade, then in the other pair an order that waits in vain, and one that is filled."""
    bot.at(61, 62, 75, 90, 91)
    held = [trade["trade_id"] for trade in bot.client.answer("GET", "/status") if trade["pair"] == bot.other]
    for trade in held:
        bot.client.answer("POST", "/forceexit", json={"tradeid": str(trade), "ordertype": "market"})
    bot.at(92, 121, 122)  # the next candle, without a signal
    order = {"pair": bot.other, "side": "long", "ordertype": "limit", "price": 100.0}
    waiting = bot.client.answer("POST", "/forceenter", json=order)
    bot.at(123, 124, 125, 126)
    # Freqtrade cancels, and then answers 502 as the trade is gone.
    bot.client.call("DELETE", f"/trades/{waiting['trade_id']}/open-order")
    bot.at(127)
    bot.client.answer("POST", "/forceenter", json={"pair": bot.other, "side": "long", "ordertype": "market"})
    bot.at(128, 129)


@pytest.fixture(scope="module")
def bot(datadir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bot]:
    """MLCoordinator with FreqAI in dry-run, a trade opened by its own signal and another by hand."""
    user_data, empty, port = tmp_path_factory.mktemp("bot"), tmp_path_factory.mktemp("empty"), free_port()
    enable_database_use()  # another test's Backtesting may have switched it off
    signal_time, pair = last_signal(datadir)
    handler = Records()
    logging.getLogger().addHandler(handler)
    logging.getLogger().setLevel(logging.INFO)
    start = (signal_time + pd.Timedelta(minutes=30)).to_pydatetime()
    pricing = {"price_side": "other", "use_order_book": True, "order_book_top": 1}
    changes = {"db_url": "sqlite://", "force_entry_enable": True}
    changes |= {"entry_pricing": pricing, "exit_pricing": pricing}
    with (
        time_machine.travel(start) as clock,
        SandboxServer(create_app(datadir, wall_clock), "127.0.0.1", 0) as server,
    ):
        path = user_data / "config.json"
        path.write_text(json.dumps(config(server.url, user_data, port, **changes)))
        arguments = {"config": [str(path)], "user_data_dir": str(user_data), "datadir": str(empty)}
        freqtrade = FreqtradeBot(Configuration(arguments, RunMode.DRY_RUN).get_config())
        try:
            freqtrade.state = State.RUNNING
            freqtrade.startup()
            running = Bot(freqtrade, Client(port), clock, handler, signal_time, pair)
            freqtrade.process()
            trade_by_hand(running)
            yield running
        finally:
            freqtrade.cleanup()
            Trade.session.remove()
    logging.getLogger().removeHandler(handler)


# --- the webserver ----------------------------------------------------------------------------------------------


class Webserver:
    """A ``freqtrade webserver`` process over a data directory.

    Uvicorn raises SIGINT anew inside the event loop, which Freqtrade's server then leaves at once: AnyIO's idle worker
    thread, which any synchronous endpoint leaves behind, is never told to end, and Python waits for it. So ``freqtrade
    webserver`` ends at the second Ctrl-C, whatever it served (pinned in ``test_webserver``).
    """

    def __init__(self, python: str, made: dict[str, Any], user_data: Path, datadir: Path) -> None:
        self.trades: list[dict[str, Any]] = []  # of the backtest
        self.client = Client(made["api_server"]["listen_port"])
        self.log = user_data / "webserver.log"
        path = user_data / "config.json"
        path.write_text(json.dumps(made))
        command = [python, "-m", "freqtrade", "webserver", "-c", str(path)]
        command += ["--datadir", str(datadir), "--userdir", str(user_data)]
        with self.log.open("w") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)

    def __enter__(self) -> Webserver:
        for _ in range(600):
            try:
                self.client.answer("GET", "/ping")
                return self
            except requests.ConnectionError:
                time.sleep(0.1)
        raise AssertionError(self.log.read_text())

    def interrupt(self) -> None:
        """Ctrl-C, and wait until the server says that it has ended."""
        before = self.text().count("SIGINT received")
        self.process.send_signal(signal.SIGINT)
        for _ in range(300):
            if self.process.poll() is not None or self.text().count("SIGINT received") > before:
                return
            time.sleep(0.1)

    def text(self) -> str:
        """The log."""
        return self.log.read_text()

    def __exit__(self, *_: object) -> None:
        self.interrupt()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(30)
        finally:
            self.process.kill()


@pytest.fixture(scope="module")
def exchange(datadir: Path) -> Iterator[str]:
    """The sandbox's address."""
    with SandboxServer(create_app(datadir, wall_clock), "127.0.0.1", 0) as server:
        yield server.url


@pytest.fixture(scope="module")
def webserver(
    warm_python: str, datadir: Path, exchange: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Webserver]:
    """In spot; FreqUI asks for futures with the request. The quick components, as their number changes nothing here."""
    user_data = tmp_path_factory.mktemp("webserver")
    made = config(exchange, user_data, free_port())
    made["coordinator"]["learning"]["components"] = ["lstm", "quality"]
    with Webserver(warm_python, made, user_data, datadir) as running:
        yield running
