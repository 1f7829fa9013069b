"""Hyperopt's space: the documented seven parameters, their ranges, and that each changes what it names."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from freqtrade.enums import RunMode

from coordinator.adapters.strategy import CoordinatorStrategy
from coordinator.adapters.strategy.hyperopt_space import hyperopt_parameters, tuned_settings
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


def test_the_documented_ranges():
    space = hyperopt_parameters(load_settings(None), uses_ml=False)
    for name, values in DOCUMENTED.items():
        parameter = space[name]
        assert parameter.space == "coordinator"
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
