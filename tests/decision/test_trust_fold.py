"""The trust fold: causal, the same in one pass and day by day, sizes judged beside their own mean."""

import json

import numpy as np
import pytest

from coordinator.decision.table import UNRESOLVED
from coordinator.decision.trust import Trust
from coordinator.decision.trust_fold import MeasuredEffects, TrustFold
from coordinator.settings.trust import TrustSettings

DAY, HOUR = 86400, 3600
# Easily moved, so that a short time shows much.
SETTINGS = TrustSettings(review_days=10, block_days=3, minimum_blocks=3, prior=0.5, certainty=0.55, harm=0.7)


def signals(n=2000, seed=0, mean=0.3):
    """About ten signals a day of three pairs; effects known up to two days later, the last ones not at all."""
    rng = np.random.default_rng(seed)
    time = np.sort(rng.integers(0, n // 10 * 24, n)) * HOUR
    pair = [f"{'ABC'[i]}/USDT" for i in rng.integers(0, 3, n)]
    known = time + rng.integers(1, 48, n) * HOUR
    known[-20:] = UNRESOLVED
    r = rng.normal(mean, 1.0, n)
    r[known == UNRESOLVED] = np.nan
    size = rng.uniform(0.5, 1.5, n) + 0.4 * np.sign(np.nan_to_num(r))
    return time, pair, {"rr": MeasuredEffects(known, r), "size": MeasuredEffects(known, r, size)}


def part(x, rows):
    return MeasuredEffects(x.known_at[rows], x.r[rows], None if x.size is None else x.size[rows])


def test_effects_of_the_future_change_nothing_before():
    time, pair, effects = signals()
    one = TrustFold(SETTINGS, ("rr", "size")).run(time, pair, effects)
    rng, cut = np.random.default_rng(9), 100 * DAY
    scrambled = {}
    for name, x in effects.items():
        r = np.where(x.known_at > cut, rng.normal(-1, 3, len(x.r)), x.r)
        scrambled[name] = MeasuredEffects(x.known_at, r, x.size)
    two = TrustFold(SETTINGS, ("rr", "size")).run(time, pair, scrambled)
    before = time < cut + DAY
    for name in one:
        np.testing.assert_array_equal(one[name][before], two[name][before])
        assert (one[name][~before] != two[name][~before]).any()


@pytest.mark.parametrize("every", [1, 5, 37])
def test_day_by_day_with_restarts_is_one_pass(every):
    """A bot sees the last forty days at each step, outcomes as far as they are known, and is restored now and then."""
    time, pair, effects = signals(1200)
    whole = TrustFold(SETTINGS, ("rr", "size"))
    expected = whole.run(time, pair, effects)
    bot = TrustFold(SETTINGS, ("rr", "size"))
    changes = []
    for i, hour in enumerate(range(0, int(time[-1]) + HOUR, HOUR)):
        if i % (24 * every) == 24 * every - 7:
            state = json.loads(json.dumps(bot.state()))
            changes += bot.changes
            bot = TrustFold(SETTINGS, ("rr", "size"))
            bot.restore(state)
        seen = np.flatnonzero((time <= hour) & (time > hour - 40 * DAY))
        if not (time[seen] == hour).any():
            continue
        shown = {}
        for name, x in effects.items():
            mine = part(x, seen)
            known = np.where(mine.known_at <= hour + HOUR, mine.known_at, UNRESOLVED)
            shown[name] = MeasuredEffects(known, np.where(known == UNRESOLVED, np.nan, mine.r), mine.size)
        found = bot.run(time[seen], [pair[j] for j in seen], shown)
        now = time[seen] == hour
        for name in found:
            np.testing.assert_array_equal(found[name][now], expected[name][seen[now]])
    assert changes + bot.changes == whole.changes
    assert len(whole.changes) > 3


def test_a_size_is_judged_beside_the_mean_of_all_sizes_known_until_then():
    """Of each effect: (its size over that mean - 1) x R, over days, whatever came in one day with it."""
    size, r = np.array([0.5, 1.5, 1.0, 2.0, 1.0]), np.array([1.0, -1.0, 2.0, 1.0, -2.0])
    known = np.array([1, 1, 2, 3, 3]) * DAY
    time = np.arange(5) * DAY
    fold, seen = TrustFold(SETTINGS, ("size",)), []
    learn = fold.trusts["size"].learn
    fold.trusts["size"].learn = lambda now, pair, effect: (
        seen.append((now, effect)) or learn(now, pair, effect)
    )
    fold.run(time, ["A"] * 5, {"size": MeasuredEffects(known, r, size)})
    mean = np.array([0.5, 1.0, 1.0, 1.25, 1.2])  # of the first, of two, of three, ...
    assert [now // DAY for now, effect in seen if len(effect)] == [1, 2, 3]
    np.testing.assert_allclose(np.concatenate([effect for _, effect in seen]), (size / mean - 1) * r)


def test_trading_less_throughout_is_no_merit():
    """Half the size always has no effect, however bad the signals are; half the size on the bad ones has."""
    time, pair, effects = signals(mean=-0.3)
    known, r = effects["rr"].known_at, effects["rr"].r
    fold = TrustFold(SETTINGS, ("size",))
    fold.run(time, pair, {"size": MeasuredEffects(known, r, np.full(len(r), 0.5))})
    found = fold.trusts["size"].effects_.mean()
    assert found.effects > 1000
    assert found.gain == (0.0, 0.0)
    assert not fold.changes
    fold = TrustFold(SETTINGS, ("size",))
    fold.run(time, pair, {"size": MeasuredEffects(known, r, np.where(r > 0, 1.2, 0.5))})
    assert fold.changes[-1][1].after > 0.3


def test_nothing_to_trust_costs_nothing():
    fold = TrustFold(SETTINGS, ())
    assert fold.run(np.arange(5) * DAY, ["A"] * 5, {}) == {}
    assert fold.changes == []


@pytest.mark.parametrize("method", ["learn", "predict"])
def test_a_trust_that_raises_begins_anew_and_the_other_goes_on(monkeypatch, method):
    time, pair, effects = signals(mean=0.5)
    alone = TrustFold(SETTINGS, ("size",)).run(time, pair, {"size": effects["size"]})
    fold, original = TrustFold(SETTINGS, ("rr", "size")), getattr(Trust, method)

    def failing(self, *arguments):
        if self is not fold.trusts["size"]:
            raise ZeroDivisionError("made to fail")
        return original(self, *arguments)

    monkeypatch.setattr(Trust, method, failing)
    ranges = fold.run(time, pair, effects)
    np.testing.assert_array_equal(ranges["size"], alone["size"])
    assert set(ranges["rr"]) == {SETTINGS.start}
    failed = [change for name, change in fold.changes if name == "rr"]
    days = np.unique(time // DAY * DAY)
    assert [change.time for change in failed] == days.tolist()
    assert failed[0].reason == "raised ZeroDivisionError: made to fail; it begins anew"
    assert failed[0].after == SETTINGS.start
