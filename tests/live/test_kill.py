"""A live bot as its user runs it, killed with an open trade: the exchange closes the trade, the bot finds it closed."""

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
from datetime import timedelta

import pandas as pd
import pytest

from coordinator.adapters.replay.process import main
from coordinator.ledger.store import Ledger
from coordinator.sandbox.accounts.account_file import Accounts
from coordinator.sandbox.accounts.account_spec import AccountSpec
from coordinator.sandbox.replay_spec import ReplaySpec
from tests.live.bot import FIRST, ROOT, Coin, write
from tests.scenarios.engine import CALM, Play, Signal, level, over_off

pytestmark = pytest.mark.xdist_group("live kill")
ROWS = [CALM, CALM, *level(100, 16), *level(97, 3), *level(100, 8)]
REAL = "real-key-of-the-user"


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A user directory with a live config, and candles that fall through the stop at row 18."""
    folder = tmp_path_factory.mktemp("live")
    write(folder / "candles", "BTC/USDT", Coin(Play(ROWS, {0: Signal()}, 1)), futures=False)
    config = json.loads((ROOT / "config.json").read_text())
    config |= {
        "dry_run": False,
        "strategy": "ScriptedByConfig",
        "strategy_path": str(ROOT / "tests" / "live" / "strategies"),
        "coordinator": over_off({"dca": {"enabled": False}}),
        "script": {"BTC/USDT": [ROWS, 0.8]},
    }
    config["freqai"]["enabled"] = False
    config["internals"]["process_throttle_secs"] = 300
    config["exchange"] |= {"pair_whitelist": ["BTC/USDT"], "key": REAL, "secret": REAL}
    (folder / "config.json").write_text(json.dumps(config))
    return folder


def command(python, home, start, *more):
    words = [
        "sandbox",
        "run",
        "--datadir",
        str(home / "candles"),
        "--start",
        f"{start:%Y-%m-%dT%H:%M}",
        *more,
    ]
    trade = ["freqtrade", "trade", "--config", str(home / "config.json"), "--userdir", str(home)]
    return [python, "-m", "coordinator", *words, "--", *trade, "--datadir", str(home / "candles")]


def environment():
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FREQTRADE__")}
    path = f"{ROOT}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"
    real = {"FREQTRADE__EXCHANGE__API_KEY": REAL, "FREQTRADE__EXCHANGE__SECRET": REAL}
    return {**kept, **real, "COLUMNS": "400", "PYTHONUNBUFFERED": "1", "PYTHONPATH": path}


def account(home):
    return Accounts.model_validate_json((home / "sandbox-account.json").read_text()).spot


def rows(home, query):
    with sqlite3.connect(home / "sandbox-trades.sqlite") as database:
        return database.execute(query).fetchall()


@pytest.fixture(scope="module")
def lives(warm_python, home):
    """What a bot said until it was killed, and what its successor said, which begins after the fall."""
    child = subprocess.Popen(
        command(sys.executable, home, FIRST, "--speed", "2400"),
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=home, env=environment(),
        start_new_session=True,
    )  # fmt: skip
    said, protected = [], False
    for line in child.stdout:
        said.append(line)
        protected |= "stoploss limit order added" in line
        if protected and "Candle to" in line:  # the bot has written its stop down
            break
    bots = subprocess.run(["pgrep", "-P", str(child.pid)], capture_output=True, text=True).stdout.split()
    for pid in bots:
        os.kill(int(pid), signal.SIGKILL)
    said.append(child.communicate(timeout=30)[0])
    held = account(home)
    later = FIRST + timedelta(hours=22)
    end = f"{later + timedelta(hours=3):%Y-%m-%dT%H:%M}"
    done = subprocess.run(
        command(warm_python, home, later, "--end", end, "--speed", "inf"), capture_output=True, text=True, timeout=200,
        env=environment(), cwd=home,
    )  # fmt: skip
    return "".join(said), child.returncode, held, done


def test_the_killed_bot_left_its_stop_at_the_exchange(lives):
    _, code, held, _ = lives
    assert code == 128 + signal.SIGKILL
    (stop,) = held.open_orders()
    assert stop.type == "STOP_LOSS_LIMIT"
    assert float(held.balances["BTC"]) == pytest.approx(float(stop.amount), rel=1e-3)


def test_the_exchange_sold_while_nobody_looked_and_the_bot_finds_it_once(lives, home):
    done = lives[3]
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    found = account(home)
    assert found.open_orders() == []
    sold = [fill for fill in found.fills if fill.side == "SELL"]
    assert len(sold) == 1
    hour = (pd.Timestamp(sold[0].time, unit="ms", tz="UTC") - FIRST) / pd.Timedelta(hours=1)
    assert 18.0 <= hour < 18.1  # when the price fell, hours before the bot came back
    trades = rows(home, "select is_open, exit_reason, amount, close_rate from trades")
    assert [trade[:2] for trade in trades] == [(0, "stoploss_on_exchange")]
    assert trades[0][3] == pytest.approx(float(sold[0].price))
    # It bought once in all, and did not enter again.
    assert sum(fill.side == "BUY" for fill in found.fills) == 1
    assert not re.search(r"ERROR|Traceback", done.stdout + done.stderr)
    ledger = Ledger(home / "sandbox-ledger.sqlite")
    (row,) = ledger.trades(int(ledger.runs()["id"].iloc[-1])).itertuples()
    assert row.closed_at == pd.Timestamp(sold[0].time, unit="ms", tz="UTC").floor("s")
    assert row.exit_price == pytest.approx(float(sold[0].price))
    assert row.r < -1


def test_no_key_is_shown_or_kept(lives, home):
    told = lives[0] + lives[3].stdout + lives[3].stderr
    assert "Live on the sandbox exchange, with keys made for this run" in told
    assert REAL not in told
    assert not re.search(r"sandbox[ks][0-9a-f]{20}", told)
    written = [path for path in home.rglob("*") if path.is_file() and path.name != "config.json"]
    assert len(written) > 3
    for path in written:
        content = path.read_bytes()
        assert REAL.encode() not in content
        assert not re.search(rb"sandbox[ks][0-9a-f]{20}", content), path


def test_a_live_config_of_another_exchange_is_refused_in_one_line(home, tmp_path, capsys):
    config = json.loads((home / "config.json").read_text())
    config["exchange"]["name"] = "kraken"
    (tmp_path / "config.json").write_text(json.dumps(config))
    spec = ReplaySpec(datadir=home / "candles", start=FIRST.to_pydatetime(), account=AccountSpec())
    words = ["freqtrade", "trade", "--config", str(tmp_path / "config.json")]
    assert main(spec.command(tmp_path / "replay.json", words)[3:]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "exchange.name" in line
    assert "be binance for a live bot in the sandbox" in line
    assert REAL not in line
