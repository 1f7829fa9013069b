"""Real trades stand beside virtual ones; features come back to the bit."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from coordinator.errors import CoordinatorError
from coordinator.ledger.feature_store import FeatureSchema, FeatureTable
from coordinator.ledger.records import CandleRecord, OutcomeRow, SignalRow
from coordinator.ledger.store import Ledger, RunInfo
from coordinator.ledger.trades import TradeRow

HOUR = 3600
START = datetime(2024, 1, 1, tzinfo=UTC)
SIGNAL = SignalRow("BTC/USDT", 1, 100.0, 98.0, 105.0, 48, "x", 0.7, 0.8, 0.7, 0.1, True, "")
OPEN = TradeRow(HOUR, "BTC/USDT", 1, START + timedelta(microseconds=7), 100.0, filled_price=100.5, stake=50.0)
CLOSED = replace(
    OPEN,
    closed_at=(START + timedelta(hours=5)).astimezone(timezone(timedelta(hours=2))),
    fees=0.1,
    profit=4.0,
    r=1.6,
    exit_reason="roi",
    tranches_planned=3,
    tranches_filled=2,
)


@pytest.fixture
def ledger(ledger_url):
    return Ledger(ledger_url)


@pytest.fixture
def run(ledger):
    run = ledger.open_run(RunInfo("S", START, "1h"))
    ledger.write_candle(run, CandleRecord(HOUR, (SIGNAL, SIGNAL._replace(pair="ETH/USDT"))))
    return run


def test_a_trade_is_followed_until_it_closes_and_then_stays(ledger, run):
    ledger.write_trade(run, OPEN)
    ledger.write_trade(run, replace(OPEN, filled_price=99.0, tranches_filled=2))
    trade = ledger.trades(run).iloc[0]
    assert (trade["filled_price"], trade["slippage"]) == (99.0, pytest.approx(-0.01))
    assert trade[["closed_at", "virtual_r", "profit"]].isna().all()
    for _ in range(2):
        ledger.write_trade(run, CLOSED)
    ledger.write_candle(
        run, CandleRecord(3 * HOUR, outcomes=(OutcomeRow(HOUR, "BTC/USDT", 1.9, "target", 2 * HOUR),))
    )
    trade = ledger.trades(run).iloc[0]
    assert (trade["r"], trade["virtual_r"], trade["virtual_exit"]) == (1.6, 1.9, "target")
    assert trade["opened_at"] == pd.Timestamp(START) + pd.Timedelta("7us")
    assert trade["closed_at"] == pd.Timestamp(START) + pd.Timedelta("5h")
    for changed in (replace(CLOSED, profit=5.0), OPEN):
        with pytest.raises(CoordinatorError, match=r"BTC/USDT at 3600.*stay as written"):
            ledger.write_trade(run, changed)
    assert len(ledger.trades(run)) == 1


def test_a_trade_without_signal_and_an_entry_that_never_filled(ledger, run):
    forced = replace(OPEN, time=2 * HOUR, intended_price=float("nan"))
    unfilled = replace(OPEN, pair="ETH/USDT", filled_price=None, closed_at=START, exit_reason="not filled")
    ledger.write_trade(run, forced)
    ledger.write_trade(run, unfilled)
    trades = ledger.trades(run)
    assert trades["pair"].tolist() == ["ETH/USDT", "BTC/USDT"]
    assert trades["slippage"].isna().all()
    assert trades["virtual_r"].isna().all()
    assert ledger.check() == []
    assert len(ledger.trades(run + 1)) == 0


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"opened_at": datetime(2024, 1, 1)}, "carry a timezone"),
        ({"closed_at": datetime(2024, 1, 1)}, "carry a timezone"),
        ({"direction": -1}, "stay as written"),
        ({"opened_at": START}, "stay as written"),
    ],
)
def test_a_wrong_trade_is_refused(ledger, run, change, rule):
    ledger.write_trade(run, OPEN)
    with pytest.raises(CoordinatorError, match=rule):
        ledger.write_trade(run, replace(OPEN, **change))


@pytest.mark.parametrize(
    ("direction", "filled", "slippage"), [(1, 101.0, 0.01), (-1, 101.0, -0.01), (-1, 99.0, 0.01)]
)
def test_slippage_is_what_was_paid_more(direction, filled, slippage):
    assert replace(OPEN, direction=direction, filled_price=filled).slippage == pytest.approx(slippage)


SCHEMA = FeatureSchema("1", ("rsi", "adx", "wick"))


def features(values, pairs=("BTC/USDT", "ETH/USDT"), schema=SCHEMA):
    return FeatureTable(schema, np.full(len(pairs), HOUR), np.array(pairs, dtype=object), np.array(values))


def test_features_are_kept_once_and_by_schema(ledger, run):
    table = features([[1.0, np.nan, -0.0], [np.inf, 1e-310, 3.0]])
    for _ in range(2):
        ledger.write_features(run, table)
    back = ledger.read_features(run, SCHEMA)
    assert back.values.tobytes() == table.values.tobytes()
    assert back.time.tolist() == [HOUR, HOUR]
    assert back.pair.tolist() == ["BTC/USDT", "ETH/USDT"]
    assert ledger.read_features(run, FeatureSchema("2", SCHEMA.names)).values.shape == (0, 3)
    with pytest.raises(CoordinatorError, match=r"time 3600, pair BTC/USDT must stay as written"):
        ledger.write_features(run, features([[1.0, np.nan, 0.0]], ["BTC/USDT"]))
    with pytest.raises(CoordinatorError, match="stay as written"):
        ledger.write_features(run, replace(table, schema=FeatureSchema("2", SCHEMA.names)))
    with pytest.raises(CoordinatorError, match="be 1 rows of 3"):
        ledger.write_features(run, features([[1.0, 2.0]], ["BTC/USDT"]))
    with pytest.raises(CoordinatorError, match=r"(?i)foreign key"):
        ledger.write_features(run, features([[1.0, 2.0, 3.0]], ["SOL/USDT"]))


def test_a_schema_is_its_version_and_its_names_in_order():
    others = [
        FeatureSchema("2", SCHEMA.names),
        FeatureSchema("1", SCHEMA.names[::-1]),
        FeatureSchema("1", ("rsi",)),
    ]
    assert len({SCHEMA.hash, *(other.hash for other in others)}) == 4
    assert FeatureSchema("1", ("rsi", "adx", "wick")).hash == SCHEMA.hash


@settings(max_examples=25, deadline=None)
@given(values=hnp.arrays(np.float64, st.tuples(st.integers(0, 5), st.just(3))))
def test_any_features_come_back_to_the_bit(values):
    ledger = Ledger("sqlite://")
    run = ledger.open_run(RunInfo("S", START, "1h"))
    pairs = [f"{i}/USDT" for i in range(len(values))]
    ledger.write_candle(run, CandleRecord(HOUR, tuple(SIGNAL._replace(pair=pair) for pair in pairs)))
    ledger.write_features(run, features(values.reshape(-1, 3), pairs))
    assert ledger.read_features(run, SCHEMA).values.tobytes() == values.tobytes()


def test_an_entry_that_was_not_filled_may_be_ordered_anew(ledger, run):
    unfilled = replace(OPEN, filled_price=None, closed_at=START, exit_reason="entry not filled")
    ledger.write_trade(run, unfilled)
    ledger.write_trade(run, OPEN)
    ledger.write_trade(run, CLOSED)
    (trade,) = ledger.trades(run).to_dict("records")
    assert trade["exit_reason"] == CLOSED.exit_reason
    assert ledger.check() == []
