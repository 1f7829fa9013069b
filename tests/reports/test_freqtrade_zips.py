"""What Freqtrade 2026.9 really wrote, on simulated candles: additions, partial exits, leverage, funding.

``data/`` holds one spot and one futures backtest. They pin the format, and that our account value is Freqtrade's.
"""

from pathlib import Path

import pandas as pd
import pytest

from coordinator.reports.equity import strategy_equity
from coordinator.reports.metrics import strategy_metrics
from coordinator.reports.results import BacktestResult, latest_results

DATA = Path(__file__).parent / "data"


@pytest.fixture(params=["Tiny", "TinyShort"])
def result(request) -> BacktestResult:
    return latest_results(DATA, [request.param])[0]


def test_what_the_orders_paid_is_freqtrades_profit(result):
    orders, trades = result.orders, result.trades
    paid = (-orders["amount"] * orders["price"] - orders["fee"]).groupby(orders["trade"]).sum()
    got = paid + trades["funding_fees"]
    assert got.to_numpy() == pytest.approx(trades["profit_abs"].to_numpy(), abs=1e-6)
    assert orders.groupby("trade").size().max() >= 3  # there is something to add up
    assert orders.groupby("trade")["amount"].sum().abs().max() < 1e-9  # all is closed


def test_figures_agree_with_freqtrades_where_both_have_them(result):
    figures = strategy_metrics(result, strategy_equity(result, {}))
    stats = result.stats
    assert figures.trades == stats["total_trades"] > 0
    assert figures.profit == pytest.approx(stats["profit_total"])
    assert figures.win_rate == pytest.approx(stats["winrate"])
    final = strategy_equity(result, {}).daily.iloc[-1]
    assert final == pytest.approx(stats["final_balance"])


def test_spot_wallets_hold_open_positions_and_futures_wallets_do_not():
    spot, futures = latest_results(DATA, ["Tiny", "TinyShort"])
    assert spot.wallet is not None
    assert futures.wallet is not None
    during = futures.trades.iloc[0]
    inside = futures.wallet[during["open_date"] + pd.Timedelta(hours=1) : during["close_date"]]
    assert inside.iloc[:3].nunique() == 1  # nothing realised yet, whatever the price did
    first = spot.trades.iloc[0]
    held = spot.wallet[first["open_date"] + pd.Timedelta(hours=1) : first["close_date"]]
    assert held.nunique() > 1


def test_sides_and_funding():
    spot, futures = latest_results(DATA, ["Tiny", "TinyShort"])
    assert not spot.trades["is_short"].any()
    assert futures.trades["is_short"].all()
    assert (futures.trades["leverage"] == 2).all()
    assert (futures.trades["funding_fees"] != 0).any()
    # A short is entered by selling.
    assert (futures.orders["amount"] < 0).tolist() == futures.orders["is_entry"].tolist()
