"""A real bot with its real API server and Telegram module: sandbox exchange, loopback Bot API, a turned clock."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import freqtrade.rpc.telegram
import pytest
import time_machine
from freqtrade.configuration import Configuration
from freqtrade.enums import RunMode, State
from freqtrade.freqtradebot import FreqtradeBot
from freqtrade.persistence import Trade, enable_database_use
from freqtrade.rpc.telegram import Telegram
from telegram.ext import Application

from coordinator.sandbox.exchange import create_app, wall_clock
from coordinator.sandbox.market_files import write_market
from coordinator.sandbox.overlay import overlay_config
from coordinator.sandbox.server import SandboxServer
from coordinator.sandbox.spec import MarketSpec
from tests.operation.bot_api import CHAT, TOKEN, BotApi

ROOT = Path(__file__).resolve().parent.parent.parent
PAIRS = ("BTC/USDT", "ETH/USDT", "SOL/USDT")
BEGIN = datetime(2023, 3, 11, 22, tzinfo=UTC)
PRICING = {"price_side": "other", "use_order_book": True, "order_book_top": 1}
USER, PASSWORD = "owner", "a password with spaces: and %"
HOURLY = {
    "baseline": {"clock": "1h"},
    "regime": {"gate": "off"},
    "decision": {"weighting": "earned", "threshold": 0.3},
    "targets": {"enabled": True, "horizon": 48},
    "exits": {"baseline_turn": True},
    "improvements": {
        "dynamic_reward_risk": {"mode": "on"},
        "volatility_sizing": {"mode": "on"},
        "correlation_filter": {"mode": "on", "max_correlated": 1, "threshold": 0.5},
    },
    "thresholds": {"mode": "shadow"},
}
"""Many signals in few candles, and everything that has a view switched on."""


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def until(true, seconds: float = 20.0):
    """Wait until something is true, of threads that are not ours; the value. The wait is real time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if value := true():
            return value
        time.sleep(0.02)
    raise AssertionError("it did not become true")


class Bot:
    """The bot of a test, its clock, and the ways to talk to it."""

    def __init__(
        self, folder: Path, datadir: Path, clock, exchange: str, api: BotApi, bot_api: str, **changes
    ):
        self.folder, self.clock, self.api, self.now = folder, clock, api, BEGIN
        shipped = json.loads((ROOT / "config.json").read_text())
        overlay = overlay_config(exchange)
        self.port = free_port()
        config = {
            **shipped,
            **overlay,
            "exchange": {**shipped["exchange"], **overlay["exchange"], "pair_whitelist": list(PAIRS)},
            "strategy": "MLCoordinator",
            "freqai": {**shipped["freqai"], "enabled": False},
            "coordinator": HOURLY,
            "user_data_dir": str(folder),
            "db_url": f"sqlite:///{folder}/trades.sqlite",
            "initial_state": "running",
            "entry_pricing": PRICING,
            "exit_pricing": PRICING,
            "api_server": {
                "enabled": True,
                "listen_ip_address": "127.0.0.1",
                "listen_port": self.port,
                "username": USER,
                "password": PASSWORD,
                "jwt_secret_key": "a-key-of-the-test-and-of-nothing-else",
                "enable_openapi": True,
            },
            "telegram": {
                "enabled": True,
                "token": TOKEN,
                "chat_id": str(CHAT),
                **changes.pop("telegram", {}),
            },
            **changes,
        }
        self.path = folder / "config.json"
        self.path.write_text(json.dumps(config))
        self.datadir = datadir
        self.freqtrade: FreqtradeBot | None = None
        self.start()

    def start(self) -> None:
        """Begin, or begin again after ``stop``."""
        enable_database_use()
        arguments = {
            "config": [str(self.path)],
            "user_data_dir": str(self.folder),
            "datadir": str(self.datadir),
            "strategy_path": str(ROOT / "strategies"),
        }
        self.freqtrade = FreqtradeBot(Configuration(arguments, RunMode.DRY_RUN).get_config())
        self.freqtrade.state = State.RUNNING
        self.freqtrade.startup()

    def stop(self) -> None:
        """End it, as a reload does before it begins again."""
        if self.freqtrade is not None:
            self.freqtrade.cleanup()
            self.freqtrade = None
            Trade.session.remove()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/api/v1/coordinator"

    @property
    def operator(self):
        return self.freqtrade.strategy.operator

    def operator_module(self, name: str):
        """One of the RPC manager's modules."""
        return next(module for module in self.freqtrade.rpc.registered_modules if module.name == name)

    def hours(self, count: int, step: int = 1) -> None:
        """Let candles close and look at each."""
        for _ in range(count):
            self.now += timedelta(hours=step)
            self.clock.move_to(self.now + timedelta(seconds=20))
            self.freqtrade.process()
        self.clock.move_to(self.now + timedelta(seconds=40))
        self.freqtrade.process()  # what was decided is copied in the next loop

    def ask(self, text: str, **message) -> str:
        """What the chat answers to a message."""
        before = len(self.api.sent)
        self.api.receive(text, **message)
        until(lambda: len(self.api.sent) > before)
        return self.api.sent[-1]


@pytest.fixture(scope="session")
def candles(tmp_path_factory):
    folder = tmp_path_factory.mktemp("operation")
    spec = MarketSpec(
        pairs=PAIRS,
        start=datetime(2023, 1, 1, tzinfo=UTC),
        end=datetime(2023, 4, 10, tzinfo=UTC),
        seed=11,
    )
    write_market(spec, folder, "spot")
    return folder


class Quick:
    """asyncio for Freqtrade's Telegram module, whose end waits for a sleep of ten seconds."""

    def __getattr__(self, name):
        return getattr(asyncio, name)

    @staticmethod
    async def sleep(seconds):
        await asyncio.sleep(min(seconds, 0.1))


@pytest.fixture(scope="package")
def world(candles, tmp_path_factory):
    """Makes bots; all ends with this folder's tests."""
    api, patch = BotApi(), pytest.MonkeyPatch()
    made = []
    with (
        time_machine.travel(BEGIN, tick=True) as clock,
        SandboxServer(create_app(candles, wall_clock)) as exchange,
        SandboxServer(api.app) as bot_api,
    ):
        base = f"{bot_api.url}/bot"
        patch.setattr(freqtrade.rpc.telegram, "asyncio", Quick())
        patch.setattr(
            Telegram,
            "_init_telegram_app",
            lambda self: Application.builder().token(TOKEN).base_url(base).build(),
        )

        def make(**changes) -> Bot:
            clock.move_to(BEGIN + timedelta(seconds=20))
            folder = tmp_path_factory.mktemp("bot")
            made.append(Bot(folder, candles, clock, exchange.url, api, base, **changes))
            return made[-1]

        yield make
        for bot in made:
            bot.stop()
    patch.undo()


@pytest.fixture(scope="package")
def bot(world):
    """A bot that has lived through a night: two signals, one entry, one refusal, a summary."""
    own = world()
    own.hours(1)
    own.hours(9)
    return own
