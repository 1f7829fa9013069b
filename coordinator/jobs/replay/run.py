"""A replay from its preparation to its comparison."""

from __future__ import annotations

import json
import math
import re
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pandas as pd
from rich.console import Console

from coordinator.child_signals import STOPPED
from coordinator.components.fingerprint import FINGERPRINT
from coordinator.errors import CoordinatorError
from coordinator.jobs.backtest import backtest_in_sandbox
from coordinator.jobs.bot.process import run_bot
from coordinator.jobs.bot.workspace import AFTER_CLOSE, BotWorkspace
from coordinator.jobs.replay.decisions import DecisionComparison, compare_decisions
from coordinator.jobs.replay.trades import CancelledEntry, Circumstances, TradeComparison, compare_trades
from coordinator.jobs.run_plan import RunPlan
from coordinator.jobs.traded import traded_rows
from coordinator.ledger.store import Ledger
from coordinator.reports.results import read_result
from coordinator.sandbox.faults import NO_FAULTS, Faults
from coordinator.sandbox.replay_spec import ReplaySpec

__all__ = ["Replay", "ReplayOptions", "as_json", "bot_overlay", "run_replay"]

INTERRUPTED: Final = 130  # by Ctrl-C
ERROR: Final = re.compile(r" - (?:ERROR|CRITICAL) - (.*)")
CANCELLED: Final = re.compile(
    r"^(?P<time>[\d-]+ [\d:]+),\d+ - .*'type': .*entry_cancel.*'pair': '(?P<pair>[^']+)'", re.IGNORECASE
)


@dataclass(frozen=True)
class ReplayOptions:
    """How a replay runs.

    Attributes
    ----------
    strategy : class name
    looks : how often an hour the bot looks at the market
    compare : whether the backtest of the same span runs, too
    resume : whether a replay that was broken off goes on
    fill_at_once : orders cross the book, so that they are filled when they are placed
    """

    strategy: str = "MLCoordinator"
    looks: int = 4
    compare: bool = True
    resume: bool = False
    fill_at_once: bool = False
    faults: Faults = NO_FAULTS


@dataclass(frozen=True)
class Replay:
    """What a replay found.

    Attributes
    ----------
    seconds : of the bot's process
    pair_candles : candles times pairs
    errors : lines of the log
    decisions, trades : None without a backtest
    """

    seconds: float
    pair_candles: int
    errors: tuple[str, ...]
    decisions: DecisionComparison | None
    trades: TradeComparison | None

    def sentences(self) -> list[str]:
        """All of it, in words."""
        speed = self.pair_candles / self.seconds
        took = f"{self.pair_candles:,} pair-candles in {self.seconds:.0f} s with start and training"
        said = [f"{took}: {speed:.1f} a second"]
        if self.decisions is not None:
            said += self.decisions.sentences()
        if self.trades is not None:
            said += self.trades.sentences()
        if self.errors:
            said.append(f"{len(self.errors)} errors in the bot's log, the first: {self.errors[0]}")
        return said


def run_replay(plan: RunPlan, folder: Path, options: ReplayOptions, console: Console) -> Replay:
    """Backtest, live through the same candles, compare.

    Raises
    ------
    FreqtradeError
        If the backtest fails.
    CoordinatorError
        If the bot ends early, or the folder is another's.
    """
    workspace = BotWorkspace(folder)
    with workspace.held():
        return _run(plan, workspace, options, console)


def _run(plan: RunPlan, workspace: BotWorkspace, options: ReplayOptions, console: Console) -> Replay:
    folder = workspace.folder
    backtest = None
    if options.compare:
        with console.status(f"Backtest of {options.strategy}"):
            backtest = _backtest(plan, folder / "backtest", options.strategy)
    start = plan.start + AFTER_CLOSE
    stopped = workspace.stopped_at() if options.resume else None
    if stopped is None:
        workspace.prepare(plan, start, bot_overlay(plan, options))
        _share_fast_start(folder / "backtest" / "models", workspace.folder / "models", plan.identifier())
    spec = ReplaySpec(
        datadir=plan.datadir,
        start=stopped or start,
        end=plan.end + AFTER_CLOSE,
        faults=options.faults,
        clock_file=workspace.clock_file,
    )
    with console.status("Replay") as status:
        began = time.perf_counter()
        code = run_bot(
            workspace, plan, spec, options.strategy, lambda line: status.update(f"Replay {line[:16]}")
        )
        seconds = time.perf_counter() - began
    errors, cancelled = _read_log(workspace.log)
    if code in STOPPED and code != INTERRUPTED:
        raise SystemExit(code)
    if code != 0:
        reason = errors[-1] if errors else f"it ended with code {code}"
        raise CoordinatorError(
            "bot", "coordinator replay", f"reach {plan.end:%Y-%m-%d} (log: {workspace.log})", reason
        )
    hours = int((plan.end - spec.start) / timedelta(hours=1))
    decisions, trades = _compare(plan, workspace, backtest, cancelled) if backtest else (None, None)
    return Replay(seconds, hours * len(plan.pairs), tuple(errors), decisions, trades)


def bot_overlay(plan: RunPlan, options: ReplayOptions) -> dict[str, Any]:
    """Config of a replay's bot: trained when a backtest trains, looking at the market as often as asked."""
    freqai = plan.config.get("freqai") or {}
    overlay: dict[str, Any] = {
        "bot_name": "replay",
        "internals": {"process_throttle_secs": 3600 // options.looks},
    }
    if freqai.get("enabled"):
        # A backtest trains at fixed days, and its models never expire.
        hours = int(freqai.get("backtest_period_days", 60)) * 24
        overlay["freqai"] = {
            "identifier": f"replay-{plan.identifier()}",
            "live_retrain_hours": hours,
            "expiration_hours": 0,
        }
    if "api_server" in plan.config:
        overlay["api_server"] = {"enabled": False}
    if options.fill_at_once:
        crossing = {"price_side": "other", "use_order_book": True, "order_book_top": 1}
        overlay |= {"entry_pricing": crossing, "exit_pricing": crossing}
    return overlay


def _backtest(plan: RunPlan, folder: Path, strategy: str) -> tuple[Path, Path]:
    """Result and ledger of the backtest of the same span."""
    folder.mkdir(parents=True, exist_ok=True)
    result, ledger, _ = backtest_in_sandbox(plan, strategy, folder, lambda share, doing: None)
    opened, read = Ledger(ledger), read_result(result)
    run = int(opened.runs()["id"].iloc[-1])
    decisions = opened.read_decisions()
    opened.write_batch_trades(run, traded_rows(read, decisions, plan.settings.dca, plan.candles()))
    return result, ledger


def _share_fast_start(source: Path, target: Path, identifier: str) -> None:
    """What the models would have said before the run is the same for both: the bot need not train it anew."""
    own, goal = source / identifier, target / f"replay-{identifier}"
    for store in (own / "coordinator").glob("history-*"):
        shutil.copytree(store, goal / "coordinator" / store.name, dirs_exist_ok=True)
        shutil.copy2(own / FINGERPRINT, goal)


def _read_log(path: Path) -> tuple[list[str], list[CancelledEntry]]:
    """Errors, and entry orders that were not filled in time; of a replay that went on those of before, too."""
    errors, cancelled = [], []
    for line in path.read_text(encoding="utf-8").splitlines():
        if match := ERROR.search(line):
            errors.append(match[1][:300])
        if match := CANCELLED.search(line):
            cancelled.append(CancelledEntry(pd.Timestamp(match["time"], tz="UTC"), match["pair"]))
    return errors, cancelled


def _compare(
    plan: RunPlan, workspace: BotWorkspace, backtest: tuple[Path, Path], cancelled: Sequence[CancelledEntry]
) -> tuple[DecisionComparison, TradeComparison]:
    bot, batch = Ledger(workspace.ledger), Ledger(backtest[1])
    # The bot's last candle closes with the run's end; a backtest decides on it, too.
    decisions = compare_decisions(_within(batch.read_decisions(), plan), _within(bot.read_decisions(), plan))
    runs = [int(ledger.runs()["id"].iloc[-1]) for ledger in (batch, bot)]
    lived = Circumstances(plan.candles(), cancelled, _slots(plan), pd.Timestamp(plan.end))
    trades = compare_trades(batch.trades(runs[0]), bot.trades(runs[1]), lived)
    return decisions, trades


def _slots(plan: RunPlan) -> float:
    """Positions there may be at once: Freqtrade's limit and our own."""
    freqtrades, own = float(plan.config.get("max_open_trades", -1)), plan.settings.portfolio.max_positions
    return min(freqtrades if freqtrades >= 0 else math.inf, math.inf if own is None else own)


def _within(decisions: pd.DataFrame, plan: RunPlan) -> pd.DataFrame:
    inside = (decisions["time"] >= plan.start) & (decisions["time"] < plan.end)
    return decisions[inside].reset_index(drop=True)


def as_json(replay: Replay) -> str:
    """All of it as JSON text."""

    def trade(row: Mapping[str, object] | None) -> dict[str, object] | None:
        return None if row is None else {name: _plain(value) for name, value in row.items()}

    content: dict[str, Any] = {
        "seconds": replay.seconds,
        "pair_candles": replay.pair_candles,
        "errors": list(replay.errors),
    }
    if replay.decisions is not None:
        content["decisions"] = {
            "signals": replay.decisions.signals,
            "identical": replay.decisions.identical,
            "missing": [[str(time), pair] for time, pair in replay.decisions.missing],
            "added": [[str(time), pair] for time, pair in replay.decisions.added],
            "differing": replay.decisions.differing,
        }
    if replay.trades is not None:
        content["trades"] = [
            {
                "time": str(match.time),
                "pair": match.pair,
                "backtest": trade(match.backtest),
                "bot": trade(match.bot),
                "causes": list(match.causes),
                "explained": match.explained,
            }
            for match in replay.trades.matches
        ]
    return json.dumps(content, indent=2)


def _plain(value: object) -> object:
    if isinstance(value, pd.Timestamp):
        return None if pd.isna(value) else value.isoformat()
    if isinstance(value, float):
        return value if value == value else None
    return value if isinstance(value, str | int | bool) or value is None else str(value)
