"""A bot's candles beside those that FreqAI downloads: 4h and 1d of each pair, and the regime gate's reference.

FreqAI downloads ``include_timeframes`` (1h), each of which would also multiply its features. Fusion learns from all
three timeframes, and signal quality from daily candles.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from typing import Any

from freqtrade.configuration import TimeRange
from freqtrade.data.history.history_utils import refresh_backtest_ohlcv_data
from freqtrade.enums import CandleType

from coordinator.settings import Settings
from coordinator.signals.fusion import TIMEFRAMES
from coordinator.types import SECONDS_PER_DAY

__all__ = ["download_timeframes"]

logger = logging.getLogger(__name__)

LEAST_DAYS = 999  # as many daily candles as an exchange hands out at once; a bot's averages need no more


def download_timeframes(
    dp: Any, config: dict[str, Any], settings: Settings, pairs: Sequence[str], reference: str | None
) -> None:
    """Bring the data directory up to date, as FreqAI does at a bot's start; what cannot be had is logged.

    Parameters
    ----------
    dp : Freqtrade's data provider
    reference : the regime gate's pair, None where the gate is off
    """
    asked = config["freqai"]["feature_parameters"].get("include_timeframes", ())
    higher = [name for name in TIMEFRAMES if name not in asked]
    days = max(LEAST_DAYS, int(config["freqai"]["train_period_days"]), settings.fusion_models.train_days)
    wanted = [(list(pairs), higher)]
    if reference is not None and reference not in pairs:
        wanted.append(([reference], list(TIMEFRAMES)))
    now = int(time.time())
    futures = config.get("trading_mode", "spot") == "futures"
    for names, timeframes in wanted:
        if not names or not timeframes:
            continue
        logger.info("Downloading %s candles of %d pairs", " and ".join(timeframes), len(names))
        try:
            missing = refresh_backtest_ohlcv_data(
                dp._exchange,
                pairs=names,
                timeframes=timeframes,
                datadir=config["datadir"],
                timerange=TimeRange("date", "date", now - days * SECONDS_PER_DAY, now),
                new_pairs_days=days,
                data_format=config.get("dataformat_ohlcv", "feather"),
                trading_mode=config.get("trading_mode", "spot"),
                candle_types=[CandleType.FUTURES] if futures else None,
            )
        except Exception as error:
            logger.warning(
                "Candles of %s could not be downloaded (%s): what needs them is absent",
                " and ".join(timeframes),
                error,
            )
            continue
        for text in missing:
            logger.warning("No candles: %s", text)
