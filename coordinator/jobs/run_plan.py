"""What a backtest run works on: candles, pairs, timerange, settings; every mistake found before it starts."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path
from typing import Any, get_args

import pandas as pd

from coordinator.adapters.configuration import read_config
from coordinator.candles.files import TradingMode, candle_path, read_candles
from coordinator.errors import CoordinatorError
from coordinator.jobs.pair_spans import (
    PairSpan,
    choose_pairs,
    read_spans,
    refuse_unsound,
    spans_within,
    told_missing,
    told_spans,
)
from coordinator.settings import Settings, run_settings
from coordinator.settings.predictions import prediction_settings
from coordinator.signals.features import FEATURES_VERSION
from coordinator.signals.signal_features import SIGNAL_SCHEMA

__all__ = [
    "DEFAULT_DAYS",
    "STARTUP_DAYS",
    "TIMEFRAMES",
    "RunPlan",
    "parse_trading_mode",
    "plan_run",
]

TIMEFRAMES = ("1h", "4h", "1d")
DEFAULT_DAYS = 240
STARTUP_DAYS = 40  # 960 candles of 1h
OWNER = "this run"


@dataclass(frozen=True)
class RunPlan:
    """Everything a run needs, checked.

    Attributes
    ----------
    config_paths : the user's Freqtrade configs, later ones over earlier ones
    config : what Freqtrade makes of them and of the environment, without keys and passwords
    datadir, pairs, trading_mode, start, end : what is traded on; end excluded
    settings : the validated "coordinator" section
    told : what a user must know of it, a line for each pair that has no candles in part of the timerange
    """

    config_paths: tuple[Path, ...]
    config: dict[str, Any]
    datadir: Path
    pairs: tuple[str, ...]
    trading_mode: TradingMode
    start: datetime
    end: datetime
    settings: Settings
    told: tuple[str, ...] = ()

    @property
    def timerange(self) -> str:
        """For Freqtrade's --timerange."""
        return f"{self.start:%Y%m%d}-{self.end:%Y%m%d}"

    @property
    def overlay(self) -> dict[str, Any]:
        """Config that goes over the user's: pairs, mode, and a FreqAI identifier that names what it learnt on."""
        overlay: dict[str, Any] = {
            "trading_mode": self.trading_mode,
            "fee": self.settings.costs.fee,
            "exchange": {"pair_whitelist": list(self.pairs)},
            "pairlists": [{"method": "StaticPairList"}],
        }
        if self.config.get("freqai"):
            overlay["freqai"] = {"identifier": self.identifier()}
        return overlay

    def candle_digest(self) -> str:
        """Hash of all candle files."""
        content = hashlib.sha256()
        for pair, timeframe in product(self.pairs, TIMEFRAMES):
            content.update(candle_path(self.datadir, pair, timeframe, self.trading_mode).read_bytes())
        return content.hexdigest()

    def identifier(self, candles: str | None = None) -> str:
        """Hash of all that predictions depend on, so that stored ones are reused only where they are the same.

        Parameters
        ----------
        candles : ``candle_digest``, where many identifiers of the same files are made; read anew without it
        """
        known = {
            **prediction_settings(self.settings),
            "freqai": self.config.get("freqai"),
            "model": self.config.get("freqaimodel"),
            "features": [FEATURES_VERSION, SIGNAL_SCHEMA.hash],
            "timerange": self.timerange,
            "pairs": self.pairs,
            "candles": candles or self.candle_digest(),
        }
        content = hashlib.sha256(json.dumps(known, sort_keys=True).encode())
        return f"coordinator-{content.hexdigest()[:16]}"

    def candles(self, timeframe: str = "1h") -> dict[str, pd.DataFrame]:
        """The pairs' candles within the timerange."""
        frames = {p: read_candles(self.datadir, p, timeframe, self.trading_mode) for p in self.pairs}
        return {
            pair: frame[(frame["date"] >= self.start) & (frame["date"] < self.end)].reset_index(drop=True)
            for pair, frame in frames.items()
        }


def plan_run(
    config_paths: Path | Sequence[Path],
    datadir: Path,
    pairs: list[str] | None = None,
    timerange: str | None = None,
    trading_mode: str | None = None,
    *,
    trains: bool = True,
    most_days: int | None = None,
) -> RunPlan:
    """Resolve and check a run.

    Pairs default to the config's whitelist as far as the data directory has it, the timerange to the last 240 days
    of the market, to the newest candle of any pair. A pair that is listed later or ends earlier is traded while it has
    candles. Before the timerange FreqAI needs its training period, of one pair at least: its models judge the others.

    Parameters
    ----------
    trains : bool
        Whether a model is trained: without one, no training period is needed before the timerange.
    most_days : int, optional
        The timerange's default is the last so many days instead, or as many as there are.

    Raises
    ------
    CoordinatorError
        On the first thing that is wrong.
    """
    config = read_config(config_paths)
    paths = (config_paths,) if isinstance(config_paths, Path) else tuple(config_paths)
    mode = parse_trading_mode(trading_mode or config.get("trading_mode") or "spot")
    settings = run_settings({**config, "trading_mode": mode})
    chosen = choose_pairs(datadir, config, pairs, mode)
    refuse_unsound(datadir, chosen, TIMEFRAMES, mode)
    spans = read_spans(datadir, chosen, mode)
    training, freqai = STARTUP_DAYS, config.get("freqai") or {}
    if trains and freqai.get("enabled", False):
        training += int(freqai.get("train_period_days", 0))
    start, end = _timerange(timerange, max(span.end for span in spans))
    if timerange is None and most_days is not None:
        oldest = min(span.first for span in spans) + timedelta(days=training)
        start = max(end - timedelta(days=most_days), _next_midnight(oldest))
    traded = spans_within(spans, start, end)
    _check_history(traded, start, end, training)
    names = tuple(span.pair for span in traded)
    missing = [] if pairs else told_missing(config, chosen, mode, datadir)
    told = (*missing, *told_spans(spans, start, end))
    return RunPlan(paths, config, datadir, names, mode, start, end, settings, told)


def _check_history(spans: Sequence[PairSpan], start: datetime, end: datetime, training: int) -> None:
    """The oldest pair must have its history before the timerange; younger ones are judged by its models."""
    first, last = min(span.first for span in spans), max(span.end for span in spans)
    earliest = first + timedelta(days=training)
    if start >= earliest and end <= last:
        return
    if earliest >= last:
        rule = (
            f"begin {training} days after the first candle (freqai.train_period_days and {STARTUP_DAYS} days of "
            f"startup), and the candles are of {first:%Y-%m-%d} to {last:%Y-%m-%d}: download older ones with "
            f"`freqtrade download-data --days {2 * training}`, or lower freqai.train_period_days"
        )
    else:
        rule = (
            f"lie within {earliest:%Y%m%d}-{last:%Y%m%d} (candles from {first:%Y-%m-%d} less {training} days of "
            "training and startup)"
        )
    raise CoordinatorError("--timerange", OWNER, rule, f"{start:%Y%m%d}-{end:%Y%m%d}")


def _next_midnight(moment: datetime) -> datetime:
    later = moment + timedelta(hours=23, minutes=59)
    return later.replace(hour=0, minute=0, second=0, microsecond=0)


def parse_trading_mode(value: str) -> TradingMode:
    """A trading mode by name."""
    for mode in get_args(TradingMode):
        if value == mode:
            return mode  # type: ignore[no-any-return]
    raise CoordinatorError("--trading-mode", OWNER, "be spot or futures", value)


def _timerange(text: str | None, last: datetime) -> tuple[datetime, datetime]:
    if text is None:
        end = last.replace(hour=0, minute=0, second=0, microsecond=0)
        return end - timedelta(days=DEFAULT_DAYS), end
    match = re.fullmatch(r"(\d{8})-(\d{8})", text)
    try:
        if match is None:
            raise ValueError
        start, end = (datetime.strptime(part, "%Y%m%d").replace(tzinfo=UTC) for part in match.groups())
    except ValueError:
        raise CoordinatorError("--timerange", OWNER, "be YYYYMMDD-YYYYMMDD", text) from None
    if start >= end:
        raise CoordinatorError("--timerange", OWNER, "start before it ends", text)
    return start, end
