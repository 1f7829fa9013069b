"""DCA plans and sizes through the real engine: tranches by confidence, spacing, cancellation, risk, limits."""

import pytest

from tests.scenarios.engine import CALM, Case, Fill, Play, Signal, check

pytestmark = pytest.mark.xdist_group("scenarios")


def down(to, step=0.5):
    """Candles that open step by step lower, from 100."""
    levels = [100.0 - step * i for i in range(round((100 - to) / step) + 1)]
    return [(x, x + 0.05, x - 0.05, x) for x in levels]


FLAT_END = [(98.0, 98.1, 97.9, 98.0)] * 3
# Stop 2 %, risk 1 %. Two tranches: 1 / (2 - .4 x .5) = 55.56 % of the balance; three: 1 / (2 - .35 x .5 - .25 x 1) =
# 63.49 %; four: 1 / (2 - .27 x .5 - .23 x 1 - .2 x 1.5) = 74.91 %.
TWO, THREE, FOUR = 100 / 1.8, 100 / 1.575, 100 / 1.335
BY_VOLATILITY = {
    "improvements": {"volatility_sizing": {"mode": "on", "use_atr_scaling": False, "range": 1.0}},
    "dca": {"enabled": False},
}
STOPPED = "stop_loss"
LEFT = "force_exit"
CASES = [
    Case(
        "75 % confidence: two tranches",
        [CALM, CALM, *down(98.5)[1:], (98.4, 98.4, 97.5, 97.5), CALM],
        [Fill(1, 100, 0.6 * TWO), Fill(2, 99.5, 0.4 * TWO, "tranche 2 of 2"), Fill(5, 98, 100, STOPPED)],
        signal=Signal(0.75),
    ),
    Case(
        "74 % confidence: three tranches",
        [CALM, CALM, *down(98.5)[1:], (98.4, 98.4, 97.5, 97.5), CALM],
        [
            Fill(1, 100, 0.4 * THREE),
            Fill(2, 99.5, 0.35 * THREE, "tranche 2 of 3"),
            Fill(3, 99, 0.25 * THREE, "tranche 3 of 3"),
            Fill(5, 98, 100, STOPPED),
        ],
        signal=Signal(0.74),
    ),
    Case(
        "64 % confidence: four tranches, the documented half percent apart",
        [CALM, CALM, *down(98.5)[1:], (98.4, 98.4, 97.5, 97.5), CALM],
        [
            Fill(1, 100, 0.3 * FOUR),
            Fill(2, 99.5, 0.27 * FOUR, "tranche 2 of 4"),
            Fill(3, 99, 0.23 * FOUR, "tranche 3 of 4"),
            Fill(4, 98.5, 0.2 * FOUR, "tranche 4 of 4"),
            Fill(5, 98, 100, STOPPED),
        ],
        signal=Signal(0.64),
    ),
    Case(
        "a price just above the offset enters nothing",
        [CALM, CALM, (99.51, 99.6, 99.4, 99.5), (99.51, 99.6, 99.4, 99.5), CALM],
        [Fill(1, 100, 0.6 * TWO), Fill(4, 100, 100, LEFT)],
    ),
    Case(
        "DCA switched off: all at once",
        [CALM, CALM, *down(98.5)[1:], (98.4, 98.4, 97.5, 97.5), CALM],
        [Fill(1, 100, 50), Fill(5, 98, 100, STOPPED)],
        settings={"dca": {"enabled": False}},
    ),
    Case(
        "own sizes and spacing",
        [CALM, CALM, (99.2, 99.2, 99.1, 99.1), (99.0, 99.0, 99.0, 99.0), CALM],
        [Fill(1, 100, 50 / 1.5), Fill(3, 99, 50 / 1.5, "tranche 2 of 2"), Fill(4, 100, 100, LEFT)],
        # 1 / (2 - .5 x 1) = 66.67 %, half each
        settings={"dca": {"sizes_2": [0.5, 0.5], "spacing": 0.01}},
    ),
    Case(
        "spacing of one ATR: .2 % on calm candles",
        [CALM, CALM, (99.79, 99.8, 99.7, 99.79), (99.79, 99.8, 99.7, 99.79), CALM],
        [Fill(1, 100, 60 / 1.92), Fill(2, 99.79, 40 / 1.92, "tranche 2 of 2"), Fill(4, 100, 100, LEFT)],
        settings={"dca": {"spacing_mode": "atr", "atr_spacing": 1.0}},
    ),
    Case(
        "tranches beyond the stop join the one before: stop .8 %, two of four",
        [CALM, CALM, (99.5, 99.5, 99.4, 99.4), (99.3, 99.3, 99.2, 99.25), (99.2, 99.2, 99, 99), CALM],
        [Fill(1, 100, 30), Fill(2, 99.5, 70, "tranche 2 of 2"), Fill(3, 99.2, 100, STOPPED)],
        # 1 / (.8 - .7 x .5) = 222 %, all there is
        signal=Signal(0.6, 0.008),
    ),
    Case(
        "expired: after 3 candles nothing is added",
        [CALM, CALM, CALM, CALM, (99.4, 99.4, 99.3, 99.3), CALM, CALM],
        [Fill(1, 100, 0.6 * TWO), Fill(6, 100, 100, LEFT)],
        settings={"dca": {"expiry": 3}},
    ),
    Case(
        "not yet expired",
        [CALM, CALM, CALM, (99.4, 99.4, 99.3, 99.3), CALM, CALM],
        [Fill(1, 100, 0.6 * TWO), Fill(3, 99.4, 0.4 * TWO, "tranche 2 of 2"), Fill(5, 100, 100, LEFT)],
        settings={"dca": {"expiry": 3}},
    ),
    Case(
        "the baseline turned, the price above the exit MA: held, but nothing is added",
        [CALM, CALM, (100.5, 100.6, 100.4, 100.5), (99.4, 99.5, 99.3, 99.4), CALM, CALM],
        [Fill(1, 100, 0.6 * TWO), Fill(5, 100, 100, LEFT)],
        play={"baseline_rows": {0: 1, 2: -1}},
    ),
    Case(
        "the same with cancel_on_reversal off",
        [CALM, CALM, (100.5, 100.6, 100.4, 100.5), (99.4, 99.5, 99.3, 99.4), CALM, CALM],
        [Fill(1, 100, 0.6 * TWO), Fill(3, 99.4, 0.4 * TWO, "tranche 2 of 2"), Fill(5, 100, 100, LEFT)],
        settings={"dca": {"cancel_on_reversal": False}},
        play={"baseline_rows": {0: 1, 2: -1}},
    ),
    Case(
        "risk .5 % at a stop of 3 %: a sixth of the balance",
        [CALM, CALM, (98, 98, 96.5, 96.5), CALM],
        [Fill(1, 100, 50 / 3), Fill(2, 97, 100, STOPPED)],
        signal=Signal(0.8, 0.03),
        settings={"sizing": {"risk_per_trade": 0.005}, "dca": {"enabled": False}},
    ),
    Case(
        "risk 1.5 %",
        [CALM, CALM, (98, 98, 96.5, 96.5), CALM],
        [Fill(1, 100, 50), Fill(2, 97, 100, STOPPED)],
        signal=Signal(0.8, 0.03),
        settings={"sizing": {"risk_per_trade": 0.015}, "dca": {"enabled": False}},
    ),
    Case(
        "low volatility: 20 % more",
        [CALM, CALM, CALM, CALM],
        [Fill(1, 100, 60), Fill(3, 100, 100, LEFT)],
        settings=BY_VOLATILITY,
        play={"daily_volatility": 0.02},
    ),
    Case(
        "extreme volatility: half",
        [CALM, CALM, CALM, CALM],
        [Fill(1, 100, 25), Fill(3, 100, 100, LEFT)],
        settings=BY_VOLATILITY,
        play={"daily_volatility": 0.12},
    ),
    Case(
        "extreme volatility in shadow mode: the whole size",
        [CALM, CALM, CALM, CALM],
        [Fill(1, 100, 50), Fill(3, 100, 100, LEFT)],
        settings={"improvements": {"volatility_sizing": {"mode": "shadow"}}, "dca": {"enabled": False}},
        play={"daily_volatility": 0.12},
    ),
]


@pytest.mark.parametrize("side", [1, -1], ids=["long", "short"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_entries(engines, case, side):
    check(engines("futures"), case, side)


@pytest.mark.parametrize(("wallet", "stakes"), [(40.0, [13.33, 8.89]), (13.0, [6.5]), (8.0, [])])
def test_the_exchanges_minimum(engines, monkeypatch, wallet, stakes):
    """A plan is 55.56 % of the wallet and the minimum 5 USDT: by tranches, half
    of the wallet at once (the same risk), or not at all."""
    engine = engines("spot")
    monkeypatch.setitem(engine.backtesting.wallets._start_cap, "USDT", wallet)
    trades = engine.run({"BTC": Play([CALM, CALM, *down(98.5)[1:], CALM], {0: Signal()}, 1)}, {})
    entries = [order for trade in trades for order in trade.orders if order.ft_order_side == "buy"]
    assert [order.stake_amount_filled for order in entries] == pytest.approx(stakes, abs=0.4)


@pytest.mark.parametrize("case", [CASES[0], CASES[2], CASES[6], CASES[8]], ids=lambda case: case.name)
def test_the_same_in_spot(engines, case):
    check(engines("spot"), case, 1)


@pytest.mark.parametrize("side", [1, -1], ids=["long", "short"])
def test_leverage_changes_the_stake_not_the_risk(engines, side):
    """At 4 x a quarter of the stake; every tranche too."""
    case = Case(
        "leverage",
        [CALM, CALM, *down(98.5)[1:], (98.4, 98.4, 97.5, 97.5), CALM],
        [Fill(1, 100, 0.15 * TWO), Fill(2, 99.5, 0.1 * TWO, "tranche 2 of 2"), Fill(5, 98, 100, STOPPED)],
        settings={"sizing": {"leverage": 4.0}},
    )
    trade = check(engines("futures"), case, side)
    assert trade.leverage == 4.0
    assert trade.close_profit_abs == pytest.approx(-100, rel=2e-3)
