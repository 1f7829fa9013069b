"""What a demo runs on: its market, its first and its last moment."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from rich.console import Console

from coordinator.candles.files import read_candles
from coordinator.candles.moments import parse_moment
from coordinator.errors import CoordinatorError
from coordinator.jobs.bot.workspace import AFTER_CLOSE
from coordinator.jobs.options import split_names, tell
from coordinator.jobs.run_plan import RunPlan, plan_run
from coordinator.jobs.simulated import chosen_datadir

__all__ = ["demo_plan", "free_port"]

OWNER: Final = "coordinator demo"


def demo_plan(
    configs: Sequence[Path],
    datadir: Path | None,
    pairs: str | None,
    trading_mode: str | None,
    start: str,
    end: str | None,
    user_data: Path,
    console: Console,
) -> tuple[RunPlan, datetime, datetime]:
    """The checked run, its first and its last moment.

    Raises
    ------
    CoordinatorError
        On the first thing that is wrong.
    """
    datadir = chosen_datadir(datadir, configs, trading_mode, user_data, console)
    begin = parse_moment("--start", OWNER, start)
    day = begin.replace(hour=0, minute=0)
    timerange = f"{day:%Y%m%d}-{day + timedelta(days=1):%Y%m%d}"
    plan = plan_run(configs, datadir, split_names(pairs), timerange, trading_mode)
    tell(console, plan.told)
    frames = [read_candles(plan.datadir, pair, "1h", plan.trading_mode)["date"] for pair in plan.pairs]
    newest = max(frame.iloc[-1] for frame in frames).to_pydatetime() + timedelta(hours=1)
    last = newest if end is None else parse_moment("--end", OWNER, end)
    if not begin < last <= newest:
        rule = (
            f"be after {begin:%Y-%m-%dT%H:%M} and no later than the last candle's end {newest:%Y-%m-%dT%H:%M}"
        )
        raise CoordinatorError("--end", OWNER, rule, f"{last:%Y-%m-%dT%H:%M}")
    return plan, begin + AFTER_CLOSE, last


def free_port(port: int) -> int:
    """The port if it is free on 127.0.0.1, a free one for 0.

    Raises
    ------
    CoordinatorError
        If something listens there already.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except (OSError, OverflowError):
            rule = "be a free port of 127.0.0.1; 0 takes one"
            raise CoordinatorError("--port", OWNER, rule, port) from None
        return int(probe.getsockname()[1])
