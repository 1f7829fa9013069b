"""The improvements of spec 003 in real backtests: shadow trades as off, on runs through and changes what it should."""

import json
import zipfile
from collections import Counter
from itertools import pairwise

import pytest

from coordinator.ledger.store import Ledger

NAMES = {"dynamic_reward_risk", "volatility_sizing", "correlation_filter", "sector_limit"}


def section(mode, **more):
    """Every improvement in a mode; limits tight enough for three pairs to meet them."""
    return {
        "dynamic_reward_risk": {"mode": mode},
        "volatility_sizing": {"mode": mode},
        "correlation_filter": {"mode": mode, "max_correlated": 1, "threshold": 0.3, "max_per_sector": 1},
        **more,
    }


def backtest(freqtrade, timerange, folder, improvements, **changes):
    """(output, trades, improvements by candle) of a TechnicalBaseline run."""
    folder.mkdir()
    changes = {"freqai": {"enabled": False}, "coordinator": {"improvements": improvements}, **changes}
    arguments = ("--strategy", "TechnicalBaseline", "--timerange", timerange, "--cache", "none")
    done = freqtrade("backtesting", *arguments, user_data=folder, changes=changes)
    (path,) = (folder / "backtest_results").glob("*.ledger.sqlite")
    rows = [row for record in Ledger(path).replay(1) for row in record.improvements]
    rows = [row for row in rows if not row.name.startswith("trust_")]  # changes of trust
    assert Ledger(path).check() == []
    return done.stdout + done.stderr, records(folder), rows


def records(folder):
    (path,) = (folder / "backtest_results").glob("*.zip")
    with zipfile.ZipFile(path) as archive:
        (strategy,) = json.loads(archive.read(path.with_suffix(".json").name))["strategy"].values()
    return strategy["trades"]


def test_shadow_trades_as_off_and_records(spot_result, freqtrade, timerange, tmp_path):
    _, off = spot_result
    output, trades, rows = backtest(freqtrade, timerange, tmp_path / "shadow", section("on", shadow=True))
    assert trades == records(off)
    assert {row.name for row in rows} == NAMES
    assert {row.mode for row in rows} == {"shadow"}
    refused = Counter(
        row.name
        for row in rows
        if row.name in ("correlation_filter", "sector_limit") and row.adjusted >= row.base
    )
    assert refused["correlation_filter"] > 0
    assert f"refused (shadow): correlation_filter {refused['correlation_filter']}" in output
    assert "failed and is left out" not in output


@pytest.mark.parametrize("trading_mode", ["spot", "futures"])
def test_all_three_on(spot_result, freqtrade, timerange, tmp_path, trading_mode):
    changes = {}
    if trading_mode == "futures":
        pairs = [f"{coin}/USDT:USDT" for coin in ("BTC", "ETH", "SOL")]
        exchange = {**freqtrade.overlay["exchange"], "pair_whitelist": pairs}
        changes = {"trading_mode": "futures", "exchange": exchange}
    output, trades, rows = backtest(freqtrade, timerange, tmp_path / "on", section("on"), **changes)
    assert "failed and is left out" not in output
    assert "exception" not in output.lower()
    assert len(trades) > 10
    assert {row.mode for row in rows} == {"on"}
    assert {row.name for row in rows} == NAMES
    if trading_mode == "spot":
        assert trades != records(spot_result[1])
    else:
        assert len({trade["is_short"] for trade in trades}) == 2
    # What was refused was not traded: of one sector (ETH, SOL) never two at once.
    sector = [trade for trade in trades if trade["pair"][:3] in ("ETH", "SOL")]
    spans = sorted((trade["open_timestamp"], trade["close_timestamp"]) for trade in sector)
    assert len(spans) > 5
    assert all(one[1] <= two[0] for one, two in pairwise(spans))


def test_hyperopt_with_all_three_on(freqtrade, timerange, tmp_path):
    """They reach hyperopt's workers, several epochs long."""
    changes = {"freqai": {"enabled": False}, "coordinator": {"improvements": section("on")}}
    arguments = ("--strategy", "TechnicalBaseline", "--timerange", timerange, "--spaces", "coordinator")
    arguments += ("--hyperopt-loss", "SharpeHyperOptLossDaily", "--epochs", "4", "-j", "2")
    arguments += ("--disable-param-export", "--random-state", "1")
    done = freqtrade("hyperopt", *arguments, user_data=tmp_path, changes=changes)
    output = done.stdout + done.stderr
    assert "exception" not in output.lower()
    assert "failed and is left out" not in output
    assert "threshold" in done.stdout
