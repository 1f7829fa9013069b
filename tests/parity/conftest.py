"""A bot without a clock: the real strategy, exchange and trade database, driven candle by candle."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from freqtrade.configuration import Configuration
from freqtrade.data.dataprovider import DataProvider
from freqtrade.enums import CandleType, RunMode
from freqtrade.persistence import Trade, init_db
from freqtrade.resolvers import ExchangeResolver, StrategyResolver

from coordinator.sandbox.exchange import create_app, wall_clock
from coordinator.sandbox.overlay import overlay_config
from coordinator.sandbox.server import SandboxServer
from tests.parity.hourly import HOURLY

ROOT = Path(__file__).resolve().parent.parent.parent
FRAME = 999  # candles a bot of Freqtrade holds on Binance

PRETENDER = '''
"""MLCoordinator with votes that need no training: a causal function of the candles."""

import numpy as np

from coordinator.run.predictions import with_predictions
from strategies.MLCoordinator import MLCoordinator


class Pretender(MLCoordinator):
    """Its LSTM says what the last three returns do."""

    def add_predictions(self, dataframe, metadata, analyses):
        drift = dataframe["close"].pct_change(3).fillna(0.0).to_numpy() * 20
        logits = np.column_stack((np.zeros(len(drift)), drift, -drift))
        shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        named = {f"lstm_{name}": shares[:, i] for i, name in enumerate(("hold", "buy", "sell"))}
        predicted = dataframe.assign(**named, do_predict=1)
        return dataframe, [with_predictions(one, predicted, ("lstm",)) for one in analyses]
'''


class Bot:
    """One strategy object in dry-run mode; ``step`` gives it the frames of a moment."""

    def __init__(self, config: dict, candles: dict[tuple[str, str], pd.DataFrame]) -> None:
        self.config, self.candles = config, candles
        init_db("sqlite://")
        self.exchange = ExchangeResolver.load_exchange(config, validate=False)
        self.strategy = StrategyResolver.load_strategy(config)
        self.messages: list[str] = []
        self.strategy.dp = DataProvider(config, self.exchange, pairlists=None)
        self.strategy.dp.send_msg = lambda message, always_send=False: self.messages.append(message)
        self.strategy.dp.current_whitelist = lambda: list(config["exchange"]["pair_whitelist"])
        self.strategy.wallets = None
        self.strategy.ft_bot_start()

    def step(self, now: pd.Timestamp, pairs: list[str]) -> None:
        """The candle that opened at ``now`` has just closed."""
        closed_by = now + pd.Timedelta("1h")
        for (pair, timeframe), frame in self.candles.items():
            ends = frame["date"] + pd.Timedelta({"1h": "1h", "4h": "4h", "1d": "1D"}[timeframe])
            seen = frame[ends <= closed_by].tail(FRAME).reset_index(drop=True)
            self.exchange._klines[pair, timeframe, CandleType.get_default(self.config["trading_mode"])] = seen
        self.strategy.bot_loop_start(closed_by.to_pydatetime())
        self.strategy.analyze(pairs)


@pytest.fixture
def make_bot(tmp_path):
    """Bots over a data directory, each with its own or a shared user_data folder."""
    strategies = tmp_path / "strategies"
    strategies.mkdir()
    (strategies / "Pretender.py").write_text(PRETENDER)
    servers = []

    def make(datadir: Path, pairs: list[str], candles, coordinator: dict, user_data: Path, **changes) -> Bot:
        server = SandboxServer(create_app(datadir, wall_clock), "127.0.0.1", 0)
        server.__enter__()
        servers.append(server)
        shipped = json.loads((ROOT / "config.json").read_text()) | {"max_open_trades": 4}
        overlay = overlay_config(server.url)
        overlay["exchange"] |= {"pair_whitelist": pairs}
        config = {
            **shipped,
            **overlay,
            "strategy": "Pretender",
            "strategy_path": str(strategies),
            "freqai": {"enabled": False},
            "coordinator": {
                name: {**HOURLY.get(name, {}), **coordinator.get(name, {})}
                for name in {*HOURLY, *coordinator}
            },
            "user_data_dir": str(user_data),
            **changes,
        }
        config["exchange"] = {**shipped["exchange"], **overlay["exchange"]}
        path = tmp_path / f"bot-{len(servers)}.json"
        path.write_text(json.dumps(config))
        arguments = {"config": [str(path)], "user_data_dir": str(user_data), "datadir": str(datadir)}
        return Bot(Configuration(arguments, RunMode.DRY_RUN).get_config(), candles)

    yield make
    Trade.session.remove()
    for server in servers:
        server.__exit__(None, None, None)
