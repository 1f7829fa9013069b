"""One small simulated market on disk for all sandbox tests, ending in the past of any clock."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from coordinator.sandbox.market import MarketSpec
from coordinator.sandbox.market_files import write_market


@pytest.fixture(scope="session")
def market_spec() -> MarketSpec:
    """BTC and ADA, 120 days of 2023, with outages."""
    return MarketSpec(
        pairs=("BTC/USDT", "ADA/USDT"),
        start=datetime(2023, 1, 1, tzinfo=UTC),
        end=datetime(2023, 5, 1, tzinfo=UTC),
        seed=3,
        outages_per_year=20,
    )


@pytest.fixture(scope="session")
def market_dir(market_spec: MarketSpec, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with the market's spot and futures files."""
    folder = tmp_path_factory.mktemp("market")
    for mode in ("spot", "futures"):
        write_market(market_spec, folder, mode)
    return folder
