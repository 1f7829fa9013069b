"""The real FreqtradeBot with ``dry_run: false`` on the sandbox exchange: scripted signals, time turned between looks.

Candles are 5 minutes long and wiggle by .03 % around a price that steps from the open to the low, the high and the
close of each hour, so that a limit order at the best price fills within minutes.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from freqtrade.configuration import Configuration
from freqtrade.enums import RunMode, State
from freqtrade.exceptions import TemporaryError
from freqtrade.freqtradebot import FreqtradeBot
from freqtrade.misc import deep_merge_dicts
from freqtrade.persistence import Trade, enable_database_use

from coordinator.adapters.replay.live_bot import live_environment
from coordinator.sandbox.accounts.account import Account
from coordinator.sandbox.accounts.account_file import Accounts
from coordinator.sandbox.accounts.account_spec import AccountSpec
from coordinator.sandbox.accounts.credentials import Credentials
from coordinator.sandbox.accounts.orders import Order
from coordinator.sandbox.exchange import create_app, wall_clock
from coordinator.sandbox.faults import NO_FAULTS, Faults
from coordinator.sandbox.overlay import overlay_config
from coordinator.sandbox.server import SandboxServer
from coordinator.sandbox.simulated_clock import SimulatedClock
from tests.scenarios.engine import HISTORY, START, UNIT, Play, over_off
from tests.scenarios.test_bot_replay import five_minutes

ROOT = Path(__file__).resolve().parent.parent.parent
FIRST = START + pd.Timedelta(hours=HISTORY)
WIGGLE = 3e-4


@dataclass
class Coin:
    """A play, and how its market differs from the others'.

    Attributes
    ----------
    still : row from which on the price wiggles no more
    since : hours after the others' first candle at which its own first one opens
    volume : of its trading, times that of the others
    busy : row from which on it is traded a hundred times as much as before
    """

    play: Play
    still: float = math.inf
    since: int = 0
    volume: float = 1.0
    busy: float = math.inf


def write(folder: Path, pair: str, coin: Coin, *, futures: bool) -> None:
    """Candle files of a coin; in futures mark prices and funding of nothing beside them."""
    hourly = coin.play.frame()[coin.since :].reset_index(drop=True)
    name = pair.replace("/", "_").replace(":", "_")
    target = folder / "futures" if futures else folder
    target.mkdir(parents=True, exist_ok=True)
    candles = five_minutes(hourly)
    rows = (candles["date"] - FIRST) / pd.Timedelta(hours=1)
    wiggle = WIGGLE * (rows < coin.still)
    candles["high"], candles["low"] = candles["high"] * (1 + wiggle), candles["low"] * (1 - wiggle)
    candles["volume"] = (candles["volume"] * coin.volume * np.where(rows >= coin.busy, 100.0, 1.0)).round(5)
    prices = ["open", "high", "low", "close"]
    candles[prices] = candles[prices].round(2)
    candles.to_feather(target / f"{name}-5m{'-futures' if futures else ''}.feather")
    if futures:
        hourly.to_feather(target / f"{name}-1h-mark.feather")
        funding = hourly[hourly["date"].dt.hour % 8 == 0].assign(open=0.0, high=0.0, low=0.0, close=0.0)
        funding.reset_index(drop=True).to_feather(target / f"{name}-1h-funding_rate.feather")


@dataclass
class LiveBot:
    """A running bot, its clock and its account."""

    bot: FreqtradeBot
    clock: SimulatedClock
    file: Path
    futures: bool

    def look(self, row: float, every: float = 5.0) -> None:
        """Let the bot look until so many hours after the signal's candle has opened, every few minutes."""
        until = FIRST + pd.Timedelta(hours=row)
        while pd.Timestamp(self.clock.now) < until:
            self._process()
            left = (until - pd.Timestamp(self.clock.now)).total_seconds()
            self.clock.sleep(min(left, every * 60.0))
        self._process()

    def _process(self) -> None:
        """As Freqtrade's worker does it: what is temporary is tried again in half a minute."""
        try:
            self.bot.process()
        except TemporaryError:
            self.clock.sleep(30.0)

    @property
    def account(self) -> Account:
        accounts = Accounts.model_validate_json(self.file.read_text())
        return accounts.futures if self.futures else accounts.spot

    @property
    def trades(self) -> list[Trade]:
        return sorted(Trade.get_trades_proxy(), key=lambda trade: trade.id)

    @property
    def stops(self) -> list[Order]:
        """Stops that wait at the exchange."""
        return [order for order in self.account.open_orders() if order.is_conditional]

    def check(self) -> None:
        """What always holds: the exchange has what the bot believes in, and nothing else waits there."""
        account, trades = self.account, [trade for trade in self.trades if trade.is_open]
        for trade in self.trades:
            held = trade.amount if trade.is_open else 0.0
            symbol = trade.pair.split(":")[0].replace("/", "")
            others = [t for t in trades if t is not trade and t.pair == trade.pair]
            if trade.is_open or not others:
                assert math.isclose(owned(account, symbol, trade.is_short), held, rel_tol=2e-3, abs_tol=2e-5)
        known = {order.order_id for trade in self.trades for order in trade.orders if order.ft_is_open}
        waiting = {str(order.id) for order in account.open_orders() if order.parent is None}
        assert waiting <= known, (waiting, known)
        for symbol in {order.symbol for order in self.stops}:
            assert sum(order.symbol == symbol for order in self.stops) == 1, "two stops for one position"


def owned(account: Account, symbol: str, is_short: bool = False) -> float:
    """What the exchange says is held of a symbol."""
    if hasattr(account, "positions"):
        return float(abs(account.position(symbol).amount))
    return float(account.balances.get(account.pairs[symbol].base, 0)) if symbol in account.pairs else 0.0


@contextmanager
def live_bot(
    folder: Path,
    plays: dict[str, Play | Coin],
    settings: dict[str, Any] | None = None,
    *,
    futures: bool = False,
    faults: Faults = NO_FAULTS,
    balance: float = 10_000.0,
    **changes: Any,
) -> Iterator[LiveBot]:
    """A bot that begins at the open of row 0; the same folder again goes on with the same databases and account."""
    suffix = ":USDT" if futures else ""
    pairs = {
        f"{name}/USDT{suffix}": coin if isinstance(coin, Coin) else Coin(coin) for name, coin in plays.items()
    }
    datadir = folder / "candles"
    for pair, coin in pairs.items():
        write(datadir, pair, coin, futures=futures)
    enable_database_use()  # another test's Backtesting may have switched it off
    file = folder / "account.json"
    customer = AccountSpec(file=file, balance=Decimal(str(balance))), Credentials.generate()
    moment = folder / "clock"
    start = pd.Timestamp(moment.read_text()) if moment.exists() else FIRST + pd.Timedelta(seconds=10)
    with ExitStack() as stack:
        clock = stack.enter_context(SimulatedClock(start.to_pydatetime(), math.inf))
        app = create_app(datadir, wall_clock, faults, customer)
        server = stack.enter_context(SandboxServer(app, "127.0.0.1", 0))
        stack.enter_context(live_environment(customer[1], folder, server.url))
        bot = FreqtradeBot(configuration(folder, server.url, list(pairs), settings or {}, futures, changes))
        bot.strategy.script = {pair: coin.play for pair, coin in pairs.items()}
        bot.state = State.RUNNING
        bot.startup()
        try:
            yield LiveBot(bot, clock, file, futures)
        finally:
            moment.write_text(clock.now.isoformat())
            bot.cleanup()
            Trade.session.remove()


def configuration(
    folder: Path, url: str, pairs: list[str], settings: dict[str, Any], futures: bool, changes: dict[str, Any]
) -> dict[str, Any]:
    """The shipped config with scripted signals, live."""
    shipped = json.loads((ROOT / "config.json").read_text())
    own = {
        "trading_mode": "futures" if futures else "spot",
        "strategy": "Scripted",
        "strategy_path": str(ROOT / "tests" / "scenarios" / "strategies"),
        "freqai": {"enabled": False},
        "exchange": {"pair_whitelist": pairs},
        "user_data_dir": str(folder),
        "db_url": f"sqlite:///{folder / 'trades.sqlite'}",
    }
    merged = deep_merge_dicts(overlay_config(url, simulated_clock=True, live=True), shipped)
    merged = deep_merge_dicts(own, merged)
    merged["coordinator"] = over_off(settings)
    path = folder / "config.json"
    path.write_text(json.dumps(deep_merge_dicts(changes, merged)))
    arguments = {"config": [str(path)], "user_data_dir": str(folder), "datadir": str(folder / "candles")}
    config = Configuration(arguments, RunMode.LIVE).get_config()
    assert config["dry_run"] is False
    return config


__all__ = ["FIRST", "UNIT", "Coin", "LiveBot", "live_bot", "owned"]
