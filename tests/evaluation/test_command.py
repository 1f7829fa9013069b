"""The whole command on a small market: killed, gone on with, and what it prints and writes."""

import html
import json
import os
import re
import signal
import subprocess
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from coordinator.cli import app
from coordinator.errors import CoordinatorError
from coordinator.jobs.evaluation.command import _groups
from coordinator.jobs.evaluation.variants import GROUPS
from coordinator.reports.evaluation.account_run import AccountRun
from coordinator.sandbox.market_files import write_market
from coordinator.sandbox.spec import MarketSpec

ROOT = Path(__file__).resolve().parents[2]
PARTS = "controls fees random"


@pytest.fixture(scope="module")
def candles(tmp_path_factory):
    folder = tmp_path_factory.mktemp("candles")
    days = datetime(2022, 3, 1, tzinfo=UTC), datetime(2023, 2, 1, tzinfo=UTC)
    write_market(
        MarketSpec(pairs=("BTC/USDT", "ETH/USDT"), start=days[0], end=days[1], seed=11), folder, "spot"
    )
    return folder


@pytest.fixture(scope="module")
def config_file(tmp_path_factory):
    """The shipped config, of signal quality alone, that has to learn quickly."""
    config = json.loads((ROOT / "config.json").read_text())
    config |= {
        name: str(ROOT / config[name]) for name in ("strategy_path", "freqaimodel_path", "hyperopt_path")
    }
    config["freqai"] |= {"train_period_days": 120, "backtest_period_days": 90}
    config["coordinator"]["regime"]["gate"] = "off"
    config["coordinator"]["learning"] = {"components": ["quality"], "fast_start_days": 0}
    config["coordinator"]["quality"] |= {"trees": 5, "retrain_days": 60, "minimum_samples": 20}
    path = tmp_path_factory.mktemp("config") / "config.json"
    path.write_text(json.dumps(config))
    return path


@pytest.fixture(scope="module")
def evaluation(warm_python, candles, config_file, tmp_path_factory):
    """(accounts that were there at the kill with their times, what the second run printed, its folder)."""
    user_data = tmp_path_factory.mktemp("user_data")
    command = [warm_python, "-m", "coordinator", "evaluate", "--config", str(config_file), "--workers", "1"]
    command += ["--datadir", str(candles), "--user-data", str(user_data), "--parts", PARTS]
    command += ["--noise", "1", "--random", "2"]
    options = {"cwd": ROOT, "env": {**os.environ, "COLUMNS": "200"}, "text": True}
    first = subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True, **options)
    deadline = time.monotonic() + 120
    while len(list(user_data.glob("evaluation/*/accounts/*.json"))) < 2 and time.monotonic() < deadline:
        time.sleep(0.1)
    os.killpg(first.pid, signal.SIGKILL)
    first.wait()
    kept = {path: path.stat().st_mtime_ns for path in user_data.glob("evaluation/*/accounts/*.json")}
    done = subprocess.run(command, capture_output=True, timeout=300, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    (folder,) = user_data.glob("evaluation/*")
    return kept, done.stdout, folder


def account(folder, name):
    (path,) = folder.glob(f"accounts/{name}-????????.json")
    return AccountRun.from_json(path.read_text().split("\n", 1)[1])


def test_what_was_known_before_the_kill_is_not_run_again(evaluation):
    kept, _, folder = evaluation
    now = {path: path.stat().st_mtime_ns for path in (folder / "accounts").glob("*.json")}
    assert 2 <= len(kept) < len(now) and kept.items() <= now.items()


def test_every_account_is_one_of_its_own(evaluation):
    _, _, folder = evaluation
    base, sample, noise = (
        account(folder, name) for name in ("technicalbaseline", "samplestrategy", "noise-0")
    )
    twice = account(folder, "technicalbaseline-twice-the-fee")
    assert not any(one.problem for one in (base, sample, noise, twice))
    assert base.profits and sample.profits and sample.accepted == -1 and base.accepted > 0
    assert twice.fees / twice.traded == pytest.approx(2 * base.fees / base.traded)
    assert [row.name for row in noise.skill] == ["technical", "fusion", "quality", "vote", "decision"]
    # The indicators' fusion needs no model: it is recorded, and has no weight beside a control.
    skill = {row.name: row for row in noise.skill}
    assert skill["vote"].auc == pytest.approx(skill["quality"].auc)
    assert noise.say.mean_weight == pytest.approx(0.7) and noise.say.share > 0.5
    random = [account(folder, f"random-entries-{seed}") for seed in range(2)]
    assert random[0].profits != random[1].profits != base.profits
    assert len(base.daily) == len(noise.daily) == len(sample.daily)


def test_it_prints_and_writes_what_it_found(evaluation):
    _, out, folder = evaluation
    text = (folder / "evaluation.md").read_text()
    for words in ("MLCoordinator", "Buy and hold", "Deflated Sharpe ratio", "Documented targets met by ML"):
        assert words in out and words in text, words
    for words in (
        "## Controls",
        "| shuffled labels |",
        "| noise 0 |",
        "## Random entries",
        "## Twice the fee",
        "## By year",
    ):
        assert words in text, words
    assert "## Not run" not in text and "FAILED" not in out
    assert (folder / "evaluation.html").stat().st_size > 1_000_000  # plotly is in it
    (command,) = re.findall(
        "<code>(coordinator evaluate .*)</code>", (folder / "evaluation.html").read_text()
    )
    assert f"--parts '{PARTS}' --starts 12 --noise 1 --random 2 --tried 0" in html.unescape(command)


@pytest.mark.parametrize(
    ("names", "quick", "left_out"),
    [
        (None, False, {"models"}),
        (None, True, {"models", "parameters"}),
        (list(GROUPS[1:]), False, {"accounts"}),
        (list(GROUPS[1:]), True, {"accounts"}),
    ],
)
def test_other_models_are_trained_where_they_are_asked_for(names, quick, left_out):
    assert set(GROUPS) - set(_groups(names, quick)) == left_out


def test_unknown_parts_are_named(config_file, candles):
    command = [
        "evaluate",
        "--config",
        str(config_file),
        "--datadir",
        str(candles),
        "--parts",
        "fees everything",
    ]
    result = CliRunner().invoke(app, command)
    assert isinstance(result.exception, CoordinatorError)
    assert "be some of say, components" in str(result.exception) and "everything" in str(result.exception)
