"""Tables of decisions to store, and the databases to store them in."""

import importlib.util
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from coordinator.ledger.store import RunInfo


def decision_frame(n: int, seed: int = 0) -> pd.DataFrame:
    """``n`` signals of two pairs with votes of three components; the last outcome is unresolved."""
    rng = np.random.default_rng(seed)
    time = pd.date_range("2024-01-01", periods=(n + 1) // 2, freq="h", tz="UTC").repeat(2)[:n]
    accepted = rng.random(n) < 0.5
    frame = pd.DataFrame(
        {
            "time": time,
            "pair": np.resize(["BTC/USDT", "ETH/USDT"], n),
            "direction": rng.choice([-1, 1], n).astype(np.int8),
            "price": rng.uniform(90, 110, n),
            "stop": rng.uniform(80, 90, n),
            "target": rng.uniform(110, 130, n),
            "horizon": 48,
            "clock": rng.choice(["1h", "1d"], n),
            "reasons": "ema cross, volume",
        }
    )
    for name in ("technical", "lstm", "fusion"):
        frame[f"{name}_direction"] = rng.choice([-1.0, 0.0, 1.0], n)
        frame[f"{name}_confidence"] = rng.random(n)
        frame[f"{name}_percentile"] = rng.random(n)
    resolved = np.arange(n) < n - 1
    return frame.assign(
        unified_score=rng.random(n),
        unified_confidence=rng.random(n),
        threshold=0.7,
        ml_weight=0.3,
        accepted=accepted,
        rejection=np.where(accepted, "", "confidence below 70%"),
        outcome_r=np.where(resolved, rng.normal(0, 1, n), np.nan),
        outcome_exit=np.where(resolved, rng.choice(["target", "stop", "horizon"], n), ""),
        outcome_time=pd.Series(time + pd.Timedelta("5h")).where(resolved),
    )


@pytest.fixture
def make_decisions():
    return decision_frame


@pytest.fixture
def run_info() -> RunInfo:
    start = datetime(2024, 5, 1, 12, 30, 15, 123456, tzinfo=UTC)
    settings = {"decision": {"threshold": 0.7}}
    return RunInfo("MLCoordinator", start, "1h", settings, "LSTMClassifier", "coordinator")


@pytest.fixture(scope="session")
def postgres():
    path = Path(__file__).parent / "postgres_server.py"
    spec = importlib.util.spec_from_file_location("postgres_server", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    try:
        server = module.PostgresServer()
    except module.NoPostgresError as why:
        pytest.skip(f"no PostgreSQL: {why}")
    yield server
    server.stop()


# One group, so that one worker starts one server.
@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.xdist_group("postgres"))])
def ledger_url(request, tmp_path) -> str:
    """An empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'test.ledger.sqlite'}"
    return request.getfixturevalue("postgres").emptied("test")
