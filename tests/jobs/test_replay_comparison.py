"""A bot's decisions and trades beside a backtest's: what counts as the same, and what a difference is put down to."""

import numpy as np
import pandas as pd
import pytest

from coordinator.jobs.replay.decisions import compare_decisions
from coordinator.jobs.replay.trades import CancelledEntry, Circumstances, compare_trades
from coordinator.ledger.frame import COLUMNS, normalise_decisions

START = pd.Timestamp("2023-03-01", tz="UTC")
END = START + pd.Timedelta(days=30)


def hours(number):
    return START + pd.Timedelta(hours=number)


def decisions(*rows):
    said = {
        "unified_score": 0.5,
        "unified_confidence": 0.7,
        "threshold": 0.0,
        "ml_weight": 0.0,
        "accepted": True,
    }
    base = said | {
        "direction": 1,
        "price": 100.0,
        "stop": 95.0,
        "horizon": 20,
        "clock": "1d",
        "reasons": "MACD",
    }
    made = [dict.fromkeys(COLUMNS) | base | {"time": hours(h), "pair": pair} | more for h, pair, more in rows]
    return normalise_decisions(pd.DataFrame(made), "test")


def test_equal_decisions_are_the_same_and_outcomes_do_not_count():
    one = decisions((1, "BTC/USDT", {}), (2, "ETH/USDT", {"lstm_confidence": 0.4, "lstm_direction": 1.0}))
    other = one.assign(outcome_r=[1.0, np.nan]).iloc[::-1].reset_index(drop=True)
    found = compare_decisions(one, other)
    assert found.same
    assert (found.signals, found.identical) == (2, 2)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("direction", -1),
        ("quality_percentile", 0.3),
        ("threshold", 1e-9),
        ("reasons", "RSI"),
        ("stop", np.nan),
    ],
)
def test_a_difference_in_any_column_is_found(column, value):
    one = decisions((1, "BTC/USDT", {}), (2, "ETH/USDT", {}))
    other = decisions((1, "BTC/USDT", {}), (2, "ETH/USDT", {column: value}))
    found = compare_decisions(one, other)
    assert not found.same
    assert found.differing == {column: 1}
    assert found.identical == 1
    assert column in found.examples[0]


def test_signals_of_one_run_and_other_verdicts_are_listed():
    one = decisions((1, "BTC/USDT", {}), (2, "ETH/USDT", {}), (3, "ADA/USDT", {}))
    refused = {"accepted": False, "rejection": "no expected gain"}
    other = decisions((1, "BTC/USDT", {}), (3, "ADA/USDT", refused), (4, "SOL/USDT", {}))
    found = compare_decisions(one, other)
    assert found.missing == ((hours(2), "ETH/USDT"),)
    assert found.added == ((hours(4), "SOL/USDT"),)
    assert found.verdicts == ((hours(3), "ADA/USDT"),)
    said = "\n".join(found.sentences())
    assert "only the backtest has 1" in said
    assert "only the bot has 1" in said


def trade(signal=10, pair="BTC/USDT", **more):
    prices = {"filled_price": 100.0, "exit_price": 110.0, "exit_reason": "target reached"}
    times = {"opened_at": hours(signal + 1), "closed_at": hours(signal + 50)}
    return {"time": hours(signal), "pair": pair, "direction": 1, **times, **prices} | more


def candles(*pairs):
    date = pd.date_range(START, END, freq="1h", inclusive="left")
    flat = {"open": 100.0, "high": 112.0, "low": 90.0, "close": 100.0, "volume": 1.0}
    return {pair: pd.DataFrame({"date": date, **flat}) for pair in pairs}


def compare(backtest, bot, cancelled=(), slots=8.0):
    frames = [pd.DataFrame(rows, columns=list(trade())) for rows in (backtest, bot)]
    return compare_trades(*frames, Circumstances(candles("BTC/USDT", "ETH/USDT"), cancelled, slots, END))


CASES = {
    "the same": ([trade()], [trade()], None, True),
    "the book's price": ([trade()], [trade(filled_price=99.99)], "a limit order at the book's price", True),
    "a price nobody quoted": ([trade()], [trade(filled_price=150.0)], "a limit order", False),
    "later": (
        [trade()],
        [trade(filled_price=101.0, opened_at=hours(11) + pd.Timedelta(minutes=30))],
        "30 minutes later",
        True,
    ),
    "a stop slips": (
        [trade(exit_reason="stop_loss", exit_price=95.0)],
        [trade(exit_reason="stop_loss", exit_price=94.9)],
        "at its next look",
        True,
    ),
    "a stop at the exchange": (
        [trade(exit_reason="trailing_stop_loss", exit_price=95.0)],
        [trade(exit_reason="stoploss_on_exchange", exit_price=95.0)],
        None,
        True,
    ),
    "another reason days later": (
        [trade()],
        [trade(closed_at=hours(120), exit_reason="stop_loss")],
        "03-06 00:00 stop_loss",
        False,
    ),
    "another exit after another entry": (
        [trade()],
        [trade(filled_price=101.0, closed_at=hours(120), exit_reason="stop_loss")],
        "follow the entry",
        True,
    ),
    "a stop that the other entry had farther away": (
        [trade(filled_price=101.0, exit_reason="stop_loss")],
        [trade(closed_at=hours(120))],
        "follow the entry",
        True,
    ),
    "a stop that the other entry had nearer": (
        [trade(filled_price=99.0, exit_reason="stop_loss")],
        [trade(closed_at=hours(120))],
        "follow the entry",
        False,
    ),
    "a turn of the market, which follows no entry": (
        [trade(filled_price=101.0, exit_reason="channel")],
        [trade(closed_at=hours(120), exit_reason="channel")],
        "follow the entry",
        False,
    ),
    "a stop that trails a high between two looks": (
        [trade(exit_reason="trailing_stop_loss")],
        [trade(closed_at=hours(120), exit_reason="trailing_stop_loss")],
        "trails the candle's extreme",
        True,
    ),
    "a stop that trailed in the backtest alone": (
        [trade(exit_reason="trailing_stop_loss")],
        [trade(closed_at=hours(120), exit_reason="stop_loss")],
        "left at",
        False,
    ),
    "a stop that trails a high of the bot's alone": (
        [trade(closed_at=hours(120), exit_reason="trailing_stop_loss")],
        [trade(exit_reason="trailing_stop_loss")],
        "left at",
        False,
    ),
    "the backtest's end": (
        [trade(closed_at=END, exit_reason="force_exit")],
        [trade(closed_at=pd.NaT)],
        None,
        True,
    ),
    "left open": ([trade()], [trade(closed_at=pd.NaT)], "still open", False),
    "never entered": ([trade()], [], "the bot did not enter", False),
    "entered alone": ([], [trade()], "the backtest did not enter", False),
    "before the backtest": ([], [trade(signal=-1)], "the hour before", True),
    "the pair was held": (
        [trade(), trade(70)],
        [trade(filled_price=101.0, closed_at=hours(100), exit_reason="stop_loss")],
        "still held the pair",
        True,
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_each_difference_has_a_cause(case):
    backtest, bot, cause, explained = CASES[case]
    found = compare(backtest, bot)
    last = found.matches[-1]
    assert last.explained is explained
    assert (not last.causes) if cause is None else any(cause in text for text in last.causes)
    assert len(found.unexplained) == (not explained)


def test_orders_that_were_not_filled_explain_a_missing_trade():
    orders = [CancelledEntry(hours(11) + pd.Timedelta(minutes=10 * i), "BTC/USDT") for i in range(4)]
    assert compare([trade()], [], orders).matches[0].explained
    assert not compare([trade()], [], [CancelledEntry(hours(13), "BTC/USDT")]).matches[0].explained
    assert not compare([trade()], [], [CancelledEntry(hours(11), "ETH/USDT")]).matches[0].explained


def test_an_entry_that_was_never_filled_is_no_trade_of_the_bot():
    """The ledger has a row of it, without a price."""
    ordered = trade(filled_price=None, exit_price=None, closed_at=hours(12), exit_reason="entry not filled")
    order = CancelledEntry(hours(11) + pd.Timedelta(minutes=30), "BTC/USDT")
    found = compare([trade()], [ordered], [order])
    (match,) = found.matches
    assert (match.bot, match.explained) == (None, True)
    assert "only in the backtest: the bot's 1 limit orders were not filled" in found.sentences()[1]
    assert "nan" not in "".join(found.sentences())
    assert not compare([trade()], [ordered]).matches[0].explained


def test_full_slots_explain_a_missing_trade():
    held = trade(1, "ETH/USDT", closed_at=hours(100))
    found = compare([trade(1, "ETH/USDT", closed_at=hours(5)), trade()], [held], slots=1.0)
    missing = next(match for match in found.matches if match.bot is None)
    assert missing.explained
    assert "slots were taken" in missing.causes[0]
