"""Orders that a killed bot had placed but not yet written down: found at the next start, and given to their trades.

Freqtrade commits a trade's orders after a round over all trades. What the exchange took in that moment is unknown to
the next bot: a stop that binds the coins, so that nothing can be sold, or that outlives its trade; a tranche that
nobody manages. Freqtrade itself finds only what has been sold.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from freqtrade.enums import TradingMode
from freqtrade.exchange import Exchange
from freqtrade.persistence import Order, Trade

__all__ = ["cancel_lost_entries", "recover_orders"]

logger = logging.getLogger(__name__)


def recover_orders(exchange: Exchange) -> None:
    """Give the open trades of a live bot the orders they lack; Freqtrade's start then brings them up to date.

    Orders count that are newer than the newest one a trade knows, and that wait or have enlarged the position. What
    cannot be asked for is one warning: the bot trades on as it would have.
    """
    for trade in Trade.get_open_trades():
        try:
            known = {order.order_id for order in trade.orders}
            since = max(order.order_date_utc for order in trade.orders)
            found = [order for order in _orders(exchange, trade.pair, since) if str(order["id"]) not in known]
            for order in found:
                if (order.get("timestamp") or 0) >= since.timestamp() * 1000 and _counts(order, trade):
                    _adopt(order, trade)
            Trade.commit()
        except Exception as error:
            Trade.rollback()
            logger.warning("%s: could not look for orders that were not written down: %s", trade.pair, error)


def cancel_lost_entries(exchange: Exchange, ordered: Iterable[tuple[int, str]]) -> None:
    """Cancel entries that were ordered as the bot was killed and became no trade; one that has filled is told.

    Parameters
    ----------
    ordered : iterable of (candle, pair)
        What the ledger holds as ordered and not closed; candles by their open time, seconds since the epoch.
    """
    held = {trade.pair for trade in Trade.get_open_trades()}
    for candle, pair in sorted(ordered):
        if pair in held:
            continue
        try:
            for order in exchange.fetch_orders(pair, datetime.fromtimestamp(candle, UTC)):
                if _is_entry(exchange, order) and Order.order_by_id(str(order["id"]), pair) is None:
                    _end_lost_entry(exchange, order, pair)
        except Exception as error:
            logger.warning("%s: could not look for an entry that was not written down: %s", pair, error)


def _is_entry(exchange: Exchange, order: Mapping[str, Any]) -> bool:
    reduces = bool(order.get("reduceOnly")) or order.get("stopPrice") is not None
    return not reduces and (order["side"] == "buy" or exchange.trading_mode == TradingMode.FUTURES)


def _end_lost_entry(exchange: Exchange, order: Mapping[str, Any], pair: str) -> None:
    if order.get("status") == "open":
        exchange.cancel_order(str(order["id"]), pair)
        logger.warning(
            "%s: order %s was placed before the bot was killed and became no trade: cancelled",
            pair,
            order["id"],
        )
    if (order.get("filled") or 0.0) > 0:
        logger.error(
            "%s: order %s filled %s (%s) before the bot was killed, and no trade knows of it: close it at the exchange",
            pair,
            order["id"],
            order["filled"],
            order["side"],
        )


def _orders(exchange: Exchange, pair: str, since: Any) -> list[dict[str, Any]]:
    """A pair's orders since a moment, and its conditional ones where they are asked for apart (open ones only)."""
    orders: list[dict[str, Any]] = list(exchange.fetch_orders(pair, since))
    if exchange.get_option("stoploss_query_requires_stop_flag"):
        waiting = exchange._api.fetch_open_orders(pair, params={"stop": True})
        orders += [exchange._order_contracts_to_amount(order) for order in waiting]
    return orders


def _counts(order: Mapping[str, Any], trade: Trade) -> bool:
    """What was sold at once is left to Freqtrade, which misses it in the wallet."""
    bought = order["side"] == trade.entry_side and (order.get("filled") or 0.0) > 0
    return bool(order.get("status") == "open" or bought)


def _adopt(order: Mapping[str, Any], trade: Trade) -> None:
    is_stop = order["side"] == trade.exit_side and order.get("stopPrice") is not None
    side = "stoploss" if is_stop else str(order["side"])
    price = (order.get("stopPrice") if is_stop else None) or order.get("price") or order.get("average")
    adopted = Order.parse_from_ccxt_object(order, trade.pair, side, order["amount"], price or trade.open_rate)
    adopted.ft_is_open = True  # so that Freqtrade asks for it and does what its state demands
    trade.orders.append(adopted)
    logger.warning(
        "%s: order %s (%s) was placed before the bot was killed and not written down; it is the trade's now",
        trade.pair,
        adopted.order_id,
        "stop" if is_stop else side,
    )
