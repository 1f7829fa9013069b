"""What the slots policy learns from is what an account may enter: the gate, the states avoided, re-armed signals."""

import numpy as np
import pytest

from coordinator.components.market_history import MarketHistory, PairHistory
from coordinator.run.pair_analysis import analyse
from coordinator.settings import load_settings
from coordinator.signals.candles import Candles

PAIRS = ("BTC/USDT", "ETH/USDT", "XRP/USDT")


@pytest.fixture(scope="module")
def pairs(make_walk, make_higher):
    out = {}
    for seed, pair in enumerate(PAIRS):
        hourly = make_walk(70 + seed, 24 * 250)
        higher = {name: Candles.from_frame(make_higher(hourly, name), name) for name in ("4h", "1d")}
        out[pair] = PairHistory({"1h": Candles.from_frame(hourly, "1h"), **higher})
    return out


@pytest.mark.parametrize(
    ("changes", "reference"),
    [
        ({"regime": {"gate": "on", "gate_average": 50}}, "BTC/USDT"),
        ({"regime": {"gate": "on", "gate_average": 50, "reference": "XRP/USDT"}}, "XRP/USDT"),
        ({"regime": {"avoid": ["bear"]}}, None),
        ({"baseline": {"rearm": "shadow"}}, None),
    ],
    ids=["bitcoin", "another reference", "avoided states", "re-armed"],
)
def test_enterable_is_what_the_decisions_do_not_bar(pairs, changes, reference):
    baseline = {"clock": "1d", "fast_channel": 10, "exit_channel": 5, **changes.get("baseline", {})}
    settings = load_settings(
        {
            "targets": {"enabled": False, "horizon": 10},
            "stops": {"basis": "price", "hard_limit": 0.5},
            **changes,
            "baseline": baseline,
        }
    )
    own = pairs["ETH/USDT"].candles
    market = None if reference is None else pairs[reference].candles
    higher = {name: own[name] for name in ("4h", "1d")}
    decided = analyse("ETH/USDT", own["1h"], higher, settings, ml=False, market=market)
    open_to_all = np.zeros(len(own["1h"]), dtype=bool)
    open_to_all[decided.index[decided.barred == 0]] = True
    enterable = MarketHistory(pairs, settings).enterable("ETH/USDT")
    np.testing.assert_array_equal(enterable, open_to_all)
    assert 0 < open_to_all.sum() < len(decided.index)
