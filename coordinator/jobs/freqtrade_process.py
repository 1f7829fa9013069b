"""One Freqtrade backtest as a child process, with its progress on a bar and its words in a log file."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

__all__ = ["FreqtradeError", "ProgressCallback", "run_freqtrade"]

TRAINING = re.compile(r"Training \S+, (\d+)/(\d+) pairs .* (\d+)/(\d+) trains")
FAST_START = re.compile(r"Fast start: window (\d+) of (\d+)")
FAILED_TRAINING = re.compile(r"Training \S+ raised exception")
ABSENT_ML = re.compile(r"ML IS ABSENT")
ERROR = re.compile(r" - (?:ERROR|CRITICAL) - ")
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
        self.code, self.reason, self.log = code or 1, reason, log
        super().__init__(f"{reason} (log: {log})")


def run_freqtrade(
    arguments: Sequence[str], log: Path, progress: ProgressCallback, *, tolerant: bool = False
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

    Returns
    -------
    list of str
        Its warnings that ML was absent from a part of the backtest.

    Raises
    ------
    FreqtradeError
        If it exits with another code than 0, or says that a training failed, which Freqtrade itself takes for
        success.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    last_error, failed_training = "", ""
    absences: list[str] = []
    command = [sys.executable, "-m", "freqtrade", *arguments]
    with (
        log.open("w", encoding="utf-8") as file,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as child,
    ):
        assert child.stdout is not None
        try:
            for line in child.stdout:
                file.write(line)
                file.flush()
                if ERROR.search(line):
                    last_error = ERROR.split(line)[-1].strip()
                if FAILED_TRAINING.search(line):
                    failed_training = line.split(" - ")[-1].strip()
                if ABSENT_ML.search(line):
                    absences.append(line.split(" - ")[-1].strip())
                _report(line, progress)
        except BaseException:
            child.terminate()
            raise
    if child.returncode != 0 or (failed_training and not tolerant):
        said = " ".join(filter(None, (failed_training, last_error)))
        reason = said or f"freqtrade exited with code {child.returncode}"
        raise FreqtradeError(child.returncode, reason, log)
    progress(1.0, "done")
    return absences


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
