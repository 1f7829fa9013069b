"""``python -m coordinator.adapters.replay.process SPEC freqtrade ARGUMENTS``: a freqtrade command in another time.

The command, the sandbox exchange that serves it and every thread of both share one simulated clock.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from freqtrade.freqtradebot import FreqtradeBot
from freqtrade.main import main as run_freqtrade
from freqtrade.rpc.api_server import api_auth

from coordinator.adapters.environment import replaced_environment
from coordinator.adapters.replay.backoff import simulated_backoff
from coordinator.adapters.replay.live_bot import TRADES, is_live, live_environment
from coordinator.adapters.replay.own_files import OwnFiles, own_files
from coordinator.adapters.replay.training_watch import TrainingWatch
from coordinator.errors import CoordinatorError
from coordinator.ledger.location import URL_VARIABLE
from coordinator.moment_file import keep_moment
from coordinator.sandbox.accounts.credentials import Credentials
from coordinator.sandbox.child_command import complete_command, option_value
from coordinator.sandbox.exchange import create_app, wall_clock
from coordinator.sandbox.overlay import environment_below, overlay_config
from coordinator.sandbox.replay_spec import ReplaySpec
from coordinator.sandbox.server import SandboxServer
from coordinator.sandbox.simulated_clock import SimulatedClock

__all__ = ["main", "run_replay"]


def run_replay(spec: ReplaySpec, command: Sequence[str]) -> int:
    """Run a freqtrade command in another time.

    Parameters
    ----------
    spec : ReplaySpec
        The market and the clock.
    command : sequence of str
        ``["freqtrade", "trade", ...]``.

    Returns
    -------
    int
        Freqtrade's exit code; 0 where the clock reached its end.
    """
    account = spec.account if is_live(command[1:]) else None
    customer = None if account is None else (account, Credentials.generate())
    own = own_files(spec, command, live=customer is not None)
    with (
        SimulatedClock(spec.start, spec.speed, spec.end) as clock,
        SandboxServer(
            create_app(spec.datadir, wall_clock, spec.faults, customer), spec.host, spec.port
        ) as server,
        TrainingWatch() as watch,
        tempfile.TemporaryDirectory() as folder,
        _lasting_tokens(),
        _cleaned_up_start(),
        simulated_backoff(spec.speed),
        ExitStack() as stack,
    ):
        clock.busy.append(watch.training)
        clock_file = spec.clock_file if own is None else own.clock_file
        if clock_file is not None:
            clock.slept.append(partial(keep_moment, clock_file))
        overlay = Path(folder) / "sandbox-overlay.json"
        live = customer is not None
        content = overlay_config(server.url, simulated_clock=True, streams=spec.streams, live=live)
        if customer is not None:
            home = (customer[0].file or Path(folder)).parent.resolve()
            print(f"Live on the sandbox exchange, with keys made for this run; the account is in {home}")  # noqa: T201
            stack.enter_context(live_environment(customer[1], home, server.url))
            if option_value(command, "--db-url") is None:
                content["db_url"] = f"sqlite:///{home / TRADES}"  # a live bot's own trades stay as they are
        variables: dict[str, str] = {}
        if own is not None:
            _tell(own, stack.enter_context(own.held(spec)))
            content |= own.overlay
            variables[URL_VARIABLE] = own.ledger
        overlay.write_text(json.dumps(content), encoding="utf-8")
        arguments = complete_command(command, overlay, server.url, Path.cwd())[1:]
        if own is not None:
            arguments += ["--datadir", str(own.candles)]  # in a config it would have no effect
        stack.enter_context(replaced_environment({**environment_below(content, os.environ), **variables}))
        refused = stack.enter_context(_wrong_config())
        try:
            run_freqtrade(arguments)
        except SystemExit as end:
            # Freqtrade says nothing both where a backtest is done and where its config is wrong.
            code = (2 if refused else 0) if end.code is None else end.code
            return 0 if clock.now == clock.end else code if isinstance(code, int) else 1
    return 0


def _tell(own: OwnFiles, anew_after: datetime | None) -> None:
    if not own.live:
        print(f"Dry run in another time: candles, trades, ledger and models of its own, in {own.folder}")  # noqa: T201
    if anew_after is not None:
        told = f"The earlier one had come to {anew_after:%Y-%m-%d %H:%M} UTC, after this start: this one begins anew"
        print(told)  # noqa: T201


@contextmanager
def _wrong_config() -> Iterator[list[str]]:
    """Freqtrade's lines that its config is wrong."""
    lines: list[str] = []

    def keep(record: logging.LogRecord) -> bool:
        if str(record.msg).startswith("Configuration error: "):
            lines.append(str(record.msg))
        return True

    log = logging.getLogger("freqtrade")
    log.addFilter(keep)
    try:
        yield lines
    finally:
        log.removeFilter(keep)


@contextmanager
def _cleaned_up_start() -> Iterator[None]:
    """A bot that is told to end while it starts stops its threads, too.

    Freqtrade stops them after an error alone, and its API server's would keep the process alive for ever.
    """
    begin = FreqtradeBot.__init__

    def started(bot: FreqtradeBot, *arguments: Any, **named: Any) -> None:
        try:
            begin(bot, *arguments, **named)
        except KeyboardInterrupt:
            bot.cleanup()
            raise

    FreqtradeBot.__init__ = started
    try:
        yield
    finally:
        FreqtradeBot.__init__ = begin


@contextmanager
def _lasting_tokens() -> Iterator[None]:
    """FreqUI's tokens live longer: a quarter of an hour of a fast clock would be over before the page is drawn."""

    def lasting(**duration: float) -> timedelta:
        return timedelta(**duration) * 10_000

    before = getattr(api_auth, "timedelta", None)
    if before is not None:
        vars(api_auth)["timedelta"] = lasting
    try:
        yield
    finally:
        if before is not None:
            vars(api_auth)["timedelta"] = before


def main(arguments: Sequence[str]) -> int:
    """Entry point: the specification's file, then the command."""
    try:
        spec = ReplaySpec.model_validate_json(Path(arguments[0]).read_text(encoding="utf-8"))
        return run_replay(spec, arguments[1:])
    except CoordinatorError as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201
        return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
