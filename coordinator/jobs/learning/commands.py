"""``coordinator learning``: exit code 0 done, 1 nothing to do, 2 an error; ``--json`` everywhere."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from coordinator.jobs.learning.output import (
    NOTHING_TO_DO,
    JsonOption,
    LedgerOption,
    UserDataOption,
    answer,
)
from coordinator.jobs.options import ConfigOption, Configs, ModeOption, chosen_configs

if TYPE_CHECKING:
    from coordinator.jobs.learning.context import LearningContext
    from coordinator.jobs.learning.cycle import Round

__all__ = ["learning_app"]

learning_app = typer.Typer(
    help="Continuous learning, fit for cron. Exit codes: 0 done, 1 nothing to do, 2 an error.",
    no_args_is_help=True,
)
USER_DATA = Path("user_data")
STATUS = (
    ("models", "models"), ("champion", "champion"), ("champion_until", "has learnt until"),
    ("champion_verdict", "verdict"), ("trained_at", "last training at"), ("due_on", "next training due"),
    ("due", "due now"), ("samples", "samples"), ("resolved", "resolved"), ("newest", "newest sample"),
    ("drift", "last drift check"), ("drift_checked", "checked at (UTC)"), ("source", "MLCoordinator's models are from"),
    ("ledger", "ledger"), ("problem", "problem"),
)  # fmt: skip


@learning_app.command("status")
def status_command(
    config: ConfigOption = None,
    trading_mode: ModeOption = None,
    user_data: UserDataOption = USER_DATA,
    ledger: LedgerOption = None,
    as_json: JsonOption = False,
) -> None:
    """How it stands: samples, champion, when a training is due; exit code 1 where none is."""
    from coordinator.jobs.learning.status import clock_status

    context = _context(config, user_data, ledger, trading_mode)
    found = [clock_status(context, clock) for clock in context.clocks]
    for status in found if not as_json else ():
        rows = [[label, _shown(status[key])] for key, label in STATUS if status[key] not in (None, "")]
        answer(False, None, [], ("", status["name"]), rows)
    if as_json:
        answer(True, found)
    if not any(status["due"] for status in found):
        raise typer.Exit(NOTHING_TO_DO)


@learning_app.command("check-drift")
def check_drift_command(
    config: ConfigOption = None,
    trading_mode: ModeOption = None,
    user_data: UserDataOption = USER_DATA,
    ledger: LedgerOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compare what came since the training with it: features, errors, calibration; exit code 1: no drift."""
    from coordinator.jobs.learning.cycle import check_clock

    _do(check_clock, config, trading_mode, user_data, ledger, as_json)


@learning_app.command("retrain")
def retrain_command(
    config: ConfigOption = None,
    trading_mode: ModeOption = None,
    force: Annotated[bool, typer.Option("--force", help="also where none is due")] = False,
    user_data: UserDataOption = USER_DATA,
    ledger: LedgerOption = None,
    as_json: JsonOption = False,
) -> None:
    """Train on all samples, promote the model if it is better; exit code 1: not due."""
    from coordinator.jobs.learning.cycle import retrain_clock

    def retrain(context: LearningContext, clock: str) -> Round:
        return retrain_clock(context, clock, "forced" if force else "")

    _do(retrain, config, trading_mode, user_data, ledger, as_json)


@learning_app.command("cycle")
def cycle_command(
    config: ConfigOption = None,
    trading_mode: ModeOption = None,
    user_data: UserDataOption = USER_DATA,
    ledger: LedgerOption = None,
    as_json: JsonOption = False,
) -> None:
    """Drift check, then a training where one is due or the model has drifted; exit code 1: nothing to do."""
    from coordinator.jobs.learning.cycle import cycle_clock

    _do(cycle_clock, config, trading_mode, user_data, ledger, as_json)


@learning_app.command("rollback")
def rollback_command(
    config: ConfigOption = None,
    trading_mode: ModeOption = None,
    user_data: UserDataOption = USER_DATA,
    ledger: LedgerOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make the champion before the last one champion again, from the newest sample on."""
    from coordinator.jobs.learning.cycle import rollback_clock

    _do(rollback_clock, config, trading_mode, user_data, ledger, as_json)


@learning_app.command("history")
def history_command(
    config: ConfigOption = None,
    trading_mode: ModeOption = None,
    user_data: UserDataOption = USER_DATA,
    ledger: LedgerOption = None,
    as_json: JsonOption = False,
) -> None:
    """Everything that was done: trainings, drift checks, looks at the holdout, rollbacks; exit code 1: nothing yet."""
    from coordinator.jobs.learning.status import clock_history

    context = _context(config, user_data, ledger, trading_mode)
    found = [event for clock in context.clocks for event in clock_history(context, clock)]
    head = ("at (UTC)", "name", "what", "model", "until", "why", "what came of it")
    rows = [[_shown(value) for value in event.values()] for event in found]
    answer(as_json, found, [] if rows else ["nothing yet"], head, rows)
    if not found:
        raise typer.Exit(NOTHING_TO_DO)


@learning_app.command("schedule")
def schedule_command(
    config: ConfigOption = None,
    trading_mode: ModeOption = None,
    user_data: UserDataOption = USER_DATA,
    ledger: LedgerOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print a cron line, and a systemd service with its timer, that run a cycle as often as the config says."""
    from coordinator.jobs.learning.schedule import ENV_FILE, cron_line, systemd_units
    from coordinator.ledger.location import URL_VARIABLE
    from coordinator.shown_url import has_password

    context = _context(config, user_data, ledger, trading_mode)
    days, folder = context.settings.continuous_learning.retrain_days, Path.cwd()
    # A password is not for a crontab, which every process list shows; neither has this shell's variables.
    reads_env = has_password(ledger) if ledger else bool(os.environ.get(URL_VARIABLE))
    named: list[tuple[str, object]] = [("--config", path) for path in config or ()]
    named += [("--user-data", user_data), ("--trading-mode", trading_mode)]
    named += [("--ledger", None if reads_env else ledger)]
    arguments = [text for name, value in named if value for text in (name, str(value))]
    line = cron_line(days, folder, arguments, reads_env=reads_env)
    units = systemd_units(days, folder, arguments, reads_env=reads_env)
    lines = ["cron (crontab -e):", line]
    for name, content in units.items():
        lines += ["", f"~/.config/systemd/user/{name}:", content.rstrip()]
    lines += ["", "systemctl --user enable --now coordinator-learning.timer"]
    if reads_env:
        lines += [
            "",
            f"Both read the ledger's URL: put {URL_VARIABLE}='...' into {folder / ENV_FILE}, mode 600",
        ]
    answer(as_json, {"cron": line, "systemd": units}, lines)


def _do(
    what: Callable[[LearningContext, str], Round],
    config: Configs,
    trading_mode: str | None,
    user_data: Path,
    ledger: str | None,
    as_json: bool,
) -> None:
    """Do something for every clock under the lock, answer, and exit with 1 where nothing was to be done."""
    from coordinator.components.registry_models import NoChampionError

    context = _context(config, user_data, ledger, trading_mode)
    try:
        with context.lock():
            rounds = [what(context, clock) for clock in context.clocks]
    except NoChampionError as error:
        answer(as_json, {"problem": str(error)}, [str(error)])
        raise typer.Exit(NOTHING_TO_DO) from None
    answer(as_json, [one.as_json() for one in rounds], [one.sentence for one in rounds])
    if not any(one.trigger for one in rounds):
        raise typer.Exit(NOTHING_TO_DO)


def _context(
    config: Configs, user_data: Path, ledger: str | None, trading_mode: str | None
) -> LearningContext:
    from coordinator.jobs.learning.context import LearningContext

    return LearningContext.of(chosen_configs(config), user_data, ledger, trading_mode)


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)
