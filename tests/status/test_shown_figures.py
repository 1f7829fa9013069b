"""The figures of the views by hand, of a ledger alone."""

from dataclasses import replace

import numpy as np
import pytest

from coordinator.decision.learners import Learners
from coordinator.ledger.learning_events import LearningEvent, add_event
from coordinator.ledger.records import CandleRecord, SnapshotRow, ThresholdRow
from coordinator.ledger.registry import ModelRegistry
from coordinator.ledger.store import Ledger, RunInfo
from coordinator.run.learning_records import final_snapshot
from coordinator.settings import load_settings
from coordinator.status.drift import drift_text, read_drift
from coordinator.status.facts import Facts
from coordinator.status.models import models_text, read_models
from coordinator.status.phase import read_phase
from coordinator.status.source import Source
from coordinator.status.thresholds import read_thresholds
from coordinator.status.vol_sizing import read_vol_sizing, vol_sizing_text
from coordinator.status.why import read_why
from tests.ledger.test_registry import INFO
from tests.reports.test_rolling import (
    BEGIN,
    BTC,
    DAY,
    ETH,
    HISTORIES,
    HOUR,
    SETTINGS,
    START,
    at,
    decisions_of,
)

MORE = (
    CandleRecord(
        BEGIN + 50 * HOUR,
        thresholds=(ThresholdRow(BTC, 0.64, "false negatives"),),
        snapshots=(
            SnapshotRow(
                "trust",
                {"trusts": {"volatility_sizing": {"range": 0.07}, "correlation_filter": {"range": 0.2}}},
            ),
        ),
    ),
)


@pytest.fixture
def source(tmp_path):
    """Reads the ledger of the three days whose metrics ``test_rolling`` works out by hand."""
    ledger = Ledger(tmp_path / "run.ledger.sqlite")
    found = Learners(load_settings(None))
    for day in (0, 40, 80):
        found.manager.learn(day * DAY, np.ones(3), np.ones(3), np.ones(3))
    learned = CandleRecord(BEGIN + 60 * HOUR, snapshots=(final_snapshot(found.state()),))
    info = RunInfo("MLCoordinator", START, "1h", SETTINGS)
    ledger.write_run(info, decisions_of(), [*HISTORIES, *MORE, learned])
    own = {"decision": SETTINGS["decision"], "improvements": {"volatility_sizing": {"mode": "on"}}}
    return Source(ledger, load_settings(own))


def test_gates_acceptance_and_the_mistakes_on_both_sides(source):
    view = read_thresholds(source, days=3)
    assert (view.base, view.baseline) == (0.6, 0.5)
    shown = {
        row.pair: (
            row.threshold,
            row.signals,
            row.acceptance_rate,
            row.changes,
            row.accepted_outcomes,
            row.false_positives,
            row.rejected_outcomes,
            row.false_negatives,
        )
        for row in view.pairs
    }
    # BTC made 2 and -.5 R above its gate and 1 R below it; ETH -1 and 3 R above, -1 R below.
    assert shown == {BTC: (0.6, 4, 0.75, 1, 2, 0.5, 1, 1.0), ETH: (0.6, 3, 0.333333, 1, 2, 0.5, 1, 0.0)}
    newest = read_thresholds(source, days=1).pairs  # two of BTC, both taken, and one of ETH that was not
    assert [(row.pair, row.signals, row.acceptance_rate) for row in newest] == [(BTC, 2, 1.0), (ETH, 1, 0.0)]
    assert [(step.pair, step.threshold) for step in view.steps] == [(BTC, 0.64), (ETH, 0.62)]
    learned = {"thresholds": {"pairs": [{"pair": BTC, "threshold": 0.55}]}}
    facts = Facts(at=START, candle=BEGIN, learners=learned)
    rows = read_thresholds(Source(source.ledger, source.settings, facts=lambda: facts)).pairs
    assert {row.pair: row.adaptive for row in rows} == {BTC: 0.55, ETH: None}
    alone = read_thresholds(source, days=3, pair=ETH)
    assert ([row.pair for row in alone.pairs], [step.pair for step in alone.steps]) == ([ETH], [ETH])
    own = source.settings.model_copy(
        update={"decision": source.settings.decision.model_copy(update={"baseline_threshold": None})}
    )
    assert read_thresholds(Source(source.ledger, own)).baseline == 0.6


def test_sizes_stand_without_beside_with_and_their_trust_is_their_own(source):
    view = read_vol_sizing(source, days=3)
    assert (view.mode, view.trusted_range) == ("on", 0.07)
    assert view.volatility == {BTC: "bull_low", ETH: ""}  # of the last signals
    lines = [line.split() for line in vol_sizing_text(view).splitlines()]
    assert ["volatility", "Sharpe", "11.03", "-11.03"] in lines  # the root of 365 over that of 3
    assert ["volatility", "Drawdown", "0%", "10%"] in lines


def test_the_weight_is_nothing_in_shadow_mode_and_the_newest_review_comes_first(source):
    view = read_phase(source)
    assert [review.at[:10] for review in view.reviews] == ["1970-03-22", "1970-02-10"]
    decision = source.settings.decision.model_copy(update={"shadow": True})
    learned = {**source.learners(), "manager": {**source.learners()["manager"], "weight": 0.3}}
    facts = Facts(at=START, candle=BEGIN, learners=learned)
    for shadow, weight in ((source.settings.decision, 0.3), (decision, 0.0)):
        own = source.settings.model_copy(update={"decision": shadow})
        assert read_phase(Source(source.ledger, own, facts=lambda: facts)).ml_weight == weight


def test_why_a_pair_was_not_entered(source):
    signal = read_why(source, ETH).signal
    assert (signal.price, signal.stop, signal.target, signal.outcome_r) == (100.0, 98.0, 105.0, 3.0)
    assert (signal.confidence, signal.threshold, signal.accepted) == (0.65, 0.6, False)
    assert {vote.component: vote.percentile for vote in signal.votes} == {"technical": 0.7, "lstm": None}


def test_the_champion_its_age_and_whether_it_is_stale(source):
    registry = ModelRegistry(source.ledger)
    first = registry.register(INFO)
    second = registry.register(replace(INFO, trained_until=200 * HOUR))
    registry.promote(first, 149 * HOUR, "first")
    registry.promote(second, 260 * HOUR, "better")
    limit = source.settings.alerts.stale_model_days
    for days, stale in ((limit, False), (limit + 0.1, True)):
        now = at((200 * HOUR - BEGIN) / HOUR + 24 * days).to_pydatetime()
        own = Source(source.ledger, source.settings, facts=lambda now=now: Facts(at=now, candle=0))
        (line,) = read_models(own).names
        assert (line.models, line.champion.id, line.newest.id, line.stale) == (2, second, second, stale)
        assert line.champion.age_days == pytest.approx(days)
        assert ("STALE" in models_text(read_models(own))) == stale
    third = registry.register(replace(INFO, trained_until=300 * HOUR))
    (line,) = read_models(source).names
    assert (line.champion.id, line.newest.id) == (second, third)


def test_drift_is_the_last_check_and_how_many_found_one(source):
    ModelRegistry(source.ledger).register(INFO)
    for hour, drifted in ((1, True), (2, True), (3, False)):
        when, figures = at(hour).to_pydatetime(), {"drifted": drifted}
        add_event(source.ledger, LearningEvent(INFO.name, "drift", when, f"check {hour}", figures=figures))
    view = read_drift(source)
    (check,) = view.checks
    assert (check.sentence, check.drifted, check.checks, check.drifts) == ("check 3", False, 3, 2)
    assert [event.sentence for event in view.events] == ["check 3", "check 2", "check 1"]
    assert "no drift" in drift_text(view)
