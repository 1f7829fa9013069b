"""A year of a bot, FreqAI on, on an exchange where one request in twenty goes wrong.

    python -m benchmarks live.soak

Prints the bot's memory month by month, what went wrong and how often, and what is not as it should be: orders left
over, doubled or not adding up, and what the ledger's own check finds. About 40 minutes on a free core.
"""

from __future__ import annotations

import json
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

import pandas as pd
import psutil

from benchmarks.result import Result
from coordinator.jobs.bot.process import run_bot
from coordinator.jobs.bot.workspace import AFTER_CLOSE, BotWorkspace
from coordinator.jobs.replay.run import ReplayOptions, bot_overlay
from coordinator.jobs.run_plan import RunPlan, plan_run
from coordinator.ledger.store import Ledger
from coordinator.sandbox.faults import Faults
from coordinator.sandbox.market_files import write_market
from coordinator.sandbox.replay_spec import ReplaySpec
from coordinator.sandbox.spec import MarketSpec

__all__ = ["run"]

ROOT: Final = Path(__file__).resolve().parent.parent.parent
SPEC: Final = MarketSpec(
    pairs=("BTC/USDT", "ETH/USDT", "SOL/USDT"),
    start=datetime(2022, 1, 1, tzinfo=UTC),
    end=datetime(2023, 9, 10, tzinfo=UTC),
    seed=5,
)
TIMERANGE: Final = "20220901-20230901"
FAULTS: Final = Faults(
    rate_limit=0.01, server_error=0.01, timeout=0.002, disconnect=0.008, malformed=0.01, stale=0.01, seed=3
)
SETTINGS: Final[dict[str, Any]] = {
    "baseline": {"clock": "1h"},
    "regime": {"gate": "off"},
    "dca": {"enabled": True},
    "exits": {"scale_out": {"mode": "on"}, "channel": True},
    "learning": {"fast_start_days": 0},
    "decision": {"require_positive_expectancy": False},
}
MOST_DEATHS: Final = 40
PROBLEM: Final = re.compile(r" - ([\w.]+) - (WARNING|ERROR|CRITICAL) - (.{1,90})")
# Each query finds what must not be.
WRONG: Final = {
    "a pair with two open trades": "select pair from trades where is_open group by pair having count(*) > 1",
    "an order placed twice": (
        "select ft_trade_id, ft_order_side, order_date from orders where status != 'canceled' "
        "group by ft_trade_id, ft_order_side, order_date, ft_order_tag having count(*) > 1"
    ),
    "an order open for more than an hour": (
        "select id from orders where ft_is_open "
        "and order_date < (select datetime(max(order_date), '-1 hour') from orders)"
    ),
    "a trade whose fills do not add up": (
        "select t.id from trades t join orders o on o.ft_trade_id = t.id group by t.id having abs("
        "sum(case when (o.ft_order_side = 'sell') = t.is_short then o.filled else -o.filled end)"
        " - case when t.is_open then t.amount else 0 end) > 1e-6 * t.amount"
    ),
}


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
        plan = _make_plan(folder, timerange)
        workspace, memory = BotWorkspace(folder / "bot"), Memory()
        workspace.folder.mkdir(exist_ok=True)
        start = plan.start + AFTER_CLOSE
        workspace.prepare(plan, start, bot_overlay(plan, ReplayOptions()))
        spec = ReplaySpec(
            datadir=plan.datadir, start=start, end=plan.end, faults=FAULTS, clock_file=workspace.clock_file
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


def _make_plan(folder: Path, timerange: str) -> RunPlan:
    datadir = folder / "market"
    write_market(SPEC, datadir, "spot")
    config = json.loads((ROOT / "config.json").read_text())
    for name in ("strategy_path", "freqaimodel_path", "hyperopt_path"):
        config[name] = str(ROOT / config[name])
    config["coordinator"] = SETTINGS
    path = folder / "config.json"
    path.write_text(json.dumps(config))
    return plan_run(path, datadir, list(SPEC.pairs), timerange, "spot")


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


def _own_tracebacks(log: str) -> list[str]:
    """Those that come through our code; Freqtrade shows its own where the exchange does not answer."""
    texts = [
        re.split(r"\n(?=\d{4}-\d\d-\d\d )", text)[0].strip() for text in log.split("Traceback (most recent")
    ]
    return [text for text in texts[1:] if "/coordinator/" in text or "/strategies/" in text]


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
    wrong = ["the bot did not reach the end"] if len(deaths) == MOST_DEATHS else []
    wrong += [f"a traceback: {text.splitlines()[-1]}" for text in _own_tracebacks(workspace.log.read_text())]
    with sqlite3.connect(workspace.trades) as connection:
        for what, query in WRONG.items():
            wrong += [f"{what}: {row}" for row in connection.execute(query)]
        (trades,), (orders,) = (
            connection.execute(f"select count(*) from {t}").fetchone() for t in ("trades", "orders")
        )
    ledger = Ledger(workspace.ledger)
    wrong += ledger.check()
    entered = pd.concat([ledger.trades(int(run)) for run in ledger.runs()["id"]])
    recorded = int((entered["exit_reason"] != "entry not filled").sum())  # Freqtrade forgets those
    if recorded != trades:
        wrong.append(f"{recorded} trades in the ledger, {trades} in Freqtrade's database")
    for line in wrong:
        print(f"    wrong: {line}")
    values = list(months.values())
    grown = values[-1] / values[len(values) // 3] if values else float("nan")
    pair_candles = len(plan.pairs) * (plan.end - plan.start).total_seconds() / 3600
    about = f"{trades} trades, {orders} orders, {pair_candles:.0f} pair-candles in {seconds:.0f} s"
    return [
        Result("soak_wrong", float(len(wrong)), "things wrong", about),
        Result("soak_deaths", float(len(deaths)), "deaths of the process", "each started again"),
        Result("soak_memory", grown, "x the memory of the first third at the end", f"{values[-1]:.0f} MiB"),
    ]
