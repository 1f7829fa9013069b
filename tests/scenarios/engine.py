"""Hand-made candles through Freqtrade's real backtesting engine: candle rows to expected orders.

Prices are percent of 40,000, the signal's close: 100 is 40,000, 99.5 is 39,800. Row 0 is the signal's candle, so a
position is entered at the open of row 1.
"""

from __future__ import annotations

import json
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from freqtrade.configuration import Configuration
from freqtrade.enums import RunMode
from freqtrade.misc import deep_merge_dicts
from freqtrade.optimize.backtesting import Backtesting
from freqtrade.persistence import LocalTrade, disable_database_use
from freqtrade.resolvers import StrategyResolver

from coordinator.sandbox.overlay import overlay_config

UNIT = 400.0
HISTORY = 970
START = pd.Timestamp("2023-03-01", tz="UTC")
BALANCE = 10_000.0
DECISION = {
    "confidence_scale": "raw",
    "weighting": "fixed",
    "ml_weight": 0.0,
    "threshold": 0.5,
    "require_positive_expectancy": False,
}
OFF = {
    "decision": DECISION,
    "stops": {"trailing_start": 0.5},
    "exits": {
        name: {"mode": "off"} for name in ("momentum_reversal", "low_volume", "stagnation", "scale_out")
    },
}


CALM = (100.0, 100.1, 99.9, 100.0)
AT_ONCE: dict[str, Any] = {"dca": {"enabled": False}}


def over_off(settings: dict[str, Any]) -> dict[str, Any]:
    """A scenario's settings over those with everything off."""
    both: dict[str, Any] = deep_merge_dicts(settings, deepcopy(OFF))
    return both


def level(price: float, n: int = 1) -> list[tuple[float, ...]]:
    """Candles that stay where they are."""
    return [(price, price + 0.05, price - 0.05, price)] * n


class Signal(NamedTuple):
    """A signal on a row: its confidence, and its stop distance (None: the real one of the candles)."""

    confidence: float = 0.8
    stop: float | None = 0.02


class Fill(NamedTuple):
    """An order that filled.

    ``part`` is percent: of the starting balance for entries (stake), of the most that was held for exits (amount).
    """

    row: int
    price: float
    part: float
    words: str = ""


@dataclass
class Play:
    """What a pair's candles mean, arrays over history and rows."""

    rows: list[tuple[float, ...]]
    signals: dict[int, Signal]
    side: int
    baseline_rows: dict[int, int] = field(default_factory=dict)
    daily_volatility: float = 0.03
    volumes: dict[int, float] = field(default_factory=dict)

    def __post_init__(self):
        n = HISTORY + len(self.rows)
        self.signal, self.confidence = np.zeros(n, dtype=np.int64), np.zeros(n)
        self.stop, self.baseline = np.full(n, np.nan), np.zeros(n, dtype=np.int64)
        self.volatility, self.volume_ratio = np.full(n, self.daily_volatility), np.ones(n)
        for row, signal in self.signals.items():
            self.signal[HISTORY + row] = self.side
            self.confidence[HISTORY + row] = signal.confidence
            if signal.stop is not None:
                self.stop[HISTORY + row] = signal.stop
        for row, direction in self.baseline_rows.items():
            self.baseline[HISTORY + row :] = direction * self.side
        for row, ratio in self.volumes.items():
            self.volume_ratio[HISTORY + row] = ratio

    def frame(self) -> pd.DataFrame:
        prices = np.array([CALM] * HISTORY + [row[:4] for row in self.rows]) * UNIT
        if self.side < 0:  # the mirror image: a move up is a move down, highs are lows
            prices = 200.0 * UNIT - prices[:, [0, 2, 1, 3]]
        frame = pd.DataFrame(prices, columns=["open", "high", "low", "close"]).assign(volume=1000.0)
        return frame.assign(date=pd.date_range(START, periods=len(frame), freq="h"))


class Engine:
    """One real Backtesting object per trading mode; a new real strategy object per scenario."""

    def __init__(self, trading_mode: str, url: str, folder) -> None:
        root = Path(__file__).resolve().parent.parent.parent
        shipped, overlay = json.loads((root / "config.json").read_text()), overlay_config(url)
        self.suffix = ":USDT" if trading_mode == "futures" else ""
        pairs = [f"{coin}/USDT{self.suffix}" for coin in ("BTC", "ETH", "SOL", "LTC")]
        config = {
            **shipped,
            **overlay,
            "exchange": {**shipped["exchange"], **overlay["exchange"], "pair_whitelist": pairs},
            "trading_mode": trading_mode,
            "strategy": "Scripted",
            "strategy_path": str(Path(__file__).resolve().parent / "strategies"),
            "freqai": {**shipped["freqai"], "enabled": False},
            "coordinator": OFF,
            "user_data_dir": str(folder),
            "dry_run_wallet": BALANCE,
            "max_open_trades": 1,
            "tradable_balance_ratio": 1.0,
            "fee": 0.0,
            "export": "none",
        }
        path = folder / "config.json"
        path.write_text(json.dumps(config))
        arguments = {"config": [str(path)], "user_data_dir": str(folder), "datadir": str(folder)}
        self.config = Configuration(arguments, RunMode.HYPEROPT).get_config()
        self.backtesting = Backtesting(self.config)
        self.backtesting.funding_fee_timeframe_secs = 8 * 3600  # what loading funding rates would set
        self.folder = folder

    def run(self, plays: dict[str, Play], settings: dict[str, Any], **changes: Any) -> list[LocalTrade]:
        """Closed trades of a scenario, in the order in which they opened; left open ones are forced out at the end."""
        config = {**self.config, "coordinator": over_off(settings), **changes}
        strategy = StrategyResolver.load_strategy(config)
        strategy.script = {f"{coin}/USDT{self.suffix}": play for coin, play in plays.items()}
        disable_database_use("1h")
        backtesting = self.backtesting
        backtesting.strategylist, backtesting.fee = [strategy], changes.get("fee", 0.0)
        backtesting._set_strategy(strategy)
        frames = {pair: play.frame() for pair, play in strategy.script.items()}
        processed = strategy.advise_all_indicators(frames)
        still = {"open_fund": 0.0, "open_mark": 100 * UNIT}  # funding of nothing
        backtesting.futures_data = {pair: frame[["date"]].assign(**still) for pair, frame in frames.items()}
        length = max(len(frame) for frame in frames.values())
        first = START + pd.Timedelta(hours=backtesting.required_startup)
        last = START + pd.Timedelta(hours=length - 1)
        backtesting.backtest(processed, first.to_pydatetime(), last.to_pydatetime())
        self.strategy = strategy
        return sorted(LocalTrade.bt_trades, key=lambda trade: (trade.open_date, trade.pair))


def fills(trade: LocalTrade) -> list[Fill]:
    """A trade's filled orders in time order; the words of the last exit are the trade's exit reason."""
    orders = [order for order in trade.orders if order.filled]
    bought = sum(order.filled for order in orders if order.ft_order_side == trade.entry_side)
    found = []
    for order in orders:
        entering = order.ft_order_side == trade.entry_side
        part = order.stake_amount_filled / BALANCE if entering else order.filled / bought
        words = trade.exit_reason if order is orders[-1] else order.ft_order_tag
        row = (order.order_filled_date.replace(tzinfo=UTC) - START) // pd.Timedelta("1h") - HISTORY
        found.append(Fill(row, order.average / UNIT, 100 * part, words or ""))
    return found


@dataclass(frozen=True)
class Case:
    """One line of a scenario table: what happens to a long, and to the mirrored short.

    Attributes
    ----------
    rows : open, high, low, close of row 0 (the signal's) and on, in percent of the signal's close
    long : orders expected of the long
    short : of the short on the mirrored candles; None: the mirror image of ``long``
    play : further arguments of ``Play``
    """

    name: str
    rows: list[tuple[float, ...]]
    long: list[Fill]
    short: list[Fill] | None = None
    signal: Signal = field(default_factory=Signal)
    settings: dict[str, Any] = field(default_factory=dict)
    play: dict[str, Any] = field(default_factory=dict)


def expected(case: Case, side: int) -> list[Fill]:
    """What a case expects of a side."""
    if side > 0 or case.short is not None:
        return case.long if side > 0 else case.short
    return [
        fill._replace(price=200.0 - fill.price, words=fill.words.replace("turned short", "turned long"))
        for fill in case.long
    ]


def check(engine: Engine, case: Case, side: int, **changes: Any) -> LocalTrade:
    """Run a case and compare its first trade with the table."""
    play = Play(case.rows, {0: case.signal}, side, **case.play)
    trades = engine.run({"BTC": play}, case.settings, **changes)
    found = [fill for trade in trades[:1] for fill in fills(trade)]
    wanted = expected(case, side)
    shown = "\n".join(map(str, found))
    assert [(x.row, x.words) for x in found[1:]] == [(x.row, x.words) for x in wanted[1:]], shown
    assert found[:1] == [] or found[0].row == wanted[0].row, shown
    for one, other in zip(found, wanted, strict=True):
        assert abs(one.price - other.price) < 2e-3, shown
        assert abs(one.part - other.part) < 5e-2, shown
    return trades[0] if trades else None
