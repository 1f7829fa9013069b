"""A demo from its preparation to its end."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.markup import escape

from coordinator.child_signals import STOPPED
from coordinator.errors import CoordinatorError
from coordinator.jobs.bot.process import run_bot
from coordinator.jobs.bot.workspace import BotWorkspace
from coordinator.jobs.demo.feed import feed_line
from coordinator.jobs.demo.plan import demo_plan, free_port
from coordinator.jobs.demo.user_interface import freqtrade_ui
from coordinator.sandbox.faults import Faults
from coordinator.sandbox.replay_spec import ReplaySpec

__all__ = ["DemoOptions", "run_demo"]

USER: Final = "freqtrader"
LOOKS_A_SECOND: Final = 6  # how often a fast bot looks at the market in a real second, beside each new candle


@dataclass(frozen=True)
class DemoOptions:
    """What a demo is asked for; see the command.

    Attributes
    ----------
    datadir : None is the simulated market
    end : None is the last candle
    folder : the demo's user directory
    port : 0 takes a free one
    follow : whether it goes on where the last one stopped
    again : the command that goes on from where this one stops
    """

    configs: Sequence[Path]
    datadir: Path | None
    pairs: str | None
    trading_mode: str | None
    start: str
    end: str | None
    speed: float
    strategy: str
    folder: Path
    port: int
    fast_start: bool
    faults: Faults
    streams: bool
    follow: bool
    again: str


def run_demo(asked: DemoOptions, console: Console) -> int:
    """Prepare the workspace, run the bot, show what it does; its exit code.

    Raises
    ------
    CoordinatorError
        On the first thing that is wrong with what was asked for.
    """
    if not asked.speed > 0:
        raise CoordinatorError("--speed", "coordinator demo", "be above 0", asked.speed)
    workspace = BotWorkspace(asked.folder)
    with workspace.held():
        return _run(asked, workspace, console)


def _run(asked: DemoOptions, workspace: BotWorkspace, console: Console) -> int:
    plan, begin, last = demo_plan(
        asked.configs, asked.datadir, asked.pairs, asked.trading_mode, asked.start, asked.end,
        asked.folder.parent, console,
    )  # fmt: skip
    port = free_port(asked.port)
    stopped = workspace.stopped_at() if asked.follow else None
    if stopped is None:
        workspace.prepare(plan, begin, _overlay(asked, port))
    spec = ReplaySpec(
        datadir=plan.datadir,
        start=stopped or begin,
        end=last,
        speed=asked.speed,
        faults=asked.faults,
        streams=asked.streams,
        clock_file=workspace.clock_file,
    )
    password = secrets.token_urlsafe(9)
    _greet(console, f"http://127.0.0.1:{port}", password, freqtrade_ui(asked.folder), workspace)
    console.print(
        f"The market begins at {spec.start:%Y-%m-%d %H:%M} UTC and moves {asked.speed:,.0f} times as fast; it waits "
        "while models train.",
        soft_wrap=True,
        highlight=False,
    )

    def say(line: str) -> None:
        told = feed_line(line)
        if told is not None:
            console.print(escape(told), soft_wrap=True, highlight=False, style=_style(told))

    # In no file: Freqtrade reads them from its environment.
    environment = {
        "FREQTRADE__API_SERVER__USERNAME": USER,
        "FREQTRADE__API_SERVER__PASSWORD": password,
        "FREQTRADE__API_SERVER__JWT_SECRET_KEY": secrets.token_hex(32),
        "FREQTRADE__API_SERVER__LISTEN_PORT": str(port),
    }
    code = run_bot(workspace, plan, spec, asked.strategy, say, environment)
    words = {0: "The market's candles end here.", **dict.fromkeys(STOPPED, "Stopped.")}
    said = f"{words.get(code, f'Freqtrade ended with code {code}.')} Its log: {workspace.log}"
    if code in STOPPED:
        said += f"; on from here: {asked.again}"
    console.print(said, soft_wrap=True, highlight=False)
    return code


def _overlay(asked: DemoOptions, port: int) -> dict[str, Any]:
    overlay: dict[str, Any] = {
        "bot_name": "demo",
        "internals": {"process_throttle_secs": int(min(900.0, max(5.0, asked.speed / LOOKS_A_SECOND)))},
        "api_server": {
            "enabled": True,
            "listen_ip_address": "127.0.0.1",
            "listen_port": port,
            "verbosity": "error",
            "enable_openapi": True,
        },
    }
    if not asked.fast_start:
        overlay["coordinator"] = {"learning": {"fast_start_days": 0}}
    return overlay


def _greet(console: Console, url: str, password: str, page: bool, workspace: BotWorkspace) -> None:
    who = f"user {USER}   password {password}"
    if page:
        console.print(f"FreqUI: {url}   {who}", soft_wrap=True, highlight=False)
    else:
        console.print(
            f"REST API: {url}/docs   {who}\nFreqUI is not installed, as it is downloaded from GitHub: run `freqtrade "
            "install-ui` where there is internet.",
            soft_wrap=True,
            highlight=False,
        )
    console.print(f"Log: {workspace.log}", soft_wrap=True, highlight=False)


def _style(line: str) -> str:
    if "  OPENED " in line or "  CLOSED " in line:
        return "bold"
    return "yellow" if "warning:" in line or "error:" in line else ""
