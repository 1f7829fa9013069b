import json

import pytest

from coordinator.errors import CoordinatorError
from coordinator.settings import Settings, load_settings


def test_the_shipped_config_is_valid(pytestconfig):
    config = json.loads((pytestconfig.rootpath / "config.json").read_text())
    assert load_settings(config["coordinator"]).decision.ml_weight == 0.30


def test_a_missing_section_means_the_documented_defaults():
    settings = load_settings(None)
    assert settings == Settings()
    assert settings.costs.cost_factor == 1.00165
    assert settings.stops.trailing_distances == (0.03, 0.025, 0.02, 0.015)
    assert settings.dca.sizes_3 == (0.40, 0.35, 0.25)


def test_json_round_trip():
    settings = load_settings(
        {"dca": {"sizes_2": [0.5, 0.5]}, "stops": {"trailing_profits": [0.01, 0.02, 0.03]}}
    )
    assert load_settings(json.loads(settings.model_dump_json())) == settings


@pytest.mark.parametrize(
    ("section", "name", "value"),
    [
        ({"decison": {}}, "decison", "{}"),
        ({"decision": {"ml_weight": 0.8}}, "decision.ml_weight", "0.8"),
        ({"decision": {"ml_weight": "much"}}, "decision.ml_weight", "much"),
        ({"decision": {"threshold": float("nan")}}, "decision.threshold", "nan"),
        ({"decision": []}, "decision", "[]"),
        ({"sizing": {"risk_per_trade": 0.02}}, "sizing.risk_per_trade", "0.02"),
        ({"baseline": {"trend_ma": 30}}, "baseline.trend_ma", "30"),
        ({"baseline": {"ema_fast": 30, "ema_slow": 20}}, "baseline", "ema_fast must be below ema_slow"),
        ({"fusion": {"weight_1h": 0.5}}, "fusion", "must be 1, but is 1.25"),
        ({"dca": {"sizes_2": [0.7, 0.7]}}, "dca", "sum 1"),
        ({"stops": {"trailing_profits": [0.04, 0.02, 0.06]}}, "stops", "ascend"),
        ("yes", "coordinator", "'yes'"),
    ],
)
def test_a_mistake_names_the_key_the_rule_and_the_value(section, name, value):
    with pytest.raises(CoordinatorError) as error:
        load_settings(section)
    assert error.value.name == name
    assert value in str(error.value)
    assert "\n" not in str(error.value)
