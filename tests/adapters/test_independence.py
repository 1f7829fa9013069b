"""Exits, stops and targets are deaf to ML: the same with every ML input scrambled."""

from dataclasses import replace

import numpy as np
import pytest

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
    return replace(analysis, votes={**analysis.votes, **noise})


class Provider:
    """The part of Freqtrade's DataProvider that the entry side asks for."""

    runmode = None


def populated(analysis, walk):
    decision = {"weighting": "fixed", "ml_weight": 0.7, "require_positive_expectancy": False}
    strategy = CoordinatorStrategy(
        {"trading_mode": "futures", "stake_currency": "USDT", "coordinator": {"decision": decision}}
    )
    strategy.dp = Provider()
    strategy.run.put(analysis)
    frame = strategy.populate_entry_trend(walk, {"pair": "BTC/USDT"})
    return strategy.populate_exit_trend(frame, {"pair": "BTC/USDT"}), strategy.plans._signals["BTC/USDT"]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_exits_stops_and_targets_do_not_listen_to_ml(analysis, walk, seed):
    frame, plans = populated(analysis, walk)
    other, other_plans = populated(scrambled(analysis, seed), walk)
    for column in ("exit_long", "exit_short", "exit_tag"):
        assert frame[column].equals(other[column])
    assert frame["exit_long"].sum() > 10
    assert not frame["enter_long"].equals(other["enter_long"])  # entries do listen
    both = set(plans) & set(other_plans)
    assert len(both) > 10
    for time in both:
        assert plans[time].stop_distance == other_plans[time].stop_distance
        assert plans[time].target_distance == other_plans[time].target_distance
