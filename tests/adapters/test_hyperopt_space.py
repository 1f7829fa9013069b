"""Hyperopt's space: the documented seven parameters, their ranges, and that each changes what it names."""

import pytest

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
