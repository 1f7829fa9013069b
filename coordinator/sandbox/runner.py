"""Running a command against the sandbox exchange, and serving it alone."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from coordinator.child_signals import bot_end, signals_to
from coordinator.errors import CoordinatorError
from coordinator.sandbox.child_command import complete_command, is_bot
from coordinator.sandbox.exchange import Clock, create_app, wall_clock
from coordinator.sandbox.faults import NO_FAULTS, Faults
from coordinator.sandbox.overlay import environment_below, overlay_config
from coordinator.sandbox.replay_spec import ReplaySpec
from coordinator.sandbox.server import SandboxServer
from coordinator.sandbox.store import CandleStore, check_market_is_open

__all__ = ["run_sandboxed", "run_simulated", "serve_until_stopped"]


def run_sandboxed(
    command: Sequence[str],
    datadir: Path,
    host: str = "127.0.0.1",
    port: int = 0,
    clock: Clock = wall_clock,
    faults: Faults = NO_FAULTS,
    streams: bool = False,
) -> int:
    """Start the exchange, run a command against it, end the exchange.

    Ctrl-C, SIGTERM and SIGHUP go on to the command and its children, and its end decides.

    Parameters
    ----------
    command : sequence of str
        E.g. ``["freqtrade", "backtesting", "--strategy", "S"]``; see
        :func:`~coordinator.sandbox.child_command.complete_command` for what is added.
    datadir : pathlib.Path
        Candles to serve.
    host, port
        Where to listen; port 0 takes a free one.
    clock : callable
        The exchange's now.
    faults : Faults
        What the exchange does wrong.
    streams : bool
        Whether a bot gets its candles over websocket.

    Returns
    -------
    int
        The command's exit code; 128 + n if signal n ended it.

    Raises
    ------
    CoordinatorError
        If there is no command or it cannot be found, the candles are absent, or the port is in use.
    """
    if not command:
        rule = "follow the options, e.g. -- freqtrade list-pairs"
        raise CoordinatorError("command", "coordinator sandbox run", rule, "nothing")
    children: list[subprocess.Popen[bytes]] = []
    app = create_app(datadir, clock, faults)
    if is_bot(command):
        check_market_is_open(datadir, clock())
    program = _find_program(command[0])
    with SandboxServer(app, host, port) as server, tempfile.TemporaryDirectory() as folder:
        overlay = Path(folder) / "sandbox-overlay.json"
        content = overlay_config(server.url, streams=streams)
        overlay.write_text(json.dumps(content), encoding="utf-8")
        completed = complete_command(command, overlay, server.url, Path.cwd())
        environment = environment_below(content, os.environ)
        # A process group of its own, so that a signal reaches the command and its workers exactly once.
        with signals_to(lambda number: _signal_group(children, number)):
            whole = [program, *completed[1:]]
            children.append(subprocess.Popen(whole, process_group=0, env=environment))
            code = children[0].wait()
    return code if code >= 0 else 128 - code


def run_simulated(spec: ReplaySpec, command: Sequence[str]) -> int:
    """Run a freqtrade command against the exchange, both under a simulated clock, in a process of its own.

    Parameters
    ----------
    spec : ReplaySpec
        Market, clock and faults.
    command : sequence of str
        ``["freqtrade", "trade", ...]``.

    Returns
    -------
    int
        The command's exit code; 0 where the clock reached its end, 128 + n where signal n has ended it.

    Raises
    ------
    CoordinatorError
        If the command is not freqtrade's, or the candles are absent.
    """
    if not command or Path(command[0]).name != "freqtrade":
        rule = "be freqtrade ... where --start, --end or --speed is given"
        raise CoordinatorError("command", "coordinator sandbox run", rule, " ".join(command[:2]) or "nothing")
    CandleStore(spec.datadir)
    with tempfile.TemporaryDirectory() as folder, bot_end() as end:
        child = subprocess.Popen(spec.command(Path(folder) / "replay.json", command), process_group=0)
        end.watch(child)
        return end.code(child.wait())


def serve_until_stopped(
    datadir: Path,
    host: str = "127.0.0.1",
    port: int = 8080,
    clock: Clock = wall_clock,
    faults: Faults = NO_FAULTS,
    ready: Callable[[str], None] | None = None,
) -> None:
    """Serve candles until Ctrl-C, SIGTERM or SIGHUP.

    Parameters
    ----------
    datadir : pathlib.Path
        Candles to serve.
    host, port
        Where to listen; port 0 takes a free one.
    clock : callable
        The exchange's now.
    faults : Faults
        What the exchange does wrong.
    ready : callable, optional
        Called with the address once requests are answered.

    Raises
    ------
    CoordinatorError
        If the candles are absent or the port is in use.
    """
    stopped = threading.Event()
    app = create_app(datadir, clock, faults)
    with SandboxServer(app, host, port) as server, signals_to(lambda _: stopped.set()):
        if ready is not None:
            ready(server.url)
        stopped.wait()


def _signal_group(children: list[subprocess.Popen[bytes]], number: int) -> None:
    """Signal the command and its workers; before the command has started, end this process instead."""
    if not children:
        raise KeyboardInterrupt
    if children[0].poll() is None:
        os.killpg(children[0].pid, number)


def _find_program(name: str) -> str:
    """Path of a program: on PATH, else beside this interpreter (an environment that is not activated)."""
    executable = shutil.which(name) or shutil.which(name, path=str(Path(sys.executable).parent))
    if executable is None:
        raise CoordinatorError("command", "coordinator sandbox run", "be an installed program", name)
    return executable
