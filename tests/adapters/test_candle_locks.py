"""A bot that was killed between a trade's end and Freqtrade's lock does not enter on the same signal again."""

from datetime import UTC, datetime, timedelta

import pytest
from freqtrade.persistence import PairLocks, Trade, init_db

from coordinator.adapters.persistence.candle_locks import restore_candle_locks

NOW = datetime(2023, 3, 1, 12, 40, tzinfo=UTC)
CANDLE = datetime(2023, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def database(tmp_path):
    init_db(f"sqlite:///{tmp_path / 'trades.sqlite'}")
    PairLocks.timeframe = "1h"
    yield
    Trade.session.remove()
    PairLocks.timeframe = ""


def closed(pair, minutes_ago, is_short=False):
    moment = NOW - timedelta(minutes=minutes_ago)
    trade = Trade(
        pair=pair, is_short=is_short, open_date=moment - timedelta(minutes=15), close_date=moment, is_open=False,
        open_rate=10.0, amount=1.0, stake_amount=10.0, fee_open=0.001, fee_close=0.001, exchange="binance",
    )  # fmt: skip
    Trade.session.add(trade)
    Trade.commit()


def test_only_the_side_that_ended_in_the_running_candle_is_locked_until_its_end(database):
    closed("SOL/USDT", 10, is_short=True)
    closed("ETH/USDT", 41)
    restore_candle_locks(NOW, CANDLE)
    assert PairLocks.is_pair_locked("SOL/USDT", NOW, "short")
    assert not PairLocks.is_pair_locked("SOL/USDT", NOW, "long")
    assert not PairLocks.is_pair_locked("ETH/USDT", NOW, "long")
    assert not PairLocks.is_pair_locked("SOL/USDT", CANDLE + timedelta(hours=1, seconds=1), "short")


def test_a_lock_that_was_set_is_not_set_twice(database):
    closed("SOL/USDT", 10)
    restore_candle_locks(NOW, CANDLE)
    restore_candle_locks(NOW, CANDLE)
    assert len(PairLocks.get_pair_locks("SOL/USDT", NOW)) == 1
