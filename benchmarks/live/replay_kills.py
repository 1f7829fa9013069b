"""A bot killed with kill -9 at random moments and started again, under a simulated clock.

    python -m benchmarks live.replay_kills

The real bot, its real databases and the sandbox exchange, in each of the scenarios of ``kill_scenarios``. It is killed
until it has been killed so often and has come to its end; its trades with every order, and what its ledger holds, must
be what one undisturbed run leaves.
"""

from __future__ import annotations

import math
import random
import signal
import sqlite3
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.live.kill_scenarios import SCENARIOS, Scenario
from benchmarks.result import Result
from coordinator.jobs.bot.process import started_bot
from coordinator.jobs.bot.workspace import AFTER_CLOSE, BotWorkspace
from coordinator.jobs.replay.run import ReplayOptions, bot_overlay
from coordinator.jobs.run_plan import RunPlan
from coordinator.ledger.store import Ledger
from coordinator.sandbox.replay_spec import ReplaySpec

__all__ = ["differences", "run", "run_killed", "run_undisturbed"]

# Where a bot was killed between a fill and the first stop Freqtrade calls that stop trailing; it is the same stop.
ORDERS = (
    "select t.pair, t.open_date, t.close_date, replace(t.exit_reason, 'trailing_', ''), t.stop_loss, t.amount, "
    "t.close_profit_abs, o.ft_order_side, o.order_date, o.price, o.amount as ordered, o.filled, o.status, "
    "replace(o.ft_order_tag, 'trailing_', '') "
    "from trades t join orders o on "
    "o.ft_trade_id = t.id order by t.pair, t.open_date, o.order_date, o.id"
)


def _begin(plan: RunPlan, folder: Path) -> tuple[BotWorkspace, ReplaySpec]:
    workspace = BotWorkspace(folder)
    start = plan.start + AFTER_CLOSE
    folder.mkdir(parents=True, exist_ok=True)
    workspace.prepare(plan, start, bot_overlay(plan, ReplayOptions(fill_at_once=True)))
    spec = ReplaySpec(datadir=plan.datadir, start=start, end=plan.end, clock_file=workspace.clock_file)
    return workspace, spec


def run_undisturbed(scenario: Scenario, plan: RunPlan, folder: Path) -> tuple[BotWorkspace, float]:
    """One whole run; its workspace and its seconds."""
    workspace, spec = _begin(plan, folder)
    began = time.perf_counter()
    with started_bot(workspace, plan, spec, scenario.strategy) as child:
        said = child.communicate()[0]
    if child.returncode != 0:
        raise RuntimeError(said[-2000:])
    return workspace, time.perf_counter() - began


def run_killed(
    scenario: Scenario, plan: RunPlan, folder: Path, kills: int, seconds: float, rng: random.Random
) -> tuple[BotWorkspace, int]:
    """A run that is killed at random moments, each time goes on, and comes to its end; how often it was killed."""
    workspace, spec = _begin(plan, folder)
    work = max(1.0, seconds - scenario.startup)
    killed = 0
    while True:
        with started_bot(workspace, plan, _onward(spec, workspace), scenario.strategy) as child:
            if killed < kills:
                time.sleep(scenario.startup + rng.uniform(0.0, 2.0 * work / kills))
                if child.poll() is None:
                    child.send_signal(signal.SIGKILL)
                    child.wait()
                    killed += 1
                    continue
            said = child.communicate()[0]
        if child.returncode != 0:
            raise RuntimeError(said[-2000:])
        print(f"    killed {killed} times", flush=True)
        return workspace, killed


def _onward(spec: ReplaySpec, workspace: BotWorkspace) -> ReplaySpec:
    stopped = workspace.stopped_at()
    return spec if stopped is None else spec.model_copy(update={"start": stopped})


def differences(one: BotWorkspace, other: BotWorkspace) -> list[str]:
    """What two runs left that is not the same, in words."""
    found = []
    orders = [_orders(workspace) for workspace in (one, other)]
    if orders[0] != orders[1]:
        only = [sorted(set(map(str, a)) - set(map(str, b))) for a, b in (orders, orders[::-1])]
        found.append(
            f"orders: {len(orders[0])} and {len(orders[1])}; only in one: {only[0][:3]} {only[1][:3]}"
        )
    ledgers = [Ledger(workspace.ledger) for workspace in (one, other)]
    runs = [ledger.runs()["id"].tolist() for ledger in ledgers]
    if len(runs[1]) != 1:
        found.append(f"{len(runs[1])} runs in the ledger")
    found += [f"ledger: {problem}" for problem in ledgers[1].check()]
    frames = [ledger.read_decisions() for ledger in ledgers]
    found += _unequal("decisions", *frames)
    trades = [ledger.trades(run[-1]) for ledger, run in zip(ledgers, runs, strict=True)]
    named = [frame.assign(exit_reason=frame["exit_reason"].str.removeprefix("trailing_")) for frame in trades]
    found += _unequal("trades", *named)
    for name in ("fold", "trust"):
        states = [ledger.snapshot(run[-1], name, 2**40) for ledger, run in zip(ledgers, runs, strict=True)]
        apart = _apart(states[0] and states[0].state, states[1] and states[1].state)
        if apart:
            found.append(f"the state of {name} differs in {apart}")
    return found


def _apart(one: Any, other: Any, where: str = "") -> str:
    """Where two states first differ by more than the last digits; empty where they do not."""
    if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
        return next(filter(None, (_apart(one[key], other[key], f"{where}/{key}") for key in one)), "")
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        parts = enumerate(zip(one, other, strict=True))
        return next(filter(None, (_apart(a, b, f"{where}/{i}") for i, (a, b) in parts)), "")
    if isinstance(one, float) and isinstance(other, float):
        return "" if math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-9) else where
    return "" if one == other else where or "all"


def _orders(workspace: BotWorkspace) -> list[tuple[Any, ...]]:
    with sqlite3.connect(workspace.trades) as connection:
        return [tuple(row) for row in connection.execute(ORDERS)]


def _unequal(name: str, one: pd.DataFrame, other: pd.DataFrame) -> Iterable[str]:
    try:
        # A frame that begins an hour later warms its averages up elsewhere: the last digits.
        pd.testing.assert_frame_equal(one, other, rtol=1e-9, atol=1e-9)
    except AssertionError as error:
        yield f"{name}: {' '.join(str(error).split())[:300]}"


def run(seed: int = 7) -> list[Result]:
    """Each scenario, undisturbed and killed."""
    return [_run_scenario(name, scenario, random.Random(seed)) for name, scenario in SCENARIOS.items()]


def _run_scenario(name: str, scenario: Scenario, rng: random.Random) -> Result:
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        plan = scenario.plan(folder)
        whole, seconds = run_undisturbed(scenario, plan, folder / "whole")
        same, rounds, kills, orders = 0, 0, 0, len(_orders(whole))
        print(f"    {name}: undisturbed {seconds:.0f} s, {orders} orders", flush=True)
        while kills < scenario.kills:
            each = min(scenario.kills_a_run, scenario.kills - kills)
            killed, count = run_killed(scenario, plan, folder / f"killed{rounds}", each, seconds, rng)
            found = differences(whole, killed)
            rounds, kills, same = rounds + 1, kills + count, same + (not found)
            for line in found:
                print(f"    {line}", flush=True)
    said = f"of {rounds} with {kills} kills, {orders} orders; undisturbed {seconds:.0f} s"
    return Result(f"replay_kills_{name}", float(same), "runs the same", said)
