"""Which pairs compete for a free slot: those that Freqtrade has a candle for to enter them on."""

from types import SimpleNamespace

import pandas as pd
import pytest

from coordinator.adapters.strategy.enterable import EnterablePairs

HOUR = 3600
DATES = pd.Series(pd.date_range("2023-01-01", periods=100, freq="1h", tz="UTC"))
FIRST = int(DATES.iloc[0].timestamp())


@pytest.mark.parametrize(
    ("row", "enterable"), [(39, False), (40, True), (98, True), (99, False), (100, False)]
)
def test_a_backtests_pair_counts_behind_the_startup_and_before_its_last_candle(row, enterable):
    """A signal of the last candle has none to be entered on."""
    pairs = EnterablePairs({}, is_bot=False)
    pairs.startup = 40
    pairs.put("LTC/USDT", DATES)
    assert pairs.has("LTC/USDT", FIRST + row * HOUR, None) == enterable


def test_a_pair_that_freqtrade_skips_for_lack_of_history_never_counts():
    pairs = EnterablePairs({}, is_bot=False)
    pairs.startup = 100
    pairs.put("NEW/USDT", DATES)
    assert not any(pairs.has("NEW/USDT", FIRST + row * HOUR, None) for row in range(101))


def test_with_a_dynamic_pair_list_a_backtests_pair_must_be_in_it():
    pairs = EnterablePairs({"runmode": "backtest", "enable_dynamic_pairlist": True}, is_bot=False)
    pairs.startup = 0
    for pair in ("BTC/USDT", "OUT/USDT"):
        pairs.put(pair, DATES)
    dp = SimpleNamespace(current_whitelist=lambda: ["BTC/USDT"])
    assert pairs.has("BTC/USDT", FIRST, dp)
    assert not pairs.has("OUT/USDT", FIRST, dp)


def test_a_bots_pair_counts_while_it_is_in_the_whitelist():
    pairs = EnterablePairs({"runmode": "dry_run"}, is_bot=True)
    pairs.put("OLD/USDT", DATES)
    dp = SimpleNamespace(current_whitelist=lambda: ["BTC/USDT"])
    assert pairs.has("BTC/USDT", FIRST, dp)
    assert not pairs.has("OLD/USDT", FIRST, dp)
