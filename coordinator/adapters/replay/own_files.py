"""What a bot in another time does not share with the user's real bot: candles, models, trades and ledger of its own."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from coordinator.adapters.configuration import command_config, user_folder
from coordinator.candles.files import TradingMode
from coordinator.errors import CoordinatorError
from coordinator.file_lock import file_lock
from coordinator.moment_file import keep_moment, kept_moment
from coordinator.sandbox.child_command import is_bot, option_value
from coordinator.sandbox.history import copy_history
from coordinator.sandbox.replay_spec import ReplaySpec

__all__ = ["OwnFiles", "own_files"]

_OWNER: Final = "coordinator sandbox run"
_LIVE: Final = "sandbox-"
_DRY: Final = "sandbox-dry-"


@dataclass(frozen=True)
class OwnFiles:
    """Where they are, all named after the sandbox, a dry run's apart from a live bot's.

    Attributes
    ----------
    folder : of all but the models
    models : FreqAI's of one identifier, where FreqAI looks: in the user directory; None without FreqAI
    trading_mode : whose candles the bot has
    live : whether it orders at the exchange
    named : database URL of its trades and URL or file of its ledger that the command names instead
    """

    folder: Path
    models: Path | None
    trading_mode: TradingMode
    live: bool
    named: tuple[str | None, str | None] = (None, None)

    @property
    def candles(self) -> Path:
        """Its data directory."""
        return self._own("candles")

    @property
    def clock_file(self) -> Path:
        """The moment that it has come to."""
        return self._own("clock")

    @property
    def ledger(self) -> str:
        """URL of its ledger."""
        return self.named[1] or f"sqlite:///{self._own('ledger.sqlite')}"

    @property
    def overlay(self) -> dict[str, Any]:
        """Config that goes over the user's."""
        content: dict[str, Any] = {}
        if self.named[0] is None:
            content["db_url"] = f"sqlite:///{self._own('trades.sqlite')}"
        if self.models is not None:
            content["freqai"] = {"identifier": self.models.name}
        return content

    @contextmanager
    def held(self, spec: ReplaySpec) -> Iterator[datetime | None]:
        """Prepared for a bot that begins at ``spec.start``, and nobody else's while it lasts.

        The candles are those that have closed by then. A bot goes on where an earlier one ended; where that one has
        come further, it begins anew, as it must not know what is to come.

        Returns
        -------
        datetime or None
            The moment that the earlier bot had come to, where this one begins anew.

        Raises
        ------
        CoordinatorError
            If another bot runs on these files, no pair has candles by then, the clock's file cannot be read, or this
            one would begin anew on a database that the command names: it is not deleted.
        """
        rule = "be of no bot that still runs; give --account FILE in another folder"
        taken = CoordinatorError("folder", _OWNER, rule, str(self.folder))
        with file_lock(self._own("bot.lock"), taken):
            yield self._prepare(spec)

    def _prepare(self, spec: ReplaySpec) -> datetime | None:
        stopped = kept_moment(self.clock_file)
        # The exchange itself refuses a live bot's account that has seen later times.
        goes_on = stopped is None or spec.start >= stopped or self._has_account(spec)
        if stopped is not None and not goes_on:
            has_looked = stopped - spec.start >= timedelta(seconds=1)
            if has_looked and any(self.named):
                after = stopped + timedelta(seconds=1) - datetime.resolution
                rule = (
                    f"be {after:%Y-%m-%dT%H:%M:%SZ} or later, where the bot before has come to, or --db-url and "
                    "--ledger others (or left out): what they name is kept"
                )
                raise CoordinatorError("--start", _OWNER, rule, f"{spec.start:%Y-%m-%dT%H:%M:%SZ}")
            self._delete()
        shutil.rmtree(self.candles, ignore_errors=True)
        copy_history(spec.datadir, self.candles, spec.start, self.trading_mode)
        if stopped is None or not goes_on:
            # A microsecond on: one that ends before its first look is begun anew at the same start, too.
            keep_moment(self.clock_file, spec.start + datetime.resolution)
        return None if goes_on else stopped

    def _own(self, name: str) -> Path:
        return self.folder / f"{_LIVE if self.live else _DRY}{name}"

    def _has_account(self, spec: ReplaySpec) -> bool:
        file = None if spec.account is None else spec.account.file
        return self.live and file is not None and file.is_file()

    def _delete(self) -> None:
        for name in ("trades.sqlite", "ledger.sqlite"):
            # SQLite and its lock keep more beside it.
            for path in self.folder.glob(f"{self._own(name).name}*"):
                path.unlink()
        if self.models is not None:
            shutil.rmtree(self.models, ignore_errors=True)


def own_files(spec: ReplaySpec, command: Sequence[str], *, live: bool) -> OwnFiles | None:
    """Those of a command; None where it is no bot, or one that has a user directory of its own.

    Parameters
    ----------
    spec : says in which folder they are
    command : ``["freqtrade", "trade", ...]``
    live : whether its config is one

    Raises
    ------
    CoordinatorError
        If the config cannot be read.
    """
    if spec.home is None or not is_bot(command):
        return None
    arguments = command[1:]
    config = command_config(arguments)
    folder, user_data = spec.home.resolve(), user_folder(arguments, config).resolve()
    models = None
    if config.get("freqai"):
        # FreqAI has one folder of models for all that use a user directory.
        apart = "" if folder == user_data else hashlib.sha256(str(folder).encode()).hexdigest()[:8] + "-"
        name = f"{_LIVE if live else _DRY}{apart}{config['freqai'].get('identifier', 'freqai')}"
        models = user_data / "models" / name
    mode: TradingMode = "futures" if config.get("trading_mode") == "futures" else "spot"
    return OwnFiles(folder, models, mode, live, (option_value(arguments, "--db-url"), spec.ledger))
