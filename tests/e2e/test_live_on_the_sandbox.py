"""MLCoordinator live on the sandbox exchange, in futures, as its user runs it: FreqAI trains, orders are real there."""

import json
import os
import sqlite3
import subprocess

import pytest

from coordinator.ledger.store import Ledger
from coordinator.sandbox.accounts.account_file import Accounts

PAIRS = ["BTC/USDT:USDT", "ETH/USDT:USDT"]


@pytest.fixture(scope="module")
def run(warm_python, root, quick_config, datadir, tmp_path_factory):
    """(output, user directory) of a day and a half."""
    home = tmp_path_factory.mktemp("live ml")
    config = json.loads(quick_config.read_text())
    config["coordinator"] = {
        "baseline": {"clock": "1h"},
        "learning": {"components": ["quality"], "fast_start_days": 30, "latency_limit_ms": 60_000},
        "quality": {"trees": 40, "leaf_samples": 50, "retrain_days": 30, "label": "target"},
        "decision": {"require_positive_expectancy": False},
    }
    config |= {"dry_run": False, "trading_mode": "futures", "user_data_dir": str(home)}
    config["exchange"]["pair_whitelist"] = PAIRS
    config["internals"] = {"process_throttle_secs": 600}
    path = home / "config.json"
    path.write_text(json.dumps(config))
    words = [
        "sandbox",
        "run",
        "--datadir",
        str(datadir),
        "--start",
        "2023-05-10",
        "--end",
        "2023-05-11T12:00",
    ]
    words += ["--speed", "inf", "--balance", "5000", "--", "freqtrade", "trade"]
    words += ["--config", str(path), "--userdir", str(home)]
    done = subprocess.run(
        [warm_python, "-m", "coordinator", *words],
        cwd=root, capture_output=True, text=True, timeout=300, env={**os.environ, "COLUMNS": "240"},
    )  # fmt: skip
    output = done.stdout + done.stderr
    assert done.returncode == 0, output[-3000:]
    return output, home


def test_it_trains_trades_and_leaves_one_stop_for_each_position(run):
    output, home = run
    assert "Trained quality" in output
    assert "Traceback" not in output
    account = Accounts.model_validate_json((home / "sandbox-account.json").read_text()).futures
    assert account.fills
    with sqlite3.connect(home / "sandbox-trades.sqlite") as database:
        trades = database.execute("select pair, amount, is_short, is_open from trades").fetchall()
        known = {row[0] for row in database.execute("select order_id from orders")}
    assert trades
    held = {
        pair.split(":")[0].replace("/", ""): (-1 if short else 1) * amount
        for pair, amount, short, open_ in trades
        if open_
    }
    positions = {symbol: float(p.amount) for symbol, p in account.positions.items() if p.amount}
    assert positions == pytest.approx(held)
    stops = [order for order in account.open_orders() if order.is_conditional]
    assert sorted(order.symbol for order in stops) == sorted(held)
    assert all(float(order.amount) >= abs(held[order.symbol]) * 0.999 for order in stops)
    # Every order is one that the bot knows, but for those that its stops placed when they were triggered, and for
    # entries that timed out unfilled, which Freqtrade forgets.
    unknown = [o for o in account.orders.values() if o.parent is None and str(o.id) not in known]
    assert {(order.status, float(order.filled)) for order in unknown} <= {("CANCELED", 0.0)}


def test_the_ledger_is_the_sandboxs_own_and_sound(run):
    _, home = run
    assert not (home / "coordinator.ledger.sqlite").exists()
    assert Ledger(home / "sandbox-ledger.sqlite").check() == []
