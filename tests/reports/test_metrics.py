"""Account values and figures, computed by hand."""

import math

import numpy as np
import pandas as pd
import pytest

from coordinator.errors import CoordinatorError
from coordinator.reports.equity import buy_and_hold, day_ends, strategy_equity
from coordinator.reports.metrics import (
    calmar,
    hold_metrics,
    max_drawdown,
    profit_factor,
    sharpe,
    sortino,
    strategy_metrics,
)
from coordinator.reports.results import read_result

BTC, ETH = "BTC/USDT:USDT", "ETH/USDT:USDT"
DAYS = pd.date_range("2024-01-01", periods=4, freq="D", tz="UTC")
# 8999 + 10 x 110; 8497.3 + 15 x 110 + 999 - 5 x 190; 10000 - 4.2 + 48.55
VALUES = [10000.0, 10099.0, 10196.3, 10044.35]


def test_account_values_mark_open_positions_to_market(make_zip, candles):
    equity = strategy_equity(read_result(make_zip("S")), candles)
    assert equity.daily.index.tolist() == DAYS.tolist()
    assert equity.daily.tolist() == pytest.approx(VALUES, abs=1e-9)
    assert equity.basis == "marked to market"


def test_the_last_known_close_stands_where_a_candle_is_missing(make_zip, candles):
    candles[BTC] = candles[BTC].drop(index=1)  # 110, of which the first midnight knows only 100
    equity = strategy_equity(read_result(make_zip("S")), candles)
    assert equity.daily.iloc[1] == pytest.approx(8999 + 10 * 100)


def test_without_candles_futures_show_realised_profit(make_zip):
    equity = strategy_equity(read_result(make_zip("S")), {})
    assert equity.daily.tolist() == pytest.approx([10000, 10000, 10000, 10044.35])
    assert equity.basis == "realised profit only"


def test_without_candles_spot_shows_freqtrades_wallet(make_zip):
    hours = pd.date_range("2024-01-01 12:00", periods=4, freq="12h", tz="UTC")
    rows = [(hours[0], "USDT", 10000.0)]
    rows += [
        (time, currency, 5000.0 + i)
        for i, time in enumerate(hours[1:])
        for currency in ("USDT", "BTC", "ETH")
    ]
    wallet = pd.DataFrame(rows, columns=["date", "currency", "total_quote"])
    equity = strategy_equity(read_result(make_zip("S", wallet=wallet, trading_mode="spot")), {})
    assert equity.daily.tolist() == pytest.approx([10000, 15000, 15006, 10044.35])
    assert equity.basis == "Freqtrade's wallet"


def test_candles_that_begin_after_the_trade_are_refused(make_zip, candles):
    candles[BTC] = candles[BTC].iloc[3:]
    with pytest.raises(CoordinatorError, match="reach back to 2024-01-01"):
        strategy_equity(read_result(make_zip("S")), candles)


def test_strategy_figures(make_zip, candles):
    result = read_result(make_zip("S"))
    figures = strategy_metrics(result, strategy_equity(result, candles))
    returns = [99 / 10000, 97.3 / 10099, -151.95 / 10196.3]
    mean = sum(returns) / 3
    deviation = math.sqrt(sum((r - mean) ** 2 for r in returns) / 2)
    downside = math.sqrt(returns[2] ** 2 / 3)
    assert figures.profit == pytest.approx(0.004435)
    assert figures.profit_abs == pytest.approx(44.35)
    assert figures.sharpe == pytest.approx(mean / deviation * math.sqrt(365))
    assert figures.sortino == pytest.approx(mean / downside * math.sqrt(365))
    assert figures.max_drawdown == pytest.approx(151.95 / 10196.3)
    assert figures.calmar == pytest.approx((1.004435 ** (365 / 3) - 1) / (151.95 / 10196.3))
    assert figures.profit_factor == pytest.approx(48.55 / 4.2)
    assert (figures.win_rate, figures.trades) == (0.5, 2)
    assert figures.fees == pytest.approx(4.2 + 1.95)  # additions and partial exits included


def test_buy_and_hold_figures(candles):
    span = candles[BTC]["date"].iloc[0], candles[BTC]["date"].iloc[-1]
    holding = buy_and_hold(candles, *span, pd.Timedelta(hours=12), 10000, 0.001)
    btc, eth = 5000 / 100.1, 5000 / 200.2
    assert holding.equity.daily.tolist() == pytest.approx(
        [10000, btc * 110 + eth * 200, btc * 110 + eth * 190, (btc * 105 + eth * 190) * 0.999]
    )
    figures = hold_metrics(holding)
    assert figures.profit_abs == pytest.approx((btc * 105 + eth * 190) * 0.999 - 10000)
    assert figures.fees == pytest.approx(btc * 0.205 + eth * 0.39)
    assert (figures.trades, figures.win_rate) == (2, 0.5)
    won, lost = btc * 105 * 0.999 - 5000, 5000 - eth * 190 * 0.999
    assert figures.profit_factor == pytest.approx(won / lost)


def test_buy_and_hold_waits_for_a_late_pair_and_covers_its_time_only(candles):
    late = candles[BTC].iloc[2:]
    start, end = candles[BTC]["date"].iloc[0], candles[BTC]["date"].iloc[3]
    holding = buy_and_hold({BTC: late}, start, end, pd.Timedelta(hours=12), 1000, 0.0)
    assert holding.equity.daily.tolist() == pytest.approx([1000, 1000, 1000 / 120 * 110])
    with pytest.raises(CoordinatorError, match=r"buy and hold of BTC/USDT:USDT.*reach"):
        buy_and_hold({BTC: late}, start, start, pd.Timedelta(hours=12), 1000, 0.0)
    with pytest.raises(CoordinatorError, match="at least one pair"):
        buy_and_hold({}, start, end, pd.Timedelta(hours=12), 1000, 0.0)


def test_buy_and_hold_sells_a_pair_that_ends_early_and_keeps_the_cash(candles):
    half = pd.Timedelta(hours=12)
    start, end = candles[BTC]["date"].iloc[0], candles[BTC]["date"].iloc[3]
    ended = candles[BTC].iloc[:2]  # 100, 110
    holding = buy_and_hold({BTC: ended}, start, end, half, 1000, 0.01)
    sold = 1000 / (100 * 1.01) * 110 * 0.99
    assert holding.equity.daily.iloc[1:].tolist() == pytest.approx([sold] * (len(holding.equity.daily) - 1))
    assert holding.profits[BTC] == pytest.approx(sold - 1000)


def test_a_redenomination_makes_nobody_richer(candles):
    half, frame = pd.Timedelta(hours=12), candles[BTC]
    span = frame["date"].iloc[0], frame["date"].iloc[-1]
    frame = frame.assign(open=frame["close"].shift(1).fillna(frame["open"]))
    late = frame.index >= frame.index[2]
    tenfold = frame.assign(
        **{name: np.where(late, 10 * frame[name], frame[name]) for name in ("open", "close")}
    )
    plain, changed = (buy_and_hold({BTC: one}, *span, half, 1000, 0.001) for one in (frame, tenfold))
    assert changed.equity.daily.tolist() == pytest.approx(plain.equity.daily.tolist())
    assert changed.profits[BTC] == pytest.approx(plain.profits[BTC])


def series(*values: float) -> pd.Series:
    return pd.Series(values, index=pd.date_range("2024-01-01", periods=len(values), freq="D"), dtype=float)


def test_nothing_happened():
    flat = series(100, 100, 100)
    assert [math.isnan(figure(flat)) for figure in (sharpe, sortino, calmar)] == [True] * 3
    assert max_drawdown(flat) == 0
    assert math.isnan(profit_factor(pd.Series([], dtype=float)))


def test_nothing_was_lost():
    rising = series(100, 110, 121)
    assert sortino(rising) == calmar(rising) == math.inf
    assert math.isnan(sharpe(rising))  # returns that never differ have no spread
    assert profit_factor(pd.Series([5.0])) == math.inf


def test_everything_was_lost():
    lost = series(100, 50, 0.0)
    assert max_drawdown(lost) == 1
    assert calmar(lost) == -1
    assert profit_factor(pd.Series([-5.0])) == 0


def test_no_trades(make_zip, candles):
    result = read_result(make_zip("S", trades=[]))
    figures = strategy_metrics(result, strategy_equity(result, candles))
    assert (figures.profit, figures.trades, figures.fees, figures.max_drawdown) == (0, 0, 0, 0)
    undefined = (figures.sharpe, figures.sortino, figures.calmar, figures.profit_factor, figures.win_rate)
    assert all(math.isnan(value) for value in undefined)


def test_days_in_between_end_at_midnight():
    start, end = pd.Timestamp("2024-01-01 22:00Z"), pd.Timestamp("2024-01-01 23:00Z")
    assert day_ends(start, end).tolist() == [start, end]
