"""What a freqtrade process in another time is told: which market, which clock, which faults."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from coordinator.sandbox.accounts.account_spec import AccountSpec
from coordinator.sandbox.faults import NO_FAULTS, Faults

__all__ = ["ReplaySpec"]

_PROCESS: Final = "coordinator.adapters.replay.process"  # by name: the sandbox imports no adapter


class ReplaySpec(BaseModel):
    """A run under a simulated clock; travels as JSON.

    Attributes
    ----------
    datadir : candles of the market, also later ones: the exchange shows what its clock has reached
    start, end : first and last moment; no end goes on as long as the command does
    speed : seconds of the simulated clock in a real one; infinity never waits
    host, port : where the exchange listens; port 0 takes a free one
    faults : what the exchange does wrong, and how often
    clock_file : where the present moment is kept, so that a run that was killed can go on from there
    streams : whether the bot gets its candles over websocket where it can
    account : of a live bot; without one every bot is a dry run
    home : where a bot of the user's own directories keeps candles, trades and ledger of its own; None where the
        directories are the bot's own already
    ledger : database URL or file of a bot's ledger instead of the one in ``home``
    """

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="strings")

    datadir: Path
    start: AwareDatetime
    end: AwareDatetime | None = None
    speed: float = Field(default=math.inf, gt=0)
    host: str = "127.0.0.1"
    port: int = 0
    faults: Faults = NO_FAULTS
    clock_file: Path | None = None
    streams: bool = False
    account: AccountSpec | None = None
    home: Path | None = None
    ledger: str | None = None

    def command(self, path: Path, command: Sequence[str]) -> list[str]:
        """What runs a freqtrade command as specified, in a process of its own; the specification is written there."""
        path.write_text(self.model_dump_json(indent=2), encoding="utf-8")
        return [sys.executable, "-m", _PROCESS, str(path), *command]
