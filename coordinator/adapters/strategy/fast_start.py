"""Fast start: before a run ML earns its say on the history in the data directory, through the same fold."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from typing import Any

from freqtrade.configuration import TimeRange
from freqtrade.enums import RunMode

from coordinator.adapters.pairs import traded_pairs
from coordinator.adapters.run_modes import MODES_WITH_TRADES
from coordinator.run.history import replay_signals
from coordinator.run.trading_run import TradingRun
from coordinator.settings import Settings
from coordinator.signals.candles import Candles

__all__ = ["learn_from_history"]

logger = logging.getLogger(__name__)


def learn_from_history(
    run: TradingRun, config: dict[str, Any], freqai: Any, dp: Any, settings: Settings, reference: str | None
) -> None:
    """Replay the history before a backtest's timerange, or before a bot's first candle.

    Nothing happens where ML does not earn its say, FreqAI trains no composite, a bot continues from its ledger, or
    there is no history long enough to train on.

    Parameters
    ----------
    reference : the regime gate's pair, None where the gate is off
    """
    mode, until = config.get("runmode"), None
    if settings.decision.weighting != "earned" or not settings.learning.fast_start_days:
        return
    if not hasattr(freqai, "history") or not run.needs_history:
        return
    if mode in (RunMode.BACKTEST, RunMode.HYPEROPT, RunMode.WEBSERVER):  # a chart is decided as a backtest
        until = TimeRange.parse_timerange(config.get("timerange")).startts
        if not until:
            return
    elif mode not in MODES_WITH_TRADES:
        return
    started = time.perf_counter()
    replayed = freqai.history.replay(traded_pairs(config, dp), dp, until)
    if replayed is None:
        logger.info("No fast start: the history before the run is no longer than a training needs")
        return
    market, predictions, end = replayed
    gate: Mapping[str, Candles] = {}
    if reference is not None:
        known = market.pairs.get(reference)
        gate = freqai.history.candles_of(reference, dp) if known is None else known.candles
    if reference is not None and not (gate and all(len(candles) for candles in gate.values())):
        logger.warning("No fast start: the regime gate's pair %s has no history", reference)
        return
    before = replay_signals(market, predictions, gate, settings, freqai.components, end)
    if before is not None:
        said = run.learn_first(before, settings)
        logger.info("ML earned its say first (%.0f s): %s", time.perf_counter() - started, said)
