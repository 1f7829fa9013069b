"""Lines for cron and units for systemd that run a cycle regularly."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

__all__ = ["ENV_FILE", "cron_line", "systemd_units"]

ENV_FILE = ".env"

CRON_TIMES = {1: ("0 0 * * *", "daily"), 7: ("0 0 * * 0", "Sun *-*-* 00:00:00")}


def cycle_command(arguments: Sequence[str]) -> str:
    """The command, with the programs of this very environment."""
    program = Path(sys.executable).parent / "coordinator"
    return shlex.join([str(program), "learning", "cycle", *arguments])


def cron_line(days: int, folder: Path, arguments: Sequence[str], *, reads_env: bool = False) -> str:
    """Every so many days at midnight; weekly on Sundays.

    Parameters
    ----------
    reads_env : whether the ledger's URL is one of the variables in the folder's ``.env``

    Examples
    --------
    >>> cron_line(7, Path("/home/me/bot"), [])[:30]
    '0 0 * * 0 cd /home/me/bot && /'
    """
    when = CRON_TIMES[days][0] if days in CRON_TIMES else f"0 0 */{min(days, 28)} * *"
    log = folder / "user_data" / "logs" / "learning.log"
    variables = f"set -a && . ./{ENV_FILE} && " if reads_env else ""
    command = f"cd {shlex.quote(str(folder))} && {variables}{cycle_command(arguments)}"
    return f"{when} {command} >> {shlex.quote(str(log))} 2>&1".replace("%", r"\%")  # cron's own sign


def systemd_units(
    days: int, folder: Path, arguments: Sequence[str], *, reads_env: bool = False
) -> dict[str, str]:
    """Contents of a service and its timer by file name. Exit code 1 (nothing to do) is no failure."""
    when = CRON_TIMES[days][1] if days in CRON_TIMES else f"*-*-1/{min(days, 28)} 00:00:00"
    service = (
        "[Unit]\nDescription=Coordinator: drift check and retraining\n\n[Service]\nType=oneshot\n"
        f"WorkingDirectory={folder}\n"
        + (f"EnvironmentFile={folder}/{ENV_FILE}\n" if reads_env else "")
        + f"ExecStart={cycle_command(arguments)}\nSuccessExitStatus=1\n".replace("%", "%%")
    )
    timer = (
        "[Unit]\nDescription=Coordinator: drift check and retraining\n\n[Timer]\n"
        f"OnCalendar={when}\nPersistent=true\n\n[Install]\nWantedBy=timers.target\n"
    )
    return {"coordinator-learning.service": service, "coordinator-learning.timer": timer}
