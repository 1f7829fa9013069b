"""One Freqtrade backtest as a child process, with its progress on a bar and its words in a log file."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from coordinator.run.position_sizing import TOO_SMALL

__all__ = ["FreqtradeError", "ProgressCallback", "run_freqtrade"]

TRAINING = re.compile(r"Training \S+, (\d+)/(\d+) pairs .* (\d+)/(\d+) trains")
FAST_START = re.compile(r"Fast start: window (\d+) of (\d+)")
FAILED_TRAINING = re.compile(r"Training \S+ raised exception")
WARNING = re.compile(f"ML IS ABSENT|{TOO_SMALL}")
ERROR = re.compile(r" - (?:ERROR|CRITICAL) - ")
CONFIGURATION = "Configuration error: "  # after which Freqtrade exits with code 0
WRONG_KEY = re.compile(r"On instance((?:\[[^\]]+\])+):")
ProgressCallback = Callable[[float, str], None]


class FreqtradeError(RuntimeError):
    """A Freqtrade process that did not end well.

    Attributes
    ----------
    code : exit code, never 0
    reason : that a training failed, and its own last error
    log : where everything it said is
    """

    def __init__(self, code: int, reason: str, log: Path) -> None:
        self.code, self.reason, self.log = code, reason, log
        super().__init__(f"{reason} (log: {log})")


def run_freqtrade(
    arguments: Sequence[str],
    log: Path,
    progress: ProgressCallback,
    *,
    tolerant: bool = False,
    environment: Mapping[str, str] | None = None,
) -> list[str]:
    """Run ``freqtrade`` and wait for it.

    Parameters
    ----------
    arguments : sequence of str
        Without the program's name.
    log : Path
        Overwritten with its output.
    progress : callable
        Called with the share that is done (0..1) and what it is doing.
    tolerant : bool
        Whether it may say that a training failed and go on (``learning.on_failure``).
    environment : mapping, optional
        The process's; by default this one's.

    Returns
    -------
    list of str
        Its warnings that a user must see: ML was absent from a part of the backtest, the wallet is too small.

    Raises
    ------
    FreqtradeError
        If it exits with another code than 0, or says that its config is wrong or that a training failed, both of
        which Freqtrade itself takes for success.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    last_error = failed_training = wrong_key = ""
    warnings: list[str] = []
    command = [sys.executable, "-m", "freqtrade", *arguments]
    # One line a message.
    variables = {**(os.environ if environment is None else environment), "COLUMNS": "2000"}
    with (
        log.open("w", encoding="utf-8") as file,
        subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=variables
        ) as child,
    ):
        assert child.stdout is not None
        try:
            for line in child.stdout:
                file.write(line)
                file.flush()
                if ERROR.search(line):
                    last_error = ERROR.split(line)[-1].strip()
                if match := WRONG_KEY.match(line):
                    wrong_key = f"(at {match[1]})"
                if FAILED_TRAINING.search(line):
                    failed_training = line.split(" - ")[-1].strip()
                if WARNING.search(line):
                    warnings.append(line.split(" - ")[-1].strip())
                _report(line, progress)
        except BaseException:
            child.terminate()
            raise
    refused = last_error.startswith(CONFIGURATION)
    if child.returncode != 0 or refused or (failed_training and not tolerant):
        said = " ".join(filter(None, (failed_training, last_error, wrong_key if refused else "")))
        reason = said or f"freqtrade exited with code {child.returncode}"
        raise FreqtradeError(child.returncode or (2 if refused else 1), reason, log)
    progress(1.0, "done")
    return warnings


def _report(line: str, progress: ProgressCallback) -> None:
    match = TRAINING.search(line)
    if match:
        pair, pairs, train, trains = map(int, match.groups())
        progress(
            0.9 * (pair - 1 + (train - 1) / trains) / pairs,
            f"training pair {pair}/{pairs}, window {train}/{trains}",
        )
    elif match := FAST_START.search(line):
        progress(0.0, f"fast start, window {match[1]}/{match[2]}")
    elif "Backtesting with data from" in line:
        progress(0.9, "trading")
