"""The `coordinator` command. A user's mistake is one line on stderr; whatever goes wrong has exit code 2."""

from __future__ import annotations

import sys
import traceback
from typing import NoReturn

import typer

from coordinator.errors import CoordinatorError
from coordinator.jobs.commands import backtest, settings_app
from coordinator.jobs.demo.command import demo
from coordinator.jobs.evaluation.command import evaluate
from coordinator.jobs.install.command import init
from coordinator.jobs.learning.commands import learning_app
from coordinator.jobs.ledger_url import configured_ledger_url
from coordinator.jobs.optimize.command import optimize
from coordinator.jobs.quality.commands import quality_app
from coordinator.jobs.replay.command import replay
from coordinator.jobs.sandbox_run import sandbox_run
from coordinator.ledger.commands import ledger_app
from coordinator.ledger.location import configured_url
from coordinator.reports.commands import report_command
from coordinator.reports.rolling.commands import metrics_command
from coordinator.sandbox.commands import data_app, sandbox_app

__all__ = ["app", "main"]

app = typer.Typer(
    help="ML strategy pack for Freqtrade.", no_args_is_help=True, pretty_exceptions_enable=False
)
app.command("backtest")(backtest)
app.command("demo")(demo)
app.command("evaluate")(evaluate)
app.command("init")(init)
app.command("replay")(replay)
app.command("optimize")(optimize)
sandbox_app.command("run", context_settings={"allow_interspersed_args": False})(sandbox_run)
app.command("report")(report_command)
app.command("metrics")(metrics_command)
app.add_typer(settings_app, name="settings")
app.add_typer(ledger_app, name="ledger")
app.add_typer(quality_app, name="quality")
app.add_typer(learning_app, name="learning")
app.add_typer(sandbox_app, name="sandbox")
app.add_typer(data_app, name="data")


def main() -> None:
    """Entry point of the console script."""
    configured_url.set(configured_ledger_url)
    try:
        app()
    except CoordinatorError as error:
        _fail(str(error))
    except OSError as error:  # a folder that cannot be written, a full disk, a port that is taken
        _fail(f"{error.strerror or error}: {error.filename}" if error.filename else str(error))
    except Exception:
        traceback.print_exc()
        sys.exit(2)  # 1 is "nothing to do" for some commands


def _fail(reason: str) -> NoReturn:
    print(f"error: {reason}", file=sys.stderr)  # noqa: T201
    sys.exit(2)
