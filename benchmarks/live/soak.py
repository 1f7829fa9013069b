"""A year of a live bot, FreqAI on, on an exchange where one request in twenty goes wrong.

    python -m benchmarks live.soak

The bot trades with ``dry_run: false`` on the sandbox exchange, its stops stand there, and one limit order in ten fills
by half or never. Prints the bot's memory month by month, what went wrong and how often, and what is not as it should
be: orders lost, doubled or not adding up, and what the ledger's own check finds. About half an hour on a free core.
"""

from __future__ import annotations

import re
import sqlite3
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any, Final

import psutil

from benchmarks.live.plan import make_plan
from benchmarks.live.soak_checks import whats_wrong
from benchmarks.result import Result
from coordinator.adapters.replay.live_bot import LEDGER, TRADES
from coordinator.jobs.bot.process import run_bot
from coordinator.jobs.bot.workspace import AFTER_CLOSE, BotWorkspace
from coordinator.jobs.replay.run import ReplayOptions, bot_overlay
from coordinator.jobs.run_plan import RunPlan
from coordinator.sandbox.accounts.account_spec import ACCOUNT_FILE, AccountSpec
from coordinator.sandbox.faults import Faults
from coordinator.sandbox.replay_spec import ReplaySpec
from coordinator.sandbox.spec import MarketSpec

__all__ = ["run"]

SPEC: Final = MarketSpec(
    pairs=("BTC/USDT", "ETH/USDT"),
    start=datetime(2022, 1, 1, tzinfo=UTC),
    end=datetime(2023, 9, 10, tzinfo=UTC),
    seed=5,
)
TIMERANGE: Final = "20220901-20230901"
FAULTS: Final = Faults(
    rate_limit=0.015,
    server_error=0.0163,
    timeout=0.0005,
    disconnect=0.008,
    malformed=0.0002,
    stale=0.01,
    partial_fill=0.05,
    no_fill=0.05,
    seed=3,
)
SETTINGS: Final[dict[str, Any]] = {
    "baseline": {"clock": "1h"},
    "regime": {"gate": "off"},
    "dca": {"enabled": True},
    "exits": {"scale_out": {"mode": "on"}, "channel": True},
    "learning": {"fast_start_days": 0},
    "decision": {"require_positive_expectancy": False},
}
# Half an answer to this one ends Freqtrade (ccxt takes its text for a table): as often as it must be asked.
EXCHANGE: Final = {"markets_refresh_interval": 360}
MOST_DEATHS: Final = 100
PROBLEM: Final = re.compile(r" - ([\w.]+) - (WARNING|ERROR|CRITICAL) - (.{1,90})")


@dataclass
class Memory:
    """Resident memory of the bot, MiB, by month of its clock."""

    by_month: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def sample(self, clock: Path) -> None:
        """Add the present; nothing while there is no bot or it has no moment yet."""
        bots = [
            child
            for child in psutil.Process().children()
            if "coordinator.adapters.replay.process" in child.cmdline()
        ]
        if bots and clock.is_file():
            self.by_month[clock.read_text()[:7]].append(bots[0].memory_info().rss / 2**20)


def run(timerange: str = TIMERANGE, keep: str | None = None) -> list[Result]:
    """The year, or a part of it; in a folder to keep, with the bot's log, or in one that goes."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(keep or name)
        folder.mkdir(parents=True, exist_ok=True)
        plan = make_plan(folder, SPEC, timerange, SETTINGS, exchange=EXCHANGE)
        workspace, memory = BotWorkspace(folder / "bot"), Memory()
        workspace.folder.mkdir(exist_ok=True)
        start = plan.start + AFTER_CLOSE
        live = {"dry_run": False, "order_types": plan.config["order_types"]}
        workspace.prepare(plan, start, {**bot_overlay(plan, ReplayOptions()), **live})
        spec = ReplaySpec(
            datadir=plan.datadir,
            start=start,
            end=plan.end,
            faults=FAULTS,
            clock_file=workspace.clock_file,
            account=AccountSpec(file=workspace.folder / ACCOUNT_FILE),
        )
        began = time.perf_counter()
        with _sampled(memory, workspace.clock_file):
            deaths = _run_supervised(workspace, plan, spec)
        seconds = time.perf_counter() - began
        return _report(workspace, plan, memory, deaths, seconds)


def _run_supervised(workspace: BotWorkspace, plan: RunPlan, spec: ReplaySpec) -> list[str]:
    """To the end; started again where it dies, as Docker and systemd do. What each death came from."""
    deaths: list[str] = []
    while len(deaths) < MOST_DEATHS:
        onward = spec.model_copy(update={"start": workspace.stopped_at() or spec.start})
        if run_bot(workspace, plan, onward, "MLCoordinator", lambda line: None) == 0:
            return deaths
        said = [match[3] for line in workspace.log.open() if (match := PROBLEM.search(line))]
        deaths.append(said[-1] if said else "no word")
    return deaths


@contextmanager
def _sampled(memory: Memory, clock: Path) -> Iterator[None]:
    done = threading.Event()

    def work() -> None:
        while not done.wait(3.0):
            memory.sample(clock)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _report(
    workspace: BotWorkspace, plan: RunPlan, memory: Memory, deaths: list[str], seconds: float
) -> list[Result]:
    months = {month: median(values) for month, values in sorted(memory.by_month.items())}
    print("    MiB by month: " + ", ".join(f"{month} {value:.0f}" for month, value in months.items()))
    said = Counter(match.groups() for line in workspace.log.open() if (match := PROBLEM.search(line)))
    for (logger, level, text), count in said.most_common(25):
        print(f"    {count:6} x {level} {logger}: {text}")
    for reason in deaths:
        print(f"    died and started again after: {reason}")
    trades, account = workspace.folder / TRADES, workspace.folder / ACCOUNT_FILE
    wrong = ["the bot did not reach the end"] if len(deaths) == MOST_DEATHS else []
    wrong += whats_wrong(trades, workspace.folder / LEDGER, account, workspace.log.read_text())
    for line in wrong:
        print(f"    wrong: {line}")
    values = list(months.values())
    grown = values[-1] / values[len(values) // 3] if values else float("nan")
    pair_candles = len(plan.pairs) * (plan.end - plan.start).total_seconds() / 3600
    with sqlite3.connect(trades) as connection:
        counts = [
            connection.execute(f"select count(*) from {name}").fetchone()[0] for name in ("trades", "orders")
        ]
    about = f"{counts[0]} trades, {counts[1]} orders, {pair_candles:.0f} pair-candles in {seconds:.0f} s"
    return [
        Result("soak_wrong", float(len(wrong)), "things wrong", about),
        Result("soak_deaths", float(len(deaths)), "deaths of the process", "each started again"),
        Result("soak_memory", grown, "x the memory of the first third at the end", f"{values[-1]:.0f} MiB"),
    ]
