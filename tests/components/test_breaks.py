"""A hole with another price behind it, and a frozen market: nothing is made of them, and what follows begins anew."""

import numpy as np
import pytest

from coordinator.components.market_history import BASE, MarketHistory, PairHistory
from coordinator.learning.labels import direction_labels
from coordinator.portfolio.correlation import ReturnPanel
from coordinator.run.break_log import BreakLog, describe_breaks
from coordinator.run.pair_analysis import analyse
from coordinator.run.signal_table import build_signal_table
from coordinator.settings import load_settings
from coordinator.signals.breaks import find_breaks
from coordinator.signals.candles import Candles
from coordinator.signals.fusion import TIMEFRAMES

HOURS = 24 * 400
BREAK, AGAIN = 24 * 200, 24 * 221 + 5  # three weeks, in the middle of a day
SETTINGS = load_settings(
    {"baseline": {"clock": "1d"}, "targets": {"horizon": 20}, "quality": {"samples": "panel"}}
)
HOURLY = load_settings({})
PAIR = "LTC/USDT"


@pytest.fixture(scope="module")
def whole(make_walk):
    return make_walk(3, HOURS)


@pytest.fixture(scope="module", params=["redenominated", "frozen"])
def broken(request, whole):
    """As Freqtrade fills it."""
    frame = whole.copy()
    rows = slice(BREAK, AGAIN)
    for name in ("open", "high", "low", "close"):
        column = frame[name].to_numpy().copy()
        column[rows] = frame["close"].iloc[BREAK - 1]
        if request.param == "redenominated":
            column[AGAIN:] *= 10
        frame[name] = column
    volume = frame["volume"].to_numpy().copy()
    volume[rows] = 0.0
    return frame.assign(volume=volume)


@pytest.fixture(scope="module")
def candles(broken, make_higher):
    higher = {name: Candles.from_frame(make_higher(broken, name), name) for name in TIMEFRAMES[1:]}
    return {BASE: Candles.from_frame(broken, BASE), **higher}


@pytest.fixture(scope="module")
def listed(broken, make_higher):
    """The same pair, listed as the market opens again; whole higher candles."""
    late = broken.iloc[AGAIN:].reset_index(drop=True)
    frames = {BASE: Candles.from_frame(late, BASE)}
    for name in TIMEFRAMES[1:]:
        higher = make_higher(late, name)
        frames[name] = Candles.from_frame(higher[higher["date"] >= late["date"].iloc[0]], name)
    return frames


@pytest.mark.parametrize("settings", [SETTINGS, HOURLY], ids=["daily", "hourly"])
def test_signals_after_it_are_those_of_a_pair_that_was_listed_then(candles, listed, settings):
    found = analyse(PAIR, candles[BASE], candles, settings, True)
    alone = analyse(PAIR, listed[BASE], listed, settings, True)
    assert not ((found.index >= BREAK + 24) & (found.index < AGAIN)).any()
    after = found.index >= AGAIN
    np.testing.assert_array_equal(found.index[after] - AGAIN, alone.index)
    np.testing.assert_array_equal(found.stop_distance[after], alone.stop_distance)
    np.testing.assert_array_equal(
        found.technical.signal_confidence[found.index[after]],
        alone.technical.signal_confidence[alone.index],
    )
    assert after.sum() > 3


def test_no_trade_is_resolved_across_it(candles):
    analysis = analyse(PAIR, candles[BASE], candles, HOURLY, True)
    table = build_signal_table({PAIR: analysis}, HOURLY)
    marked = candles[BASE].time[[BREAK + 23, AGAIN]]
    before = table.time < marked[0]
    assert (table.outcome_time[before] < marked[0]).all()
    assert np.isfinite(table.outcome_r[before & (table.time < marked[0] - 100 * 3600)]).all()


def test_no_label_reaches_across_it_and_no_feature_looks_back_on_it(candles, listed):
    market = MarketHistory({PAIR: PairHistory(candles)}, SETTINGS)
    alone = MarketHistory({PAIR: PairHistory(listed)}, SETTINGS)
    base, horizon = candles[BASE], HOURLY.learning.label_horizon
    labels = direction_labels(base, HOURLY.learning)
    assert np.isnan(labels[BREAK + 23 - horizon : AGAIN]).all()
    assert np.isfinite(labels[AGAIN + 200 : -horizon]).all()
    table = market.pairs[PAIR].tables[BASE]
    assert np.isnan(table[BREAK + 23 : AGAIN]).all()
    np.testing.assert_array_equal(table[AGAIN:], alone.pairs[PAIR].tables[BASE])
    daily, days = candles["1d"], listed["1d"]
    panel = market.panel[PAIR][daily.time >= days.time[0]]
    # The first whole day lacks one hourly return where the candles before are not read.
    np.testing.assert_allclose(panel[:, :20], alone.panel[PAIR][:, :20], rtol=0.01)
    rows = market.quality_rows
    first, last = daily.time[202], days.time[0]
    assert not ((rows.time > first) & (rows.time < last)).any()
    crossing = (rows.time <= first) & (rows.outcome_time >= last)
    assert not crossing.any()


def test_what_is_said_of_a_candle_is_known_at_its_close(broken):
    for end in (BREAK + 22, BREAK + 23, BREAK + 24, AGAIN - 1, AGAIN, AGAIN + 1, HOURS):
        cut = find_breaks(Candles.from_frame(broken.iloc[:end], BASE))
        full = find_breaks(Candles.from_frame(broken, BASE))
        np.testing.assert_array_equal(cut.marks, full.marks[:end])


def test_a_return_across_it_is_none(candles):
    base = candles[BASE]
    marks = find_breaks(base).marks
    panel = ReturnPanel.from_closes({PAIR: (base.time, base.close)}, {PAIR: base.time[marks]})
    assert np.isnan(panel.returns[AGAIN, 0])
    assert np.isfinite(panel.returns[AGAIN + 1 :, 0]).all()
    assert np.isnan(panel.correlations(int(base.time[AGAIN + 5]), 20)[0, 0])


def test_it_is_told_with_its_times(candles, whole):
    (text,) = describe_breaks(candles[BASE]).values()
    assert text.startswith("no trade from 2023-07-20 00:00 to 2023-08-10 05:00")
    assert describe_breaks(Candles.from_frame(whole, BASE)) == {}
    still = whole.iloc[:100].copy()
    still.loc[60:, "volume"], still.loc[60:, "high"] = 0.0, still.loc[60:, "low"]
    frozen = Candles.from_frame(still, BASE)
    assert list(describe_breaks(frozen).values()) == ["no trade since 2023-01-03 12:00"]


def test_a_bot_is_told_once_while_its_frames_move_over_it(candles, caplog):
    """A bot's frame holds 999 candles: its beginning crosses the three weeks hour by hour."""
    base, log = candles[BASE], BreakLog()
    for end in range(BREAK, HOURS - 1500, 10):
        log.tell(PAIR, base.rows(slice(max(0, end - 999), end)))
    now, after = (record.getMessage().partition(". ")[0] for record in caplog.records)
    assert now == f"{PAIR}: no trade since 2023-07-20 00:00"
    assert after.startswith(f"{PAIR}: no trade from 2023-07-20 00:00 to 2023-08-10 05:00")


@pytest.mark.parametrize("hours", [1, 6, 23])
def test_a_short_outage_breaks_nothing(whole, hours):
    frame = whole.copy()
    for name in ("open", "high", "low", "close"):
        frame.loc[500 : 500 + hours - 1, name] = frame["close"].iloc[499]
    frame.loc[500 : 500 + hours - 1, "volume"] = 0.0
    assert not find_breaks(Candles.from_frame(frame, BASE))
