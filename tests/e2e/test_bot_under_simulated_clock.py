"""Demo and replay as their user runs them: real processes, real databases, FreqAI on."""

import json
import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import httpx
import pandas as pd
import pytest

from coordinator.ledger.store import Ledger

PAIRS = "BTC/USDT ETH/USDT"


@pytest.fixture(scope="module")
def config(quick_config, tmp_path_factory):
    """The shipped settings with hourly signals, one component, one slot and a policy to divide it, quick trainings."""
    content = json.loads(quick_config.read_text())
    content["coordinator"] = {
        "baseline": {"clock": "1h"},
        "learning": {"components": ["quality"], "fast_start_days": 30, "latency_limit_ms": 60_000},
        "quality": {"trees": 40, "leaf_samples": 50, "retrain_days": 30, "label": "target"},
        "decision": {"require_positive_expectancy": False},
        "entries": {"ranking_by": "policy"},
        "portfolio": {"max_positions": 1},
        "slots_policy": {"timesteps": 512, "rollout": 256, "batch_size": 64},
    }
    path = tmp_path_factory.mktemp("bot") / "config.json"
    path.write_text(json.dumps(content))
    return path


@pytest.fixture
def command(warm_python, config, datadir):
    """Makes the words of a command on the market."""
    market = ["--datadir", str(datadir), "--pairs", PAIRS, "-c", str(config)]
    return lambda *words: [warm_python, "-m", "coordinator", *words, *market]


def test_a_replay_decides_what_the_backtest_decided_and_explains_every_trade(root, command, tmp_path):
    words = command(
        "replay", "--timerange", "20230510-20230512", "--folder", str(tmp_path / "replay"),
    )  # fmt: skip
    done = subprocess.run(
        words, cwd=root, capture_output=True, text=True, timeout=400, env={**os.environ, "COLUMNS": "200"}
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    found = json.loads((tmp_path / "replay" / "replay-result.json").read_text())
    decided = found["decisions"]
    assert decided["signals"] > 3
    assert decided["identical"] == decided["signals"], done.stdout
    assert decided["missing"] == decided["added"] == []
    assert found["errors"] == []
    assert all(match["explained"] for match in found["trades"]), done.stdout
    # FreqAI trained in the bot, on the window that the backtest trained on, before the first candle of the span.
    log = (tmp_path / "replay" / "logs" / "freqtrade.log").read_text()
    assert "Trained quality, slots on the window to 2023-05-10T00:00:00" in log
    assert "explicit representation of timezones" not in log
    assert "No data found for" not in log


def test_a_demo_shows_candles_decisions_and_its_api_and_ends_at_ctrl_c(root, command, tmp_path):
    folder = tmp_path / "demo"
    words = command(
        "demo", "--start", "2023-05-10", "--speed", "20000", "--port", "0", "--folder", str(folder),
    )  # fmt: skip
    with subprocess.Popen(
        words, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"}, process_group=0,
    ) as child:  # fmt: skip
        said, asked = [], None
        assert child.stdout is not None
        for line in child.stdout:
            said.append(line)
            told = "".join(said)
            if asked is None and re.search(r"Candle to \d\d:\d\d: 2 pairs", told):
                access = re.search(r"(http://127\.0\.0\.1:\d+).* user (\S+)   password (\S+)", told)
                assert access is not None, told
                asked = [
                    httpx.get(access[1] + "/api/v1/status", auth=auth, timeout=30).status_code
                    for auth in ((access[2], access[3]), (access[2], "wrong"))
                ]
            if asked is not None and re.search(r"(long|short) signal", told):
                child.send_signal(signal.SIGINT)
                began = time.monotonic()
                break
        rest = child.communicate(timeout=60)[0]
        waited = time.monotonic() - began
    told = "".join(said) + rest
    assert asked == [200, 401]
    assert "Trained quality" in told
    assert "Stopped." in rest
    assert waited < 30  # of a shared machine; ten seconds on a free one
    assert Ledger(folder / "coordinator.ledger.sqlite").check() == []
    # Neither the password nor the key of the tokens stands in a file.
    access = re.search(r"password (\S+)", told)
    assert access is not None
    files = [
        path for path in folder.rglob("*") if path.is_file() and path.suffix in (".json", ".log", ".txt")
    ]
    assert files
    assert not [path for path in files if access[1] in path.read_text(errors="replace")]


def processes(word):
    """The processes that have a word in their command line."""
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if word in file.read_text(errors="replace") and int(file.parent.name) != os.getpid():
                found.append(int(file.parent.name))
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


@pytest.mark.parametrize(
    ("number", "log"), [(signal.SIGTERM, None), (signal.SIGHUP, "Downloading all training data")]
)
def test_a_demo_that_is_told_to_end_takes_its_bot_along(number, log, root, command, tmp_path):
    """While the bot starts, and where FreqAI is about to train."""
    folder = tmp_path / "demo"
    words = command("demo", "--start", "2023-05-10", "--port", "0", "--folder", str(folder))
    with subprocess.Popen(words, cwd=root, stdout=subprocess.PIPE, text=True, process_group=0) as child:
        deadline = time.monotonic() + 100
        spec, said = str(folder / "replay.json"), folder / "logs" / "freqtrade.log"
        try:
            while not processes(spec) or (log and not (said.exists() and log in said.read_text())):
                assert time.monotonic() < deadline
                time.sleep(0.05)
            child.send_signal(number)
            told = child.communicate(timeout=60)[0]
            left = processes(spec)
        finally:
            for pid in (*processes(spec), *([] if child.poll() is not None else [child.pid])):
                os.kill(pid, signal.SIGKILL)
    assert left == []
    assert child.returncode == 128 + number
    assert "Stopped." in told


def test_a_bot_in_another_time_reads_nothing_later_and_leaves_the_real_bots_files_alone(
    warm_python, root, config, datadir, tmp_path
):
    home = tmp_path / "user_data"
    home.mkdir()
    content = json.loads(config.read_text()) | {"user_data_dir": str(home)}
    content["freqai"]["expiration_hours"] = 0
    content["exchange"]["pair_whitelist"] = PAIRS.split()
    content["internals"] = {"process_throttle_secs": 600}
    content["coordinator"]["ledger"] = {"url": f"sqlite:///{home / 'real.sqlite'}"}
    (tmp_path / "config.json").write_text(json.dumps(content))
    market = tmp_path / "candles"
    shutil.copytree(datadir, market)
    before = {path: path.read_bytes() for path in market.rglob("*.feather")}
    # Candles to July, and in the second run models of a later day.
    for start in ("2023-05-20", "2023-05-10"):
        words = ["--start", start, "--end", f"{start}T03:00", "--speed", "inf", "--", "freqtrade", "trade"]
        done = subprocess.run(
            [warm_python, "-m", "coordinator", "sandbox", "run", *words, "--datadir", str(market)],
            cwd=tmp_path, capture_output=True, text=True, timeout=200, env={**os.environ, "COLUMNS": "240"},
        )  # fmt: skip
        told = done.stdout + done.stderr
        assert done.returncode == 0, told[-3000:]
        assert not re.search("Traceback|No common dates| - ERROR - ", told), told[-3000:]
        day = f"{pd.Timestamp(start) - pd.Timedelta(hours=1):%Y-%m-%dT%H}"
        assert f"Trained quality, slots on the window to {day}" in told
        trained = [*(home / "models" / "sandbox-dry-coordinator").glob("sub-train-BTC_*")]
        assert [int(path.name.split("_")[1]) for path in trained] == [
            pd.Timestamp(start, tz="UTC").timestamp()
        ]
    assert "this one begins anew" in told
    assert len(Ledger(home / "sandbox-dry-ledger.sqlite").runs()) == 1
    assert [path.name for path in (home / "models").iterdir()] == ["sandbox-dry-coordinator"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["candles", "config.json", "user_data"]
    assert {path: path.read_bytes() for path in market.rglob("*.feather")} == before
    assert [path.name for path in home.glob("*.sqlite")] == [
        "sandbox-dry-ledger.sqlite", "sandbox-dry-trades.sqlite",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("words", "rule"),
    [
        (["demo", "--start", "2020-01-01"], "must reach candles of a pair at least"),
        (["demo", "--end", "2030-01-01", "--start", "2023-05-10"], "no later than the last candle"),
        (["demo", "--speed", "0", "--start", "2023-05-10"], "be above 0"),
        (["demo", "--fault", "fire=1"], "be NAME=RATE"),
        (["demo", "--port", "99999", "--start", "2023-05-10"], "be a free port"),
        (["replay", "--looks", "7"], "divide an hour"),
        (["replay", "--timerange", "20200101-20200201"], "must reach candles of a pair at least"),
    ],
)
def test_what_cannot_be_is_one_line(words, rule, root, command, tmp_path):
    words = [*words, "--folder", str(tmp_path / "bot")]
    done = subprocess.run(command(*words), cwd=root, capture_output=True, text=True, timeout=100)
    assert done.returncode == 2, done.stdout + done.stderr
    assert rule in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(("stake", "code"), [("unlimited", 0), ("lots", 2)])
def test_a_command_that_is_done_ends_with_0_and_one_whose_config_is_wrong_with_2(
    stake, code, warm_python, config, datadir, tmp_path
):
    """Freqtrade says nothing (None) in both cases."""
    over = tmp_path / "over.json"
    over.write_text(json.dumps({"stake_amount": stake}))
    freqtrade = [
        "freqtrade",
        "list-data",
        "-c",
        config,
        "-c",
        over,
        "--userdir",
        tmp_path,
        "--datadir",
        datadir,
    ]
    words = [
        warm_python,
        "-m",
        "coordinator",
        "sandbox",
        "run",
        "--start",
        "2023-06-01T00:00",
        "--",
        *freqtrade,
    ]
    done = subprocess.run(words, capture_output=True, text=True, timeout=100)
    assert done.returncode == code, done.stderr[-2000:]
    assert ("Configuration error" in done.stdout + done.stderr) == bool(code)
