"""A user's own Freqtrade settings: each acts as Freqtrade documents it, through fast and documented callbacks alike."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from types import SimpleNamespace

import numpy as np
import pytest
from freqtrade.persistence import enable_database_use

from coordinator.adapters.backtesting.backtester import Backtester, BacktestFailedError
from coordinator.adapters.strategy import CoordinatorStrategy

START, END = datetime(2023, 4, 1, tzinfo=UTC), datetime(2023, 5, 15, tzinfo=UTC)
PAIRS = ["BTC/USDT", "ETH/USDT", "SOL/USDT"]
EXITS = {
    "exits": {"stagnation": {"mode": "on"}, "momentum_reversal": {"mode": "on"}, "scale_out": {"mode": "on"}}
}
HEDGE = {"portfolio": {"hedge": {"mode": "on"}}}
SETTINGS = {
    "minimal_roi": {"minimal_roi": {"0": 0.01}},
    "minimal_roi, later": {"minimal_roi": {"0": 0.04, "240": 0.008, "600": -1}},
    "ignore_roi_if_entry_signal": {"minimal_roi": {"0": 0.01}, "ignore_roi_if_entry_signal": True},
    "stoploss": {"stoploss": -0.01},
    "trailing_stop": {"trailing_stop": True, "stoploss": -0.02},
    "trailing_stop_positive": {
        "trailing_stop": True,
        "trailing_stop_positive": 0.002,
        "trailing_stop_positive_offset": 0.004,
        "trailing_only_offset_is_reached": True,
    },
    "use_exit_signal": {"use_exit_signal": False},
    "exit_profit_only": {"exit_profit_only": True},
    "exit_profit_offset": {"exit_profit_only": True, "exit_profit_offset": 0.01},
    "position_adjustment_enable": {"position_adjustment_enable": False},
    "max_entry_position_adjustment": {"max_entry_position_adjustment": 1},
    "order_types": {
        "order_types": {
            "entry": "market",
            "exit": "market",
            "stoploss": "limit",
            "stoploss_on_exchange": False,
        }
    },
    "unfilledtimeout": {
        "unfilledtimeout": {"entry": 60, "exit": 60, "exit_timeout_count": 1, "unit": "minutes"}
    },
    "fee": {"fee": 0.003},
    "ignore_buying_expired_candle_after": {"ignore_buying_expired_candle_after": 60},
    "stake_amount": {"stake_amount": 200},
    "max_open_trades": {"max_open_trades": 1},
}
# A backtest is never late, its limit orders fill at once, and its stops at their price.
UNSEEN = {"order_types", "unfilledtimeout", "ignore_buying_expired_candle_after"}


OF_THE_ENGINE = {"fee", "stake_amount"}  # read by Freqtrade before the strategy is loaded
REFUSED = {
    "use_custom_stoploss": ({"use_custom_stoploss": False}, {}),
    "process_only_new_candles": ({"process_only_new_candles": False}, {}),
    "timeframe": ({"timeframe": "15m"}, {}),
    "use_exit_signal": ({"use_exit_signal": False}, HEDGE),
    "position_adjustment_enable": ({"position_adjustment_enable": False}, HEDGE),
}
CLOCKS = {"clocks": {"1h": {}, "4h": {}}}


@pytest.fixture(autouse=True)
def database():
    yield
    enable_database_use()


@pytest.fixture(scope="module")
def make(root, datadir, tmp_path_factory):
    """Makes backtests of TechnicalBaseline with documented settings; by coordinator settings, mode, and config keys."""
    own = {"decision": {"weighting": "fixed", "require_positive_expectancy": False}, **EXITS}

    def made(coordinator=None, futures=False, keys=None):
        content = json.loads((root / "config.json").read_text())
        content["coordinator"] = {**own, **(coordinator or {})}
        content["strategy_path"] = str(root / "strategies")
        content["freqai"]["enabled"] = False
        pairs = [f"{pair}:USDT" for pair in PAIRS] if futures else PAIRS
        content["exchange"]["pair_whitelist"] = pairs
        content |= {"trading_mode": "futures" if futures else "spot", **(keys or {})}
        return Backtester(content, "TechnicalBaseline", datadir, tmp_path_factory.mktemp("user_data"))

    return made


@pytest.fixture(scope="module")
def backtester(make):
    return make()


def trades(backtester, changes):
    keys = (
        "pair",
        "open_date",
        "close_date",
        "open_rate",
        "close_rate",
        "amount",
        "stake_amount",
        "profit_abs",
    )
    found = backtester.run(START, END, changes).stats["trades"]
    return [
        [trade[key] for key in (*keys, "exit_reason", "stop_loss_abs")] + [len(trade["orders"])]
        for trade in found
    ]


@pytest.fixture(scope="module")
def without(backtester):
    """The trades without any setting of the user's."""
    found = trades(backtester, {})
    assert len(found) > 20
    return found


@pytest.mark.parametrize("name", SETTINGS)
def test_a_setting_acts_and_both_callbacks_agree(make, backtester, without, monkeypatch, name):
    changes, engine = SETTINGS[name], backtester
    if name in OF_THE_ENGINE:
        changes, engine = {}, make(keys=SETTINGS[name])
    fast = trades(engine, changes)
    monkeypatch.setattr(CoordinatorStrategy, "fast_callbacks", False)
    assert fast == trades(engine, changes)
    assert (fast != without) == (name not in UNSEEN)


def reasons(found):
    return {trade[8] for trade in found}


def test_what_the_settings_do(backtester, without):
    """Freqtrade's own words for what closed a trade."""
    roi = trades(backtester, {"minimal_roi": {"0": 0.01}})
    assert "roi" in reasons(roi)
    assert "roi" not in reasons(without)
    assert max(trade[7] / trade[6] for trade in roi if trade[8] == "roi") < 0.02
    silent = trades(backtester, {"use_exit_signal": False})
    assert reasons(silent) <= {"stop_loss", "trailing_stop_loss", "target reached", "force_exit"}
    assert not reasons(without) <= reasons(silent)
    tight = trades(backtester, {"stoploss": -0.01})
    assert all(trade[9] >= trade[3] * 0.99 * (1 - 1e-4) for trade in tight if trade[10] == 2)


def test_no_more_is_bought_than_freqtrade_lets(backtester, without):
    """The plan's later tranches join the last one that may be ordered."""
    once = trades(backtester, {"position_adjustment_enable": False})
    assert {trade[10] for trade in once} == {2}
    first_tranche = {(trade[0], trade[1]): trade[6] for trade in without if trade[10] == 2}
    more = [trade[6] / first_tranche[key] for trade in once if (key := (trade[0], trade[1])) in first_tranche]
    assert np.median(more) > 1.5  # the whole plan, of which the first tranche is .4 or .6


@pytest.mark.parametrize("name", REFUSED)
def test_what_would_void_the_plans_is_refused_in_a_line(make, backtester, caplog, name):
    keys, coordinator = REFUSED[name]
    engine = make(coordinator, futures=True) if coordinator else backtester
    with pytest.raises(BacktestFailedError, match=f"'{name}' of the Freqtrade config must be ") as refusal:
        engine.run(START, END, keys)
    assert "\n" not in str(refusal.value)
    assert not [record for record in caplog.records if record.exc_info]  # and without a traceback


def test_exit_profit_only_holds_back_the_exit_signals_of_several_clocks(make):
    """There they are custom exits, which Freqtrade itself would let through."""
    engine = make(CLOCKS)
    free, held = (
        trades(engine, {"exit_profit_only": only, "exit_profit_offset": 0.004}) for only in (False, True)
    )

    def losses(found):
        return [trade for trade in found if trade[8].startswith("baseline turned") and trade[7] < 0]

    assert losses(free)
    assert not losses(held)


def test_the_hedge_has_neither_roi_nor_trailing_stop(make, monkeypatch):
    hedge = {"portfolio": {"hedge": {"mode": "on", "drawdown": 0.004}}}
    engine = make(hedge, futures=True)
    keys = {"minimal_roi": {"0": 0.005}, "trailing_stop": True, "trailing_stop_positive": 0.002}
    fast = trades(engine, keys)
    monkeypatch.setattr(CoordinatorStrategy, "fast_callbacks", False)
    assert fast == trades(engine, keys)
    closed = {trade[8] for trade in fast if trade[8].startswith("hedge closed")}
    assert closed


@pytest.mark.parametrize(("stop", "leverage"), [(0.03, 10.0), (0.1, 8.0), (0.3, 2.0)])
def test_a_strategy_asks_for_no_more_leverage_than_the_planned_stop_bears(stop, leverage):
    config = {
        "trading_mode": "futures",
        "stake_currency": "USDT",
        "coordinator": {"sizing": {"leverage": 10}},
    }
    strategy = CoordinatorStrategy(config)
    strategy.plans = SimpleNamespace(at_signal=lambda *_: SimpleNamespace(stop_distance=stop))
    assert strategy.leverage("BTC/USDT:USDT", START, 50.0, "long") == leverage


@pytest.mark.parametrize("leverage", [10, 20])
def test_leverage_leaves_the_planned_stops_where_they_are(make, leverage):
    """The last resort is a share of the leveraged profit: it must lie behind every planned stop at any leverage."""
    plain, leveraged = (
        trades(make({"sizing": {"leverage": factor, "risk_per_trade": 0.005}}, futures=True), {})
        for factor in (1, leverage)
    )
    by_trade = {(trade[0], trade[1]): trade for trade in plain}
    same = [(by_trade[key], trade) for trade in leveraged if (key := (trade[0], trade[1])) in by_trade]
    assert len(same) > 20
    alike = [one for one, other in same if one[8] == other[8] and one[4] == pytest.approx(other[4])]
    assert len(alike) > 0.9 * len(same)
    shares = [other[6] / one[6] for one, other in same]
    assert np.median(shares) < 2 / leverage  # on so much less of its own money: the leverage was used
