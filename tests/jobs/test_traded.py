"""A backtest's exits: what each should have been filled at."""

from pathlib import Path

import pandas as pd
import pytest

from coordinator.jobs.traded import traded_rows
from coordinator.ledger.frame import COLUMNS
from coordinator.reports.results import BacktestResult
from coordinator.settings.trade import DcaSettings

PAIR = "BTC/USDT"
OPEN, CLOSE = pd.Timestamp("2024-01-01 05:00Z"), pd.Timestamp("2024-01-01 09:00Z")
CANDLES = {
    PAIR: pd.DataFrame(
        {"date": pd.date_range("2024-01-01", periods=12, freq="h", tz="UTC"), "close": range(90, 102)}
    )
}


def result(reason, short=False):
    """One trade: 1 at 100, left at 97; its stop stood at 98 (102 if short)."""
    trade = {
        "pair": PAIR, "open_date": OPEN, "close_date": CLOSE, "is_short": short, "profit_abs": -3.0, "leverage": 1.0,
        "exit_reason": reason, "stop_loss_abs": 102.0 if short else 98.0,
    }  # fmt: skip
    sign = -1 if short else 1
    orders = pd.DataFrame(
        {
            "trade": [0, 0],
            "pair": PAIR,
            "time": [OPEN, CLOSE],
            "is_entry": [True, False],
            "amount": [sign * 1.0, -sign * 1.0],
            "price": [100.0, 97.0],
            "fee": [0.1, 0.1],
        }
    )
    hour = pd.Timedelta(hours=1)
    return BacktestResult(
        "S", Path("x"), pd.DataFrame([trade]), orders, {}, OPEN, CLOSE, hour, "spot", "USDT", 1000.0, (PAIR,), 0.001,
        None, OPEN.to_pydatetime(), CLOSE.to_pydatetime(),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("reason", "intended"),
    [
        ("stop_loss", 98.0),
        ("trailing_stop_loss", 98.0),
        ("target reached", 97.0),
        ("baseline turned short", 98.0),  # the close of 08:00, the candle before
        ("time limit of 20 candles", 98.0),
    ],
)
def test_what_an_exit_should_have_been_filled_at(reason, intended):
    (row,) = traded_rows(result(reason), pd.DataFrame(columns=COLUMNS), DcaSettings(), CANDLES)
    assert (row.intended_exit_price, row.exit_price) == (intended, 97.0)
    assert row.exit_slippage == pytest.approx((intended - 97) / intended)


def test_a_short_is_hurt_by_a_higher_price():
    (row,) = traded_rows(result("stop_loss", short=True), pd.DataFrame(columns=COLUMNS), DcaSettings())
    assert row.exit_slippage == pytest.approx(-(102 - 97) / 102)


def test_without_candles_it_is_not_known():
    (row,) = traded_rows(result("baseline turned short"), pd.DataFrame(columns=COLUMNS), DcaSettings())
    assert row.intended_exit_price is None
    assert row.exit_slippage is None
