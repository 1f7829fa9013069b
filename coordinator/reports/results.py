"""Reading Freqtrade's backtest results (``backtest-result-*.zip``, as 2026.9 writes them)."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any
from zipfile import BadZipFile, ZipFile

import numpy as np
import pandas as pd

from coordinator.errors import CoordinatorError

__all__ = ["BacktestResult", "build_result", "latest_results", "read_result"]

_TRADES = (
    "pair", "open_date", "close_date", "is_short", "open_rate", "close_rate", "amount", "stake_amount",
    "max_stake_amount", "leverage", "profit_abs", "profit_ratio", "fee_open", "fee_close", "funding_fees",
    "enter_tag", "exit_reason", "stop_loss_abs",
)  # fmt: skip
_TEXTS = ("pair", "enter_tag", "exit_reason")
_ORDERS = ("trade", "pair", "time", "is_entry", "amount", "price", "fee")


@dataclass(frozen=True)
class BacktestResult:
    """One strategy's backtest.

    Attributes
    ----------
    strategy : str
    path : pathlib.Path
        The zip it was read from; empty for one of a run in this process.
    trades : pandas.DataFrame
        One row per closed trade in closing order: pair, open_date, close_date (UTC), is_short, open_rate,
        close_rate (quote currency), amount (what was left at the last exit), stake_amount, max_stake_amount
        (stake currency), leverage, profit_abs (stake currency, all costs included), profit_ratio, fee_open,
        fee_close (ratios), funding_fees (stake currency, positive when received), enter_tag, exit_reason,
        stop_loss_abs (the stop when it closed, quote currency).
    orders : pandas.DataFrame
        One row per filled order in filling order: trade (row in ``trades``), pair, time (UTC, the open of the
        candle that filled it), is_entry, amount (base currency, positive bought and negative sold), price,
        fee (stake currency).
    stats : mapping
        Freqtrade's own figures, without the trades.
    start, end : pandas.Timestamp
        Open of the first and the last candle traded on, UTC.
    timeframe : pandas.Timedelta
        Length of a candle.
    wallet : pandas.Series or None
        Freqtrade's account value over time. In spot it includes open positions at candle opens; in futures it
        holds realised profit only.
    run_begin, run_end : datetime.datetime
        When the backtest ran, UTC, whole seconds.
    """

    strategy: str
    path: Path
    trades: pd.DataFrame
    orders: pd.DataFrame
    stats: Mapping[str, Any]
    start: pd.Timestamp
    end: pd.Timestamp
    timeframe: pd.Timedelta
    trading_mode: str
    stake_currency: str
    starting_balance: float
    pairs: tuple[str, ...]
    fee: float | None
    wallet: pd.Series | None
    run_begin: datetime
    run_end: datetime


def read_result(path: Path, strategy: str | None = None) -> BacktestResult:
    """Read one strategy's result.

    Parameters
    ----------
    path : pathlib.Path
        A ``backtest-result-*.zip``.
    strategy : str, optional
        Needed only where the zip holds several strategies.

    Raises
    ------
    CoordinatorError
        If the file is missing, no backtest result, or does not hold the strategy.
    """
    try:
        with ZipFile(path) as archive:
            members = {Path(name).name: archive.read(name) for name in archive.namelist()}
        strategies = json.loads(members[f"{path.stem}.json"])["strategy"]
    except (OSError, BadZipFile, KeyError, TypeError, ValueError) as error:
        rule = "be a backtest result of Freqtrade"
        raise CoordinatorError("result", str(path), rule, f"{type(error).__name__}: {error}") from error
    if strategy is None and len(strategies) == 1:
        strategy = str(next(iter(strategies)))
    if strategy is None or strategy not in strategies:
        rule = f"be named, one of {', '.join(sorted(strategies))}"
        raise CoordinatorError("strategy", str(path), rule, strategy)
    try:
        return _result(path, strategy, strategies[strategy], members)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        rule = f"hold a result of {strategy} in the form of Freqtrade 2026.9"
        raise CoordinatorError("result", str(path), rule, f"{type(error).__name__}: {error}") from error


def latest_results(folder: Path, strategies: Sequence[str] | None = None) -> list[BacktestResult]:
    """The newest result of each strategy in a folder.

    Parameters
    ----------
    folder : pathlib.Path
        Usually ``user_data/backtest_results``.
    strategies : sequence of str, optional
        Those wanted, in this order; all of them by name otherwise.

    Raises
    ------
    CoordinatorError
        If a wanted strategy, or with none named any at all, has no result there.
    """
    newest: dict[str, tuple[float, Path]] = {}
    for meta in sorted(folder.glob("*.meta.json")):
        path = meta.with_name(meta.name.removesuffix(".meta.json") + ".zip")
        try:
            runs = {str(name): float(run["backtest_start_time"]) for name, run in _json(meta).items()}
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise CoordinatorError("result", str(meta), "be Freqtrade's metadata", str(error)) from error
        for name, begin in runs.items():
            if path.is_file() and (name not in newest or begin >= newest[name][0]):
                newest[name] = begin, path
    wanted = sorted(newest) if strategies is None else list(strategies)
    missing = [name for name in wanted if name not in newest]
    if missing or not wanted:
        rule = f"hold a backtest result of {', '.join(missing) or 'any strategy'}"
        raise CoordinatorError("results", str(folder), rule, sorted(newest))
    return [read_result(newest[name][1], name) for name in wanted]


def _json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def _result(path: Path, strategy: str, stats: dict[str, Any], members: Mapping[str, bytes]) -> BacktestResult:
    config = json.loads(members.get(f"{path.stem}_config.json", b"{}"))
    result = build_result(strategy, stats, config.get("fee"), path)
    wallet = _wallet(members.get(f"{path.stem}_{strategy}_wallet.feather"), result.trades)
    return replace(result, wallet=wallet)


def build_result(
    strategy: str, stats: Mapping[str, Any], fee: float | None, path: Path | None = None
) -> BacktestResult:
    """A result from Freqtrade's own figures, be they read from a zip or of a run in this process.

    Parameters
    ----------
    stats : mapping
        ``trades`` (Freqtrade's, each with its orders), ``backtest_start_ts``, ``backtest_end_ts`` (milliseconds),
        ``backtest_run_start_ts``, ``backtest_run_end_ts`` (seconds), ``timeframe``, ``trading_mode``,
        ``stake_currency``, ``starting_balance``, ``pairlist``; others are kept in the result's ``stats``.
    fee : float or None
        The run's, ratio; what the first trade paid goes first.
    path : pathlib.Path, optional
        Of the zip.

    Raises
    ------
    KeyError
        If a figure is missing. ValueError if a trade or timeframe cannot be read.
    """
    records = sorted(stats["trades"], key=lambda trade: (trade["close_timestamp"], trade["pair"]))
    fee = records[0]["fee_open"] if records else fee
    return BacktestResult(
        strategy=strategy,
        path=path or Path(),
        trades=_trades(records),
        orders=_orders(records),
        stats={key: value for key, value in stats.items() if key != "trades"},
        start=pd.Timestamp(stats["backtest_start_ts"], unit="ms", tz="UTC"),
        end=pd.Timestamp(stats["backtest_end_ts"], unit="ms", tz="UTC"),
        timeframe=_timeframe(stats["timeframe"]),
        trading_mode=str(stats["trading_mode"]),
        stake_currency=stats["stake_currency"],
        starting_balance=float(stats["starting_balance"]),
        pairs=tuple(stats["pairlist"]),
        fee=None if fee is None else float(fee),
        wallet=None,
        run_begin=pd.Timestamp(stats["backtest_run_start_ts"], unit="s", tz="UTC").to_pydatetime(),
        run_end=pd.Timestamp(stats["backtest_run_end_ts"], unit="s", tz="UTC").to_pydatetime(),
    )


def _timeframe(text: str) -> pd.Timedelta:
    if text.endswith("M"):
        raise ValueError(f"months are of no fixed length: timeframe {text}")
    return pd.Timedelta(text)


def _trades(records: list[dict[str, Any]]) -> pd.DataFrame:
    frame = pd.DataFrame([{name: trade.get(name) for name in _TRADES} for trade in records], columns=_TRADES)
    for name in ("open_date", "close_date"):
        frame[name] = pd.to_datetime(frame[name], utc=True).dt.as_unit("us")
    for name in _TEXTS:
        frame[name] = frame[name].astype(object).where(frame[name].notna(), "").astype("str")
    frame["is_short"] = frame["is_short"].astype(bool)
    numbers = [name for name in _TRADES if name not in (*_TEXTS, "open_date", "close_date", "is_short")]
    return frame.assign(**{name: frame[name].astype("float64") for name in numbers})


def _orders(records: list[dict[str, Any]]) -> pd.DataFrame:
    """Filled orders. Freqtrade's ``cost`` has the fee added, of entries and exits alike: left alone."""
    rows = [
        {
            "trade": i,
            "pair": trade["pair"],
            "time": order["order_filled_timestamp"],
            "is_entry": order["ft_is_entry"],
            "amount": order["amount"] * (1 if order["ft_order_side"] == "buy" else -1),
            "price": order["safe_price"],
            "fee": order["amount"]
            * order["safe_price"]
            * trade["fee_open" if order["ft_is_entry"] else "fee_close"],
        }
        for i, trade in enumerate(records)
        for order in trade["orders"]
        if order["order_filled_timestamp"] is not None
    ]
    frame = pd.DataFrame(rows, columns=_ORDERS)
    frame["time"] = pd.to_datetime(frame["time"].astype("int64"), unit="ms", utc=True).dt.as_unit("us")
    numbers = {name: frame[name].astype("float64") for name in ("amount", "price", "fee")}
    frame = frame.assign(
        **numbers,
        trade=frame["trade"].astype("int64"),
        pair=frame["pair"].astype("str"),
        is_entry=frame["is_entry"].astype(bool),
    )
    return frame.sort_values(["time", "trade"], kind="stable", ignore_index=True)


def _wallet(data: bytes | None, trades: pd.DataFrame) -> pd.Series | None:
    """Account value by time: all currencies at Freqtrade's rates, without moments that miss one.

    A pair without a candle is not quoted at that moment although it is held; left in, it would look like a
    loss.
    """
    if data is None:
        return None
    frame = pd.read_feather(io.BytesIO(data))
    moments = frame.groupby("date")["total_quote"].agg(["sum", "count"])
    is_spot = frame["currency"].nunique() > 1
    times = moments.index.to_numpy()
    opened = np.searchsorted(np.sort(trades["open_date"].to_numpy()), times, side="left")
    closed = np.searchsorted(np.sort(trades["close_date"].to_numpy()), times, side="left")
    complete = moments["count"].to_numpy() >= 1 + is_spot * (opened - closed)
    return moments.loc[complete, "sum"].astype("float64").rename("value")
