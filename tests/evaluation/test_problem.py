"""Which accounts there are, in which order they can be run, and with what Freqtrade is asked for each."""

import dataclasses
import json
from datetime import timedelta
from pathlib import Path

import pytest

from coordinator.errors import CoordinatorError
from coordinator.jobs.evaluation.neighbours import neighbours
from coordinator.jobs.evaluation.problem import define_evaluation
from coordinator.jobs.evaluation.variants import GROUPS, IMPROVEMENTS, Sizes
from coordinator.jobs.run_plan import plan_run
from coordinator.reports.evaluation.account_run import no_account
from coordinator.reports.evaluation.evaluation import BASELINE, ML, UNEARNED
from coordinator.sandbox.market_files import write_market
from coordinator.sandbox.spec import MarketSpec
from coordinator.settings import load_settings

from .conftest import made_account

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def plan(tmp_path_factory):
    folder = tmp_path_factory.mktemp("market")
    write_market(MarketSpec(pairs=("BTC/USDT", "ETH/USDT")), folder, "spot")
    return plan_run(ROOT / "config.json", folder, None, None, None)


@pytest.fixture(scope="module")
def problem(plan, tmp_path_factory):
    return define_evaluation(plan, tmp_path_factory.mktemp("user_data"), Sizes(noise=2, random=5, starts=3))


def names(variants):
    return [variant.name for variant in variants]


def test_names_are_unique_and_every_group_is_there(problem):
    found = names(problem.variants)
    assert len(set(found)) == len(found)
    assert {variant.group for variant in problem.variants} == set(GROUPS) - {"random"}
    assert set(IMPROVEMENTS) <= set(found)
    for component in ("lstm", "attention", "fusion", "selector", "quality"):
        assert f"without {component}" in found and f"{component} alone" in found
    assert {BASELINE, ML, UNEARNED} <= set(found)  # the reports ask for these names
    against = {variant.against for variant in problem.variants} - {""}
    assert against <= set(found)


def test_what_takes_predictions_waits_for_who_makes_them(problem):
    first = names(problem.ready({}))
    trained = [one for one in problem.variants if one.name in first and one.trains]
    identifiers = [problem.job(one).identifier for one in trained]
    assert len(set(identifiers)) == len(
        identifiers
    )  # nobody in the first round trains what another one trains
    assert ML in first and UNEARNED not in first and "noise 0" in first and "noise 0, earned" not in first
    then = names(problem.ready({ML: made_account(ML), "noise 0": made_account("noise 0")}))
    assert UNEARNED in then and "noise 0, earned" in then and "noise 1, earned" not in then
    failed = names(problem.ready({ML: no_account(ML, "failed: no")}))
    assert UNEARNED not in failed


def test_variants_that_differ_after_the_prediction_share_it(problem):
    by_name = {variant.name: variant for variant in problem.variants}
    own = problem.job(by_name[ML]).identifier
    for name in (UNEARNED, "without lstm", "quality alone", "quality replaces", "ML by accuracy"):
        assert problem.job(by_name[name]).identifier == own, name
    others = [
        problem.job(by_name[n]).identifier for n in ("noise 0", "noise 1", "constant", "shuffled labels")
    ]
    assert len({own, *others}) == 5
    assert problem.job(by_name["shuffled labels, earned"]).identifier == others[-1]
    assert problem.job(by_name[BASELINE]).identifier is None


def test_a_silent_component_has_no_weight_and_a_control_no_selector_beside_it(problem):
    by_name = {variant.name: variant for variant in problem.variants}
    section = problem.job(by_name["without lstm"]).changes["coordinator"]
    assert section["decision"]["weight_lstm"] == 0.0 and "weight_quality" not in section["decision"]
    assert section["decision"]["ml_weight"] == 0.7 and section["decision"]["threshold"] == 0.6
    section = problem.job(by_name["without selector"]).changes["coordinator"]
    assert section["selector"]["enabled"] is False and section["decision"]["weight_selector"] == 0.0
    alone = problem.job(by_name["lstm alone"]).changes["coordinator"]["decision"]
    assert "weight_lstm" not in alone and alone["weight_quality"] == alone["weight_selector"] == 0.0
    job = problem.job(by_name["noise 1"])
    assert job.changes["control"] == {"kind": "noise", "seed": 1}
    assert job.changes["freqaimodel"] == "ControlClassifier"
    assert (Path(job.changes["freqaimodel_path"]) / "ControlClassifier.py").is_file()
    section = job.changes["coordinator"]
    assert section["selector"]["enabled"] is False and section["decision"]["weight_selector"] == 0.0
    assert "weight_fusion" not in section["decision"]  # a control stands in its place


def test_slots_by_policy_differ_from_as_few_slots_by_expected_r(problem):
    by_name = {variant.name: variant for variant in problem.variants}
    policy = by_name["3 positions, slots by policy"]
    assert policy.against == "3 positions" and by_name["3 positions"].against == ML
    jobs = {name: problem.job(by_name[name]) for name in (ML, "3 positions", policy.name)}
    sections = [jobs[name].changes["coordinator"] for name in ("3 positions", policy.name)]
    assert [section["portfolio"]["max_positions"] for section in sections] == [3, 3]
    assert [section.get("entries", {}).get("ranking_by") for section in sections] == [None, "policy"]
    # Only the policy needs models of its own.
    assert jobs["3 positions"].identifier == jobs[ML].identifier != jobs[policy.name].identifier


def test_fees_and_starts(problem):
    by_name = {variant.name: variant for variant in problem.variants}
    twice = problem.job(by_name["TechnicalBaseline, twice the fee"])
    assert twice.changes["fee"] == 2 * problem.plan.settings.costs.fee
    assert (problem.plan.end - problem.plan.start).days == 240
    assert [v.days_later for v in problem.variants if v.group == "starts"] == [40, 80]
    later = problem.job(by_name["begun 80 days later"])
    assert later.start == problem.plan.start + timedelta(days=80) and later.end == problem.plan.end


def test_random_entries_find_their_number_first(problem):
    base = made_account(BASELINE, exposure=0.4, entries={"longs": {"BTC/USDT": 10}, "shorts": {}})
    done = {BASELINE: base}
    for number, exposure in enumerate((0.2, 0.5, 0.4), start=1):
        (ready,) = (v for v in problem.ready(done) if v.group == "random" and v.name not in done)
        assert ready.name == f"random calibration {number}"
        done[ready.name] = made_account(ready.name, exposure=exposure)
    seeds = [v for v in problem.ready(done) if v.name.startswith("random entries")]
    # Twice as many after the first, four fifths of that after the second.
    assert [v.entries["longs"]["BTC/USDT"] for v in seeds] == [16] * 5
    assert sorted(v.seed for v in seeds) == list(range(5))
    job = problem.job(seeds[0])
    assert job.changes["random_entries"]["from"] == f"{problem.plan.start:%Y-%m-%d}"
    assert (Path(job.changes["strategy_path"]) / "RandomEntries.py").is_file()
    idle = made_account(BASELINE, exposure=0.0)
    assert not [v for v in problem.ready({BASELINE: idle}) if v.group == "random"]


def test_only_some_parts_and_what_they_are_compared_with(plan, tmp_path):
    only = define_evaluation(plan, tmp_path, Sizes(groups=("components",)))
    found = names(only.variants)
    assert UNEARNED in found and "without lstm" in found and "DCA" not in found and "noise 0" not in found
    assert only.size == len(found)
    config = {**plan.config, "freqai": {**plan.config["freqai"], "enabled": False}}
    without = define_evaluation(dataclasses.replace(plan, config=config), tmp_path, Sizes())
    assert not any(variant.trains for variant in without.variants)


def test_a_quick_look_trains_once(plan, tmp_path):
    quick = define_evaluation(plan, tmp_path, Sizes(noise=1, trainings=False))
    first = [one for one in quick.ready({}) if one.trains and one.control not in ("noise", "constant")]
    assert names(first) == [ML]
    assert "shuffled labels" not in names(quick.variants) and "without lstm" in names(quick.variants)


def test_the_key_knows_settings_candles_and_time_and_nothing_else(plan, problem, tmp_path):
    def key(**changes):
        return define_evaluation(dataclasses.replace(plan, **changes), tmp_path, Sizes()).key

    assert key() == problem.key
    assert key(config={**plan.config, "bot_name": "other", "user_data_dir": "elsewhere"}) == problem.key
    assert key(config={**plan.config, "max_open_trades": 3}) != problem.key
    assert key(start=plan.start + timedelta(days=1)) != problem.key
    assert key(pairs=plan.pairs[:1]) != problem.key


def test_neighbours_are_a_quarter_away():
    config = json.loads((ROOT / "config.json").read_text())
    found = dict(neighbours(load_settings(config["coordinator"])))
    assert found["stops.atr_multiple 2.0 → 1.5"] == {"stops": {"atr_multiple": 1.5}}
    assert found["stops.atr_multiple 2.0 → 2.5"] == {"stops": {"atr_multiple": 2.5}}
    assert found["portfolio.max_positions 8 → 10"] == {"portfolio": {"max_positions": 10}}
    assert len(found) >= 30


def test_a_refused_neighbour_is_an_error_of_its_own(problem):
    variant = next(v for v in problem.variants if v.group == "parameters")
    bad = dataclasses.replace(variant, settings={"baseline": {"fast_channel": 0}})
    with pytest.raises(CoordinatorError, match="fast_channel"):
        problem.job(bad)
