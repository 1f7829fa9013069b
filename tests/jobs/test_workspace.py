"""A simulated bot's folder: nothing of a user's is deleted, and one bot lives there at a time."""

import json
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from coordinator.errors import CoordinatorError
from coordinator.jobs.bot.workspace import BotWorkspace

NOT_OURS = "The '--folder' of a simulated bot must be empty or an earlier simulated bot's"


@pytest.fixture
def plan(monkeypatch, tmp_path):
    monkeypatch.setattr("coordinator.jobs.bot.workspace.copy_history", lambda *_: None)
    return SimpleNamespace(config={}, overlay={}, datadir=tmp_path / "market", trading_mode="spot")


def begin(workspace, plan):
    with workspace.held():
        workspace.prepare(plan, datetime(2023, 1, 1, tzinfo=UTC), {"bot_name": "x"})


def test_a_users_own_bot_is_refused_and_stays(plan, tmp_path):
    folder = tmp_path / "user_data"
    files = [
        folder / name for name in ("tradesv3.sqlite", "coordinator.ledger.sqlite", "data/binance/BTC.feather")
    ]
    for file in files:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("mine")
    before = sorted(folder.rglob("*"))
    with pytest.raises(CoordinatorError, match=NOT_OURS) as refused:
        begin(BotWorkspace(folder), plan)
    assert "tradesv3.sqlite" in str(refused.value)
    assert sorted(folder.rglob("*")) == before
    assert [file.read_text() for file in files] == ["mine"] * 3


def test_an_earlier_bots_folder_is_begun_anew(plan, tmp_path):
    workspace = BotWorkspace(tmp_path / "demo")
    (workspace.folder / "backtest").mkdir(parents=True)  # a replay's own comes first
    begin(workspace, plan)
    assert json.loads(workspace.config.read_text())["bot_name"] == "x"
    workspace.ledger.write_text("old")
    begin(workspace, plan)
    assert not workspace.ledger.exists()


def test_a_bot_that_runs_keeps_others_out_until_it_ends(plan, tmp_path):
    workspace = BotWorkspace(tmp_path / "demo")
    begin(workspace, plan)
    with workspace.held(), pytest.raises(CoordinatorError, match="without a running bot: end that one"):
        begin(BotWorkspace(tmp_path / "demo"), plan)
    begin(workspace, plan)
