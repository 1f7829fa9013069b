"""A throw-away PostgreSQL server: in a folder of its own, on a free port of this machine, gone afterwards."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import psycopg

USERS = ("postgres", "nobody")  # PostgreSQL refuses to run as root


class NoPostgresError(Exception):
    """Why no server can be started here."""


class PostgresServer:
    """A running server. ``fsync`` off is quicker and as safe against killed clients, not against power cuts."""

    def __init__(self, fsync: bool = False) -> None:
        programs = _programs()
        self._prefix, user = _unprivileged()
        self.folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))  # a socket's path must be short
        if user is not None:
            os.chown(self.folder, user.pw_uid, user.pw_gid)
        data = self.folder / "data"
        init = [programs / "initdb", "-D", data, "-U", "ledger", "-A", "trust", "-E", "UTF8", "--no-sync"]
        done = subprocess.run([*self._prefix, *init], cwd="/", capture_output=True, text=True)
        if done.returncode:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise NoPostgresError(f"initdb failed: {done.stderr.strip()[-300:]}")
        self.port = _free_port()
        options = ["-h", "127.0.0.1", "-p", str(self.port), "-k", str(self.folder)]
        options += ["-c", f"fsync={'on' if fsync else 'off'}"]
        with (self.folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [*self._prefix, programs / "postgres", "-D", data, *options], cwd="/", stdout=log, stderr=log
            )
        self._wait()

    def url(self, database: str) -> str:
        return f"postgresql+psycopg://ledger@127.0.0.1:{self.port}/{database}"

    def create(self, database: str) -> str:
        """Make an empty database and return its URL."""
        with self._connect() as connection:
            connection.execute(f'CREATE DATABASE "{database}"')
        return self.url(database)

    def emptied(self, database: str) -> str:
        """A database with nothing in it and nobody connected, by its URL; far quicker than a new one each time."""
        with self._connect() as connection:
            known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database]).fetchone()
        if known is None:
            return self.create(database)
        with self._connect(database) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            connection.execute("DROP SCHEMA public CASCADE")
            connection.execute("CREATE SCHEMA public")
        return self.url(database)

    def stop(self) -> None:
        self._process.send_signal(signal.SIGINT)  # its word for "disconnect everybody and stop"
        try:
            self._process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _connect(self, database: str = "postgres") -> psycopg.Connection:
        return psycopg.connect(
            host="127.0.0.1",
            port=self.port,
            user="ledger",
            dbname=database,
            autocommit=True,
            connect_timeout=5,
        )

    def _wait(self) -> None:
        deadline = time.monotonic() + 30
        while True:
            try:
                self._connect().close()
                return
            except psycopg.OperationalError as error:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    log = (self.folder / "log").read_text()[-300:]
                    self._process.kill()
                    shutil.rmtree(self.folder, ignore_errors=True)
                    raise NoPostgresError(f"the server did not start: {log}") from error
                time.sleep(0.05)


def _programs() -> Path:
    """The folder that holds the server itself, not what merely links to it."""
    found = shutil.which("postgres")
    candidates = [Path(found).resolve()] if found else []
    candidates += sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), reverse=True)
    for path in candidates:
        if (path.parent / "initdb").is_file():
            return path.parent
    raise NoPostgresError(
        "PostgreSQL is not installed (no 'postgres' and 'initdb' in PATH or /usr/lib/postgresql)"
    )


def _unprivileged() -> tuple[list[str], pwd.struct_passwd | None]:
    """What to put before a command so that it does not run as root and dies with this process; and its user."""
    setpriv = shutil.which("setpriv")
    dying = [setpriv, "--pdeathsig", "INT"] if setpriv else []
    if os.geteuid() != 0:
        return dying, None
    if setpriv is None:
        raise NoPostgresError(
            "PostgreSQL refuses to run as root, and there is no 'setpriv' to become someone else"
        )
    for name in USERS:
        try:
            user = pwd.getpwnam(name)
        except KeyError:
            continue
        return [*dying, f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"], user
    raise NoPostgresError(f"PostgreSQL refuses to run as root, and there is no user {' or '.join(USERS)}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
