"""``client -m MODULE ARGUMENTS``: asks ``server.py`` to run a module as ``python -m`` would, and waits for its end.

Workers of joblib (hyperopt) and of multiprocessing (dask) start so, too. Whatever else Python is asked to do, a fresh
Python does.
"""
# ruff: noqa: PTH100, PTH109, PTH118, PTH120, PTH123, PTH208
# pathlib would be half of its start.

import array
import json
import os
import signal
import socket
import sys
import time

MODULES = (
    "benchmarks.lookahead_all_pairs",
    "coordinator",
    "coordinator.adapters.replay.process",
    "freqtrade",
    "joblib.externals.loky.backend.popen_loky_posix",
    "tests.optimize.made_up",
    "tests.scenarios.ledger_crash",
)
SPAWN = "from multiprocessing.spawn import spawn_main"
FOLDER = os.path.dirname(os.path.abspath(__file__))
PATIENCE = 120.0  # seconds in which the server has to start
PASSED_ON = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)


def main() -> int:
    words, environment = sys.argv[1:], dict(os.environ)
    with open(os.path.join(FOLDER, "executable"), encoding="utf-8") as file:
        python = file.read()
    if words[:1] == ["-B"]:  # multiprocessing passes PYTHONDONTWRITEBYTECODE on as a flag, too
        words = words[1:]
    if words[:1] == ["-u"]:
        words, environment["PYTHONUNBUFFERED"] = words[1:], "1"
    known = words[0] == "-m" and words[1] in MODULES
    if not known and not (words[0] == "-c" and words[1].startswith(SPAWN)):
        os.execv(python, [python, *sys.argv[1:]])
    numbers = inherited()
    asked = {
        "kind": words[0],
        "program": words[1],
        "arguments": ["-c" if words[0] == "-c" else words[1], *words[2:]],
        "files": numbers,
        "directory": os.getcwd(),
        "environment": environment,
        "executable": os.path.join(FOLDER, "python"),
    }
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as connection:
        connect(connection)
        for number in PASSED_ON:
            signal.signal(number, lambda number, _: connection.send(str(int(number)).encode()))
        files = array.array("i", numbers)
        ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, files)]
        connection.sendmsg([json.dumps(asked).encode()], ancillary)
        # The command holds them now; what reads its output is to see its end.
        code = int(connection.recv(16) or b"70")
    if code < 0:
        signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    return code


def inherited() -> list[int]:
    """The open files, all of which the command gets."""
    found = []
    for number in sorted(map(int, os.listdir("/proc/self/fd"))):
        try:
            os.fstat(number)
        except OSError:  # the listing's own
            continue
        found.append(number)
    return found


def connect(connection: socket.socket) -> None:
    end = time.monotonic() + PATIENCE
    while True:
        try:
            return connection.connect(os.path.join(FOLDER, "socket"))
        except (FileNotFoundError, ConnectionRefusedError):
            if time.monotonic() > end:
                raise
            time.sleep(0.05)


if __name__ == "__main__":
    sys.exit(main())
