"""Stops through the real engine: planned, real, hard limit, trailing tiers; they move in the trade's favour only."""

import pytest

from tests.scenarios.engine import AT_ONCE, CALM, Case, Fill, Signal, check

pytestmark = pytest.mark.xdist_group("scenarios")
WIDE = {"reward_risk": 4.0}  # a target that no trail meets: 2 % x 4
TRAILED, STILL = "trailing_stop_loss", (106.8, 106.9, 106.7, 106.8)
TRAIL = {**AT_ONCE, "targets": WIDE, "stops": {"trailing_start": 0.01}}


def rise(to):
    """Up at once, so that the candle itself meets no stop."""
    return [CALM, CALM, (to - 0.2, to, to - 0.3, to - 0.2)]


CASES = [
    Case(
        "the stop as planned, within the candle",
        [CALM, CALM, (99.5, 99.6, 97.9, 98.5), CALM],
        [Fill(1, 100, 50), Fill(2, 98, 100, "stop_loss")],
        settings=AT_ONCE,
    ),
    Case(
        "a touch above the stop leaves it",
        [CALM, CALM, (99.5, 99.6, 98.01, 98.5), CALM],
        [Fill(1, 100, 50), Fill(3, 100, 100, "force_exit")],
        settings=AT_ONCE,
    ),
    Case(
        "a gap beyond the stop fills at the open",
        [CALM, CALM, (97.0, 97.2, 96.5, 97.0), CALM],
        [Fill(1, 100, 50), Fill(2, 97, 100, "stop_loss")],
        settings=AT_ONCE,
    ),
    Case(
        "the real stop: 1.5 ATR of .2 % below the support of 99.9 is .4 %, kept at the minimum of .5 %",
        [CALM, CALM, (99.8, 99.9, 99.4, 99.5), CALM],
        [Fill(1, 100, 100), Fill(2, 99.5, 100, "stop_loss")],
        signal=Signal(0.8, None),
        settings={**AT_ONCE, "sizing": {"max_open_risk": 0.06}},
    ),
    Case(
        "the real stop: 4 ATR below support is .1 + .8 = .9 %",
        [CALM, CALM, (99.8, 99.9, 99.0, 99.3), CALM],
        [Fill(1, 100, 100), Fill(2, 99.1, 100, "stop_loss")],
        signal=Signal(0.8, None),
        settings={**AT_ONCE, "stops": {"atr_multiple": 4.0}},
    ),
    Case(
        "the real stop behind a far support: the hard limit of 3 %",
        [(95.0, 100.1, 94.0, 100.0), CALM, (98.0, 98.1, 96.8, 97.2), CALM],
        [Fill(1, 100, 100 / 3), Fill(2, 97, 100, "stop_loss")],
        signal=Signal(0.8, None),
        settings=AT_ONCE,
    ),
    Case(
        "averaging down does not move the stop",
        [CALM, CALM, (99.4, 99.4, 99.3, 99.3), (98.5, 98.5, 97.9, 98.4), CALM],
        [Fill(1, 100, 60 / 1.8), Fill(2, 99.4, 40 / 1.8, "tranche 2 of 2"), Fill(3, 98, 100, "stop_loss")],
    ),
    Case(
        "no trail below 1 % profit",
        [*rise(100.99), (100.7, 100.8, 98.02, 98.5), CALM],
        [Fill(1, 100, 50), Fill(4, 100, 100, "force_exit")],
        settings=TRAIL,
    ),
    Case(
        "best 1.5 %: trails 3 % behind it",
        [*rise(101.5), (101.0, 101.1, 98.4, 98.5), CALM],
        [Fill(1, 100, 50), Fill(3, 101.5 * 0.97, 100, "trailing_stop_loss")],
        [Fill(1, 100, 50), Fill(3, 98.5 * 1.03, 100, "trailing_stop_loss")],
        settings=TRAIL,
    ),
    Case(
        "best 3 %: trails 2.5 % behind it",
        [*rise(103.0), (102.0, 102.1, 100.2, 100.3), CALM],
        [Fill(1, 100, 50), Fill(3, 103 * 0.975, 100, "trailing_stop_loss")],
        [Fill(1, 100, 50), Fill(3, 97 * 1.025, 100, "trailing_stop_loss")],
        settings=TRAIL,
    ),
    Case(
        "best 5 %: trails 2 % behind it",
        [*rise(105.0), (104.0, 104.1, 102.5, 102.6), CALM],
        [Fill(1, 100, 50), Fill(3, 105 * 0.98, 100, "trailing_stop_loss")],
        [Fill(1, 100, 50), Fill(3, 95 * 1.02, 100, "trailing_stop_loss")],
        settings=TRAIL,
    ),
    Case(
        "best 7 %: trails 1.5 % behind it",
        [*rise(107.0), (106.0, 106.1, 105.0, 105.2), CALM],
        [Fill(1, 100, 50), Fill(3, 107 * 0.985, 100, "trailing_stop_loss")],
        [Fill(1, 100, 50), Fill(3, 93 * 1.015, 100, "trailing_stop_loss")],
        settings=TRAIL,
    ),
    Case(
        "a lower high later does not loosen it",
        [*rise(105.0), (104.0, 104.1, 103.15, 103.2), (103.2, 103.3, 102.7, 102.8), CALM],
        [Fill(1, 100, 50), Fill(4, 105 * 0.98, 100, "trailing_stop_loss")],
        [Fill(1, 100, 50), Fill(4, 95 * 1.02, 100, "trailing_stop_loss")],
        settings=TRAIL,
    ),
    Case(
        "trailing by volatility: at 8 % a day 1.25 times as far",
        [*rise(105.0), (104.0, 104.1, 102.0, 102.6), CALM],
        [Fill(1, 100, 50), Fill(3, 105 * 0.975, 100, "trailing_stop_loss")],
        [Fill(1, 100, 50), Fill(3, 95 * 1.025, 100, "trailing_stop_loss")],
        settings={**TRAIL, "exits": {"trailing_by_volatility": True}},
        play={"daily_volatility": 0.08},
    ),
    Case(
        "trailing by momentum: tighter when it has turned over ten candles",
        [*rise(107.0), *[STILL] * 10, (106.8, 107, 105.65, 105.7), (105.7, 107, 105.65, 105.7), CALM],
        # Momentum 105.7 / 106.8 - 1 and 94.3 / 93.2 - 1, of 3 % in full, takes its share of the 1.5 %.
        [
            Fill(1, 100, 50),
            Fill(14, 107 * (1 - 0.015 * (1 - (1 - 105.7 / 106.8) / 0.03)), 100, TRAILED),
        ],
        [Fill(1, 100, 50), Fill(14, 93 * (1 + 0.015 * (1 - (94.3 / 93.2 - 1) / 0.03)), 100, TRAILED)],
        settings={**TRAIL, "exits": {"trailing_by_momentum": True, "target_following": {"weight": 1.0}}},
    ),
    Case(
        "without it that trail is not met",
        [*rise(107.0), *[STILL] * 10, (106.8, 107, 105.65, 105.7), (105.7, 107, 105.65, 105.7)],
        [Fill(1, 100, 50), Fill(14, 105.7, 100, "force_exit")],
        settings=TRAIL,
    ),
    Case(
        "the shipped trailing start of 50 %: no trail at 7 %",
        [*rise(107.0), (106.0, 106.1, 102.0, 102.2), CALM],
        [Fill(1, 100, 50), Fill(4, 100, 100, "force_exit")],
        settings={**TRAIL, "stops": {"trailing_start": 0.5}},
    ),
]


@pytest.mark.parametrize("side", [1, -1], ids=["long", "short"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_stops(engines, case, side):
    trade = check(engines("futures"), case, side)
    assert side * (trade.stop_loss - trade.initial_stop_loss) >= 0


@pytest.mark.parametrize("case", [CASES[0], CASES[5], CASES[6], CASES[10]], ids=lambda case: case.name)
def test_the_same_in_spot(engines, case):
    check(engines("spot"), case, 1)
