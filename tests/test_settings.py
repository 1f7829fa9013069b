import json

import pytest

from coordinator.errors import CoordinatorError
from coordinator.settings import Settings, load_settings, run_settings


def test_the_shipped_config_is_valid(pytestconfig):
    config = json.loads((pytestconfig.rootpath / "config.json").read_text())
    decision = load_settings(config["coordinator"]).decision
    assert (decision.weighting, decision.quality_mode) == ("earned", "vote")
    assert (decision.threshold, decision.baseline_threshold) == (0.60, 0.0)
    assert config["freqai"]["live_retrain_hours"] == 7 * 24  # spec 001: every week


def test_shipped_is_what_the_coverage_says(pytestconfig):
    config = json.loads((pytestconfig.rootpath / "config.json").read_text())
    shipped = load_settings(config["coordinator"])
    assert (shipped.regime.gate, shipped.regime.gate_average, shipped.baseline.clock) == ("on", 100, "1d")
    assert shipped.regime.avoid == ()
    assert (shipped.blending.criterion, shipped.targets.enabled, shipped.dca.enabled) == ("r", False, False)
    assert (shipped.stops.trailing_start, shipped.stops.hard_limit) == (None, 0.3)
    assert (shipped.quality.online_days, shipped.entries.ranking_by) == (0, "expected_r")
    assert (shipped.learning.attention_architecture, shipped.learning.warm_start) == ("attention", False)


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
        ({"fusion": {"score_share": 0.5}}, "fusion", "must be 1, but is 0.9"),
        ({"dca": {"sizes_2": [0.7, 0.7]}}, "dca", "sum 1"),
        ({"stops": {"trailing_profits": [0.04, 0.02, 0.06]}}, "stops", "ascend"),
        (
            {"improvements": {"volatility_sizing": {"mode": "maybe"}}},
            "improvements.volatility_sizing.mode",
            "maybe",
        ),
        (
            {"improvements": {"dynamic_reward_risk": {"minimum": 3.0, "maximum": 2.0}}},
            "improvements.dynamic_reward_risk",
            "minimum must be below maximum",
        ),
        (
            {"improvements": {"volatility_sizing": {"atr_low": 0.9}}},
            "improvements.volatility_sizing",
            "atr_low must be below atr_high",
        ),
        (
            {"improvements": {"correlation_filter": {"sectors": {"a": "BTC"}}}},
            "improvements.correlation_filter.sectors.a",
            "BTC",
        ),
        ({"learning": {"ensemble_seeds": 11}}, "learning.ensemble_seeds", "11"),
        ({"learning": {"ensemble_horizons": [6, 0]}}, "learning.ensemble_horizons.1", "0"),
        ({"learning": {"ensemble_horizons": 6}}, "learning.ensemble_horizons", "6"),
        ({"learning": {"ensemble_horizons": [6, 12]}}, "learning", "none label_horizon (12) again"),
        ({"learning": {"ensemble_horizons": [6, 6]}}, "learning", "name each horizon once"),
        (
            {"learning": {"ensemble_seeds": 7, "ensemble_horizons": [6, 24]}},
            "learning",
            "at most 20 networks, and is 21: take fewer seeds or horizons",
        ),
        ({"learning": {"attention_architecture": "gru"}}, "learning.attention_architecture", "gru"),
        ("yes", "coordinator", "'yes'"),
    ],
)
def test_a_mistake_names_the_key_the_rule_and_the_value(section, name, value):
    with pytest.raises(CoordinatorError) as error:
        load_settings(section)
    assert error.value.name == name
    assert value in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("section", "got"),
    [
        ({"targets": {"horizon": 25}, "baseline": {"clock": "1d"}, "dca": {}}, "{'targets.horizon': 25}"),
        (
            {"stops": {"minimum": 0.05, "hard_limit": 0.03, "atr_multiple": 2.0}},
            "{'minimum': 0.05, 'hard_limit': 0.03}",
        ),
        (
            {"learning": {"ensemble_seeds": 7, "ensemble_horizons": [6, 24], "epochs": 2}},
            "{'ensemble_seeds': 7}",
        ),
    ],
)
def test_keys_that_do_not_hold_together_are_shown_and_no_others(section, got):
    with pytest.raises(CoordinatorError) as error:
        load_settings(section)
    assert str(error.value).endswith(f". Got {got} instead.")


@pytest.mark.parametrize(
    ("path", "inside", "outside"),
    [
        ("stops.atr_multiple", (1.5, 4.0), (1.4, 4.1)),
        ("baseline.exit_ma", (20, 50), (30, 100)),
        ("baseline.trend_ma", (20, 50, 100), (30, 200)),
        ("baseline.fast_clearance", (0.0, 0.02), (-0.001, 0.021)),
        ("baseline.slow_clearance", (0.005, 0.025), (0.004, 0.026)),
        ("sizing.risk_per_trade", (0.005, 0.015), (0.004, 0.016)),
        ("learning.sequence_length", (5, 20), (4, 21)),
        ("decision.ml_weight", (0.0, 0.7), (-0.1, 0.71)),
    ],
)
def test_the_documented_ranges(path, inside, outside):
    """Spec 002's table of parameters, spec 004's sequence length, spec 001's cap."""
    section, key = path.split(".")
    for value in inside:
        assert getattr(getattr(load_settings({section: {key: value}}), section), key) == value
    for value in outside:
        with pytest.raises(CoordinatorError):
            load_settings({section: {key: value}})


def test_the_documented_vote_weights():
    decision = Settings().decision
    assert (decision.weight_lstm, decision.weight_fusion) == (0.25, 0.20)
    assert (decision.weight_selector, decision.weight_attention) == (0.15, 0.10)


def test_the_documented_say_of_signal_quality():
    """Spec 002's config: 30 % ML to 70 % technical, .5 for the filter; the gate of 001."""
    decision = Settings().decision
    assert (decision.ml_weight, decision.weight_quality, decision.quality_weight) == (0.30, 0.30, 0.30)
    assert (decision.quality_threshold, decision.threshold) == (0.5, 0.70)


def test_each_market_has_its_own_fee_and_freqtrades_own_comes_first():
    futures, own = {"trading_mode": "futures"}, {"costs": {"fee": 0.0008, "futures_fee": 0.0004}}
    assert run_settings({}).costs.fee == 0.001
    assert run_settings(futures).costs.fee == 0.0005
    assert run_settings({"coordinator": own}).costs.fee == 0.0008
    assert run_settings({**futures, "coordinator": own}).costs.fee == 0.0004
    assert run_settings({**futures, "coordinator": own, "fee": 0.002}).costs.fee == 0.002
    assert run_settings({"fee": 0}).costs.fee == 0.0


@pytest.mark.parametrize(
    ("section", "meant"),
    [
        (
            {"decision": {"treshold": 0.7}},
            "'decision.treshold' .* a known key: perhaps decision.threshold. Got 0.7",
        ),
        ({"decison": {}}, "'decison' .*: perhaps decision"),
        ({"decision": {"horizon": 3}}, "perhaps targets.horizon"),
        ({"portfolio": {"protection": {"enable": True}}}, "perhaps portfolio.protection.enabled"),
        ({"decision": {"zzz": 1}}, "decision has weighting, ml_weight, "),
    ],
)
def test_an_unknown_key_is_answered_with_what_was_meant(section, meant):
    with pytest.raises(CoordinatorError, match=meant):
        load_settings(section)
