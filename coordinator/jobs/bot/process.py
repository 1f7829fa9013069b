"""``freqtrade trade`` under a simulated clock as a child process, its words in a log file and line by line."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from coordinator.child_signals import bot_end
from coordinator.jobs.bot.workspace import BotWorkspace
from coordinator.jobs.run_plan import RunPlan
from coordinator.sandbox.overlay import environment_below
from coordinator.sandbox.replay_spec import ReplaySpec

__all__ = ["run_bot", "started_bot"]


@contextmanager
def started_bot(
    workspace: BotWorkspace,
    plan: RunPlan,
    spec: ReplaySpec,
    strategy: str,
    environment: Mapping[str, str] | None = None,
) -> Iterator[subprocess.Popen[str]]:
    """A bot that runs as long as this lasts; killed at the end if it has not ended by itself.

    Parameters
    ----------
    environment : mapping, optional
        Variables beside this process's own, e.g. a password that no file is to hold.
    """
    configs = [word for path in (*plan.config_paths, workspace.config) for word in ("--config", str(path))]
    trade = ["freqtrade", "trade", "--strategy", strategy, *configs]
    command = spec.command(workspace.folder / "replay.json", trade)
    # One line a message, however long.
    below = environment_below(json.loads(workspace.config.read_text(encoding="utf-8")), os.environ)
    variables = {**below, "COLUMNS": "100000", "PYTHONUNBUFFERED": "1", **(environment or {})}
    variables.pop("COORDINATOR_LEDGER_URL", None)  # the user's bot writes there
    child = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=variables, process_group=0
    )
    try:
        yield child
    finally:
        if child.poll() is None:
            child.kill()
        child.wait()


def run_bot(
    workspace: BotWorkspace,
    plan: RunPlan,
    spec: ReplaySpec,
    strategy: str,
    say: Callable[[str], None],
    environment: Mapping[str, str] | None = None,
) -> int:
    """Run a bot to its end, hand each line to ``say`` and append it to the log.

    Ctrl-C, SIGTERM and SIGHUP end the bot in good order; one more than ten seconds after the first kills it.

    Returns
    -------
    int
        Its exit code; 128 + n where signal n has ended it.
    """
    with (
        bot_end() as end,
        started_bot(workspace, plan, spec, strategy, environment) as child,
        _open_log(workspace.log) as write,
    ):
        end.watch(child)
        assert child.stdout is not None
        for line in child.stdout:
            write(line)
            say(line.rstrip("\n"))
        return end.code(child.wait())


@contextmanager
def _open_log(path: Path) -> Iterator[Callable[[str], int]]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8", buffering=1) as file:
        yield file.write
