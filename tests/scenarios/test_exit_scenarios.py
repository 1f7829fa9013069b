"""Targets and adaptive exits through the real engine, each with its own exit reason."""

import pytest

from tests.scenarios.engine import AT_ONCE, CALM, Case, Fill, Play, Signal, check, fills, level

pytestmark = pytest.mark.xdist_group("scenarios")
LEFT, SECOND = "force_exit", "tranche 2 of 2"


def only(rule, **more):
    """One exit rule on, entered at once, a target that is far."""
    rules = {rule: {"mode": "on", **more}} if rule else {}
    return {**AT_ONCE, "targets": {"reward_risk": 4.0}, "exits": rules}


# Ten calm candles, then up: the momentum of ten candles is what the price has risen.
HELD = [CALM] * 2
REVERSAL = [*HELD, *level(105.0, 11), *level(103.0), *level(103.0), CALM]
CASES = [
    Case(
        "the target: 2.5 x 2 %, costs on top",
        [CALM, CALM, (101.0, 106.0, 100.9, 105.0), CALM],
        [Fill(1, 100, 50), Fill(2, 105 * 1.00165, 100, "target reached")],
        [Fill(1, 100, 50), Fill(2, 95 / 1.00165, 100, "target reached")],
        settings=AT_ONCE,
    ),
    Case(
        "just below the target",
        [CALM, CALM, (101.0, 105.15, 100.9, 105.0), CALM],
        [Fill(1, 100, 50), Fill(3, 100, 100, LEFT)],
        settings=AT_ONCE,
    ),
    Case(
        "the target stays where the first fill put it",
        [CALM, CALM, (99.4, 99.4, 99.3, 99.3), (101.0, 106.0, 100.9, 105.0), CALM],
        [
            Fill(1, 100, 60 / 1.8),
            Fill(2, 99.4, 40 / 1.8, "tranche 2 of 2"),
            Fill(3, 105.17325, 100, "target reached"),
        ],
        [
            Fill(1, 100, 60 / 1.8),
            Fill(2, 100.6, 40 / 1.8, "tranche 2 of 2"),
            Fill(3, 95 / 1.00165, 100, "target reached"),
        ],
    ),
    Case(
        "stop and target in one candle: the stop counts",
        [CALM, CALM, (100.0, 106.0, 97.9, 100.0), CALM],
        [Fill(1, 100, 50), Fill(2, 98, 100, "stop_loss")],
        settings=AT_ONCE,
    ),
    Case(
        "time limit",
        [CALM] * 8,
        [Fill(1, 100, 50), Fill(5, 100, 100, "time limit of 4 candles")],
        settings={**AT_ONCE, "targets": {"horizon": 4}},
    ),
    Case(
        "the baseline turns and the price stands beyond the exit MA",
        [CALM, CALM, *level(99.0, 2), CALM],
        [Fill(1, 100, 50), Fill(3, 99, 100, "baseline turned short")],
        settings=AT_ONCE,
        play={"baseline_rows": {0: 1, 2: -1}},
    ),
    Case(
        "the price breaks the exit channel of ten candles",
        [CALM, CALM, *level(99.0, 2), CALM],
        [Fill(1, 100, 50), Fill(3, 99, 100, "below the low of 10 x 1h")],
        [Fill(1, 100, 50), Fill(3, 101, 100, "above the high of 10 x 1h")],
        settings={**AT_ONCE, "exits": {"channel": True}},
    ),
    Case(
        "within the exit channel it is held",
        [CALM, CALM, *level(99.95, 2), CALM],
        [Fill(1, 100, 50), Fill(4, 100, 100, LEFT)],
        settings={**AT_ONCE, "exits": {"channel": True}},
    ),
    Case(
        "the price falls below the exit MA",
        [CALM, CALM, *level(99.95, 2), CALM],
        [Fill(1, 100, 50), Fill(3, 99.95, 100, "below the exit MA")],
        [Fill(1, 100, 50), Fill(3, 100.05, 100, "above the exit MA")],
        settings={**AT_ONCE, "exits": {"moving_average": True}},
    ),
    Case(
        "the baseline's turn is switched off",
        [CALM, CALM, *level(99.0, 2), CALM],
        [Fill(1, 100, 50), Fill(4, 100, 100, LEFT)],
        settings={**AT_ONCE, "exits": {"baseline_turn": False}},
        play={"baseline_rows": {0: 1, 2: -1}},
    ),
    Case(
        "without a target a winner runs",
        [CALM, CALM, (101.0, 106.0, 100.9, 105.0), *level(130.0, 2), *level(125.0)],
        [Fill(1, 100, 50), Fill(5, 125, 100, LEFT)],
        settings={**AT_ONCE, "targets": {"enabled": False}, "stops": {"trailing_start": None}},
    ),
    Case(
        "momentum reversal: above the first target, 1.9 % down in ten candles",
        REVERSAL,
        [Fill(1, 100, 50), Fill(14, 103, 100, "momentum reversal (85%)")],
        settings=only("momentum_reversal"),
    ),
    Case(
        "momentum turns, but 1.4 % is not 1.5 %",
        [*HELD, *level(105.0, 11), *level(103.6), *level(103.6), CALM],
        [Fill(1, 100, 50), Fill(15, 100, 100, LEFT)],
        settings=only("momentum_reversal"),
    ),
    Case(
        "momentum turns below the first target of 2 %: nothing",
        [*HELD, *level(104.0, 11), *level(101.9), *level(101.9), CALM],
        [Fill(1, 100, 50), Fill(15, 100, 100, LEFT)],
        settings=only("momentum_reversal"),
    ),
    Case(
        "momentum reversal at 8 % volatility: the first target is 2.5 %, 2.4 % are not enough",
        [*HELD, *level(104.5, 11), *level(102.4), *level(102.4), CALM],
        [Fill(1, 100, 50), Fill(15, 100, 100, LEFT)],
        settings=only("momentum_reversal"),
        play={"daily_volatility": 0.08},
    ),
    Case(
        "the same at 3 %: the first target is 2 %",
        [*HELD, *level(104.5, 11), *level(102.4), *level(102.4), CALM],
        [Fill(1, 100, 50), Fill(14, 102.4, 100, "momentum reversal (85%)")],
        settings=only("momentum_reversal"),
    ),
    Case(
        "momentum reversal in shadow mode",
        REVERSAL,
        [Fill(1, 100, 50), Fill(15, 100, 100, LEFT)],
        settings=only("momentum_reversal", mode="shadow"),
    ),
    Case(
        "low volume at profit: .4 of the average",
        [*HELD, *level(103.0, 2), *level(103.0), CALM],
        [Fill(1, 100, 50), Fill(4, 103, 100, "low volume (75%)")],
        settings=only("low_volume"),
        play={"volumes": {3: 0.4}},
    ),
    Case(
        "low volume below the first target: nothing",
        [*HELD, *level(101.9, 2), *level(101.9), CALM],
        [Fill(1, 100, 50), Fill(5, 100, 100, LEFT)],
        settings=only("low_volume"),
        play={"volumes": {3: 0.4}},
    ),
    Case(
        "half the volume is not low",
        [*HELD, *level(103.0, 2), *level(103.0), CALM],
        [Fill(1, 100, 50), Fill(5, 100, 100, LEFT)],
        settings=only("low_volume"),
        play={"volumes": {3: 0.5}},
    ),
    Case(
        "stagnation: nine candles closed and less than 1 % in the last eight",
        [*HELD, *level(100.5, 12)],
        [Fill(1, 100, 50), Fill(10, 100.5, 100, "stagnation (70%)")],
        settings=only("stagnation"),
    ),
    Case(
        "1.2 % in eight candles is not stagnation, until it is",
        [*HELD, *level(100.0, 5), *level(101.2, 12)],
        [Fill(1, 100, 50), Fill(16, 101.2, 100, "stagnation (70%)")],
        settings=only("stagnation"),
    ),
    Case(
        "stagnation by setting: 3 candles",
        [*HELD, *level(100.5, 12)],
        [Fill(1, 100, 50), Fill(5, 100.5, 100, "stagnation (70%)")],
        settings=only("stagnation", candles=3),
    ),
    Case(
        "two rules at once: the surer one is the reason",
        [*HELD, *level(105.0, 11), *level(103.0), *level(103.0), CALM],
        [Fill(1, 100, 50), Fill(14, 103, 100, "momentum reversal (85%)")],
        settings={**only(None), "exits": {"momentum_reversal": {"mode": "on"}, "low_volume": {"mode": "on"}}},
        play={"volumes": {13: 0.1}},
    ),
    Case(
        "scale out a third above 4 %, a third of the rest above 6 %, the runner meets the target",
        [*HELD, *level(104.1), *level(104.1), *level(106.1), (107.0, 109.0, 107.0, 108.0), CALM],
        [
            Fill(1, 100, 50),
            Fill(2, 104.1, 33, "scale out 1 of 2"),
            Fill(4, 106.1, 0.67 * 33, "scale out 2 of 2"),
            Fill(5, 108 * 1.00165, 67 * 0.67, "target reached"),
        ],
        [
            Fill(1, 100, 50),
            Fill(2, 95.9, 33, "scale out 1 of 2"),
            Fill(4, 93.9, 0.67 * 33, "scale out 2 of 2"),
            Fill(5, 92 / 1.00165, 67 * 0.67, "target reached"),
        ],
        settings=only("scale_out"),
    ),
    Case(
        "half is the most that is taken out",
        [*HELD, *level(104.1), *level(104.1), CALM],
        [Fill(1, 100, 50), Fill(2, 104.1, 50, "scale out 1 of 2"), Fill(4, 100, 50, LEFT)],
        settings=only("scale_out", share=0.5),
    ),
    Case(
        "4 % exactly takes nothing out",
        [*HELD, *level(104.0), *level(104.0), CALM],
        [Fill(1, 100, 50), Fill(4, 100, 100, LEFT)],
        settings=only("scale_out"),
    ),
    Case(
        "what was reduced is not added to",
        [*HELD, *level(104.1), *level(99.4), *level(98.9), CALM],
        [Fill(1, 100, 60 / 1.8), Fill(2, 104.1, 33, "scale out 1 of 2"), Fill(5, 100, 67, LEFT)],
        settings={"targets": {"reward_risk": 4.0}, "exits": {"scale_out": {"mode": "on"}}},
    ),
    Case(
        "scale out in shadow mode",
        [*HELD, *level(104.1), *level(104.1), CALM],
        [Fill(1, 100, 50), Fill(4, 100, 100, LEFT)],
        settings=only("scale_out", mode="shadow"),
    ),
]


@pytest.mark.parametrize("side", [1, -1], ids=["long", "short"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_exits(engines, case, side):
    check(engines("futures"), case, side)


@pytest.mark.parametrize(
    "case", [CASES[0], CASES[5], CASES[6], CASES[15], CASES[19]], ids=lambda case: case.name
)
def test_the_same_in_spot(engines, case):
    check(engines("spot"), case, 1)


@pytest.mark.parametrize("side", [1, -1], ids=["long", "short"])
def test_targets_follow_momentum(engines, side):
    """Two percent up in ten candles: the target moves out, so that the candle that met the fixed one does not."""
    rows = [*HELD, *level(102.0, 2), (102.0, 105.3, 101.9, 102.0), *level(102.0), CALM]
    play = Play(rows, {0: Signal()}, side)
    (fixed,) = engines("futures").run({"BTC": play}, AT_ONCE)
    assert fills(fixed)[-1].words == "target reached"
    following = {**AT_ONCE, "exits": {"target_following": {"mode": "on"}}}
    (followed,) = engines("futures").run({"BTC": play}, following)
    assert fills(followed)[-1].words == LEFT


@pytest.mark.parametrize("side", [1, -1], ids=["long", "short"])
def test_targets_come_nearer_when_momentum_turns(engines, side):
    rows = [*HELD, *level(99.0, 12), (99.0, 104.9, 98.9, 102.0), CALM]
    play = Play(rows, {0: Signal()}, side)
    (fixed,) = engines("futures").run({"BTC": play}, AT_ONCE)
    assert fills(fixed)[-1].words == LEFT
    following = {**AT_ONCE, "exits": {"target_following": {"mode": "on"}}}
    (followed,) = engines("futures").run({"BTC": play}, following)
    assert fills(followed)[-1].words == "target reached"
    assert side * (fills(followed)[-1].price - 100.0) < 4.9


@pytest.mark.parametrize("side", [1, -1], ids=["long", "short"])
@pytest.mark.parametrize(("wallet", "parts"), [(200.0, [33, 67]), (28.0, [100])])
def test_scale_outs_leave_no_dust(engines, monkeypatch, side, wallet, parts):
    """Half of 28 USDT is the position: a third of it would be below the exchange's minimum of 5 USDT."""
    engine = engines("futures")
    monkeypatch.setitem(engine.backtesting.wallets._start_cap, "USDT", wallet)
    rows = [*HELD, *level(104.5), *level(104.5), CALM]
    (trade,) = engine.run({"BTC": Play(rows, {0: Signal()}, side)}, only("scale_out"))
    assert [fill.part for fill in fills(trade)[1:]] == pytest.approx(parts, abs=1)
