"""Virtual trades as tables: candle rows and the expected exit and R."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordinator.decision.outcomes import EXITS, resolve_outcomes
from coordinator.settings.trade import CostSettings
from coordinator.signals.candles import Candles

FREE = CostSettings(fee=0.0, slippage=0.0)
STOP, TARGET, HORIZON = 0.02, 0.05, 4


def table(rows):
    """Candles from (open, high, low, close); the first row is the signal's candle."""
    o, h, low, c = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    return Candles(np.arange(len(o), dtype=np.int64) * 3600, o, h, low, c, np.ones(len(o)), 3600)


def resolve(rows, direction, costs=FREE, horizon=HORIZON):
    out = resolve_outcomes(
        table(rows),
        np.array([0]),
        np.array([direction]),
        np.array([STOP]),
        np.array([TARGET]),
        horizon,
        costs,
    )
    return EXITS[out.exit[0]], out.r[0], out.resolved[0]


SIGNAL = (100, 100, 100, 100)
FLAT = (100, 100.5, 99.5, 100)


@pytest.mark.parametrize(
    ("rows", "direction", "expected"),
    [
        ([FLAT, (100, 106, 99, 105)], 1, ("target", 2.5, 2)),
        ([FLAT, (100, 101, 97, 98)], 1, ("stop", -1.0, 2)),
        ([(100, 106, 97, 100)], 1, ("stop", -1.0, 1)),  # both in one candle: the stop decides
        ([(100, 105, 99, 100)], 1, ("target", 2.5, 1)),  # touched exactly
        ([(100, 100, 98, 100)], 1, ("stop", -1.0, 1)),
        ([FLAT, (96, 97, 95, 96)], 1, ("stop", -2.0, 2)),  # a gap fills at the open
        ([FLAT, (107, 108, 106, 107)], 1, ("target", 2.5, 2)),  # a gap in favour fills at the target
        ([FLAT, FLAT, FLAT, (100, 101, 99.5, 101)], 1, ("horizon", 0.5, 4)),
        ([FLAT, FLAT, FLAT], 1, ("", np.nan, -1)),  # the future is not there yet
        ([FLAT, FLAT, (100, 106, 99, 105)], 1, ("target", 2.5, 3)),  # decided before the data ends
        ([FLAT, (100, 101, 94, 95)], -1, ("target", 2.5, 2)),
        ([FLAT, (100, 102, 99, 101)], -1, ("stop", -1.0, 2)),
        ([(100, 103, 94, 100)], -1, ("stop", -1.0, 1)),
        ([FLAT, (104, 105, 103, 104)], -1, ("stop", -2.0, 2)),
        ([FLAT, FLAT, FLAT, (100, 101, 98.5, 99)], -1, ("horizon", 0.5, 4)),
        ([], 1, ("", np.nan, -1)),
    ],
)
def test_scenarios(rows, direction, expected):
    kind, r, resolved = resolve([SIGNAL, *rows], direction)
    assert (kind, resolved) == (expected[0], expected[2])
    assert r == pytest.approx(expected[1], nan_ok=True)


def test_entry_is_the_next_open_not_the_signals_close():
    kind, r, _ = resolve([(90, 90, 90, 90), (100, 105, 99, 104)], 1)
    assert (kind, r) == ("target", pytest.approx(2.5))


def test_costs_are_paid_on_both_sides():
    costs = CostSettings(fee=0.001, slippage=0.0005)
    _, r, _ = resolve([SIGNAL, (100, 101, 97, 98)], 1, costs)
    assert r == pytest.approx((-0.02 - 0.0015 * (1 + 0.98)) / 0.02)
    _, r, _ = resolve([SIGNAL, (100, 106, 99, 105)], 1, costs)
    assert r == pytest.approx((0.05 - 0.0015 * (1 + 1.05)) / 0.02)
    _, r, _ = resolve([SIGNAL, (100, 101, 94, 95)], -1, costs)
    assert r == pytest.approx((0.05 - 0.0015 * (1 + 0.95)) / 0.02)


@given(seed=st.integers(0, 10_000), cut=st.integers(20, 300))
def test_an_outcome_never_changes_once_it_is_known(seed, cut):
    rng = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(rng.normal(0, 0.01, 300)))
    opened = np.concatenate(([100.0], close[:-1]))
    span = np.abs(rng.normal(0, 0.004, 300))
    c = Candles(
        np.arange(300, dtype=np.int64),
        opened,
        np.maximum(opened, close) * (1 + span),
        np.minimum(opened, close) * (1 - span),
        close,
        close,
        1,
    )
    index = np.flatnonzero(rng.random(300) < 0.2)
    d = rng.choice([-1, 1], len(index))
    stop, target = np.full(len(index), 0.02), np.full(len(index), 0.05)
    whole = resolve_outcomes(c, index, d, stop, target, 48, FREE)
    keep = index < cut
    part = Candles(*(x[:cut] for x in (c.time, c.open, c.high, c.low, c.close, c.volume)), 1)
    early = resolve_outcomes(part, index[keep], d[keep], stop[keep], target[keep], 48, FREE)
    known = whole.resolved[keep] < cut
    known &= whole.resolved[keep] >= 0
    np.testing.assert_array_equal(early.r[known], whole.r[keep][known])
    np.testing.assert_array_equal(early.resolved[~known], -1)
    assert (whole.resolved[whole.resolved >= 0] > index[whole.resolved >= 0]).all()
