"""The ``coordinator sandbox run`` command: it knows Freqtrade's config, as the sandbox itself does not."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Annotated, Final

import typer

from coordinator.errors import CoordinatorError
from coordinator.sandbox.child_command import (
    DATADIR_OPTIONS,
    USER_DATA,
    USERDIR_OPTIONS,
    freqtrade_arguments,
    option_value,
)
from coordinator.sandbox.commands import HOST_HELP, FaultOption

__all__ = ["sandbox_run", "with_its_candles"]

OWNER: Final = "coordinator sandbox run"
EXCHANGE: Final = "binance"  # what the sandbox is
_LEDGER_HELP = (
    "Ledger file or database URL of the bot; default: one of its own beside the account. Needs --start."
)
_ACCOUNT_HELP = "Where a live bot's account is kept; default: sandbox-account.json in the user directory."


def sandbox_run(
    command: Annotated[list[str], typer.Argument(help="After --: e.g. freqtrade backtesting --strategy S")],
    datadir: Annotated[
        Path | None, typer.Option(help="Candles to serve; default: the command's own.")
    ] = None,
    host: Annotated[str, typer.Option(help=HOST_HELP)] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="0 takes a free port.")] = 0,
    start: Annotated[str | None, typer.Option(help="First moment, UTC, e.g. 2023-06-01T06:00.")] = None,
    end: Annotated[str | None, typer.Option(help="Last moment; the command is then ended.")] = None,
    speed: Annotated[float, typer.Option(help="Seconds in a real one; needs --start.")] = 1.0,
    fault: FaultOption = None,
    streams: Annotated[bool, typer.Option("--streams", help="A bot's candles over websocket.")] = False,
    balance: Annotated[float, typer.Option(help="USDT of a live bot at its beginning.")] = 10_000.0,
    account: Annotated[Path | None, typer.Option(help=_ACCOUNT_HELP)] = None,
    ledger: Annotated[str | None, typer.Option(help=_LEDGER_HELP)] = None,
) -> None:
    """Run a command, offline, against the sandbox exchange; the exit code is the command's.

    With --start a freqtrade command lives in that time: its clock and the exchange's begin there, and a live bot
    ("dry_run": false) orders at the exchange, with keys that are made for it; candles, trades, ledger and models of
    either are its own (sandbox-... in the user directory). Without, every bot is a dry run on your files.
    """
    from coordinator.candles.moments import parse_moment
    from coordinator.sandbox.accounts.account_spec import ACCOUNT_FILE, AccountSpec
    from coordinator.sandbox.faults import parse_faults
    from coordinator.sandbox.replay_spec import ReplaySpec
    from coordinator.sandbox.runner import run_sandboxed, run_simulated

    faults = parse_faults(fault or [], OWNER)
    if start is None and (end is not None or speed != 1.0 or ledger is not None):
        raise CoordinatorError("--start", OWNER, "be given with --end, --speed and --ledger", "nothing")
    for name, value in (("--speed", speed), ("--balance", balance)):
        if not value > 0:
            raise CoordinatorError(name, OWNER, "be above 0", value)
    command, user_data, own = with_its_candles(command)
    served = datadir or own
    if start is None:
        raise typer.Exit(run_sandboxed(command, served, host, port, faults=faults, streams=streams))
    kept = account or user_data / ACCOUNT_FILE
    spec = ReplaySpec(
        datadir=served,
        start=parse_moment("--start", OWNER, start),
        end=None if end is None else parse_moment("--end", OWNER, end),
        speed=speed,
        host=host,
        port=port,
        faults=faults,
        streams=streams,
        account=AccountSpec(file=kept, balance=Decimal(str(balance))),
        home=kept.parent,
        ledger=ledger,
    )
    raise typer.Exit(run_simulated(spec, command))


def with_its_candles(command: list[str]) -> tuple[list[str], Path, Path]:
    """A command, its user directory and its candles, as Freqtrade would find them from options, config and environment.

    The sandbox is a Binance, so that Freqtrade would look in that exchange's folder; where the config is another
    exchange's and its folder is there, the command is told of it.
    """
    from coordinator.adapters.configuration import command_folders

    arguments = freqtrade_arguments(command)
    if arguments is None:  # what its other options mean is not known
        own, named = (option_value(command, *names) for names in (USERDIR_OPTIONS, DATADIR_OPTIONS))
        user_data = Path(own or USER_DATA)
        return command, user_data, Path(named) if named else user_data / "data" / EXCHANGE
    user_data, candles = command_folders(arguments)
    if option_value(arguments, *DATADIR_OPTIONS) is not None:
        return command, user_data, candles
    if candles.name != EXCHANGE and candles.is_dir():
        return [*command, "--datadir", str(candles)], user_data, candles
    return command, user_data, candles.with_name(EXCHANGE)
