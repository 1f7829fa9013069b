"""The hedge in real backtests: futures opens, rebalances and closes it; spot locks longs and scales out."""

import json
import zipfile

import pytest

from coordinator.ledger.store import Ledger

BTC = "BTC/USDT:USDT"


def futures(freqtrade):
    pairs = [f"{coin}/USDT:USDT" for coin in ("BTC", "ETH", "SOL")]
    exchange = {**freqtrade.overlay["exchange"], "pair_whitelist": pairs}
    return {"trading_mode": "futures", "exchange": exchange}


def backtest(freqtrade, timerange, folder, portfolio, *more, improvements=None, **changes):
    folder.mkdir()
    section = {"portfolio": portfolio, "improvements": improvements or {}}
    changes = {"freqai": {"enabled": False}, "coordinator": section, "max_open_trades": 3, **changes}
    arguments = ("--strategy", "TechnicalBaseline", "--timerange", timerange, "--cache", "none", *more)
    done = freqtrade("backtesting", *arguments, user_data=folder, changes=changes)
    output = done.stdout + done.stderr
    assert "exception" not in output.lower()
    assert "ERROR" not in output
    (path,) = (folder / "backtest_results").glob("*.zip")
    with zipfile.ZipFile(path) as archive:
        (strategy,) = json.loads(archive.read(path.with_suffix(".json").name))["strategy"].values()
    (ledger,) = (folder / "backtest_results").glob("*.ledger.sqlite")
    rows = [row for record in Ledger(ledger).replay(1) for row in record.improvements if row.name == "hedge"]
    assert Ledger(ledger).check() == []
    return strategy, rows, output


def test_futures_opens_rebalances_and_closes(freqtrade, timerange, tmp_path):
    hedge = {"mode": "on", "drawdown": 0.005, "tolerance": 0.1, "peak_days": 5}
    found, rows, _ = backtest(freqtrade, timerange, tmp_path / "on", {"hedge": hedge}, **futures(freqtrade))
    hedges = [trade for trade in found["trades"] if trade["pair"] == BTC]
    assert hedges
    assert all(trade["is_short"] for trade in hedges)
    assert all(trade["enter_tag"].startswith("hedge: drawdown") for trade in hedges)
    reasons = {trade["exit_reason"] for trade in hedges}
    assert reasons <= {"force_exit"} | {r for r in reasons if r.startswith("hedge closed: ")}
    tags = {order["ft_order_tag"] for trade in hedges for order in trade["orders"]}
    assert "hedge closed: no net long exposure" in reasons
    assert {"hedge enlarged", "hedge reduced"} & tags
    assert {row.mode for row in rows} == {"on"}
    assert {row.adjusted for row in rows} == {0.0, 0.5}
    # The hedge's slot is kept: never three others at once.
    others = [t for t in found["trades"] if t["pair"] != BTC]
    for trade in others:
        at = trade["open_timestamp"]
        assert sum(t["open_timestamp"] <= at < t["close_timestamp"] for t in others) <= 2


def test_spot_locks_longs_and_scales_out(freqtrade, timerange, tmp_path):
    hedge = {"mode": "on", "drawdown": 0.005, "peak_days": 7}
    found, rows, output = backtest(freqtrade, timerange, tmp_path / "on", {"hedge": hedge})
    orders = [order for trade in found["trades"] for order in trade["orders"]]
    assert "drawdown scale-out" in {order["ft_order_tag"] for order in orders}
    assert len(rows) >= 2  # locked, and released
    for trade in found["trades"]:
        sales = [o for o in trade["orders"] if o["ft_order_tag"] == "drawdown scale-out"]
        assert len(sales) <= 2
    spans, began = [], None
    for line in output.splitlines():
        if "locked for longs" in line:
            time = line.split(" - ")[-1][:19]
            if "no longer" not in line:
                began = time
            elif began:
                spans.append((began, time))
                began = None
    assert spans
    for trade in found["trades"]:
        assert not any(one < trade["open_date"][:19] <= two for one, two in spans)


@pytest.mark.parametrize("trading_mode", ["spot", "futures"])
def test_shadow_trades_as_off_and_records(freqtrade, timerange, tmp_path, trading_mode):
    changes = futures(freqtrade) if trading_mode == "futures" else {}
    off, none, _ = backtest(freqtrade, timerange, tmp_path / "off", {}, **changes)
    section = {"hedge": {"mode": "shadow", "drawdown": 0.005}}
    shadow, rows, output = backtest(freqtrade, timerange, tmp_path / "shadow", section, **changes)
    assert shadow["trades"] == off["trades"]
    assert not none
    assert {row.mode for row in rows} == {"shadow"}
    assert "The portfolio would be" in output


def test_the_protection_locks_in_a_backtest(freqtrade, timerange, tmp_path):
    portfolio = {"hedge": {"drawdown": 0.005}, "protection": {"enabled": True}}
    plain, _, _ = backtest(freqtrade, timerange, tmp_path / "plain", portfolio)
    found, _, _ = backtest(freqtrade, timerange, tmp_path / "on", portfolio, "--enable-protections")
    assert 0 < len(found["trades"]) < len(plain["trades"])


def test_the_protection_reaches_hyperopts_workers(freqtrade, timerange, tmp_path):
    portfolio = {"hedge": {"mode": "on", "drawdown": 0.005}, "protection": {"enabled": True}}
    changes = {"freqai": {"enabled": False}, "coordinator": {"portfolio": portfolio}}
    arguments = ("--strategy", "TechnicalBaseline", "--timerange", timerange, "--spaces", "coordinator")
    arguments += ("--hyperopt-loss", "SharpeHyperOptLossDaily", "--epochs", "2", "-j", "2")
    arguments += ("--disable-param-export", "--random-state", "1", "--enable-protections")
    done = freqtrade("hyperopt", *arguments, user_data=tmp_path, changes=changes)
    output = done.stdout + done.stderr
    assert "exception" not in output.lower()
    assert "Impossible to load Protection" not in output
    assert "threshold" in done.stdout
