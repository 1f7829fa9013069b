"""The five steps of spec 002, offline and by the README's commands: optimize, accumulate, train, enable, cycle."""

import json
import os
import shutil
import sqlite3
import subprocess
from datetime import UTC, datetime

import pytest


def timestamp(*day):
    return int(datetime(*day, tzinfo=UTC).timestamp())


REGISTRY = {"coordinator": {"quality": {"source": "registry"}}}


@pytest.fixture(scope="module")
def coordinator(root, warm_python):
    """Runs a command with configs; its exit code and output."""

    def run(*words, configs, user_data):
        named = [word for path in configs for word in ("-c", str(path))]
        command = [warm_python, "-m", "coordinator", *words, *named, "--user-data", str(user_data)]
        environment = {**os.environ, "PYTHONPATH": str(root), "COLUMNS": "200"}
        done = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=300, env=environment)
        assert "Traceback" not in done.stderr, done.stderr[-3000:]
        return done.returncode, done.stdout + done.stderr

    return run


@pytest.fixture(scope="module")
def config(quick_config, tmp_path_factory):
    """The shipped settings, one component, quick trainings."""
    content = json.loads(quick_config.read_text())
    content["coordinator"] = {
        "learning": {"components": ["quality"], "fast_start_days": 0},
        "quality": {"trees": 40, "leaf_samples": 50, "retrain_days": 30, "label": "target"},
        "decision": {"weighting": "fixed", "ml_weight": 0.5, "require_positive_expectancy": False},
        "continuous_learning": {"retrain_days": 7},
    }
    path = tmp_path_factory.mktemp("workflow") / "config.json"
    path.write_text(json.dumps(content))
    return path


def test_the_five_steps(coordinator, config, datadir, tmp_path):
    market = ("--datadir", str(datadir), "--pairs", "BTC/USDT ETH/USDT")
    # 1. optimize the settings
    code, said = coordinator(
        "optimize", "--quick", "--trials", "2", "--workers", "1", "--only", "sizing.risk_per_trade", *market,
        configs=[config], user_data=tmp_path,
    )  # fmt: skip
    assert code == 0, said
    (overlay,) = (tmp_path / "optimize").glob("*_config.json")
    configs = [config, overlay]
    # 2. collect samples
    code, said = coordinator("quality", "accumulate", *market, configs=configs, user_data=tmp_path)
    assert code == 0, said
    assert "2 years backtested" in said
    assert coordinator("quality", "accumulate", *market, configs=configs, user_data=tmp_path)[0] == 1
    with sqlite3.connect(
        tmp_path / "coordinator.ledger.sqlite"
    ) as opened:  # a year goes on until its last is known
        unknown = "SELECT count(*), sum(time_resolved IS NULL) FROM outcomes WHERE time >= ? AND time < ?"
        (last, open_ones) = opened.execute(
            unknown, [timestamp(2022, 12, 25), timestamp(2023, 1, 1)]
        ).fetchone()
    assert (last > 5, open_ones) == (True, 0)
    # 3. train, and judge on the holdout
    code, said = coordinator("quality", "train", "--until", "20230501", configs=configs, user_data=tmp_path)
    assert code == 0, said
    code, said = coordinator("quality", "evaluate", configs=configs, user_data=tmp_path)
    assert (code, "Verdict: AUC" in said) == (0, True), said
    # 4. enable: MLCoordinator takes its models from the registry
    enabled = tmp_path / "registry.json"
    enabled.write_text(json.dumps(REGISTRY))
    code, said = coordinator(
        "backtest",
        "--timerange",
        "20230401-20230601",
        *market,
        configs=[*configs, enabled],
        user_data=tmp_path,
    )
    assert code == 0, said
    (ledger,) = (
        path
        for path in (tmp_path / "backtest_results").glob("*.ledger.sqlite")
        if sqlite3.connect(path).execute("SELECT count(*) FROM ml_predictions").fetchone()[0]
    )
    with sqlite3.connect(ledger) as opened:
        early = opened.execute(
            "SELECT count(*) FROM ml_predictions p JOIN ml_models m ON m.id = p.model_id WHERE p.time < m.speaks_from"
        ).fetchone()[0]
        voted = opened.execute("SELECT count(*) FROM votes WHERE component = 'quality'").fetchone()[0]
        featured = opened.execute("SELECT count(*) FROM ml_trade_features").fetchone()[0]
        signals = opened.execute("SELECT count(*) FROM signals").fetchone()[0]
    assert early == 0
    assert voted > 50
    assert featured == signals > voted
    # 5. keep learning
    code, said = coordinator("learning", "cycle", "--json", configs=[*configs, enabled], user_data=tmp_path)
    assert code == 0, said
    assert json.loads(said)[0]["trigger"] in ("due", "drift")
    assert coordinator("learning", "cycle", configs=[*configs, enabled], user_data=tmp_path)[0] == 1


def test_full_does_the_three_steps_in_a_row(coordinator, config, datadir, root, tmp_path):
    shutil.copytree(root / "strategies", tmp_path / "strategies")
    left = {"strategy_name": "TechnicalBaseline", "params": {"sell": {"hard_stop_atr_mult": 4.0}}}
    (tmp_path / "strategies" / "TechnicalBaseline.json").write_text(json.dumps(left))
    over = tmp_path / "over.json"
    over.write_text(json.dumps({"strategy_path": str(tmp_path / "strategies")}))
    words = ("quality", "full", "--datadir", str(datadir), "--pairs", "BTC/USDT", "--until", "20230501")
    code, said = coordinator(*words, configs=[config, over], user_data=tmp_path)
    assert code == 0, said
    for step in ("2 years backtested", "folds trained", "Verdict: AUC"):
        assert step in said
    (ledger,) = tmp_path.glob("*.sqlite")
    with sqlite3.connect(ledger) as opened:
        settings = [json.loads(row[0]) for row in opened.execute("SELECT settings FROM runs")]
    assert [one["stops"]["atr_multiple"] for one in settings] == [1.5, 1.5]
