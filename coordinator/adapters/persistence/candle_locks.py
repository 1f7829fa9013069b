"""Freqtrade's lock of one candle after a trade's end, for a bot that was killed before it could set it."""

from __future__ import annotations

import logging
from datetime import datetime

from freqtrade.persistence import PairLocks, Trade

__all__ = ["restore_candle_locks"]

logger = logging.getLogger(__name__)


def restore_candle_locks(now: datetime, candle_start: datetime) -> None:
    """Lock each pair whose trade ended in the running candle, as Freqtrade does at its end.

    Freqtrade stores the end of a trade first and the lock after it. A bot killed between the two would enter on the
    same signal again.

    Parameters
    ----------
    now : datetime.datetime
        The present, UTC.
    candle_start : datetime.datetime
        When the running candle opened.
    """
    for trade in Trade.get_trades_proxy(is_open=False, close_date=candle_start):
        if not PairLocks.is_pair_locked(trade.pair, now, trade.trade_direction):
            logger.info("%s was closed in this candle: locked until its end", trade.pair)
            PairLocks.lock_pair(trade.pair, now, "Auto lock", side=trade.trade_direction)
