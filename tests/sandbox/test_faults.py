"""Faults of the sandbox exchange: what goes wrong, how often, and that the rest stays right."""

import json
from datetime import UTC, datetime

import ccxt
import httpx
import pytest

from coordinator.errors import CoordinatorError
from coordinator.sandbox.exchange import create_app
from coordinator.sandbox.faults import (
    FAULTS,
    ORDER_FAULTS,
    SYMBOL_FAULTS,
    FaultLayer,
    Faults,
    parse_faults,
)
from coordinator.sandbox.overlay import overlay_config
from coordinator.sandbox.server import SandboxServer

NOW = datetime(2023, 1, 20, 12, 30, tzinfo=UTC)
KLINES = "/api/v3/klines?symbol=BTCUSDT&interval=1h&limit=10"


@pytest.fixture
def served(market_dir):
    """An exchange with faults, and its layer."""
    servers = []

    def start(**rates):
        app = create_app(market_dir, lambda: NOW, Faults(**rates))
        server = SandboxServer(app)
        server.__enter__()
        servers.append(server)
        return server.url, app

    yield start
    for server in servers:
        server.__exit__(None, None, None)


@pytest.mark.parametrize(
    ("fault", "status"), [("rate_limit", 429), ("server_error", 503), ("malformed", 200), ("stale", 200)]
)
def test_a_fault_at_rate_one_hits_every_request(served, fault, status):
    url, _ = served(**{fault: 1.0})
    assert httpx.get(url + KLINES).status_code == status


def test_the_answers_are_wrong_as_named(served, market_dir):
    right = httpx.get(served()[0] + KLINES).json()
    assert len(right) == 10
    assert httpx.get(served(stale=1.0)[0] + KLINES).json() == right[:-2]
    missing = httpx.get(served(missing=1.0)[0] + KLINES).json()
    assert missing == right[:5] + right[6:]
    with pytest.raises(json.JSONDecodeError):
        httpx.get(served(malformed=1.0)[0] + KLINES).json()
    limited = httpx.get(served(rate_limit=1.0)[0] + KLINES)
    assert limited.json()["code"] == -1003
    assert limited.headers["retry-after"] == "1"


def test_a_connection_can_break_and_hang(served):
    url, _ = served(disconnect=1.0)
    with pytest.raises(httpx.RemoteProtocolError):
        httpx.get(url + KLINES)
    url, _ = served(timeout=1.0)
    with pytest.raises(httpx.ReadTimeout):
        httpx.get(url + KLINES, timeout=0.3)


def test_stale_and_missing_candles_leave_other_answers_alone(served):
    url, _ = served(stale=0.5, missing=0.5)
    assert httpx.get(url + "/api/v3/time").json()["serverTime"] == int(NOW.timestamp() * 1000)


def test_the_clock_can_be_off(served):
    url, _ = served(skew_seconds=-90.0, server_error=1e-9)
    assert httpx.get(url + "/api/v3/time").json()["serverTime"] == int((NOW.timestamp() - 90) * 1000)


def test_rates_hold_and_a_seed_gives_the_same_faults(served):
    outcomes = []
    for _ in range(2):
        url, layer = served(server_error=0.1, rate_limit=0.05, seed=3)
        with httpx.Client() as client:
            outcomes.append([client.get(url + "/api/v3/ping").status_code for _ in range(400)])
        assert isinstance(layer, FaultLayer)
        assert layer.counts["requests"] == 400
    assert outcomes[0] == outcomes[1]
    assert 20 <= outcomes[0].count(503) <= 60
    assert 8 <= outcomes[0].count(429) <= 35


def test_ccxt_takes_each_for_what_it_is(served):
    kinds = {
        "rate_limit": ccxt.DDoSProtection,
        "server_error": ccxt.ExchangeNotAvailable,
        "disconnect": ccxt.NetworkError,
    }
    for fault, error in kinds.items():
        url, _ = served(**{fault: 1.0})
        config = overlay_config(url, simulated_clock=True)["exchange"]["ccxt_config"]
        with pytest.raises(error):
            ccxt.binance(config).public_get_time()


def test_without_faults_there_is_no_layer(market_dir):
    assert not isinstance(create_app(market_dir, lambda: NOW), FaultLayer)


def test_options_are_read_and_refused():
    assert parse_faults(["timeout=0.01", "seed=4", "skew_seconds=-2.5"], "x") == Faults(
        timeout=0.01, seed=4, skew_seconds=-2.5
    )
    moved = parse_faults(
        ["halted=ETH/USDT@2023-06-01T06:00", "no_fill=.5", "halted=ADA/USDT@2023-06-02"], "x"
    )
    assert moved.halted == {
        "ETH/USDT": datetime(2023, 6, 1, 6, tzinfo=UTC), "ADA/USDT": datetime(2023, 6, 2, tzinfo=UTC)
    }  # fmt: skip
    for wrong in ("delisted=ETH/USDT", "halted=ETH/USDT@soon"):
        with pytest.raises(CoordinatorError, match="be a day such as"):
            parse_faults([wrong], "x")
    for wrong in ("no_fill=2", "timeout", "timeout=1.5", "timeout=x", "fire=0.1", "=1", "stale=-0.1"):
        with pytest.raises(CoordinatorError, match="be NAME=RATE"):
            parse_faults([wrong], "x")
    others = {"skew_seconds", "seed", *ORDER_FAULTS, *SYMBOL_FAULTS}
    assert set(FAULTS) == set(Faults.model_fields) - others
