"""Webserver mode: no bot, the same routes from the ledger alone once a strategy was loaded."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from freqtrade.configuration import Configuration
from freqtrade.data.dataprovider import DataProvider
from freqtrade.enums import RunMode
from freqtrade.resolvers import StrategyResolver
from freqtrade.rpc.api_server.webserver import ApiServer

from coordinator.adapters.rest.routes import PREFIX
from coordinator.ledger.store import Ledger, RunInfo
from coordinator.settings import load_settings
from coordinator.status.overview import COMMANDS

pytestmark = pytest.mark.xdist_group("operation")
ROOT = Path(__file__).resolve().parent.parent.parent
OWNER = ("owner", "secret")


@pytest.fixture
def config(tmp_path):
    shipped = json.loads((ROOT / "config.json").read_text())
    path = tmp_path / "config.json"
    server = {**shipped["api_server"], "enabled": True, "username": OWNER[0], "password": OWNER[1]}
    own = {"freqai": {"enabled": False}, "user_data_dir": str(tmp_path), "api_server": server}
    path.write_text(json.dumps({**shipped, **own}))
    arguments = {
        "config": [str(path)],
        "user_data_dir": str(tmp_path),
        "strategy_path": str(ROOT / "strategies"),
    }
    return Configuration(arguments, RunMode.WEBSERVER).get_config()


@pytest.fixture
def app(config, monkeypatch):
    monkeypatch.setattr(ApiServer, "start_api", lambda self: None)
    ApiServer.shutdown()
    yield ApiServer(config, standalone=True).app
    ApiServer.shutdown()


def test_the_ledger_answers_once_a_strategy_was_loaded(config, app, tmp_path):
    client = TestClient(app)
    assert client.get(f"{PREFIX}/phase", auth=OWNER).status_code == 404  # Freqtrade's catch-all
    strategy = StrategyResolver.load_strategy(config)
    strategy.dp = DataProvider(config, None)
    strategy.ft_bot_start()
    assert client.get(f"{PREFIX}/phase").status_code == 401
    for route in COMMANDS:
        query = {"pair": "BTC/USDT"} if route == "why" else {}
        answer = client.get(f"{PREFIX}/{route}", auth=OWNER, params=query)
        assert answer.status_code == (404 if route == "why" else 200)
    assert client.get(PREFIX, auth=OWNER).json()["run_id"] is None
    assert not (tmp_path / "coordinator.ledger.sqlite").exists()  # looking makes none
    ledger = Ledger(tmp_path / "coordinator.ledger.sqlite")
    settings = load_settings(config["coordinator"]).model_dump(mode="json")
    when = datetime(2024, 5, 1, tzinfo=UTC)
    run = ledger.open_run(RunInfo("MLCoordinator", when, "1h", settings))
    assert client.get(PREFIX, auth=OWNER).json()["run_id"] == run
