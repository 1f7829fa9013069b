"""What a long run of a live bot left that is not as it should be."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path
from typing import Final

import pandas as pd

from coordinator.ledger.store import Ledger
from coordinator.sandbox.accounts.account_file import Accounts
from coordinator.sandbox.accounts.spot_account import SpotAccount

__all__ = ["whats_wrong"]

# Each query finds what must not be.
DATABASE: Final = {
    "a pair with two open trades": "select pair from trades where is_open group by pair having count(*) > 1",
    "an order placed twice": (
        "select ft_trade_id, ft_order_side, order_date, ft_order_tag from orders where status != 'canceled' "
        "group by ft_trade_id, ft_order_side, order_date, ft_order_tag having count(*) > 1"
    ),
    "an order open for more than an hour": (
        "select id from orders where ft_is_open and ft_order_side != 'stoploss' "
        "and order_date < (select datetime(max(order_date), '-1 hour') from orders)"
    ),
}
ORDERS: Final = "select order_id, filled, ft_order_side, order_date, ft_pair from orders"
HELD: Final = "select pair, sum(amount) from trades where is_open group by pair"
DUST: Final = 2e-3  # of a position: fees in the base currency, and what is below an order's step


def whats_wrong(trades: Path, ledger: Path, account: Path, log: str) -> list[str]:
    """Everything that is wrong, in words; spot.

    Parameters
    ----------
    trades, ledger, account : Freqtrade's database, ours, and the exchange's account
    log : all that the bot said
    """
    wrong = [f"a traceback: {text.splitlines()[-1]}" for text in _own_tracebacks(log)]
    with sqlite3.connect(trades) as connection:
        for what, query in DATABASE.items():
            wrong += [f"{what}: {row}" for row in connection.execute(query)]
        known = {row[0]: row[1:] for row in connection.execute(ORDERS)}
        held = dict(connection.execute(HELD).fetchall())
        (count,) = connection.execute("select count(*) from trades").fetchone()
    return wrong + _at_the_exchange(account, known, held) + _in_the_ledger(ledger, count)


def _own_tracebacks(log: str) -> list[str]:
    """Those that come through our code; Freqtrade shows its own where the exchange does not answer."""
    texts = [
        re.split(r"\n(?=\d{4}-\d\d-\d\d )", text)[0].strip() for text in log.split("Traceback (most recent")
    ]
    return [text for text in texts[1:] if "/coordinator/" in text or "/strategies/" in text]


def _at_the_exchange(file: Path, known: dict[str, tuple[object, ...]], held: dict[str, float]) -> list[str]:
    """Orders that one side does not know, or knows filled otherwise; coins without a trade, trades without coins."""
    account = Accounts.model_validate_json(file.read_text(encoding="utf-8")).spot
    wrong = []
    for order in account.orders.values():
        there = known.pop(str(order.id), None)
        if there is None and (order.filled or order.is_open):
            said = f"{order.side} {order.type} {order.symbol} {pd.Timestamp(order.time, unit='ms')}"
            wrong.append(
                f"an order that the bot does not know: {said}, filled {order.filled}, {order.status}"
            )
        elif there is not None and abs(float(there[0] or 0) - float(order.filled)) > 1e-9:  # type: ignore[arg-type]
            wrong.append(f"order {order.id}: {there[0]} filled in the bot, {order.filled} at the exchange")
    wrong += [f"an order that the exchange does not know: {name} {row}" for name, row in known.items()]
    for pair, amount in held.items():
        coins = float(account.balances.get(pair.split("/")[0], 0))
        if abs(coins - amount) > DUST * amount:
            wrong.append(f"{pair}: {amount} in the bot, {coins} at the exchange")
    for coin, balance in account.balances.items():
        worth = float(balance) * _last_price(account, coin)
        if coin != "USDT" and worth > 5.0 and f"{coin}/USDT" not in held:
            wrong.append(f"{balance} {coin} at the exchange, no trade in the bot")
    return wrong


def _last_price(account: SpotAccount, coin: str) -> float:
    prices = [float(fill.price) for fill in account.fills if fill.symbol == f"{coin}USDT"]
    return prices[-1] if prices else 0.0


def _in_the_ledger(path: Path, count: int) -> list[str]:
    ledger = Ledger(path)
    entered = pd.concat([ledger.trades(int(run)) for run in ledger.runs()["id"]])
    recorded = int((entered["exit_reason"] != "entry not filled").sum())  # Freqtrade forgets those
    differ = (
        [f"{recorded} trades in the ledger, {count} in Freqtrade's database"] if recorded != count else []
    )
    return ledger.check() + differ
