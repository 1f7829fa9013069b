"""A Python that has imported the libraries once and forks itself for each command: ``server.py FOLDER OWNER_PID``.

A command is a process of its own, with its own arguments, directory, environment, files and exit code; it only does
not import Freqtrade, torch and ours anew, which is most of its start. It shares the hash seed with its siblings: a
test that compares two runs starts one with ``sys.executable``. ``client.py`` is what a test calls.
"""

from __future__ import annotations

import array
import atexit
import contextlib
import fcntl
import gc
import importlib
import io
import json
import multiprocessing
import os
import random
import runpy
import select
import signal
import socket
import sys
import threading
import types
from pathlib import Path
from typing import Any

IMPORTED = (
    "alembic.command",
    "alembic.config",
    "coordinator.adapters.freqai.model",
    "coordinator.adapters.replay.process",
    "coordinator.adapters.rest.routes",
    "coordinator.adapters.strategy",
    "coordinator.cli",
    "coordinator.sandbox.runner",
    "distributed",
    "freqtrade.commands",
    "freqtrade.data.history.datahandlers.featherdatahandler",
    "freqtrade.freqtradebot",
    "freqtrade.optimize.backtesting",
    "freqtrade.optimize.hyperopt",
    "freqtrade.resolvers.freqaimodel_resolver",
    "freqtrade.rpc.api_server.api_v1",
    "freqtrade.rpc.api_server.api_ws",
    "freqtrade.rpc.api_server.webserver",
    "lightgbm",
    "optuna",
    "plotly.graph_objects",
    "pyarrow.dataset",
    "pyarrow.feather",
    "safetensors.torch",
    "scipy.stats",
    "sklearn.ensemble",
    "sklearn.isotonic",
    "stable_baselines3",
    "torch._dynamo",
    "uvicorn.loops.uvloop",
)
LARGEST = 1 << 18  # bytes of a request
MOST_FILES = 64
Request = tuple[dict[str, Any], list[int], socket.socket]


def next_request(listener: socket.socket, owner: int) -> Request | None:
    """A request, in the process that is to keep its command; None once the owner is gone."""
    while _alive(owner):
        if not select.select([listener], [], [], 1.0)[0]:
            continue
        connection = listener.accept()[0]
        words, control, _, _ = connection.recvmsg(LARGEST, socket.CMSG_SPACE(MOST_FILES * 4))
        files = array.array("i")
        for _, _, data in control:
            files.frombytes(data)
        if not words:  # killed before it asked
            connection.close()
            continue
        if os.fork() == 0:
            listener.close()
            return json.loads(words), list(files), connection
        for file in files:
            os.close(file)
        connection.close()
    return None


def keep(child: int, connection: socket.socket) -> None:
    """Pass signals on to a command, and its exit code back; who asks and is killed takes it along."""
    ended = os.pidfd_open(child)
    while not (ready := select.select([ended, connection], [], [])[0]) or ended not in ready:
        if number := connection.recv(16):
            os.kill(child, int(number))
        else:
            os.killpg(child, signal.SIGKILL)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    with contextlib.suppress(BrokenPipeError):
        connection.send(str(code).encode())


def become(asked: dict[str, Any], files: list[int]) -> None:
    """Take a command's arguments, directory, environment and files."""
    os.setpgid(0, 0)
    # Out of the way first, then each to the number that it had.
    aside = [fcntl.fcntl(file, fcntl.F_DUPFD_CLOEXEC, 512) for file in files]
    for file in files:
        os.close(file)
    for file, number in zip(aside, asked["files"], strict=True):
        os.dup2(file, number)
        os.close(file)
    os.chdir(asked["directory"])
    os.environ.clear()
    os.environ.update(asked["environment"])
    # Freqtrade reads it at import; 200 is its own width without a terminal.
    sys.modules["freqtrade.loggers"].error_console.width = int(os.environ.get("COLUMNS", "200"))
    random.seed()
    sys.modules["numpy"].random.seed()
    sys.executable = asked["executable"]
    multiprocessing.set_executable(sys.executable)
    sys.argv = asked["arguments"]
    paths = asked["environment"].get("PYTHONPATH", "")
    # As `python -m` has it: the directory first, then PYTHONPATH.
    sys.path[0:1] = [asked["directory"], *filter(None, paths.split(os.pathsep))]
    if asked["environment"].get("PYTHONUNBUFFERED"):
        sys.stdout = io.TextIOWrapper(os.fdopen(1, "wb", 0), write_through=True)


def run(kind: str, program: str) -> int:
    """Run a module or code to its end; the exit code. What was imported is left to the system, not taken apart."""
    try:
        if kind == "-m":
            runpy.run_module(program, run_name="__main__", alter_sys=True)
        else:
            sys.modules["__main__"] = types.ModuleType("__main__")
            exec(program, vars(sys.modules["__main__"]))
        code = 0
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
        if not isinstance(ended.code, int | None):
            sys.stderr.write(f"{ended.code}\n")
    except BaseException:
        sys.excepthook(*sys.exc_info())
        code = 1
    threading._shutdown()
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    return code & 0xFF


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def main() -> None:
    folder, owner = Path(sys.argv[1]), int(sys.argv[2])
    for name in IMPORTED:
        importlib.import_module(name)
    # No child is to go through, and so copy, all that stays as it is.
    gc.collect()
    gc.freeze()
    # What keeps a command is nobody's to wait for.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind(str(folder / "starting"))
        listener.listen(64)
        (folder / "starting").rename(folder / "socket")
        request = next_request(listener, owner)
    if request is None:
        return
    asked, files, connection = request
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    if child := os.fork():
        os.setpgid(child, child)
        for file in files:
            os.close(file)
        keep(child, connection)
        os._exit(0)
    connection.close()
    become(asked, files)
    os._exit(run(asked["kind"], asked["program"]))


if __name__ == "__main__":
    main()
