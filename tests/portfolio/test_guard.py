"""The guard's limits: the documented numbers (spec 003 section 2), long and short alike."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordinator.errors import CoordinatorError
from coordinator.portfolio.guard import Position, correlated_positions, entry_limits
from coordinator.portfolio.sectors import sector_of
from coordinator.settings import load_settings
from coordinator.settings.improvements import CorrelationFilterSettings

SETTINGS = CorrelationFilterSettings()
SHIPPED = ("BTC", "ETH", "SOL", "ADA", "XRP", "LTC", "LINK", "DOGE")
held_strategy = st.lists(
    st.builds(Position, st.sampled_from([f"{coin}/USDT" for coin in SHIPPED]), st.sampled_from((1, -1))),
    max_size=8,
    unique_by=lambda position: position.pair,
)
correlations_strategy = st.fixed_dictionaries({f"{coin}/USDT": st.floats(-1, 1) for coin in SHIPPED})


def refusals(pair, direction, held, correlations, **settings):
    limits = entry_limits(pair, direction, held, correlations, CorrelationFilterSettings(**settings))
    return [limit.name for limit in limits if limit.refuses]


def test_the_documented_defaults():
    """Spec 003, "Config Addition" of section 2: off, 2, .7, 60 minutes, sector limits of 3; lookback 100."""
    s = SETTINGS
    assert (s.mode, s.max_correlated, s.threshold, s.update_minutes) == ("off", 2, 0.7, 60)
    assert (s.use_sectors, s.max_per_sector, s.window) == (True, 3, 100)


@pytest.mark.parametrize(
    ("pair", "sector"),
    [
        ("AAVE/USDT", "defi"),
        ("CRV/USDT:USDT", "defi"),
        ("ETH/USDT", "layer1"),
        ("AVAX/USDT", "layer1"),
        ("DOGE/USDT", "memes"),
        ("SHIB/USDT:USDT", "memes"),
        ("NEW/USDT", None),
    ],
)
def test_the_documented_sectors(pair, sector):
    """Spec 003, configuration template: defi AAVE CRV, layer1 ETH AVAX, memes DOGE SHIB."""
    assert sector_of(pair, SETTINGS.sectors) == sector


def test_every_shipped_pair_has_a_sector(pytestconfig):
    config = json.loads((pytestconfig.rootpath / "config.json").read_text())
    pairs = config["exchange"]["pair_whitelist"]
    assert all(sector_of(pair, SETTINGS.sectors) for pair in pairs)


@pytest.mark.parametrize("direction", [1, -1])
@pytest.mark.parametrize(
    ("correlation", "same_side", "counts"),
    [
        (0.71, True, True),
        (0.71, False, False),
        (-0.71, True, False),
        (-0.71, False, True),
        (0.7, True, False),
    ],
)
def test_the_documented_signs(direction, correlation, same_side, counts):
    """Spec 003: corr > 0 and the same side, or corr < 0 and the opposite one; |corr| > .7."""
    held = [Position("ETH/USDT", direction if same_side else -direction)]
    found = correlated_positions(direction, held, {"ETH/USDT": correlation}, 0.7)
    assert bool(found) == counts


def test_refused_at_two_correlated_positions():
    known = {"ETH/USDT": 0.9, "SOL/USDT": 0.8}
    one, two = [Position("ETH/USDT", 1)], [Position("ETH/USDT", 1), Position("SOL/USDT", 1)]
    assert refusals("BTC/USDT", 1, one, known) == []
    assert refusals("BTC/USDT", 1, two, known) == ["correlation_filter"]
    assert refusals("BTC/USDT", -1, two, known) == []
    assert refusals("BTC/USDT", 1, two, known, max_correlated=3) == []


def test_refused_at_three_in_a_sector_whatever_the_side():
    held = [Position(f"{coin}/USDT", side) for coin, side in (("ETH", 1), ("SOL", -1), ("AVAX", 1))]
    assert refusals("ADA/USDT", 1, held[:2], {}) == []
    assert refusals("ADA/USDT", 1, held, {}) == ["sector_limit"]
    assert refusals("DOGE/USDT", 1, held, {}) == []
    assert refusals("ADA/USDT", 1, held, {}, use_sectors=False) == []
    assert refusals("NEW/USDT", 1, held, {}) == []


def test_unknown_correlations_do_not_count():
    held = [Position("ETH/USDT", 1), Position("SOL/USDT", 1)]
    assert refusals("BTC/USDT", 1, held, {"ETH/USDT": float("nan")}) == []


def test_the_reason_names_what_is_held():
    held = [Position("ETH/USDT", 1), Position("SOL/USDT", 1)]
    limits = entry_limits("ADA/USDT", 1, held, {"ETH/USDT": 0.91, "SOL/USDT": 0.2}, SETTINGS)
    assert [limit.reason for limit in limits] == [
        "correlated with ETH/USDT +0.91",
        "sector layer1 holds ETH/USDT, SOL/USDT",
    ]
    assert [(limit.allowed, limit.held) for limit in limits] == [(2, 1), (3, 2)]


@given(held=held_strategy, known=correlations_strategy, direction=st.sampled_from((1, -1)))
def test_long_and_short_mirror_each_other(held, known, direction):
    mirrored = [Position(pair, -side) for pair, side in held]
    one = entry_limits("BTC/USDT", direction, held, known, SETTINGS)
    assert one == entry_limits("BTC/USDT", -direction, mirrored, known, SETTINGS)


@given(
    held=held_strategy,
    known=correlations_strategy,
    low=st.floats(0, 1),
    high=st.floats(0, 1),
    more=held_strategy,
)
def test_stricter_settings_and_more_positions_never_let_more_through(held, known, low, high, more):
    low, high = sorted((low, high))
    strict, loose = (refusals("BTC/USDT", 1, held, known, threshold=x) for x in (low, high))
    assert set(loose) <= set(strict)
    others = {position.pair for position in held}
    further = [*held, *(position for position in more if position.pair not in others)]
    assert set(refusals("BTC/USDT", 1, held, known)) <= set(refusals("BTC/USDT", 1, further, known))


@given(held=held_strategy, known=correlations_strategy)
def test_the_same_pair_is_never_held_against_itself(held, known):
    without = [position for position in held if position.pair != "BTC/USDT"]
    assert entry_limits("BTC/USDT", 1, held, known, SETTINGS) == entry_limits(
        "BTC/USDT", 1, without, known, SETTINGS
    )


def test_sectors_come_from_the_settings_and_hold_a_coin_once():
    section = {"improvements": {"correlation_filter": {"sectors": {"old": ["BTC", "LTC"]}}}}
    sectors = load_settings(section).improvements.correlation_filter.sectors
    assert sectors == {"old": ("BTC", "LTC")}
    section["improvements"]["correlation_filter"]["sectors"]["new"] = ["BTC"]
    with pytest.raises(CoordinatorError, match="one sector only, unlike BTC"):
        load_settings(section)
