"""Real trades beside the virtual ones: what was filled, at what price, and what it made."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

import pandas as pd
from sqlalchemy import Connection, and_, delete, insert, select, update

from coordinator.errors import CoordinatorError
from coordinator.ledger import schema
from coordinator.ledger.run_info import lock_live_run
from coordinator.ledger.schema_history import trades

__all__ = ["TradeRow", "trade_frame", "write_batch_trades", "write_trade"]


@dataclass(frozen=True)
class TradeRow:
    """A real trade, as far as it has come.

    Attributes
    ----------
    time : int
        Candle of the signal it acts on (of the entry, if it was forced by hand), seconds since the epoch.
    direction : int
        +1 long, -1 short.
    opened_at, closed_at : datetime.datetime
        Timezone-aware; None while open. An entry that never filled is closed without a filled price.
    intended_price, filled_price : float or None
        Price the decision was made at, and the mean entry price.
    stake, fees, profit : float or None
        Stake currency; the profit after fees.
    r : float or None
        Profit in units of the initial risk, after fees.
    tranches_planned, tranches_filled : int
        Entries of the DCA plan.
    intended_exit_price, exit_price : float or None
        What the last exit was ordered and filled at; None while open. A bot's order has its price. Of a backtest see
        :func:`coordinator.jobs.traded.traded_rows`.
    """

    time: int
    pair: str
    direction: int
    opened_at: datetime
    intended_price: float | None
    closed_at: datetime | None = None
    filled_price: float | None = None
    stake: float | None = None
    fees: float | None = None
    profit: float | None = None
    r: float | None = None
    exit_reason: str | None = None
    tranches_planned: int = 1
    tranches_filled: int = 0
    intended_exit_price: float | None = None
    exit_price: float | None = None

    @property
    def slippage(self) -> float | None:
        """How much worse than intended the entry was filled, as a ratio; None where nothing filled.

        Examples
        --------
        >>> start = datetime(2024, 1, 1, tzinfo=UTC)
        >>> TradeRow(0, "BTC/USDT", -1, start, intended_price=100.0, filled_price=99.0).slippage
        0.01
        """
        if not self.intended_price or not self.filled_price:
            return None
        return self.direction * (self.filled_price - self.intended_price) / self.intended_price

    @property
    def exit_slippage(self) -> float | None:
        """How much worse than intended the last exit was filled, as a ratio; None while open or unknown.

        Examples
        --------
        >>> start = datetime(2024, 1, 1, tzinfo=UTC)
        >>> TradeRow(0, "BTC/USDT", 1, start, None, intended_exit_price=100.0, exit_price=99.0).exit_slippage
        0.01
        """
        if not self.intended_exit_price or not self.exit_price:
            return None
        return self.direction * (self.intended_exit_price - self.exit_price) / self.intended_exit_price


def write_trade(connection: Connection, run_id: int, trade: TradeRow, owner: str) -> None:
    """Write a trade or bring it up to date; a closed one stays as it is, but for an entry that had not been filled.

    Raises
    ------
    CoordinatorError
        If the run is not an open live one, a moment carries no timezone, or the trade is closed already and was
        different, or changes its direction, or its start after the first fill.
    """
    name = f"{owner}, run {run_id}, {trade.pair} at {trade.time}"
    for moment in (trade.opened_at, trade.closed_at):
        if moment is not None and moment.tzinfo is None:
            raise CoordinatorError("time", name, "carry a timezone", moment)
    lock_live_run(connection, run_id, owner)
    values = _values(run_id, trade)
    selected = and_(*(trades.c[key] == values[key] for key in ("run_id", "time", "pair")))
    stored = connection.execute(select(trades).where(selected)).mappings().one_or_none()
    if stored is None:
        connection.execute(insert(trades).values(values))
        return
    same = dict(stored) == values
    fixed = ("direction", "opened_at") if stored["filled_price"] is not None else ("direction",)
    begun = all(stored[key] == values[key] for key in fixed)
    ended = stored["closed_at"] is not None and stored["filled_price"] is not None
    if not same and (ended or not begun):
        raise CoordinatorError("trades", name, f"stay as written ({dict(stored)!r})", values)
    connection.execute(update(trades).where(selected).values(values))


def write_batch_trades(connection: Connection, run_id: int, rows: Iterable[TradeRow]) -> None:
    """The trades of a backtest; written again, they replace themselves."""
    connection.execute(delete(trades).where(trades.c.run_id == run_id))
    values = [_values(run_id, row) for row in rows]
    if values:
        connection.execute(insert(trades), values)


def trade_frame(connection: Connection, run_id: int) -> pd.DataFrame:
    """A run's real trades in order, each beside the virtual trade of its signal.

    Returns
    -------
    pandas.DataFrame
        The columns of :class:`TradeRow`, both slippages, ``virtual_r`` and ``virtual_exit`` (missing while
        unresolved, or where a trade was forced by hand); times are ``datetime64[us, UTC]``.
    """
    o = schema.outcomes.c
    same = and_(o.run_id == trades.c.run_id, o.time == trades.c.time, o.pair == trades.c.pair)
    columns = [column for column in trades.c if column.name != "run_id"]
    query = select(*columns, o.r.label("virtual_r"), o.exit.label("virtual_exit"))
    query = query.outerjoin_from(trades, schema.outcomes, same).where(trades.c.run_id == run_id)
    rows = [tuple(row) for row in connection.execute(query)]
    frame = pd.DataFrame.from_records(rows, columns=[column.name for column in query.selected_columns])
    frame["time"] = pd.to_datetime(frame["time"].astype("int64"), unit="s", utc=True).dt.as_unit("us")
    for name in ("opened_at", "closed_at"):
        frame[name] = pd.to_datetime(frame[name], utc=True).dt.as_unit("us")
    numbers = [column.name for column in columns if str(column.type) == "DOUBLE"] + ["virtual_r"]
    frame[numbers] = frame[numbers].astype("float64")
    return frame.sort_values(["time", "pair"], ignore_index=True)


def _values(run_id: int, trade: TradeRow) -> dict[str, Any]:
    """A row of the table."""
    derived = {"slippage": trade.slippage, "exit_slippage": trade.exit_slippage}
    plain = {name: _plain(value) for name, value in (asdict(trade) | derived).items()}
    return plain | {"run_id": run_id}


def _plain(value: Any) -> Any:
    """A value as it is read back: NaN becomes None, moments UTC, NumPy's numbers Python's."""
    if isinstance(value, datetime):
        return value.astimezone(UTC)
    if hasattr(value, "item"):
        value = value.item()
    return None if value != value else value
