"""`coordinator ledger learned` on a ledger that a board wrote."""

import numpy as np
import pytest
from typer.testing import CliRunner

from coordinator.adapters.histories import end_state
from coordinator.cli import app
from coordinator.decision.learners import Learners
from coordinator.ledger.records import CandleRecord
from coordinator.ledger.store import Ledger
from coordinator.settings import Settings

runner = CliRunner()


def learners():
    found = Learners(Settings())
    ints = np.array([6, 6, 3])
    found.selector.learn(ints, np.array([0, 0, 2]), np.array([0.05, 0.05, -0.02]), ints)
    return found


def test_everything_learned_is_shown(tmp_path, make_decisions, run_info):
    path = tmp_path / "a.ledger.sqlite"
    state = end_state(learners().state())
    Ledger(path).write_run(run_info, make_decisions(10), [CandleRecord(86400, snapshots=(state,))])
    done = runner.invoke(app, ["ledger", "learned", "--ledger", str(path)], env={"COLUMNS": "200"})
    assert done.exit_code == 0, done.output
    for said in (
        "ML weight 0%, phase foundation",
        "Vote weights",
        "after 3 updates",
        "bull_low",
        "trend_following",
    ):
        assert said in done.output
    assert "0.357" in done.output  # lstm .25 of .70
    assert "+0.200" in done.output  # .1995: two rewards of 1 at alpha .1, the second with .95 x .1 to come


def test_a_run_without_learners_is_one_line(tmp_path, make_decisions, run_info):
    path = tmp_path / "a.ledger.sqlite"
    Ledger(path).write_run(run_info, make_decisions(10))
    done = runner.invoke(app, ["ledger", "learned", "--ledger", str(path)])
    assert "have a snapshot of its learners" in str(done.exception)
    with pytest.raises(Exception, match="be one of"):
        runner.invoke(app, ["ledger", "learned", "--ledger", str(path), "--run", "9"], catch_exceptions=False)
