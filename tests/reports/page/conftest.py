"""A bot's ledger, made as a bot makes one: a live run, candle by candle, with its real trades."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from coordinator.ledger.records import (
    CandleRecord,
    DropRow,
    ImprovementRow,
    OutcomeRow,
    SignalRow,
    VoteRow,
    VoteWeightRow,
    WeightRow,
)
from coordinator.ledger.store import Ledger, RunInfo
from coordinator.ledger.trades import TradeRow

HOUR, COUNT = 3600, 80
START = datetime(2024, 1, 1, tzinfo=UTC)
BEGIN = int(START.timestamp())
BTC, ETH = "BTC/USDT", "ETH/USDT"


def moment(hours: float) -> datetime:
    return pd.Timestamp(BEGIN + int(hours * HOUR), unit="s", tz="UTC").to_pydatetime()


def vote(component: str, value: float) -> VoteRow:
    return VoteRow(component, 1, value, value)


def signal(i: int, phase: str, weight: float) -> SignalRow:
    """Signal ``i``: every other one is of ETH, two of three are accepted, ML rates one of two above its middle."""
    accepted, rank = i % 3 != 2, 0.9 if i % 2 else 0.2
    return SignalRow(
        BTC if i % 2 else ETH, 1, 100.0, 95.0, 110.0, 20, "x", 0.5, 0.7, 0.5, weight, accepted,
        "" if accepted else "confidence below the threshold", rank, rank, 0.3 + (i % 10) / 50, 0.1, "", phase, "",
        "bull_low", (vote("technical", 0.6), vote("lstm", rank), vote("quality", 1 - rank)),
    )  # fmt: skip


def outcome(i: int, r: float) -> OutcomeRow:
    at = BEGIN + i * 6 * HOUR
    return OutcomeRow(at, BTC if i % 2 else ETH, r, "target" if r > 0 else "stop", at + 20 * HOUR)


def candle(i: int, count: int, rs: np.ndarray) -> CandleRecord:
    """The candle of signal ``i``, six hours after the one before; four candles later its outcome is known."""
    phase, weight = ("shadow", 0.0) if i < count // 2 else ("pilot", 0.15)
    changed = i in (0, count // 2)
    pair = BTC if i % 2 else ETH
    return CandleRecord(
        BEGIN + i * 6 * HOUR,
        signals=(signal(i, phase, weight),),
        outcomes=(outcome(i - 4, float(rs[i - 4])),) if i >= 4 else (),
        weights=(WeightRow(phase, weight, f"promoted: {i} outcomes collected", {}),) if changed else (),
        vote_weights=(VoteWeightRow("lstm", 0.6), VoteWeightRow("quality", 0.4)) if i % 4 == 0 else (),
        drops=(DropRow(pair, "fusion", "no model yet"),),
        improvements=(
            ImprovementRow(pair, "volatility_sizing", "on", 1.0, 0.8),
            ImprovementRow(pair, "correlation_filter", "on", 2.0, 2.0 if i % 5 == 0 else 1.0),
        ),
    )


def trade(i: int, r: float) -> TradeRow:
    """What signal ``i`` became: a day in the trade, 1,000 at stake, 50 at risk, entries .2 % worse than intended."""
    return TradeRow(
        BEGIN + i * 6 * HOUR, BTC if i % 2 else ETH, 1, moment(i * 6 + 1), 100.0, moment(i * 6 + 21), 100.2, 1000.0,
        2.0, 50.0 * r, r, "roi" if r > 0 else "stop_loss", 1, 1, 100.0 + 5 * r, 100.0 + 5 * r,
    )  # fmt: skip


@pytest.fixture(scope="session")
def ledgers(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("ledgers")


@pytest.fixture
def bot_ledger(tmp_path, ledgers):
    """Gives the ledger of a bot with so many signals, of which every ninth was traded; each is written once."""

    def give(count: int = COUNT, trades: bool = True) -> Ledger:
        kept = ledgers / f"{count}-{trades}.sqlite"
        if not kept.exists():
            write(kept, count, trades)
        return Ledger(shutil.copy(kept, tmp_path / "coordinator.ledger.sqlite"))

    def write(path: Path, count: int, trades: bool) -> None:
        ledger = Ledger(path)
        settings = {
            "decision": {"threshold": 0.6, "baseline_threshold": 0.5},
            "sizing": {"risk_per_trade": 0.01},
        }
        run = ledger.open_run(
            RunInfo("MLCoordinator", START, "1h", settings, "CoordinatorClassifier", "x", "bot")
        )
        rs = np.where(np.arange(count) % 2 == 1, 1.5, -1.0) + np.linspace(-0.2, 0.2, count)
        for i in range(count):
            ledger.write_candle(run, candle(i, count, rs))
        if trades:
            for i in range(0, count - 4, 9):
                ledger.write_trade(run, trade(i, float(rs[i])))

    return give


@pytest.fixture
def bot_candles():
    """Hourly candles of both pairs around the bot's time; ETH follows BTC and adds noise of its own."""
    rng = np.random.default_rng(0)
    dates = pd.date_range(START - pd.Timedelta(days=100), periods=24 * 160, freq="h", tz="UTC")
    common = rng.normal(0, 0.01, len(dates))
    frames = {}
    for pair, own in ((BTC, 0.0), (ETH, 0.01)):
        close = 100 * np.exp(np.cumsum(common + rng.normal(0, own, len(dates))))
        frames[pair] = pd.DataFrame(
            {
                "date": dates,
                "open": close,
                "high": close * 1.01,
                "low": close * 0.99,
                "close": close,
                "volume": 1.0,
            }
        )
    return frames
