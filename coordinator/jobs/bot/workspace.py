"""A user directory of its own for a bot under a simulated clock: its candles, config, databases and log."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from coordinator.errors import CoordinatorError
from coordinator.file_lock import file_lock
from coordinator.jobs.run_plan import RunPlan
from coordinator.moment_file import kept_moment
from coordinator.sandbox.history import copy_history

__all__ = ["AFTER_CLOSE", "BotWorkspace"]

_CLASSES: Final = ("strategy_path", "freqaimodel_path", "hyperopt_path")
_ORDER_TYPES: Final = {"entry": "limit", "exit": "limit", "stoploss": "market"}
_CHANNELS: Final = ("telegram", "discord", "webhook")
OWNER: Final = "a simulated bot"
LOCK: Final = "bot.lock"
BESIDE: Final = (LOCK, "backtest", "logs")  # a replay's own backtest comes first
AFTER_CLOSE: Final = timedelta(seconds=5)
"""How long after a full hour a bot begins: at the hour itself no candle that ends then can be seen."""


@dataclass(frozen=True)
class BotWorkspace:
    """Where a bot lives. Nothing of the user's own bot is touched: a folder that holds something else is refused.

    Attributes
    ----------
    folder : its user directory
    """

    folder: Path

    @property
    def config(self) -> Path:
        """The overlay over the user's configs."""
        return self.folder / "bot.json"

    @property
    def datadir(self) -> Path:
        """Its candles: those that had closed when it began, and what it downloads."""
        return self.folder / "data" / "binance"

    @property
    def ledger(self) -> Path:
        """Its decision ledger."""
        return self.folder / "coordinator.ledger.sqlite"

    @property
    def trades(self) -> Path:
        """Freqtrade's database."""
        return self.folder / "trades.sqlite"

    @property
    def log(self) -> Path:
        """Everything that Freqtrade said."""
        return self.folder / "logs" / "freqtrade.log"

    @property
    def clock_file(self) -> Path:
        """The moment at which it stopped."""
        return self.folder / "clock"

    def stopped_at(self) -> datetime | None:
        """The moment to go on from; None where it never ran.

        Raises
        ------
        CoordinatorError
            If the file that says so cannot be read.
        """
        return kept_moment(self.clock_file)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep other bots out of the folder, for as long as this one prepares and runs.

        Raises
        ------
        CoordinatorError
            If one runs there, or the folder holds what no such bot has written.
        """
        self._refuse_what_is_not_ours()
        rule = "be one without a running bot: end that one, or give another folder with --folder"
        with file_lock(self.folder / LOCK, CoordinatorError("folder", OWNER, rule, str(self.folder))):
            yield

    def prepare(self, plan: RunPlan, start: datetime, overlay: Mapping[str, Any]) -> None:
        """Begin anew: the candles closed by ``start``, no trades, no ledger, no models, and the config.

        What an earlier such bot left in the folder is deleted.

        Parameters
        ----------
        plan : RunPlan
            Market, pairs and settings.
        start : datetime.datetime
            When the bot begins.
        overlay : mapping
            What goes over the user's configs beside the paths.
        """
        self._write_config(plan, overlay)  # first: it says whose the folder is
        for path in (self.datadir, self.folder / "models", self.folder / "backtest_results"):
            shutil.rmtree(path, ignore_errors=True)
        for path in self.folder.glob("*.sqlite*"):
            path.unlink()
        for path in (self.clock_file, self.log):
            path.unlink(missing_ok=True)
        copy_history(plan.datadir, self.datadir, start, plan.trading_mode)
        self.log.parent.mkdir(parents=True, exist_ok=True)

    def _write_config(self, plan: RunPlan, overlay: Mapping[str, Any]) -> None:
        paths = {name: str(Path(plan.config[name]).resolve()) for name in _CLASSES if plan.config.get(name)}
        own: dict[str, Any] = {
            "user_data_dir": str(self.folder.resolve()),
            "datadir": str(self.datadir.resolve()),
            "db_url": f"sqlite:///{self.trades.resolve()}",
            "initial_state": "running",
            "dry_run": True,
            # Its looks are far apart: a stop at the exchange, which a dry run only plays, would often be refused as
            # passed already. In the bot it acts at the same looks, as a backtest's does.
            "order_types": {
                **_ORDER_TYPES,
                **(plan.config.get("order_types") or {}),
                "stoploss_on_exchange": False,
            },
            # Nobody is told what a made-up bot does.
            **{name: {"enabled": False} for name in _CHANNELS if name in plan.config},
        }
        # The hash of a backtest's timerange says nothing about a bot.
        without = {name: value for name, value in plan.overlay.items() if name != "freqai"}
        content = {**without, **paths, **own, **overlay}
        self.config.write_text(json.dumps(content, indent=2), encoding="utf-8")

    def _refuse_what_is_not_ours(self) -> None:
        found = sorted(path.name for path in self.folder.glob("*") if path.name not in BESIDE)
        if found and not self.config.is_file():
            rule = "be empty or an earlier simulated bot's: what it holds would be deleted"
            raise CoordinatorError("--folder", OWNER, rule, f"{self.folder} with {', '.join(found[:5])}")
