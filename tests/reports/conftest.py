"""A backtest result as Freqtrade 2026.9 writes it: a long with an addition and a partial exit, and a short."""

import io
import json
from zipfile import ZipFile

import numpy as np
import pandas as pd
import pytest

BTC, ETH = "BTC/USDT:USDT", "ETH/USDT:USDT"
CLOSES = {BTC: [100, 110, 120, 110, 100, 105], ETH: [200, 200, 195, 190, 190, 190]}
NASTY = '<img src=x onerror=alert(1)>&"'


def at(text: str) -> int:
    return int(pd.Timestamp(f"2024-01-{text}", tz="UTC").timestamp() * 1000)


def order(time: str, side: str, amount: float, price: float, entry: bool) -> dict:
    return {
        "amount": amount,
        "safe_price": price,
        "ft_order_side": side,
        "order_filled_timestamp": at(time),
        "ft_is_entry": entry,
        "ft_order_tag": None,
        "cost": amount * price * 1.001,
    }


def trade(pair: str, short: bool, orders: list[dict], profit: float, funding: float = 0.0) -> dict:
    first, last = orders[0], orders[-1]
    stake = first["amount"] * first["safe_price"]
    return {
        "pair": pair,
        "stake_amount": stake,
        "max_stake_amount": stake,
        "amount": last["amount"],
        "open_date": str(pd.Timestamp(first["order_filled_timestamp"], unit="ms", tz="UTC")),
        "close_date": str(pd.Timestamp(last["order_filled_timestamp"], unit="ms", tz="UTC")),
        "open_timestamp": first["order_filled_timestamp"],
        "close_timestamp": last["order_filled_timestamp"],
        "open_rate": first["safe_price"],
        "close_rate": last["safe_price"],
        "fee_open": 0.001,
        "fee_close": 0.001,
        "profit_ratio": profit / stake,
        "profit_abs": profit,
        "exit_reason": "roi",
        "enter_tag": NASTY if short else None,
        "leverage": 2.0 if short else 1.0,
        "is_short": short,
        "orders": orders,
        "funding_fees": funding,
    }


def two_trades() -> list[dict]:
    long = [
        order("01 12:00", "buy", 10, 100, True),
        order("02 00:00", "buy", 10, 110, True),
        order("02 12:00", "sell", 5, 120, False),
        order("03 12:00", "sell", 15, 100, False),
    ]
    short = [order("02 00:00", "sell", 5, 200, True), order("03 00:00", "buy", 5, 190, False)]
    # -1001 - 1101.1 + 599.4 + 1498.5, and 999 - 950.95 + 0.5
    return [trade(BTC, False, long, -4.2), trade(ETH, True, short, 48.55, 0.5)]


def stats(name: str, trades: list[dict], begin: int) -> dict:
    return {
        "strategy_name": name,
        "trades": trades,
        "backtest_start_ts": at("01"),
        "backtest_end_ts": at("03 12:00"),
        "backtest_run_start_ts": begin,
        "backtest_run_end_ts": begin + 60,
        "timeframe": "12h",
        "trading_mode": "futures",
        "stake_currency": "USDT",
        "starting_balance": 10000,
        "pairlist": [BTC, ETH],
    }


@pytest.fixture
def make_zip(tmp_path):
    """Writes a result of the strategies named and returns its path."""

    def make(*names, trades=None, begin=1_700_000_000, wallet=None, folder=tmp_path, **changes):
        path = folder / f"backtest-result-{'-'.join(names)}-{begin}.zip"
        records = two_trades() if trades is None else trades
        content = {"strategy": {name: stats(name, records, begin) | changes for name in names}}
        with ZipFile(path, "w") as archive:
            archive.writestr(f"{path.stem}.json", json.dumps(content))
            archive.writestr(f"{path.stem}_config.json", json.dumps({"fee": 0.002}))
            if wallet is not None:
                buffer = io.BytesIO()
                wallet.to_feather(buffer)
                archive.writestr(f"{path.stem}_{names[0]}_wallet.feather", buffer.getvalue())
        meta = {name: {"run_id": "x", "backtest_start_time": begin} for name in names}
        path.with_name(f"{path.stem}.meta.json").write_text(json.dumps(meta))
        return path

    return make


@pytest.fixture
def candles() -> dict[str, pd.DataFrame]:
    dates = pd.date_range("2024-01-01", periods=6, freq="12h", tz="UTC")
    frames = {}
    for pair, closes in CLOSES.items():
        close = np.array(closes, dtype=float)
        frames[pair] = pd.DataFrame(
            {"date": dates, "open": close, "high": close + 1, "low": close - 1, "close": close}
        )
    return frames


@pytest.fixture
def decisions() -> pd.DataFrame:
    """Six signals: two accepted (R 2 and -1), four rejected for two reasons, the last unresolved."""
    n = 6
    time = pd.date_range("2024-01-01", periods=n, freq="12h", tz="UTC")
    accepted = np.array([True, True, False, False, False, False])
    return pd.DataFrame(
        {
            "time": time,
            "pair": BTC,
            "direction": np.int8(1),
            "price": 100.0,
            "stop": 95.0,
            "target": 110.0,
            "horizon": 48,
            "reasons": "ema",
            "technical_direction": 1.0,
            "technical_confidence": [0.5, 0.6, 0.7, 0.8, 0.9, 1.0],
            "technical_percentile": 0.5,
            "lstm_direction": [1.0, -1.0, 0.0, 1.0, np.nan, np.nan],
            "lstm_confidence": [0.5, 0.5, 0.5, 0.5, np.nan, np.nan],
            "lstm_percentile": [0.2, 0.4, 0.6, 0.8, np.nan, np.nan],
            "unified_score": 0.5,
            "unified_confidence": 0.5,
            "threshold": 0.7,
            "ml_weight": 0.3,
            "accepted": accepted,
            "rejection": ["", "", "confidence below 70%", "confidence below 70%", NASTY, ""],
            "outcome_r": [2.0, -1.0, 0.5, -1.0, 2.0, np.nan],
            "outcome_exit": ["target", "stop", "horizon", "stop", "target", ""],
            "outcome_time": pd.Series(time + pd.Timedelta("12h")).where(np.arange(n) < 5),
        }
    )
