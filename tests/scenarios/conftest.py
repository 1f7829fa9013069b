"""Real Backtesting engines over the sandbox exchange."""

from datetime import UTC, datetime

import pytest
from freqtrade.persistence import enable_database_use

from coordinator.sandbox.exchange import create_app, wall_clock
from coordinator.sandbox.market_files import write_market
from coordinator.sandbox.server import SandboxServer
from coordinator.sandbox.spec import MarketSpec
from tests.scenarios.engine import Engine


@pytest.fixture(autouse=True)
def database():
    """Backtesting switches Freqtrade's database off for the process; other tests want it."""
    yield
    enable_database_use()


@pytest.fixture(scope="session")
def engines(tmp_path_factory):
    """An engine by trading mode, made when first asked for."""
    folder = tmp_path_factory.mktemp("market")
    spec = MarketSpec(
        pairs=tuple(f"{coin}/USDT" for coin in ("BTC", "ETH", "SOL", "LTC")),
        start=datetime(2023, 3, 1, tzinfo=UTC),
        end=datetime(2023, 3, 5, tzinfo=UTC),
        seed=1,
    )
    for mode in ("spot", "futures"):
        write_market(spec, folder, mode)
    made = {}
    with SandboxServer(create_app(folder, wall_clock), "127.0.0.1", 0) as server:

        def engine(mode):
            if mode not in made:
                made[mode] = Engine(mode, server.url, tmp_path_factory.mktemp(mode))
            return made[mode]

        yield engine
