"""Which process runs a trial, and whether it still lives."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import psutil

__all__ = ["BEAT_SECONDS", "Owner", "this_process"]

BEAT_SECONDS = 20
SILENT_SECONDS = 180  # of another machine; its clock may differ a little


@dataclass(frozen=True)
class Owner:
    """A process: its host, its id there, and when it began (seconds since 1970), as ids are used again."""

    host: str
    pid: int
    began: float

    @property
    def key(self) -> str:
        """The study's attribute for its last sign of life."""
        return f"alive {self.host} {self.pid} {self.began:.2f}"

    def as_json(self) -> dict[str, Any]:
        return {"host": self.host, "pid": self.pid, "began": self.began}

    def lives(self, beats: Mapping[str, Any]) -> bool:
        """Whether the process lives: on this machine by its id, on another one by its last sign of life.

        Parameters
        ----------
        beats : ``key`` to seconds since 1970
        """
        if self.host != socket.gethostname():
            return time.time() - float(beats.get(self.key, 0.0)) < SILENT_SECONDS
        try:
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.began) < 2.0
            return bool(same and process.status() != psutil.STATUS_ZOMBIE)
        except psutil.NoSuchProcess:
            return False


def this_process() -> Owner:
    """The owner of the trials that this process asks for."""
    return Owner(socket.gethostname(), os.getpid(), psutil.Process().create_time())
