"""Hyperopt's parameters: the documented seven, their spaces and ranges, and that each changes what it names."""

import json
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from freqtrade.enums import RunMode

from coordinator.adapters.strategy import CoordinatorStrategy
from coordinator.adapters.strategy.hyperopt_space import (
    STANDARD,
    hyperopt_parameters,
    move_parameters,
    spaces,
    tuned_settings,
)
from coordinator.settings import load_settings

DOCUMENTED = {
    "exit_ma": [20, 50],
    "hard_stop_atr_mult": (1.5, 4.0),
    "fast_clearance": (0.0, 0.02),
    "slow_clearance": (0.005, 0.025),
    "risk_per_trade": (0.005, 0.015),
    "max_positions": (4, 12),
    "trend_ma": [20, 50, 100],
}
"""Spec 002."""


@pytest.mark.parametrize("asked", [("coordinator",), ("buy", "sell", "protection"), ("all",), ("default",)])
def test_the_documented_ranges(asked):
    space = hyperopt_parameters(load_settings(None), uses_ml=False, asked=asked)
    for name, values in DOCUMENTED.items():
        parameter = space[name]
        assert parameter.space == ("coordinator" if asked == ("coordinator",) else STANDARD[name])
        assert parameter.optimize
        if isinstance(values, list):
            assert list(parameter.opt_range) == values
        else:
            assert (parameter.low, parameter.high) == values


def test_what_a_model_was_trained_on_is_not_tuned():
    space = hyperopt_parameters(load_settings(None), uses_ml=True)
    tuned = {name for name, parameter in space.items() if parameter.optimize}
    assert tuned == {"threshold", "risk_per_trade", "max_positions"}
    gated = load_settings({"decision": {"baseline_threshold": 0.0}})
    assert not hyperopt_parameters(gated, uses_ml=False)["threshold"].optimize
    assert hyperopt_parameters(gated, uses_ml=True)["threshold"].optimize


def test_of_both_kinds_of_space_the_standard_one_goes_first():
    mixed = spaces(("coordinator", "sell"))
    assert {name for name, space in mixed.items() if space == "sell"} == {"exit_ma", "hard_stop_atr_mult"}
    assert set(mixed.values()) == {"coordinator", "sell"}
    assert spaces(("coordinator", "all")) == spaces(()) == STANDARD


EXPORTED = {
    "coordinator": {"coordinator": {"exit_ma": 50, "trend_ma": 20, "max_positions": 7}},
    "standard": {"buy": {"trend_ma": 20}, "sell": {"exit_ma": 50}, "protection": {"max_positions": 7}},
}
"""The same values, exported from the one space and from the standard ones."""


@pytest.mark.parametrize("exported", EXPORTED)
@pytest.mark.parametrize("asked", [(), ("coordinator",), ("buy",), ("protection", "coordinator"), ("roi",)])
def test_a_parameter_file_of_either_kind_opens_in_every_run(tmp_path, exported, asked):
    """Its values hold, its other parts are left alone, and nothing of it is lost in the next export."""
    file = {"strategy_name": "Tuned", "params": {**EXPORTED[exported], "roi": {"0": 0.5}, "stoploss": {}}}
    (tmp_path / "Tuned.json").write_text(json.dumps(file))
    named = type("Tuned", (CoordinatorStrategy,), {"__file__": str(tmp_path / "Tuned.py")})
    runmode = RunMode.HYPEROPT if asked else RunMode.BACKTEST
    config = {"trading_mode": "spot", "stake_currency": "USDT", "runmode": runmode, "spaces": list(asked)}
    strategy = named(config)
    strategy.ft_load_hyper_params(hyperopt=bool(asked))
    assert (strategy.exit_ma.value, strategy.trend_ma.value, strategy.max_positions.value) == (50, 20, 7)
    assert strategy._ft_params_from_file["roi"] == {"0": 0.5}
    kept = {
        name: value for values in strategy.get_no_optimize_params().values() for name, value in values.items()
    }
    tuned = {
        name
        for _, parameter in strategy.enumerate_parameters()
        if parameter.in_space
        for name in [parameter.name]
    }
    assert set(kept) | tuned == set(STANDARD)
    expected = {"exit_ma": 50, "trend_ma": 20, "max_positions": 7}
    assert {name: kept[name] for name in expected if name in kept} == {
        name: value for name, value in expected.items() if name in kept
    }


def test_a_file_with_both_keeps_what_is_in_its_place():
    both = {"buy": {"trend_ma": 20}, "coordinator": {"trend_ma": 100, "mine": 1}}
    assert move_parameters(both, spaces(())) == {"buy": {"trend_ma": 20}, "coordinator": {"mine": 1}}
    assert move_parameters(both, spaces(("coordinator",))) == {
        "buy": {},
        "coordinator": {"trend_ma": 100, "mine": 1},
    }


@pytest.mark.parametrize(
    ("name", "value", "where"),
    [
        ("exit_ma", 50, ("baseline", "exit_ma")),
        ("trend_ma", 20, ("baseline", "trend_ma")),
        ("fast_clearance", 0.012, ("baseline", "fast_clearance")),
        ("slow_clearance", 0.02, ("baseline", "slow_clearance")),
        ("hard_stop_atr_mult", 3.5, ("stops", "atr_multiple")),
        ("risk_per_trade", 0.014, ("sizing", "risk_per_trade")),
        ("max_positions", 7, ("portfolio", "max_positions")),
        ("threshold", 0.77, ("decision", "threshold")),
    ],
)
def test_each_parameter_changes_its_setting_and_no_other(name, value, where):
    settings = load_settings(None)
    space = hyperopt_parameters(settings, uses_ml=True)
    before = tuned_settings(settings, space, uses_ml=True)
    assert before == settings  # the defaults are the settings'
    space[name].value = value
    after = tuned_settings(settings, space, uses_ml=True)
    section, key = where
    assert getattr(getattr(after, section), key) == value
    changed = getattr(settings, section).model_copy(update={key: value})
    assert after == settings.model_copy(update={section: changed})


def test_settings_finer_than_the_steps_of_a_parameter_stay():
    section = {
        "baseline": {"fast_clearance": 0.00375, "slow_clearance": 0.00625},
        "stops": {"atr_multiple": 2.25},
        "decision": {"threshold": 0.655},
        "sizing": {"risk_per_trade": 0.00825125},
        "portfolio": {"max_positions": None},
    }
    settings = load_settings(section)
    assert tuned_settings(settings, hyperopt_parameters(settings, uses_ml=False), uses_ml=True) == settings


def test_the_global_switches_hold_for_the_new_parts_too():
    section = {
        "improvements": {"shadow": True},
        "sizing": {"earned": {"mode": "on"}, "volatility_target": {"mode": "on"}},
    }
    settings = load_settings(section)
    tuned = tuned_settings(settings, hyperopt_parameters(settings, uses_ml=True), uses_ml=True)
    assert (tuned.sizing.earned.mode, tuned.sizing.volatility_target.mode) == ("shadow", "shadow")
    assert not tuned_settings(
        settings, hyperopt_parameters(settings, uses_ml=False), uses_ml=False
    ).selector.enabled


COORDINATOR = {
    "baseline": {"clock": "1d", "fast_channel": 10, "exit_channel": 5},
    "stops": {"basis": "price", "atr_multiple": 2.0, "hard_limit": 0.3},
    "targets": {"enabled": False, "horizon": 10},
    "exits": {"channel": True, "baseline_turn": False, "moving_average": True},
    "decision": {"baseline_threshold": 0.0},
}


@pytest.fixture(scope="module")
def frames(make_walk, make_higher):
    out = {}
    for seed, pair in enumerate(("BTC/USDT", "ETH/USDT")):
        hourly = make_walk(50 + seed, 24 * 200)
        out[pair] = {"1h": hourly, "4h": make_higher(hourly, "4h"), "1d": make_higher(hourly, "1d")}
    return out


def analysed(frames, **changed):
    """A strategy in hyperopt that has seen all pairs; the settings are changed before."""
    sections = {name: {**values, **changed.get(name, {})} for name, values in COORDINATOR.items()}
    config = {
        "trading_mode": "spot",
        "stake_currency": "USDT",
        "coordinator": sections,
        "runmode": RunMode.HYPEROPT,
    }
    strategy = CoordinatorStrategy(config)
    strategy.dp = SimpleNamespace(
        get_pair_dataframe=lambda pair, timeframe: frames[pair][timeframe], runmode=RunMode.HYPEROPT
    )
    return strategy, {
        pair: strategy.populate_indicators(parts["1h"].copy(), {"pair": pair})
        for pair, parts in frames.items()
    }


def epoch(strategy, seen):
    """What Freqtrade asks in an epoch: entries and exits of every pair, in its order."""
    out = []
    for pair, frame in seen.items():
        entered = strategy.populate_entry_trend(frame, {"pair": pair})
        out.append(strategy.populate_exit_trend(entered, {"pair": pair})[["enter_long", "exit_long"]])
    plans = {pair: strategy.plans._signals[pair] for pair in seen}
    return pd.concat(out, ignore_index=True), plans


@pytest.mark.parametrize(
    ("name", "value", "section", "key"),
    [
        ("trend_ma", 20, "baseline", "trend_ma"),
        ("fast_clearance", 0.02, "baseline", "fast_clearance"),
        ("exit_ma", 50, "baseline", "exit_ma"),
        ("hard_stop_atr_mult", 3.5, "stops", "atr_multiple"),
    ],
)
def test_an_epoch_trades_what_a_run_with_those_settings_trades(frames, name, value, section, key):
    strategy, seen = analysed(frames)
    before = epoch(strategy, seen)
    getattr(strategy, name).value = value
    columns, plans = epoch(strategy, seen)
    expected_columns, expected_plans = epoch(*analysed(frames, **{section: {key: value}}))
    pd.testing.assert_frame_equal(columns, expected_columns)
    assert plans == expected_plans
    assert expected_columns["enter_long"].sum() > 3
    assert not columns.equals(before[0]) or plans != before[1]
    getattr(strategy, name).value = getattr(getattr(strategy.settings, section), key)
    again = epoch(strategy, seen)
    pd.testing.assert_frame_equal(again[0], before[0])
    assert again[1] == before[1]
    assert np.isinf([plan.target_distance for plan in plans["BTC/USDT"].values()]).all()
