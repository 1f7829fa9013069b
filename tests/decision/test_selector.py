"""The Q-learning selector: spec 004's update, rewards, decay and exploration, and as a learner."""

import json
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coordinator.decision.selector import TacticSelector, tactic_profit
from coordinator.decision.stable_hash import candle_hash, text_hash, unit_interval
from coordinator.errors import CoordinatorError
from coordinator.settings.learners import SelectorSettings
from coordinator.signals.regime import STATES
from coordinator.signals.tactics import TACTICS

S = SelectorSettings()
BULL, NEUTRAL = STATES.index("bull_medium"), STATES.index("neutral_low")


def ints(*values):
    return np.array(values, dtype=np.int64)


def history(seed, n=200):
    rng = np.random.default_rng(seed)
    return (
        rng.integers(0, 15, n),
        rng.integers(-1, 4, n),
        np.where(rng.random(n) < 0.05, np.nan, rng.normal(0, 0.05, n)),
        rng.integers(-1, 15, n),
    )


def signals(n, seed=0):
    rng = np.random.default_rng(seed)
    direction = rng.integers(-1, 2, (n, 4))
    pairs = [("BTC/USDT", "ETH/USDT")[i % 2] for i in range(n)]
    confidence = np.where(direction != 0, rng.uniform(0.5, 1, (n, 4)), 0.0)
    return rng.integers(0, 15, n), pairs, np.arange(n) * 3600, direction, confidence


def choose(learner, state, pairs, time, direction, confidence):
    return learner.predict(state, learner.draws(pairs, time), direction, confidence)


def test_fifteen_states_four_tactics_all_zero():
    fresh = TacticSelector(S)
    assert np.array(fresh.q_).shape == (15, 4)
    assert not np.any(fresh.q_)
    assert set(fresh.state()["q"]["bull_medium"]) == {
        "trend_following",
        "mean_reversion",
        "breakout",
        "momentum",
    }
    assert (S.learning_rate, S.discount, S.epsilon_decay, S.epsilon_floor) == (0.1, 0.95, 0.995, 0.05)


@pytest.mark.parametrize(
    ("profit", "reward"), [(0.05, 1.0), (0.10, 2.0), (-0.05, -1.0), (0.025, 0.5), (0.5, 2.0), (-0.5, -1.0)]
)
def test_the_documented_rewards(profit, reward):
    assert TacticSelector(S).reward(profit) == pytest.approx(reward)


def test_the_documented_update():
    learner = TacticSelector(S)
    learner.learn(ints(BULL), ints(0), np.array([0.06]), ints(NEUTRAL))  # reward 1.2, nothing beyond yet
    assert learner.q_[BULL][0] == pytest.approx(0.12)
    learner.learn(ints(NEUTRAL), ints(1), np.array([0.025]), ints(BULL))
    assert learner.q_[NEUTRAL][1] == pytest.approx(0.1 * (0.5 + 0.95 * 0.12))
    learner.learn(ints(BULL), ints(0), np.array([-0.10]), ints(NEUTRAL))
    expected = 0.12 + 0.1 * (-1.0 + 0.95 * 0.0614 - 0.12)
    assert learner.q_[BULL][0] == pytest.approx(expected)
    learner.q_[0][3] = 0.4
    learner.learn(ints(BULL), ints(1), np.array([0.05]), ints(0))
    assert learner.q_[BULL][1] == pytest.approx(0.1 * (1.0 + 0.95 * 0.4))
    learner.learn(ints(BULL), ints(2), np.array([0.05]), ints(-1))  # unknown: nothing lies beyond
    assert learner.q_[BULL][2] == pytest.approx(0.1)
    hundred = TacticSelector(S)
    hundred.learn(np.full(100, BULL), np.zeros(100, int), np.full(100, 0.05), np.full(100, -1))
    assert hundred.q_[BULL][0] == pytest.approx(1 - 0.9**100)


def test_rate_discount_and_exploration_can_be_set():
    """Spec 004's tuning: .15, .90, epsilon .3 x .99 down to .10."""
    s = SelectorSettings(
        learning_rate=0.15, discount=0.90, epsilon=0.3, epsilon_decay=0.99, epsilon_floor=0.10
    )
    learner = TacticSelector(s)
    learner.learn(ints(NEUTRAL), ints(0), np.array([0.05]), ints(-1))
    assert learner.q_[NEUTRAL][0] == pytest.approx(0.15)
    assert learner.epsilon_ == pytest.approx(0.297)
    learner.learn(ints(BULL), ints(1), np.array([0.025]), ints(NEUTRAL))
    assert learner.q_[BULL][1] == pytest.approx(0.15 * (0.5 + 0.90 * 0.15))
    learner.learn(np.zeros(400, int), np.zeros(400, int), np.zeros(400), np.zeros(400, int))
    assert learner.epsilon_ == 0.10
    assert choose(learner, *signals(20_000)).explored.mean() == pytest.approx(0.10, abs=0.01)


def test_an_unknown_next_state_ends_the_episode():
    learner = TacticSelector(S)
    learner.q_[-1] = [5.0] * 4  # what a careless index would find
    learner.learn(ints(BULL, BULL), ints(0, 0), np.array([0.05, 0.05]), ints(-1, -1))
    assert learner.q_[BULL][0] == pytest.approx(0.1 + 0.1 * 0.9)


def test_epsilon_fades_by_half_a_percent_down_to_five_percent():
    learner = TacticSelector(S)
    learner.learn(ints(0), ints(0), np.array([0.0]), ints(0))
    assert learner.epsilon_ == pytest.approx(0.2 * 0.995)
    learner.learn(np.zeros(400, int), np.zeros(400, int), np.zeros(400), np.zeros(400, int))
    assert learner.epsilon_ == 0.05
    assert learner.updates_ == 401
    warm = TacticSelector(S)
    warm.warm_start(ints(0, 0), np.zeros((2, 4)), ints(0, 0))
    assert warm.epsilon_ == pytest.approx(0.2 * 0.995**2)  # once a trade, not once a tactic


def test_the_best_value_is_chosen_and_its_tactic_votes():
    learner = TacticSelector(SelectorSettings(epsilon=0.0, epsilon_floor=0.0))
    learner.q_[BULL] = [0.85, 0.12, 0.45, 0.68]  # the document's table after 100 trades
    learner.q_[NEUTRAL] = [-0.2, 0.3, 0.1, 0.0]
    direction = ints(1, -1, 1, 1, 1, 0, 1, 1).reshape(2, 4)
    confidence = np.array([[0.7, 0.9, 0.5, 0.6], [0.8, 0.4, 0.5, 0.6]])
    got = choose(learner, ints(BULL, NEUTRAL), ["A", "B"], ints(0, 0), direction, confidence)
    assert [TACTICS[i] for i in got.tactic] == ["trend_following", "mean_reversion"]
    assert got.direction.tolist() == [1, 0]
    assert got.confidence.tolist() == [0.7, 0.0]  # a tactic without direction has no confidence either
    assert not got.explored.any()


@pytest.mark.parametrize("further", [(), ("pullback",)], ids=["four", "five"])
def test_exploration_is_as_frequent_as_epsilon_says_and_even_over_tactics(further, monkeypatch):
    """A fifth one is what the tutorial of a tactic adds."""
    monkeypatch.setattr("coordinator.decision.selector.TACTICS", (*TACTICS, *further))
    learner, (*given, direction, confidence) = TacticSelector(SelectorSettings(epsilon=0.3)), signals(20_000)
    columns = np.arange(len(TACTICS + further)) % 4
    got = choose(learner, *given, direction[:, columns], confidence[:, columns])
    assert got.explored.mean() == pytest.approx(0.3, abs=0.012)
    shares = np.bincount(got.tactic[got.explored]) / got.explored.sum()
    np.testing.assert_allclose(shares, np.full(len(columns), 1 / len(columns)), atol=0.02)
    assert (got.tactic[~got.explored] == 0).all()  # all values equal: the first


def test_exploration_depends_on_seed_pair_and_candle_alone():
    learner, other = TacticSelector(S), TacticSelector(SelectorSettings(seed=43))
    state, pairs, time, direction, confidence = signals(2000)
    whole = choose(learner, state, pairs, time, direction, confidence)
    order = np.random.default_rng(1).permutation(2000)
    shuffled = choose(
        learner, state[order], [pairs[i] for i in order], time[order], direction[order], confidence[order]
    )
    np.testing.assert_array_equal(shuffled.tactic, whole.tactic[order])
    assert (choose(other, state, pairs, time, direction, confidence).explored != whole.explored).any()


def test_the_hash_is_the_same_in_another_process():
    code = (
        "import numpy as np; from coordinator.decision.stable_hash import candle_hash;"
        "print(candle_hash(42, 'selector', ['BTC/USDT'], np.array([1609459200]))[0])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert int(out) == candle_hash(42, "selector", ["BTC/USDT"], np.array([1609459200]))[0]
    assert int(out) == 696121604395697722  # measured once: a changed hash would change every rerun


def test_the_hash_is_splitmix64_in_whole_numbers():
    golden, mask = 0x9E3779B97F4A7C15, 2**64 - 1

    def mix(x):
        x = (x + golden) & mask
        x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & mask
        x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & mask
        return x ^ (x >> 31)

    assert mix(0) == 0xE220A8397B1DCDAF  # the published first output of splitmix64 with seed 0
    key = (text_hash("selector") + 42 * golden) & mask
    expected = mix(mix(text_hash("ETH/USDT") ^ key) ^ 1609459200)
    assert candle_hash(42, "selector", ["ETH/USDT"], ints(1609459200)).tolist() == [expected]


def test_the_hash_is_uniform_and_its_uses_are_independent():
    time = np.arange(20_000) * 3600
    a = unit_interval(candle_hash(1, "a", ["BTC/USDT"] * 20_000, time))
    b = unit_interval(candle_hash(1, "b", ["BTC/USDT"] * 20_000, time))
    np.testing.assert_allclose(np.histogram(a, 10, (0, 1))[0] / 20_000, 0.1, atol=0.01)
    assert abs(np.corrcoef(a, b)[0, 1]) < 0.03
    assert abs(np.corrcoef(a[1:], a[:-1])[0, 1]) < 0.03
    assert text_hash("BTC/USDT") != text_hash("BTC/USDC")


def test_learns_which_tactic_pays_in_which_state():
    rng = np.random.default_rng(5)
    learner = TacticSelector(S)
    state = rng.integers(0, 15, 6000)
    profits = rng.normal(-0.005, 0.02, (6000, 4))
    profits[np.arange(6000), state % 4] += 0.03
    learner.warm_start(state, profits, rng.integers(0, 15, 6000))
    right = [int(np.argmax(row)) == s % 4 for s, row in enumerate(learner.q_)]
    assert sum(right) >= 14
    assert learner.epsilon_ == 0.05


def test_warm_start_of_one_tactic_is_learning_it():
    state, _, profit, after = history(3)
    alone = np.full((len(state), 4), np.nan)
    alone[:, 2] = profit
    warm, taught = TacticSelector(S), TacticSelector(S)
    warm.warm_start(state, alone, after)
    taught.learn(state, np.full(len(state), 2), profit, after)
    assert warm.q_ == taught.q_


def test_a_tactic_earns_what_it_backed():
    direction, profit = ints(1, -1, 1), np.array([0.02, 0.02, -0.01])
    assert tactic_profit(direction, ints(1, 1, 0), profit).tolist() == [0.02, -0.02, 0.0]
    assert tactic_profit(direction, np.tile(direction[:, None], 4), profit).shape == (3, 4)
    # Long and short are one: turning every direction round changes nothing.
    tactic = ints(1, 0, -1)
    np.testing.assert_array_equal(
        tactic_profit(-direction, -tactic, profit), tactic_profit(direction, tactic, profit)
    )


@given(seed=st.integers(0, 10_000), n=st.integers(0, 300))
@settings(max_examples=40, deadline=None)
def test_bounds_and_no_change_from_prediction(seed, n):
    learner = TacticSelector(S)
    learner.learn(*history(seed, n))
    q = np.array(learner.q_)
    assert (q >= -1 / 0.05).all()
    assert (q <= 2 / 0.05).all()
    assert 0.05 <= learner.epsilon_ <= 0.2
    before = json.dumps(learner.state())
    got = choose(learner, *signals(50, seed))
    assert json.dumps(learner.state()) == before
    assert ((got.tactic >= 0) & (got.tactic < 4)).all()
    assert ((got.confidence > 0) == (got.direction != 0)).all()


@given(seed=st.integers(0, 10_000), cut=st.integers(0, 200))
@settings(max_examples=40, deadline=None)
def test_chunks_and_restarts_change_no_bit(seed, cut):
    rows = history(seed)
    whole, part, again = TacticSelector(S), TacticSelector(S), TacticSelector(S)
    whole.learn(*rows)
    part.learn(*(x[:cut] for x in rows))
    again.restore(json.loads(json.dumps(part.state())))
    again.learn(*(x[cut:] for x in rows))
    assert again.state() == whole.state()


@given(seed=st.integers(0, 10_000))
@settings(max_examples=20, deadline=None)
def test_long_and_short_mirror(seed):
    learner = TacticSelector(S)
    learner.learn(*history(seed))
    state, pairs, time, direction, confidence = signals(100, seed)
    one, two = (choose(learner, state, pairs, time, d, confidence) for d in (direction, -direction))
    np.testing.assert_array_equal(one.direction, -two.direction)
    np.testing.assert_array_equal(one.confidence, two.confidence)


def test_more_profit_never_lowers_the_value():
    values = []
    for profit in np.linspace(-0.2, 0.2, 41):
        learner = TacticSelector(S)
        learner.learn(ints(BULL), ints(2), np.array([profit]), ints(NEUTRAL))
        values.append(learner.q_[BULL][2])
    assert (np.diff(values) >= 0).all()
    assert values[-1] > values[0]


def test_a_table_of_another_version_is_refused():
    state = TacticSelector(S).state()
    del state["q"]["bull_low"]
    with pytest.raises(CoordinatorError, match="15 states and 4 tactics"):
        TacticSelector(S).restore(state)


def test_memory_is_bounded():
    learner = TacticSelector(S)
    learner.learn(*history(1, 50))
    size = len(json.dumps(learner.state()))
    learner.learn(*history(2, 20_000))
    assert len(json.dumps(learner.state())) < 2 * size
