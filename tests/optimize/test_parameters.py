"""What can be tuned, and how its mistakes are named."""

import json
from pathlib import Path

import optuna
import pytest

from coordinator.errors import CoordinatorError
from coordinator.jobs.optimize.parameters import DOCUMENTED, choose_parameters, with_values
from coordinator.settings import load_settings

SECTION = json.loads((Path(__file__).resolve().parents[2] / "config.json").read_text())["coordinator"]


def suggested(parameter, seed=0, trials=60):
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=seed))
    return [parameter.suggest(study.ask()) for _ in range(trials)]


def test_the_documented_table():
    assert [str(parameter) for parameter in DOCUMENTED] == [
        "stops.atr_multiple 1.5 .. 4",
        "baseline.exit_ma {20, 50}",
        "baseline.fast_clearance 0 .. 0.02",
        "baseline.slow_clearance 0.005 .. 0.025",
        "sizing.risk_per_trade 0.005 .. 0.015",
        "portfolio.max_positions 4 .. 12",
        "baseline.trend_ma {20, 50, 100}",
    ]
    assert choose_parameters(SECTION) == DOCUMENTED


@pytest.mark.parametrize("parameter", DOCUMENTED, ids=lambda parameter: parameter.name)
def test_every_value_makes_valid_settings_and_few_digits(parameter):
    values = suggested(parameter)
    assert len(set(values)) >= min(2, len(parameter.choices) or 2)
    for value in values:
        load_settings(with_values(SECTION, {parameter.name: value}))
        assert len(str(value)) <= 6
        if not parameter.choices:
            assert parameter.low <= value <= parameter.high


def test_only_takes_some_of_them_by_either_name():
    names = [p.name for p in choose_parameters(SECTION, ["exit_ma", "stops.atr_multiple"])]
    assert names == ["baseline.exit_ma", "stops.atr_multiple"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("stops.hard_limit=0.1:0.5", "stops.hard_limit 0.1 .. 0.5"),
        ("targets.horizon=5:20", "targets.horizon 5 .. 20"),
        ("targets.horizon=5,10,20", "targets.horizon {5, 10, 20}"),
        ("stops.support_period", "stops.support_period 2 .. 200"),
        ("stops.basis", "stops.basis {support, price}"),
        ("exits.channel", "exits.channel {False, True}"),
        ("sizing.kelly_fraction", "sizing.kelly_fraction 0 .. 1"),
        ("stops.atr_multiple=2:3", "stops.atr_multiple 2 .. 3"),
        ("portfolio.hedge.peak_days=10:60", "portfolio.hedge.peak_days 10 .. 60"),
    ],
)
def test_any_setting_can_be_tuned(text, expected):
    (parameter,) = choose_parameters(SECTION, ["none"], [text])
    assert str(parameter) == expected
    kind = type(suggested(parameter, trials=1)[0])
    assert kind is int if text.startswith("targets.horizon") else kind in (float, int, str, bool)


def test_a_limit_that_is_excluded_is_not_suggested():
    (parameter,) = choose_parameters(SECTION, ["none"], ["portfolio.hedge.drawdown"])
    assert 0 < parameter.low < parameter.high < 1


def test_a_documented_name_replaces_its_range():
    chosen = choose_parameters(SECTION, [], ["stops.atr_multiple=2:3"])
    assert [str(p) for p in chosen if p.name == "stops.atr_multiple"] == ["stops.atr_multiple 2 .. 3"]
    assert len(chosen) == 7


@pytest.mark.parametrize(
    ("only", "extra", "words"),
    [
        (["exit_mma"], [], "'--only' .* must name documented parameters .* Got 'exit_mma'"),
        ([], ["stops.hard_limt=0.1:0.2"], "must name a setting.* Got 'stops.hard_limt'"),
        ([], ["stops=0.1:0.2"], "must name a setting"),
        ([], ["stops.hard_limit=0.1:0.9"], "'stops.hard_limit' .* less than or equal to 0.5. Got 0.9"),
        ([], ["stops.hard_limit=0.5:0.1"], "LOW below HIGH.* Got 'stops.hard_limit=0.5:0.1'"),
        ([], ["stops.hard_limit=a:b"], "be NAME=LOW:HIGH"),
        ([], ["stops.hard_limit=0.2"], "two values or more"),
        ([], ["baseline.exit_ma=20,30"], "'baseline.exit_ma' .* Got 30"),
        ([], ["regime.reference"], "no two limits"),
        (["none"], [], "leave something to tune"),
    ],
)
def test_a_mistake_names_the_key_the_rule_and_the_value(only, extra, words):
    with pytest.raises(CoordinatorError, match=words):
        choose_parameters(SECTION, only, extra)


def test_values_leave_the_section_as_it_is():
    before = json.dumps(SECTION)
    changed = with_values(SECTION, {"stops.atr_multiple": 3.5, "dca.spacing": 0.01})
    assert changed["stops"]["atr_multiple"] == 3.5
    assert changed["dca"] == {"enabled": False, "spacing": 0.01}
    assert json.dumps(SECTION) == before
