"""Exits, stops and targets are deaf to ML: the same with every ML input scrambled."""

import ast
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import coordinator
from coordinator.adapters.strategy import CoordinatorStrategy
from coordinator.decision.voting import Votes
from coordinator.run.pair_analysis import analyse
from coordinator.settings import Settings
from coordinator.signals.candles import Candles


@pytest.fixture(scope="module")
def analysis(walk, make_higher):
    higher = {name: Candles.from_frame(make_higher(walk, name), name) for name in ("4h", "1d")}
    return analyse("BTC/USDT", Candles.from_frame(walk, "1h"), higher, Settings(), ml=True)


def scrambled(analysis, seed):
    rng, n = np.random.default_rng(seed), len(analysis.index)
    noise = {
        name: Votes(rng.choice([-1.0, 0.0, 1.0], n), rng.random(n), rng.uniform(-1, 1, n))
        for name in ("lstm", "fusion", "selector", "attention")
    }
    terms = rng.normal(0, 5, (n, 3))  # of the policy that divides the slots
    return replace(analysis, votes={**analysis.votes, **noise}, slot_terms=terms)


class Provider:
    """The part of Freqtrade's DataProvider that the entry side asks for."""

    runmode = None


def populated(analysis, walk):
    decision = {"weighting": "fixed", "ml_weight": 0.7, "require_positive_expectancy": False}
    section = {
        "decision": decision,
        "entries": {"ranking_by": "policy"},
        "portfolio": {"max_positions": 4},
    }
    strategy = CoordinatorStrategy(
        {"trading_mode": "futures", "stake_currency": "USDT", "coordinator": section}
    )
    strategy.dp = Provider()
    strategy.run.put(analysis)
    frame = strategy.populate_entry_trend(walk, {"pair": "BTC/USDT"})
    frame = strategy.populate_exit_trend(frame, {"pair": "BTC/USDT"})
    return (
        frame,
        strategy.plans._signals["BTC/USDT"],
        strategy.run.series_decisions("BTC/USDT", strategy._tuned()),
    )


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_exits_stops_and_targets_do_not_listen_to_ml(analysis, walk, seed):
    frame, plans, _ = populated(analysis, walk)
    other, other_plans, _ = populated(scrambled(analysis, seed), walk)
    for column in ("exit_long", "exit_short", "exit_tag"):
        assert frame[column].equals(other[column])
    assert frame["exit_long"].sum() > 10
    assert not frame["enter_long"].equals(other["enter_long"])  # entries do listen
    both = set(plans) & set(other_plans)
    assert len(both) > 10
    for time in both:
        assert plans[time].stop_distance == other_plans[time].stop_distance
        assert plans[time].target_distance == other_plans[time].target_distance


def test_no_code_reads_how_confident_the_plan_of_a_trade_was():
    """It is kept and shown: what ML has a part in ends with the plan's tranches."""
    root = Path(coordinator.__file__).parent
    read = {
        node.attr
        for path in root.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Attribute) and getattr(node.value, "id", "") == "plan"
    }
    assert {"stop_distance", "target_rate", "entries"} <= read
    assert "confidence" not in read


def test_the_slots_policy_is_read_where_entries_are_ranked_and_nowhere_else():
    root = Path(coordinator.__file__).parent
    reading = {"slot_terms", "divides_slots", "take_probability", "divide_by_policy"}
    found = {
        str(path.relative_to(root))
        for path in root.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if getattr(node, "attr", getattr(node, "id", "")) in reading
    }
    models = {"components/factory.py", "learning/slots/walk.py", "settings/all.py", "settings/predictions.py"}
    way = {"run/predictions.py", "run/pair_analysis.py", "run/market.py", "run/trading_run.py"}
    assert found == {*models, *way, "portfolio/ranking.py", "portfolio/entry_round.py"}


def test_ml_makes_no_signal_and_turns_none(analysis, walk):
    """Votes for the other side at every candle: what is entered are signals of the baseline, in its direction."""
    votes = {name: Votes(*(-analysis.direction,) * 3) for name in ("lstm", "fusion", "attention")}
    votes = {name: replace(vote, confidence=np.ones(len(vote.score))) for name, vote in votes.items()}
    against, plans, _ = populated(replace(analysis, votes={**analysis.votes, **votes}), walk)
    signal = analysis.technical.signal
    for frame in (populated(analysis, walk)[0], against):
        for column, direction in (("enter_long", 1), ("enter_short", -1)):
            entered = frame[column].to_numpy() == 1
            assert entered.sum() > 10
            assert (signal[entered] == direction).all()
    at = dict(zip(analysis.candles.time.tolist(), signal.tolist(), strict=True))
    assert all(plan.direction == at[time] for time, plan in plans.items())


def test_the_tranches_are_of_the_confidence_that_ml_has_a_part_in(analysis, walk):
    _, plans, decided = populated(scrambled(analysis, 1), walk)
    times = analysis.candles.time[analysis.index]
    confidence = dict(zip(times.tolist(), decided.confidence.tolist(), strict=True))
    alone = dict(zip(times.tolist(), decided.of("technical").tolist(), strict=True))
    assert plans.keys() == set(times[decided.accepted].tolist())
    for time, plan in plans.items():
        assert plan.confidence == confidence[time]
        assert len(plan.entries.shares) == (
            2 if confidence[time] >= 0.75 else 3
        )  # below .70 none is accepted
    assert len({len(plan.entries.shares) for plan in plans.values()}) == 2
    assert any(alone[time] < 0.65 for time in plans)
