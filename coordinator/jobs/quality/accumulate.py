"""Backtests that collect samples: year by year, so that what is done stays done whatever interrupts it."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from coordinator.candles.files import read_candles
from coordinator.components.samples import SIGNAL_SECTIONS
from coordinator.jobs.backtest import backtest_in_sandbox
from coordinator.jobs.learning.context import LearningContext
from coordinator.jobs.run_plan import STARTUP_DAYS, TIMEFRAMES, RunPlan
from coordinator.ledger.samples.copying import copy_samples, labelled_runs
from coordinator.ledger.store import Ledger
from coordinator.settings.all import MAX_TIME_LIMIT
from coordinator.shipped import IGNORE_PARAMETER_FILES
from coordinator.signals.panel_features import PANEL_SCHEMA
from coordinator.signals.signal_features import SIGNAL_SCHEMA

__all__ = ["Accumulation", "Chunk", "accumulate", "whole_history"]

OUTCOMES = timedelta(seconds=MAX_TIME_LIMIT) + timedelta(days=1)
"""A chunk's backtest goes on for so long, until the outcomes of its last signals are known."""
Progress = Callable[["Chunk", float, str], None]


@dataclass(frozen=True)
class Chunk:
    """A part of the history: signals of [start, end) are kept of the backtest of ``plan``."""

    start: datetime
    end: datetime
    plan: RunPlan
    label: str


@dataclass(frozen=True)
class Accumulation:
    """What was done: chunks that were run, and those that were there already."""

    run: list[Chunk]
    kept: list[Chunk]


def whole_history(plan: RunPlan) -> RunPlan:
    """The plan from the first pair's first candle on: pairs that are younger join when they begin."""
    firsts = [
        read_candles(plan.datadir, pair, "1h", plan.trading_mode)["date"].iloc[0] for pair in plan.pairs
    ]
    lasts = [
        read_candles(plan.datadir, pair, "1h", plan.trading_mode)["date"].iloc[-1] for pair in plan.pairs
    ]
    start = min(firsts).to_pydatetime() + timedelta(days=STARTUP_DAYS + 1)
    midnight = start.replace(hour=0, minute=0, second=0, microsecond=0)
    end = max(lasts).to_pydatetime().replace(hour=0, minute=0, second=0, microsecond=0)
    return replace(plan, start=midnight, end=max(end, midnight + timedelta(days=1)))


def accumulate(context: LearningContext, plan: RunPlan, strategy: str, progress: Progress) -> Accumulation:
    """Backtest every year of a plan that is not in the ledger yet, and copy its samples there.

    A year is copied in one transaction, in place of an older copy with fewer candles: an interrupted accumulation
    leaves whole years, and is continued by the same command.
    """
    chunks, prefix = list(_chunks(plan, strategy)), _prefix(plan, strategy)
    stored = labelled_runs(context.ledger, prefix)
    done = Accumulation([], [])
    for chunk in chunks:
        if chunk.label in stored:
            done.kept.append(chunk)
            progress(chunk, 1.0, "is there already")
            continue
        older = [run for label, run in stored.items() if label.split(" ")[:3] == chunk.label.split(" ")[:3]]
        _run_chunk(context, chunk, strategy, older, progress)
        done.run.append(chunk)
    return done


def _run_chunk(
    context: LearningContext, chunk: Chunk, strategy: str, older: list[int], progress: Progress
) -> None:
    folder = context.user_data / "accumulate"
    shutil.rmtree(folder / "backtest_results", ignore_errors=True)  # of a run that was interrupted
    with tempfile.TemporaryDirectory() as config_folder:
        overlay = Path(config_folder) / "collecting.json"
        overlay.write_text(json.dumps(_collecting(strategy)), encoding="utf-8")
        plan = replace(chunk.plan, config_paths=(*chunk.plan.config_paths, overlay))
        _, ledger, _ = backtest_in_sandbox(
            plan, strategy, folder, lambda share, doing: progress(chunk, share, doing)
        )
    source = Ledger(ledger)
    run = int(source.runs()["id"].iloc[-1])
    span = int(chunk.start.timestamp()), int(chunk.end.timestamp())
    copy_samples(source, run, context.ledger, chunk.label, *span, replaces=older[0] if older else None)
    shutil.rmtree(folder / "backtest_results", ignore_errors=True)


def _collecting(strategy: str) -> dict[str, Any]:
    """Config over the plan's: collection on; FreqAI, which wants training days before, only where it trains.

    Samples are named after the config's settings, so hyperopt's are not read.
    """
    collecting: dict[str, Any] = {
        IGNORE_PARAMETER_FILES: True,
        "coordinator": {"data_collection": {"enabled": True}},
    }
    if strategy == "TechnicalBaseline":
        collecting["freqai"] = {"enabled": False}
    return collecting


def _chunks(plan: RunPlan, strategy: str) -> Iterator[Chunk]:
    """Calendar years of the plan; the newest is as long as there are candles."""
    prefix, start = _prefix(plan, strategy), plan.start
    while start < plan.end:
        end = min(datetime(start.year + 1, 1, 1, tzinfo=UTC), plan.end)
        own = replace(plan, start=start, end=min(end + OUTCOMES, plan.end))
        yield Chunk(start, end, own, f"{prefix} {start:%Y%m%d} {_content(own)}")
        start = end


def _prefix(plan: RunPlan, strategy: str) -> str:
    """Names what is collected: strategy, pairs, settings of a signal and versions of the features."""
    dumped = plan.settings.model_dump(mode="json")
    known = [strategy, plan.trading_mode, sorted(plan.pairs), SIGNAL_SCHEMA.hash, PANEL_SCHEMA.hash]
    known += [dumped[name] for name in (*SIGNAL_SECTIONS, "quality")]
    return f"accumulate {hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()[:12]}"


def _content(plan: RunPlan) -> str:
    """Hash of the candles that a chunk's backtest can see."""
    content = hashlib.sha256(f"{plan.end}".encode())
    for pair in plan.pairs:
        for timeframe in TIMEFRAMES:
            frame = read_candles(plan.datadir, pair, timeframe, plan.trading_mode)
            seen = frame[frame["date"] < plan.end]
            content.update(seen["date"].to_numpy(dtype="datetime64[s]").tobytes())
            content.update(seen[["open", "high", "low", "close", "volume"]].to_numpy(dtype=float).tobytes())
    return content.hexdigest()[:12]
