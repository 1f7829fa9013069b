"""When a stop at the exchange no longer protects."""

from types import SimpleNamespace

import pytest

from coordinator.adapters.strategy.exchange_stop import stop_left_behind

ON = {"stoploss_on_exchange": True, "stoploss_on_exchange_limit_ratio": 0.95}


@pytest.mark.parametrize(
    ("stop", "is_short", "rate", "order_types", "left"),
    [
        (100.0, False, 94.9, ON, True),
        (100.0, False, 95.1, ON, False),
        (100.0, False, 98.9, {"stoploss_on_exchange": True}, True),  # Freqtrade's own ratio: 1 %
        (100.0, True, 105.1, ON, True),
        (100.0, True, 104.9, ON, False),
        (100.0, False, 1.0, {**ON, "stoploss_on_exchange": False}, False),
        (None, False, 1.0, ON, False),
    ],
)
def test_only_a_price_beyond_the_stops_limit_counts(stop, is_short, rate, order_types, left):
    trade = SimpleNamespace(stop_loss=stop, is_short=is_short)
    assert stop_left_behind(trade, rate, order_types) is left
