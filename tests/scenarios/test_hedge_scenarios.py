"""The hedge through the real engine: opened, rebalanced and closed in futures; locks and a scale-out in spot."""

from itertools import pairwise

import pytest
from freqtrade.persistence import PairLocks

from coordinator.adapters.strategy import CoordinatorStrategy
from tests.scenarios.engine import CALM, Play, Signal, fills

pytestmark = pytest.mark.xdist_group("scenarios")
FALLEN = (98.3, 98.4, 98.2, 98.3)
HEDGE = {"mode": "on", "drawdown": 0.01}
LOW = {"drawdown": 0.005}
DROP = [CALM, CALM, (100.0, 100.0, 98.2, 98.3)]  # the drawdown is known when row 2 has closed


def settings(**changes):
    return {"dca": {"enabled": False}, "portfolio": {"hedge": {**HEDGE, **changes}}}


def long(rows, **more):
    return Play(rows, {0: Signal(0.8, 0.028), **more.pop("signals", {})}, 1, **more)


def quiet(rows, **more):
    return Play(rows, more.pop("signals", {}), 1, **more)


def by_coin(trades):
    return {trade.pair.split("/")[0]: trade for trade in trades}


def run(engine, rows, hedge=None, slots=3, btc=None, plays=None, **changes):
    """Two longs that fall together; BTC, the hedge's pair, stands still or does what ``btc`` does."""
    made = {"BTC": quiet(btc or [CALM] * len(rows)), "ETH": long(rows), "SOL": long(rows), **(plays or {})}
    return by_coin(engine.run(made, settings(**(hedge or {})), max_open_trades=slots, **changes))


# --- futures --------------------------------------------------------------------------------------------------


def test_a_hedge_opens_at_the_drawdown_and_closes_on_recovery(engines):
    back = [FALLEN, FALLEN, (98.3, 99.9, 98.3, 99.8), (99.8, 99.9, 99.7, 99.8), (99.8, 99.9, 99.7, 99.8)]
    trades = run(engines("futures"), DROP + back)
    hedge = trades["BTC"]
    entry, exit_ = fills(hedge)
    assert hedge.is_short
    assert hedge.enter_tag.startswith("hedge: drawdown 1 %")
    assert (entry.row, exit_.row) == (3, 6)
    assert exit_.words.startswith("hedge closed: drawdown 0 %")
    exposure = sum(trades[coin].amount for coin in ("ETH", "SOL")) * 98.3 * 400
    assert hedge.amount * 40_000 == pytest.approx(exposure / 2, rel=0.01)
    assert entry.part == pytest.approx(100 * exposure / 2 / 10_000, rel=0.01)


def test_without_a_drawdown_nothing_is_hedged_and_trading_goes_on(engines):
    rows = [CALM] * 8
    on, off = run(engines("futures"), rows), run(engines("futures"), rows, {"mode": "off"})
    assert set(on) == set(off) == {"ETH", "SOL"}
    assert all(fills(on[coin]) == fills(off[coin]) for coin in on)


@pytest.mark.parametrize("mode", ["off", "shadow"])
def test_off_and_shadow_hedge_nothing(engines, mode):
    trades = run(engines("futures"), DROP + [FALLEN] * 4, {"mode": mode})
    assert set(trades) == {"ETH", "SOL"}


def test_the_hedge_follows_the_net_exposure_down_and_up(engines):
    """A third coin's long doubles nothing: SOL is stopped out, so the hedge is halved; a new one brings it back."""
    rows = [*DROP, FALLEN, FALLEN, FALLEN, FALLEN, FALLEN, FALLEN]
    stopped = [*DROP, FALLEN, (98.3, 98.3, 96.5, 96.6), *[(96.6, 96.7, 96.5, 96.6)] * 4]
    again = Play(stopped, {0: Signal(0.8, 0.028), 5: Signal(0.8, 0.028)}, 1)
    trades = engines("futures").run(
        {"BTC": quiet([CALM] * 9), "ETH": long(rows), "SOL": again}, settings(), max_open_trades=3
    )
    hedge = next(trade for trade in trades if trade.pair.startswith("BTC"))
    found = fills(hedge)
    assert [(fill.row, fill.words) for fill in found[:3]] == [
        (3, "hedge"),
        (5, "hedge reduced"),
        (7, "hedge enlarged"),
    ]
    assert found[1].part == pytest.approx(50 * 100 / 200, abs=26)


def test_small_changes_are_not_traded(engines):
    drifting = [(98.3 - i / 10, 98.4 - i / 10, 98.2 - i / 10, 98.2 - i / 10) for i in range(6)]
    assert len(fills(run(engines("futures"), DROP + drifting)["BTC"])) == 2


def test_the_hedges_pair_is_not_traded_otherwise_and_its_slot_is_kept(engines):
    """Three slots: BTC's own signal is not entered, and LTC finds no slot, though one is free."""
    rows = DROP + [FALLEN] * 3
    btc = Play([CALM] * 6, {0: Signal(0.95, 0.028)}, 1)
    plays = {"BTC": btc, "LTC": Play([CALM] * 6, {0: Signal(0.7, 0.028)}, 1)}
    trades = run(engines("futures"), rows, plays=plays)
    assert set(trades) == {"BTC", "ETH", "SOL"}
    assert trades["BTC"].enter_tag.startswith("hedge")
    ranked = run(engines("futures"), rows, LOW, plays=plays, slots=4)
    assert set(ranked) == {"BTC", "ETH", "SOL", "LTC"}


def test_the_baselines_exits_do_not_close_the_hedge(engines):
    turned = Play([CALM] * 9, {}, 1, baseline_rows={2: 1, 3: -1, 4: 1, 5: -1, 6: 1})
    trades = run(engines("futures"), DROP + [FALLEN] * 6, plays={"BTC": turned})
    assert [fill.row for fill in fills(trades["BTC"])] == [3, 8]  # the last row forces it out


def test_a_hedge_without_longs_is_closed(engines):
    out = [*DROP, FALLEN, (98.3, 98.3, 96.0, 96.5), *[(96.5, 96.6, 96.4, 96.5)] * 3]
    trades = run(engines("futures"), out)
    assert fills(trades["BTC"])[-1].words == "hedge closed: no net long exposure"
    assert fills(trades["BTC"])[-1].row == 5


def test_shorts_are_not_hedged(engines):
    up = [CALM, CALM, (100.0, 101.8, 100.0, 101.7), *[(101.7, 101.8, 101.6, 101.7)] * 4]
    down = [tuple(200 - x for x in (a, c, b, d)) for a, b, c, d in up]  # mirrored again by the side
    plays = {coin: Play(down, {0: Signal(0.8, 0.028)}, -1) for coin in ("ETH", "SOL")}
    trades = run(engines("futures"), up, plays=plays)
    assert set(trades) == {"ETH", "SOL"}
    assert engines("futures").strategy.hedging.monitor.acting


# --- spot -----------------------------------------------------------------------------------------------------


def test_spot_locks_longs_and_sells_half_once(engines):
    """LTC's signals on rows 4 and 6 are not entered."""
    late = Play([CALM] * 10, {4: Signal(0.9, 0.028), 6: Signal(0.9, 0.028)}, 1)
    trades = run(engines("spot"), DROP + [FALLEN] * 7, LOW, plays={"LTC": late}, slots=4)
    assert set(trades) == {"ETH", "SOL"}
    for trade in trades.values():
        _, sold, _ = fills(trade)
        assert (sold.row, sold.words) == (3, "drawdown scale-out")
        assert sold.part == pytest.approx(50.0, abs=0.1)
    locks = [lock for lock in PairLocks.get_all_locks() if lock.pair == "*"]
    assert [(lock.side, lock.active) for lock in locks] == [("long", True)]
    expected = "hedge: longs are locked, drawdown 1 % (limit 0.5 %, released below 0.25 %)"
    assert locks[0].reason == expected


def test_spot_unlocks_on_recovery(engines):
    """Back near the peak on row 5: the signal of row 4 is refused, that of row 6 is entered."""
    back = [FALLEN, FALLEN, (98.3, 101.0, 98.3, 101.0), *[(101.0, 101.1, 100.9, 101.0)] * 6]
    late = Play([CALM] * 12, {4: Signal(0.9, 0.028), 7: Signal(0.9, 0.028)}, 1)
    trades = run(engines("spot"), DROP + back, {**LOW, "scale_out": 0.0}, plays={"LTC": late}, slots=4)
    assert fills(trades["LTC"])[0].row == 8
    assert not any(lock.active for lock in PairLocks.get_all_locks())


def test_a_run_begins_anew(engines):
    """The same engine, the same strategy object's class: a run does not remember the run before."""
    engine = engines("futures")
    first = run(engine, DROP + [FALLEN] * 4)
    second = run(engine, DROP + [FALLEN] * 4)
    assert fills(first["BTC"]) == fills(second["BTC"])


@pytest.mark.parametrize("trading_mode", ["spot", "futures"])
def test_the_documented_callbacks_do_the_same(engines, monkeypatch, trading_mode):
    """Without the shortcuts around Freqtrade's copies of trades."""
    back = [FALLEN, FALLEN, (98.3, 99.9, 98.3, 99.8), *[(99.8, 99.9, 99.7, 99.8)] * 4]
    risen = [CALM] * 4 + [(130.0, 130.1, 129.9, 130.0)] * 6  # beyond the last resort
    found = []
    for fast in (True, False):
        monkeypatch.setattr(CoordinatorStrategy, "fast_callbacks", fast)
        runs = [run(engines(trading_mode), DROP + back), run(engines(trading_mode), DROP + back, btc=risen)]
        found.append([{coin: fills(trade) for coin, trade in trades.items()} for trades in runs])
    assert found[0] == found[1]
    assert ("BTC" in found[0][0]) == (trading_mode == "futures")


@pytest.mark.parametrize(("trading_mode", "least", "most"), [("futures", 0.45, 0.75), ("spot", 0.45, 0.75)])
def test_a_fall_costs_little_more_than_half_when_longs_are_held_through_it(
    engines, trading_mode, least, most
):
    """Stops far away, a fall of 15 % in thirty hours, all pairs alike: the hedge takes half of what is left of it."""
    prices = [100.0 - 0.5 * i for i in range(31)]
    falling = [CALM, CALM, *[(a, a + 0.05, b - 0.05, b) for a, b in pairwise(prices)]]
    wide = {"stops": {"hard_limit": 0.2}, "sizing": {"risk_per_trade": 0.015}, "targets": {"horizon": 100}}
    lost = {}
    for mode in ("off", "on"):
        hedge = settings(mode=mode, drawdown=0.003)
        plays = {coin: Play(falling, {0: Signal(0.8, 0.19)}, 1) for coin in ("ETH", "SOL")}
        plays["BTC"] = quiet(falling)
        trades = engines(trading_mode).run(plays, {**hedge, **wide}, max_open_trades=3)
        lost[mode] = -sum(trade.close_profit_abs for trade in trades)
    assert lost["off"] == pytest.approx(10_000 * 2 * 0.015 / 0.19 * 0.145, rel=0.03)
    assert least < lost["on"] / lost["off"] < most
