"""Several pairs at once through the real engine: which entries get the slots, and which limits refuse."""

import numpy as np
import pytest

from tests.scenarios.engine import AT_ONCE, CALM, HISTORY, Play, Signal

pytestmark = pytest.mark.xdist_group("scenarios")


class Moving(Play):
    """History that moves, so that correlations are known: all of one market, of one's ``own``, or ``against`` it."""

    own, against = 0, False

    def frame(self):
        frame = super().frame()
        path = np.cumsum(np.random.default_rng(self.own).choice([-0.05, 0.05], HISTORY))
        moves = np.concatenate((path - path[-1], np.zeros(len(frame) - HISTORY)))
        prices = ["open", "high", "low", "close"]
        return frame.assign(
            **{name: frame[name] * (1 + (-moves if self.against else moves) / 100) for name in prices}
        )


def play(confidence, side=1, own=0, rows=5, signal_row=0):
    made = Moving([CALM] * rows, {signal_row: Signal(confidence, 0.02)}, side)
    made.own = own
    return made


def opened(engine, plays, settings, slots):
    trades = engine.run(plays, {**AT_ONCE, **settings}, max_open_trades=slots)
    return [(trade.pair.split("/")[0], -1 if trade.is_short else 1) for trade in trades]


@pytest.mark.parametrize("side", [1, -1], ids=["long", "short"])
@pytest.mark.parametrize(
    ("confidences", "slots", "winners"),
    [
        ({"BTC": 0.6, "ETH": 0.7, "SOL": 0.9, "LTC": 0.8}, 2, {"SOL", "LTC"}),
        ({"BTC": 0.6, "ETH": 0.7, "SOL": 0.9, "LTC": 0.8}, 3, {"SOL", "LTC", "ETH"}),
        ({"BTC": 0.9, "ETH": 0.7, "SOL": 0.6, "LTC": 0.8}, 1, {"BTC"}),
        ({"BTC": 0.7, "ETH": 0.7, "SOL": 0.7, "LTC": 0.7}, 2, {"BTC", "ETH"}),  # ties by name
        ({"BTC": 0.6, "ETH": 0.7}, 4, {"BTC", "ETH"}),  # room for all
    ],
)
def test_the_best_win_the_slots(engines, side, confidences, slots, winners):
    plays = {coin: play(value, side) for coin, value in confidences.items()}
    assert set(opened(engines("futures"), plays, {}, slots)) == {(coin, side) for coin in winners}


@pytest.mark.parametrize("order", [("BTC", "ETH", "SOL", "LTC"), ("LTC", "SOL", "ETH", "BTC")])
def test_the_pair_lists_order_decides_nothing(engines, order):
    confidences = {"BTC": 0.6, "ETH": 0.7, "SOL": 0.9, "LTC": 0.8}
    plays = {coin: play(confidences[coin]) for coin in order}
    assert {coin for coin, _ in opened(engines("spot"), plays, {}, 2)} == {"SOL", "LTC"}


@pytest.mark.parametrize("mode", ["off", "shadow"])
def test_without_ranking_the_first_in_the_list_win(engines, mode):
    plays = {coin: play(value) for coin, value in {"BTC": 0.6, "ETH": 0.7, "SOL": 0.9, "LTC": 0.8}.items()}
    settings = {"entries": {"ranking": mode}}
    assert [coin for coin, _ in opened(engines("spot"), plays, settings, 2)] == ["BTC", "ETH"]


@pytest.mark.parametrize("ranking", ["on", "off"])
def test_no_more_positions_than_the_settings_allow(engines, ranking):
    """``portfolio.max_positions`` below Freqtrade's slots, whether or not entries are ranked."""
    plays = {coin: play(value) for coin, value in {"BTC": 0.6, "ETH": 0.7, "SOL": 0.9, "LTC": 0.8}.items()}
    settings = {"portfolio": {"max_positions": 2}, "entries": {"ranking": ranking}}
    winners = {"on": {"SOL", "LTC"}, "off": {"BTC", "ETH"}}[ranking]
    assert {coin for coin, _ in opened(engines("spot"), plays, settings, 4)} == winners


def test_a_held_pair_does_not_count_as_a_candidate(engines):
    """BTC is held from the row before; its new signal takes no slot from the others."""
    plays = {coin: play(value, signal_row=1) for coin, value in {"ETH": 0.6, "SOL": 0.7}.items()}
    both = Moving([CALM] * 5, {0: Signal(0.9, 0.02), 1: Signal(0.9, 0.02)}, 1)
    assert [coin for coin, _ in opened(engines("spot"), {"BTC": both, **plays}, {}, 2)] == ["BTC", "SOL"]


@pytest.mark.parametrize("side", [1, -1], ids=["long", "short"])
def test_two_correlated_positions_at_most(engines, side):
    limits = {"improvements": {"correlation_filter": {"mode": "on", "use_sectors": False}}}
    plays = {
        coin: play(value, side) for coin, value in {"BTC": 0.6, "ETH": 0.7, "SOL": 0.9, "LTC": 0.8}.items()
    }
    assert set(opened(engines("futures"), plays, limits, 4)) == {("SOL", side), ("LTC", side)}


def test_limits_apply_in_the_rankings_order(engines):
    """BTC, the worst, is of another market: it gets the third slot that correlation denies ETH."""
    limits = {"improvements": {"correlation_filter": {"mode": "on", "use_sectors": False}}}
    values = {"BTC": 0.6, "ETH": 0.7, "SOL": 0.9, "LTC": 0.8}
    plays = {coin: play(value, own=int(coin == "BTC")) for coin, value in values.items()}
    found = {coin for coin, _ in opened(engines("spot"), plays, limits, 3)}
    assert found == {"SOL", "LTC", "BTC"}


@pytest.mark.parametrize(("against", "entered"), [(False, True), (True, False)])
def test_the_sign_of_a_short_counts(engines, against, entered):
    """A short in the longs' market balances them; of a market that moves against it, it is a third like them."""
    limits = {"improvements": {"correlation_filter": {"mode": "on", "use_sectors": False}}}
    plays = {coin: play(0.9) for coin in ("SOL", "LTC")}
    short = play(0.8, side=-1)
    short.against = against
    found = set(opened(engines("futures"), {**plays, "ETH": short}, limits, 4))
    assert found == {("SOL", 1), ("LTC", 1)} | ({("ETH", -1)} if entered else set())


@pytest.mark.parametrize("side", [1, -1], ids=["long", "short"])
def test_three_a_sector_at_most(engines, side):
    """Four coins of one sector: BTC, the last of them, stays out."""
    sectors = {"all": ["BTC", "ETH", "SOL", "LTC"]}
    filter_ = {"mode": "on", "threshold": 1.0, "sectors": sectors, "max_per_sector": 3}
    values = {"BTC": 0.6, "ETH": 0.7, "SOL": 0.9, "LTC": 0.8}
    plays = {coin: play(value, side) for coin, value in values.items()}
    found = opened(engines("futures"), plays, {"improvements": {"correlation_filter": filter_}}, 4)
    assert {coin for coin, _ in found} == {"ETH", "SOL", "LTC"}


def test_open_plans_share_one_risk_budget(engines):
    """A third of the balance each risks .67 %: 1.5 % together leave .17 % for the third."""
    settings = {"sizing": {"max_open_risk": 0.015}}
    plays = {coin: play(value) for coin, value in {"BTC": 0.9, "ETH": 0.8, "SOL": 0.7}.items()}
    trades = engines("futures").run(plays, {**AT_ONCE, **settings}, max_open_trades=3)
    risks = [trade.stake_amount * 0.02 / 10_000 for trade in trades]
    assert risks == pytest.approx([0.00667, 0.00667, 0.00167], abs=1e-4)
