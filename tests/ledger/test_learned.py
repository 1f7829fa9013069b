"""`coordinator ledger learned` on a ledger that a run wrote."""

import numpy as np
import pytest
from typer.testing import CliRunner

from coordinator.cli import app
from coordinator.decision.learners import Learners
from coordinator.ledger.records import CandleRecord, ImprovementRow
from coordinator.ledger.store import Ledger
from coordinator.run.learning_records import final_snapshot
from coordinator.settings import Settings
from coordinator.settings.blending import BlendingSettings

runner = CliRunner()


def learners(criterion="r"):
    found = Learners(Settings(blending=BlendingSettings(criterion=criterion)))
    ints = np.array([6, 6, 3])
    found.selector.learn(ints, np.array([0, 0, 2]), np.array([0.05, 0.05, -0.02]), ints)
    return found


@pytest.mark.parametrize(
    ("criterion", "evidence"), [("r", "better half +0.000 R, P 0.15"), ("accuracy", "accuracy 100.0%")]
)
def test_everything_learned_is_shown(tmp_path, make_decisions, run_info, criterion, evidence):
    path = tmp_path / "a.ledger.sqlite"
    found = learners(criterion)
    for day in (0, 40):
        found.manager.learn(day * 86400, np.ones(3), np.ones(3), np.ones(3))
    state = final_snapshot(found.state())
    Ledger(path).write_run(run_info, make_decisions(10), [CandleRecord(86400, snapshots=(state,))])
    done = runner.invoke(app, ["ledger", "learned", "--ledger", str(path)], env={"COLUMNS": "200"})
    assert done.exit_code == 0, done.output
    for said in (
        "ML weight 0%, phase foundation",
        "Vote weights",
        "after 3 updates",
        "exploration 19.7%",  # three times .995 of .2
        "bull_low",
        "trend_following",
    ):
        assert said in done.output
    assert evidence in done.output
    assert "0.250" in done.output  # lstm beside .30 of signal quality
    assert "+0.200" in done.output  # .1995: two rewards of 1 at alpha .1, the second with .95 x .1 to come


def test_a_run_without_learners_is_one_line(tmp_path, make_decisions, run_info):
    path = tmp_path / "a.ledger.sqlite"
    Ledger(path).write_run(run_info, make_decisions(10))
    done = runner.invoke(app, ["ledger", "learned", "--ledger", str(path)])
    assert done.exit_code == 0
    assert "Nothing is stored yet" in done.output
    with pytest.raises(Exception, match="be one of"):
        runner.invoke(app, ["ledger", "learned", "--ledger", str(path), "--run", "9"], catch_exceptions=False)


def test_improvements_are_summed_up_with_what_became_of_their_signals(tmp_path, make_decisions, run_info):
    path = tmp_path / "a.ledger.sqlite"
    frame = make_decisions(40)
    frame.loc[5, "outcome_r"] = 0.0  # is no win
    keys = zip(frame["time"].dt.as_unit("s").astype("int64"), frame["pair"], frame["outcome_r"], strict=True)
    records, higher = {}, []
    for i, (time, pair, r) in enumerate(keys):
        sized = ImprovementRow(pair, "volatility_sizing", "on", 1.0, 1.0 if i < 4 else (0.9, 1.1)[i % 2])
        limit = ImprovementRow(pair, "correlation_filter", "shadow", 2.0, float(i % 4))
        gate = ImprovementRow(pair, "regime_gate", "on", 1.0, float(i % 4 > 0))
        cap = ImprovementRow(pair, "kelly_cap", "on", 0.010, 0.005)
        records.setdefault(int(time), []).extend((sized, limit, gate, cap))
        higher += [r] if i >= 4 and i % 2 and r == r else []
    first = min(records)
    records[first].append(ImprovementRow("*", "trust_volatility_sizing", "on", 0.1, 0.0))
    rows = [CandleRecord(time, improvements=tuple(found)) for time, found in sorted(records.items())]
    Ledger(path).write_run(run_info, frame, rows)
    done = runner.invoke(app, ["ledger", "improvements", "--ledger", str(path)], env={"COLUMNS": "200"})
    assert done.exit_code == 0, done.output
    lines = [line for line in done.output.splitlines() if "volatility_sizing" in line]
    changes = {"lower": 18, "as it is": 4, "higher": 18}
    assert all(any(f" {word} " in line and f" {n} " in line for line in lines) for word, n in changes.items())
    (line,) = [line for line in lines if "higher" in line]
    assert "1.100" in line
    assert f"{np.mean(higher):+.3f}" in line
    won, lost = (np.maximum(side * np.array(higher), 0) for side in (1, -1))
    assert f"{np.mean(won > 0):.1%}" in line
    assert f" {won.sum() / lost.sum():.2f} " in line
    (capped,) = [line for line in done.output.splitlines() if "kelly_cap" in line]
    assert [word for word in ("lower", " 40 ", "0.010", "0.005") if word not in capped] == []
    assert any("off" in line and "10%" in line for line in lines)
    asked = [line for line in done.output.splitlines() if "correlation_filter" in line]
    assert [("refused" in line, " 20 " in line) for line in asked] == [(False, True), (True, True)]
    gated = [line.replace("│", " ").split()[:4] for line in done.output.splitlines() if "regime_gate" in line]
    assert gated == [["regime_gate", "on", "allowed", "30"], ["regime_gate", "on", "refused", "10"]]


def test_a_run_without_improvements_is_one_line(tmp_path, make_decisions, run_info):
    path = tmp_path / "a.ledger.sqlite"
    Ledger(path).write_run(run_info, make_decisions(10))
    done = runner.invoke(app, ["ledger", "improvements", "--ledger", str(path)])
    assert "have an improvement that is not off" in str(done.exception)
