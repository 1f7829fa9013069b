"""Slots divided by a policy: what it sees is known, what it leaves pays, and its file is itself."""

import random
import warnings
from dataclasses import replace

import gymnasium.utils.env_checker
import numpy as np
import pytest
import stable_baselines3.common.env_checker
import torch

from coordinator.errors import CoordinatorError
from coordinator.learning.artefact import decode, encode
from coordinator.learning.slots.env import LEAVE, TAKE, SlotsEnv
from coordinator.learning.slots.policy import SlotsPolicy
from coordinator.learning.slots.walk import MarketSignals, Places, r_per_slot_day, taken_by
from coordinator.portfolio.slot_terms import take_probability
from coordinator.settings.networks import SlotsPolicySettings
from coordinator.signals.feature_schema import FeatureSchema

HOUR, DAY = 3600, 86400
TIME_LIMIT = 10 * DAY
S = SlotsPolicySettings(timesteps=512, rollout=256, batch_size=64, episode=50)
SCHEMA = FeatureSchema(("promise", "noise"), 1)


def signals(rows, seen=None):
    """From rows of (hour, pair, r, hour until)."""
    hour, pair, r, until = (np.array(column) for column in zip(*rows, strict=True))
    seen = np.zeros((len(rows), 2)) if seen is None else seen
    return MarketSignals(hour * HOUR, pair, seen.astype(np.float32), r.astype(float), until * HOUR)


def greedy_is_wrong(seed, cycles=300):
    """One place. A signal of +.1 R that lasts a day, and an hour later one of another pair of +2 R, in each cycle."""
    rng = np.random.default_rng(seed)
    begin = 30 * np.arange(cycles)
    hour = np.column_stack((begin, begin + 1)).ravel()
    r = np.tile([0.1, 2.0], cycles) + rng.normal(0, 0.3, 2 * cycles)
    seen = np.column_stack((np.tile([-1.0, 1.0], cycles), rng.normal(size=2 * cycles)))
    rows = zip(hour, np.tile([0, 1], cycles), r, hour + np.tile([24, 12], cycles), strict=True)
    return signals(list(rows), seen)


def earned(market, terms):
    taken = taken_by(market, terms, Places(1, TIME_LIMIT))
    return r_per_slot_day(market, taken, 1, int(market.time[0]), int(market.time[-1]))


def test_both_environment_checkers_pass():
    market = greedy_is_wrong(0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        stable_baselines3.common.env_checker.check_env(SlotsEnv(market, 1, TIME_LIMIT, S))
        warnings.filterwarnings("ignore", message=".*not having a spec.*|.*spec.*")
        gymnasium.utils.env_checker.check_env(SlotsEnv(market, 1, TIME_LIMIT, S), skip_render_check=True)


def test_an_episode_by_hand():
    """Two places, three pairs; a place is free at the first candle after the one that settled its trade."""
    market = signals(
        [(0, 0, 1.0, 5), (1, 0, 9.0, 2), (2, 1, -0.5, 3), (3, 2, 9.0, 4), (4, 2, 99.0, 6), (6, 0, 2.0, 7)]
    )
    env = SlotsEnv(market, 2, 10 * HOUR, S)
    seen, _ = env.reset(seed=1, options={"start": 0})
    assert seen[-2:].tolist() == [0.0, 0.0]
    seen, reward, *_ = env.step(np.int64(TAKE))
    # Hour 1 is not asked about: its pair is held. At hour 2 one of two places has been held for 2 of 10 hours.
    assert reward == 1.0
    np.testing.assert_allclose(seen[-2:], [0.5, 0.2], rtol=1e-6)
    seen, reward, over, _, _ = env.step(np.int64(TAKE))
    # Hour 3 is not asked about: the outcome of pair 1 is known at its close only. At hour 4 pair 0 is held.
    assert (reward, over) == (-0.5, False)
    np.testing.assert_allclose(seen[-2:], [0.5, 0.4], rtol=1e-6)
    seen, reward, *_ = env.step(np.int64(TAKE))
    assert reward == 10.0  # within the highest
    _, reward, over, cut, _ = env.step(np.int64(LEAVE))
    assert (reward, over, cut) == (0.0, True, False)


def test_who_gets_the_places_of_a_candle():
    """The likeliest first; none below .5, none for a pair that is held; without a policy the first that come."""
    market = signals([(0, p, 1.0, 5) for p in range(4)] + [(2, 3, 1.0, 9), (2, 4, 1.0, 9), (6, 4, 1.0, 9)])
    terms = np.zeros((7, 3))
    terms[:, 0] = [1, -1, 3, 2, 5, 5, 5]
    assert taken_by(market, terms, Places(2, DAY)).tolist() == [0, 0, 1, 1, 0, 0, 1]
    assert taken_by(market, terms, Places(3, DAY)).tolist() == [1, 0, 1, 1, 0, 0, 1]
    assert taken_by(market, None, Places(2, DAY)).tolist() == [1, 1, 0, 0, 0, 0, 1]
    terms[:, 1] = -100  # whatever is in use forbids another
    assert taken_by(market, terms, Places(5, DAY)).tolist() == [1, 0, 1, 1, 0, 0, 1]


@pytest.fixture(scope="module", params=[0, 1, 2])
def policy(request):
    settings = SlotsPolicySettings(
        timesteps=3072, rollout=512, batch_size=128, episode=100, learning_rate=5e-3, seed=request.param
    )
    return SlotsPolicy(settings).fit(greedy_is_wrong(request.param), SCHEMA, 1, TIME_LIMIT)


@pytest.mark.xdist_group("slots_policy")
def test_it_learns_to_leave_what_blocks_a_better_one(policy):
    market = greedy_is_wrong(100)
    greedy, learned = earned(market, None), earned(market, policy.predict(market.seen))
    assert greedy == pytest.approx(0.1 / 1.25, abs=0.05)  # a cycle is 30 hours
    assert learned > 0.9 * 2.0 / 1.25
    blocks, pays = take_probability(policy.predict(market.seen), (0.0, 0.0)).reshape(-1, 2).T
    assert blocks.max() < 0.5 < pays.min()


@pytest.mark.xdist_group("slots_policy")
def test_what_comes_later_changes_no_decision(policy):
    """Outcomes and signals after a candle dealt anew: what was taken up to it stays."""
    market, rng = greedy_is_wrong(7), np.random.default_rng(1)
    cut = 301
    later = np.arange(len(market)) >= cut
    changed = replace(
        market,
        r=np.where(later, rng.normal(size=len(market)), market.r),
        seen=np.where(later[:, None], rng.normal(size=market.seen.shape), market.seen).astype(np.float32),
        until=np.where(
            market.until >= market.time[cut], market.until + rng.integers(0, 99) * HOUR, market.until
        ),
    )
    before, after = (
        taken_by(one, policy.predict(one.seen), Places(1, TIME_LIMIT)) for one in (market, changed)
    )
    assert before[:cut].tolist() == after[:cut].tolist() and before[:cut].any()
    assert before[cut:].tolist() != after[cut:].tolist()


@pytest.mark.xdist_group("slots_policy")
def test_it_reads_back_and_one_signal_is_the_whole_table(policy):
    seen = greedy_is_wrong(3).seen
    again, whole = SlotsPolicy.from_artefact(decode(encode(policy.to_artefact()))), policy.predict(seen)
    np.testing.assert_array_equal(again.predict(seen), whole)
    np.testing.assert_allclose(policy.predict(seen[7:8])[0], whole[7], atol=1e-12)
    artefact = policy.to_artefact()
    with pytest.raises(CoordinatorError, match="be slots"):
        SlotsPolicy.from_artefact(
            type(artefact)("selector", artefact.schema, artefact.tensors, artefact.about)
        )


def test_two_trainings_are_one_and_leave_the_generators_alone():
    state = random.getstate(), np.random.get_state()[1].copy(), torch.random.get_rng_state()  # noqa: NPY002
    one, two = (
        encode(SlotsPolicy(S).fit(greedy_is_wrong(0), SCHEMA, 1, TIME_LIMIT).to_artefact()) for _ in range(2)
    )
    assert one == two
    assert random.getstate() == state[0]
    np.testing.assert_array_equal(np.random.get_state()[1], state[1])  # noqa: NPY002
    assert torch.equal(torch.random.get_rng_state(), state[2])


def test_what_cannot_be_trained_on_is_named():
    market = greedy_is_wrong(0, 5)
    none = market.rows(np.zeros(len(market), dtype=bool))
    cases = [
        (none, "hold a resolved signal"),
        (replace(market, r=market.r * np.nan), "known for every"),
        (replace(market, time=market.time[::-1]), "ascend"),
    ]
    for wrong, rule in cases:
        with pytest.raises(CoordinatorError, match=rule):
            SlotsEnv(wrong, 1, TIME_LIMIT, S)
    with pytest.raises(CoordinatorError, match="name 2 numbers"):
        SlotsPolicy(S).fit(market, FeatureSchema(("a",), 1), 1, TIME_LIMIT)
