"""A stop at the exchange that the price has left behind: Freqtrade leaves it to the exchange, so somebody must act."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from freqtrade.persistence import Trade

__all__ = ["stop_left_behind"]

_LIMIT_RATIO: Final = 0.99  # Freqtrade's default of stoploss_on_exchange_limit_ratio


def stop_left_behind(trade: Trade, rate: float, order_types: Mapping[str, Any]) -> bool:
    """Whether the price lies beyond the limit of a trade's stop, where a stop-limit order does not fill any more.

    With ``stoploss_on_exchange`` a live bot has no stop of its own. On spot exchanges the one at the exchange is a
    limit order: a fall that jumps over its limit leaves the position without any.

    Parameters
    ----------
    rate : at which the position could be closed
    """
    if not order_types.get("stoploss_on_exchange") or not trade.stop_loss:
        return False
    ratio = order_types.get("stoploss_on_exchange_limit_ratio", _LIMIT_RATIO)
    if trade.is_short:
        return bool(rate > trade.stop_loss * (2.0 - ratio))
    return bool(rate < trade.stop_loss * ratio)
