"""The ``coordinator init`` command."""

from __future__ import annotations

import sys
from pathlib import Path
from shlex import quote
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from coordinator.jobs.install import FileState, InstallPlan, carry_out, plan_install
from coordinator.jobs.install.contents import OVERLAY, shipped_contents
from coordinator.jobs.install.notes import config_notes, own_config

__all__ = ["init"]


def init(
    user_data: Annotated[Path, typer.Argument(help="Freqtrade's user directory, e.g. user_data")],
    config: Annotated[
        list[Path] | None,
        typer.Option(
            "--config", "-c", help="your own config, to look for what would act beside the strategies"
        ),
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="only say whether all is current; exit code 1")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="write without asking")] = False,
    force: Annotated[bool, typer.Option("--force", help="replace what you edited, after a copy")] = False,
) -> None:
    """Put strategies, models, losses, protection and a config overlay into a Freqtrade user directory."""
    plan = plan_install(user_data, shipped_contents(), force=force)
    paths, own, unread = own_config(user_data, config)
    console = Console()
    console.print(_table(plan))
    if check:
        for note in _own_notes(own, unread):
            _say(note)
        _say("everything is current" if plan.is_current else "not everything is current")
        raise typer.Exit(0 if plan.is_current else 1)
    if plan.kept:
        _say(f"{len(plan.kept)} kept as they are; --force replaces them after a copy")
    if not plan.writes:
        if yes:
            carry_out(plan)  # the manifest alone, where the files were there before it
        _say("nothing to write")
    elif not _agreed(plan, yes=yes):
        return
    else:
        for copy in carry_out(plan):
            _say(f"copy of yours: {copy}")
        _say(f"{len(plan.writes)} files written")
    for line in _next_steps(plan, paths, own, unread):
        _say(line)


def _table(plan: InstallPlan) -> Table:
    table = Table("file", "state", title=str(plan.user_data))
    for file in plan.files:
        table.add_row(file.name, file.words)
    return table


def _agreed(plan: InstallPlan, *, yes: bool) -> bool:
    if yes:
        return True
    if not sys.stdin.isatty():
        forced = " --force" if any(file.forced for file in plan.files) else ""
        _say(f"nothing written; to write it: coordinator init {plan.user_data} --yes{forced}")
        return False
    if typer.confirm(f"Write {len(plan.writes)} files?"):
        return True
    _say("nothing written")
    return False


def _next_steps(plan: InstallPlan, paths: list[Path], own: dict[str, Any], unread: str | None) -> list[str]:
    """What acts beside the strategies, and how they are run."""
    lines = _own_notes(own, unread)
    if any(file.name == OVERLAY and file.state is FileState.EDITED for file in plan.kept):
        lines.append("own settings are easier to keep in a third file after the overlay (-c mine.json)")
    mine = " ".join(f"-c {quote(str(path))}" for path in paths) or "-c <your config>"
    common = f"--userdir {quote(str(plan.user_data))} {mine} -c {quote(str(plan.user_data / OVERLAY))}"
    lines.append(f"candles: freqtrade download-data {common} --timeframes 1h 4h 1d --days 900")
    lines.append(f"a bot:   freqtrade trade {common}")
    return lines


def _own_notes(own: dict[str, Any], unread: str | None) -> list[str]:
    notes = [f"your config: {note}" for note in config_notes(own)]
    return [*notes, f"your config was not looked at: {unread}"] if unread else notes


def _say(line: str) -> None:
    typer.echo(line)
