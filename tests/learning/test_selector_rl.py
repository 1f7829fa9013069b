import random
import warnings

import gymnasium.utils.env_checker
import numpy as np
import pytest
import stable_baselines3.common.env_checker
import torch

from coordinator.decision.outcomes import resolve_outcomes
from coordinator.errors import CoordinatorError
from coordinator.learning.artefact import decode, encode, write
from coordinator.learning.selector_env import (
    ACTIONS,
    PairSignals,
    SelectorEnv,
    observation_names,
    observations,
    tactic_profits,
)
from coordinator.learning.selector_rl import SelectorPolicy
from coordinator.settings.networks import SelectorPolicySettings
from coordinator.settings.trade import CostSettings
from coordinator.signals.feature_schema import FeatureSchema
from coordinator.signals.regime import STATES
from coordinator.signals.tactics import TACTICS

S = SelectorPolicySettings(timesteps=512, rollout=256, batch_size=64, episode=50)
SCHEMA = FeatureSchema(observation_names(("a", "b")), 1)


def walk(seed=0, n=400):
    """In even states breakout earns and the rest loses; in odd ones everything loses."""
    rng = np.random.default_rng(seed)
    state = rng.integers(0, len(STATES), n)
    direction = rng.choice([-1, 1], (n, 4))
    profit = np.full((n, 4), -0.02) + rng.normal(0, 0.01, (n, 4))
    profit[:, 2] = np.where(state % 2 == 0, 0.05, -0.05)
    return PairSignals(state, rng.normal(size=(n, 2)), direction, rng.uniform(0.5, 1, (n, 4)), profit)


def test_it_passes_both_environment_checkers():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        stable_baselines3.common.env_checker.check_env(SelectorEnv([walk(), walk(1)], S))
        warnings.filterwarnings("ignore", message=".*not having a spec.*|.*spec.*")
        gymnasium.utils.env_checker.check_env(SelectorEnv([walk(), walk(1)], S), skip_render_check=True)


def test_the_rewards_are_the_documented_ones():
    """pnl / .05 in -1..2; flat 0."""
    w = walk(n=6)
    profit = np.array([[0.05, -0.02, 0.2, 0.0]] * 5 + [[-0.2, 0.01, 0, 0]])
    env = SelectorEnv([PairSignals(w.state, w.features, w.direction, w.confidence, profit)], S)
    for action, expected in ((0, 0.0), (1, 1.0), (2, -0.4), (3, 2.0), (4, 0.0)):
        env.reset(seed=0, options={"walk": 0, "start": 0})
        assert env.step(np.int64(action))[1] == pytest.approx(expected)
    env.reset(seed=0, options={"walk": 0, "start": 5})
    _, reward, terminated, truncated, _ = env.step(np.int64(1))
    assert (reward, terminated, truncated) == (-1.0, True, False)


def test_an_episode_walks_in_time_order_and_ends():
    w = walk(n=120)
    env, seen = SelectorEnv([w], S), observations(w.state, w.features, w.direction, w.confidence)
    first, _ = env.reset(seed=3, options={"start": 7})
    np.testing.assert_array_equal(first, seen[7])
    for step in range(1, 51):
        observation, _, terminated, truncated, _ = env.step(np.int64(0))
        np.testing.assert_array_equal(observation, seen[7 + step])
        assert (terminated, truncated) == (False, step == 50)


def test_an_observation_holds_state_features_and_views():
    w = walk(n=5)
    seen = observations(w.state, w.features * 100, w.direction, w.confidence)
    assert seen.shape == (5, len(SCHEMA.names)) == (5, 15 + 2 + 8)
    assert SCHEMA.names[15:19] == ("a", "b", "trend_following_direction", "mean_reversion_direction")
    np.testing.assert_array_equal(seen[:, :15].argmax(axis=1), w.state)
    np.testing.assert_array_equal(seen[:, 17:21], w.direction)
    assert np.abs(seen).max() == 5
    assert np.isfinite(observations(w.state, w.features * np.nan, w.direction, w.confidence)).all()


def test_a_tactics_profit_is_its_virtual_trade_after_costs(candles):
    index = np.array([200, 300, len(candles) - 1])
    direction = np.array([[1, -1, 0, 1]] * 3)
    stop, target = np.full((3, 4), 0.02), np.full((3, 4), 0.03)

    def trades(costs):
        return lambda *trade: resolve_outcomes(candles, *trade, 48, costs)

    profit, resolved = tactic_profits(trades(CostSettings()), index, direction, stop, target)
    assert (profit[:, 2] == 0).all()
    np.testing.assert_array_equal(profit[:, 0], profit[:, 3])
    assert resolved[2] == -1
    assert np.isnan(profit[2, 0])
    assert (resolved[:2] > index[:2]).all()
    free, _ = tactic_profits(trades(CostSettings(fee=0, slippage=0)), index, direction, stop, target)
    assert (profit[:2, :2] < free[:2, :2]).all()
    with pytest.raises(CoordinatorError, match="known for every signal"):
        SelectorEnv([PairSignals(np.zeros(3, int), np.zeros((3, 1)), direction, np.ones((3, 4)), profit)], S)
    with pytest.raises(CoordinatorError, match="hold signals"):
        SelectorEnv([], S)


@pytest.fixture(scope="module")
def policy():
    settings = SelectorPolicySettings(
        timesteps=8192, rollout=512, batch_size=128, episode=50, learning_rate=5e-3
    )
    return SelectorPolicy(settings).fit([walk(), walk(1)], SCHEMA)


def test_it_learns_which_tactic_earns_in_which_state(policy):
    new = walk(9, 1000)
    actions, probabilities = policy.predict(
        observations(new.state, new.features, new.direction, new.confidence)
    )
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    even = new.state % 2 == 0
    assert (actions[even] == ACTIONS.index("breakout")).mean() > 0.9
    assert (actions[~even] == ACTIONS.index("breakout")).mean() < 0.02
    profit = np.column_stack((np.zeros(len(new)), new.profit))
    earned = profit[np.arange(len(new)), actions].mean()
    assert earned > 0.85 * np.where(even, 0.05, 0).mean() > 0 > new.profit.mean()
    assert ACTIONS[1:] == TACTICS


def test_it_reads_back_and_one_row_is_the_whole_table(policy, tmp_path):
    w = walk(5)
    seen = observations(w.state, w.features, w.direction, w.confidence)
    again = SelectorPolicy.from_artefact(decode(encode(policy.to_artefact())))
    whole = policy.predict(seen)[1]
    np.testing.assert_array_equal(again.predict(seen)[1], whole)
    np.testing.assert_allclose(policy.predict(seen[7:8])[1][0], whole[7], atol=1e-12)
    assert encode(again.to_artefact()) == encode(policy.to_artefact())
    artefact = policy.to_artefact()
    with pytest.raises(CoordinatorError, match="be selector"):
        SelectorPolicy.from_artefact(
            type(artefact)("lstm", artefact.schema, artefact.tensors, artefact.about)
        )


def test_two_runs_write_the_same_file_and_leave_the_generators_alone(tmp_path):
    state = random.getstate(), np.random.get_state()[1].copy(), torch.random.get_rng_state()  # noqa: NPY002
    hashes = {
        write(SelectorPolicy(S).fit([walk()], SCHEMA).to_artefact(), tmp_path / f"{run}") for run in range(2)
    }
    assert len(hashes) == 1
    assert random.getstate() == state[0]
    np.testing.assert_array_equal(np.random.get_state()[1], state[1])  # noqa: NPY002
    assert torch.equal(torch.random.get_rng_state(), state[2])
    with pytest.raises(CoordinatorError, match="name 25 numbers"):
        SelectorPolicy(S).fit([walk()], FeatureSchema(("a",), 1))
