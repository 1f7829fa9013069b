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
from coordinator.candles.files import TradingMode, candle_path, check_datadir, list_pairs, read_candles
from coordinator.errors import CoordinatorError
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
    """

    config_paths: tuple[Path, ...]
    config: dict[str, Any]
    datadir: Path
    pairs: tuple[str, ...]
    trading_mode: TradingMode
    start: datetime
    end: datetime
    settings: Settings

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

    def identifier(self) -> str:
        """Hash of all that predictions depend on, so that stored ones are reused only where they are the same."""
        content = hashlib.sha256()
        known = {
            **prediction_settings(self.settings),
            "freqai": self.config.get("freqai"),
            "model": self.config.get("freqaimodel"),
            "features": [FEATURES_VERSION, SIGNAL_SCHEMA.hash],
            "timerange": self.timerange,
            "pairs": self.pairs,
        }
        content.update(json.dumps(known, sort_keys=True).encode())
        for pair, timeframe in product(self.pairs, TIMEFRAMES):
            content.update(candle_path(self.datadir, pair, timeframe, self.trading_mode).read_bytes())
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
    that all pairs have. Before the timerange FreqAI needs its training period.

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
    chosen = _choose_pairs(datadir, config, pairs, mode)
    check_datadir(datadir, chosen, TIMEFRAMES, mode)
    frames = [read_candles(datadir, pair, "1h", mode)["date"] for pair in chosen]
    first, last = max(f.iloc[0] for f in frames), min(f.iloc[-1] for f in frames)
    start, end = _timerange(timerange, last.to_pydatetime())
    training = STARTUP_DAYS
    if trains:
        training += int((config.get("freqai") or {}).get("train_period_days", 0))
    earliest = first.to_pydatetime() + timedelta(days=training)
    if timerange is None and most_days is not None:
        midnight = (earliest + timedelta(hours=23)).replace(hour=0, minute=0, second=0, microsecond=0)
        start = max(end - timedelta(days=most_days), midnight)
    if start < earliest or end > last.to_pydatetime() + timedelta(hours=1):
        rule = (
            f"lie within {earliest:%Y%m%d}-{last + timedelta(hours=1):%Y%m%d} (candles from {first:%Y-%m-%d} less "
            f"{training} days of training and startup)"
        )
        raise CoordinatorError("--timerange", OWNER, rule, f"{start:%Y%m%d}-{end:%Y%m%d}")
    return RunPlan(paths, config, datadir, tuple(chosen), mode, start, end, settings)


def parse_trading_mode(value: str) -> TradingMode:
    """A trading mode by name."""
    for mode in get_args(TradingMode):
        if value == mode:
            return mode  # type: ignore[no-any-return]
    raise CoordinatorError("--trading-mode", OWNER, "be spot or futures", value)


def _choose_pairs(
    datadir: Path, config: dict[str, Any], pairs: list[str] | None, mode: TradingMode
) -> list[str]:
    """Pairs in the mode's spelling: BTC/USDT is BTC/USDT:USDT in futures."""
    available = list_pairs(datadir, mode)
    whitelist = (config.get("exchange") or {}).get("pair_whitelist") or []
    wanted = [_spell(pair, mode) for pair in (pairs or whitelist)]
    if not pairs:
        wanted = [pair for pair in wanted if pair in available] or available
    unknown = [pair for pair in wanted if pair not in available]
    if unknown or not wanted:
        rule = f"be among the {mode} pairs of {datadir}: {', '.join(available) or 'none'}"
        raise CoordinatorError("--pairs", OWNER, rule, unknown[0] if unknown else "no pair")
    return list(dict.fromkeys(wanted))


def _spell(pair: str, mode: TradingMode) -> str:
    base = pair.split(":")[0].upper()
    return f"{base}:{base.split('/')[-1]}" if mode == "futures" else base


def _timerange(text: str | None, last: datetime) -> tuple[datetime, datetime]:
    if text is None:
        end = (last + timedelta(hours=1)).replace(hour=0, minute=0, second=0, microsecond=0)
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
