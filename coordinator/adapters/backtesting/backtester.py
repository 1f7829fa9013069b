"""Freqtrade's `Backtesting` in this process, again and again with other settings.

What a `freqtrade backtesting` command does once for one run is done once for all of them: Freqtrade loads and
validates the config, one exchange object (told of its markets by the offline sandbox) serves every run, and each
timerange's candles are read once. A run then costs its indicators, its decisions and its candle loop.
"""

from __future__ import annotations

import gc
import json
import logging
import os
import re
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
from freqtrade.configuration import Configuration
from freqtrade.enums import RunMode
from freqtrade.exceptions import FreqtradeException
from freqtrade.optimize.backtesting import Backtesting
from freqtrade.resolvers import StrategyResolver
from freqtrade.util.dry_run_wallet import get_dry_run_wallet

from coordinator.adapters.environment import replaced_environment
from coordinator.errors import CoordinatorError
from coordinator.run.trading_run import TradingRun
from coordinator.sandbox.exchange import create_app, wall_clock
from coordinator.sandbox.overlay import environment_below, overlay_config
from coordinator.sandbox.server import SandboxServer
from coordinator.shipped import IGNORE_PARAMETER_FILES

__all__ = ["BacktestFailedError", "Backtester", "InProcessRun"]

FAILED_TRAINING = re.compile(r"Training \S+ raised exception")
MAX_MARKETS = 8  # timeranges whose candles are kept: the folds and the holdout


class BacktestFailedError(RuntimeError):
    """A backtest that Freqtrade refused or could not finish, in Freqtrade's own words."""


@dataclass(frozen=True)
class InProcessRun:
    """One finished backtest.

    Attributes
    ----------
    stats : mapping
        What :func:`coordinator.reports.results.build_result` reads.
    decisions : pandas.DataFrame or None
        The run's signals, as the ledger stores them; None of a strategy that is not the pack's.
    """

    stats: Mapping[str, Any]
    decisions: pd.DataFrame | None


class Backtester:
    """Backtests one strategy on one data directory; one run at a time, as Freqtrade keeps its trades in globals.

    Parameters
    ----------
    config : mapping
        Freqtrade's config, with pairs and trading mode, paths absolute.
    strategy : str
        Class name.
    datadir, user_data : Path
        Candles; where FreqAI keeps models and predictions.
    tolerant : bool
        Whether a training may fail and the rest trade on (``learning.on_failure``).

    Raises
    ------
    BacktestFailedError
        If Freqtrade refuses the config or strategy.
    """

    def __init__(
        self,
        config: Mapping[str, Any],
        strategy: str,
        datadir: Path,
        user_data: Path,
        *,
        tolerant: bool = False,
    ) -> None:
        self._strategy, self._datadir, self._user_data = strategy, datadir, user_data
        self._tolerant = tolerant
        self._exchange: Any = None
        self._config = {**config, IGNORE_PARAMETER_FILES: True}
        self._markets: dict[tuple[datetime, datetime], tuple[Any, Any]] = {}

    def run(self, start: datetime, end: datetime, changes: Mapping[str, Any]) -> InProcessRun:
        """Backtest from ``start`` to ``end``, excluded to the hour.

        Parameters
        ----------
        changes : mapping
            Config over the one of all runs, top-level keys whole: "coordinator", "freqai" where its identifier changes,
            "strategy" with its "strategy_path", "freqaimodel" with its path, "fee".

        Raises
        ------
        BacktestFailedError
            With Freqtrade's reason; also where a training failed, which Freqtrade itself takes for success.
        """
        with _quiet(), _failures() as failed_trainings:
            began = pd.Timestamp.now("UTC")
            backtesting, data = self._market(start, end)
            config = deepcopy(backtesting.config)
            config.update(deepcopy(dict(changes)))  # before the strategy reads its settings
            strategy = StrategyResolver.load_strategy(config)
            backtesting.strategylist, backtesting.fee = [strategy], config["fee"]
            first, last = backtesting.backtest_one_strategy(strategy, data, backtesting.timerange)
            content = backtesting.all_bt_content.pop(strategy.get_strategy_name())
            stats = {
                "trades": content["results"].to_dict("records"),
                "backtest_start_ts": int(first.timestamp() * 1000),
                "backtest_end_ts": int(last.timestamp() * 1000),
                "backtest_run_start_ts": int(began.timestamp()),
                "backtest_run_end_ts": content["backtest_end_time"],
                "timeframe": config["timeframe"],
                "trading_mode": str(config["trading_mode"].value),
                "stake_currency": config["stake_currency"],
                "starting_balance": get_dry_run_wallet(config),
                "pairlist": list(backtesting.pairlists.whitelist),
            }
            decisions = None
            if isinstance(getattr(strategy, "run", None), TradingRun):
                decisions = strategy.run.ledger_frame(strategy._tuned())
            # Strategies and models lie in cycles with a whole market: many runs would hold many markets.
            backtesting.strategylist = []
            del strategy, content
            gc.collect()
        if failed_trainings and not self._tolerant:
            raise BacktestFailedError(failed_trainings[0])
        return InProcessRun(stats, decisions)

    def _market(self, start: datetime, end: datetime) -> tuple[Any, Any]:
        """Freqtrade's backtesting of a timerange with its candles, kept for the next run."""
        key = start, end
        if key not in self._markets:
            while len(self._markets) >= MAX_MARKETS:
                self._markets.pop(next(iter(self._markets)))
            last = end - timedelta(hours=1)
            config = self._loaded(f"{start.timestamp():.0f}-{last.timestamp():.0f}")
            backtesting = Backtesting(config, self._exchange)
            data, _ = backtesting.load_bt_data()
            self._markets[key] = backtesting, data
        return self._markets[key]

    def _loaded(self, timerange: str) -> dict[str, Any]:
        """The config as Freqtrade loads and checks it; the exchange learns its markets the first time."""
        server = SandboxServer(create_app(self._datadir, wall_clock), "127.0.0.1", 0)
        with server, tempfile.TemporaryDirectory() as folder:
            files = []
            for name, content in (("config", self._config), ("sandbox", overlay_config(server.url))):
                files.append(Path(folder) / f"{name}.json")
                files[-1].write_text(json.dumps(content), encoding="utf-8")
            arguments = {
                "config": [str(file) for file in files],
                "user_data_dir": str(self._user_data),
                "datadir": str(self._datadir),
                "strategy": self._strategy,
                "timerange": timerange,
                "export": "none",
            }
            before = logging.root.manager.disable
            logging.disable(
                logging.WARNING
            )  # loading sets Freqtrade's own levels, and then says all it was told
            try:
                # The environment is in the config already, below what the run decides.
                with replaced_environment(environment_below(self._config, os.environ)):
                    config: dict[str, Any] = Configuration(arguments, RunMode.BACKTEST).get_config()
            finally:
                logging.disable(before)
            _only_errors()
            if self._exchange is None:
                self._exchange = Backtesting(deepcopy(config)).exchange
        return config


@contextmanager
def _quiet() -> Iterator[None]:
    """Freqtrade and the strategy say for every run what they were told and did; only errors are news here."""
    loggers = [logging.getLogger(name) for name in ("freqtrade", "coordinator")]
    levels = [logger.level for logger in loggers]
    _only_errors()
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def _only_errors() -> None:
    for name in ("freqtrade", "coordinator"):
        logging.getLogger(name).setLevel(logging.ERROR)


class _TrainingFailures(logging.Handler):
    """Collects Freqtrade's lines about trainings that failed."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        line = record.getMessage()
        if FAILED_TRAINING.search(line):
            self.lines.append(line)


@contextmanager
def _failures() -> Iterator[list[str]]:
    """What FreqAI says of failed trainings; Freqtrade's and our own errors become BacktestFailedError."""
    handler, log = _TrainingFailures(), logging.getLogger("freqtrade")
    log.addHandler(handler)
    try:
        yield handler.lines
    except (FreqtradeException, CoordinatorError) as error:
        raise BacktestFailedError(" ".join(str(error).split())) from error
    finally:
        log.removeHandler(handler)
