"""Hyperopt inside real Freqtrade processes: the spaces, the four losses, two workers, and the exported file."""

import json
import re
import shutil

import pytest

from coordinator.jobs.traded import traded_rows
from coordinator.ledger.store import Ledger
from coordinator.reports.results import latest_results
from coordinator.settings import load_settings

TIMERANGE = ("--timerange", "20230415-20230501")


def hyperopt(freqtrade, user_data, changes, strategy, spaces, loss, *arguments):
    """Two epochs, two workers: the output, and the objective and the profit (USDT) of the best epoch."""
    options = ("--strategy", strategy, *TIMERANGE, "--spaces", *spaces, "--hyperopt-loss", loss)
    options += ("--epochs", "2", "-j", "2", "--random-state", "1", *arguments)
    done = freqtrade("hyperopt", *options, user_data=user_data, changes=changes)
    output = done.stdout + done.stderr
    assert "exception" not in output.lower()
    best = re.search(r"Total profit (\S+) USDT.*Objective: (\S+)", done.stdout)
    assert best, done.stdout[-3000:]
    return done.stdout, float(best[2]), float(best[1])


def tuned(output):
    """Parameters of the best epoch by space, those left alone out."""
    blocks = re.findall(r"(\w+)_params = \{\n(.*?)\}", output, re.S)
    lines = {space: re.findall(r'"(\w+)": [\d.]+,(?!  # value loaded)', body) for space, body in blocks}
    return {space: set(names) for space, names in lines.items() if names}


@pytest.mark.parametrize(
    ("strategy", "spaces", "loss", "expected"),
    [
        (
            "TechnicalBaseline",
            ("buy", "sell"),
            "CalmarFloorHyperOptLoss",
            {
                "buy": {"threshold", "risk_per_trade", "trend_ma", "fast_clearance", "slow_clearance"},
                "sell": {"exit_ma", "hard_stop_atr_mult"},
            },
        ),
        (
            "TechnicalBaseline",
            ("protection",),
            "DrawdownBoundedProfitHyperOptLoss",
            {"protection": {"max_positions"}},
        ),
        (
            "MLCoordinator",
            ("coordinator",),
            "DeflatedSharpeHyperOptLoss",
            {"coordinator": {"threshold", "risk_per_trade", "max_positions"}},
        ),
    ],
)
def test_each_space_and_loss_with_two_workers(freqtrade, tmp_path, strategy, spaces, loss, expected):
    freqai = {"enabled": strategy == "MLCoordinator", "identifier": "hyperopt"}
    changes = {"freqai": freqai, "coordinator": {"learning": {"epochs": 1, "fast_start_days": 0}}}
    changes["exchange"] = {**freqtrade.overlay["exchange"], "pair_whitelist": ["BTC/USDT", "ETH/USDT"]}
    output, objective, _ = hyperopt(
        freqtrade, tmp_path, changes, strategy, spaces, loss, "--disable-param-export"
    )
    assert tuned(output) == expected
    assert abs(objective) < 100
    assert (objective > 10) == (loss == "CalmarFloorHyperOptLoss")  # as fewer than 30 trades are


def test_a_policy_divides_the_slots_of_an_epoch(freqtrade, tmp_path):
    """It is trained once, as the votes' models are; one that leaves every signal makes an epoch without a trade."""
    own = {"learning": {"components": ["quality"], "fast_start_days": 0}, "entries": {"ranking_by": "policy"}}
    own |= {"portfolio": {"max_positions": 2}, "slots_policy": {"timesteps": 512, "rollout": 256}}
    options = ("--strategy", "MLCoordinator", *TIMERANGE, "--spaces", "coordinator", "--epochs", "2")
    options += ("-j", "1", "--hyperopt-loss", "ExpectancyRHyperOptLoss", "--disable-param-export")
    done = freqtrade("hyperopt", *options, user_data=tmp_path, changes={"coordinator": own})
    assert "exception" not in (done.stdout + done.stderr).lower()
    assert done.stderr.count("Trained quality, slots on the window to 2023-04-15") == 1
    (path,) = (tmp_path / "hyperopt_results").glob("*.fthypt")
    assert len(path.read_text().splitlines()) == 2


def test_an_exported_file_is_traded_as_the_best_epoch_was(freqtrade, root, tmp_path):
    folder = tmp_path / "strategies"
    folder.mkdir()
    shutil.copy(root / "strategies" / "TechnicalBaseline.py", folder)
    changes = {"freqai": {"enabled": False}, "strategy_path": str(folder)}
    loss = "ExpectancyRHyperOptLoss"
    _, objective, profit = hyperopt(freqtrade, tmp_path, changes, "TechnicalBaseline", ["coordinator"], loss)
    params = json.loads((folder / "TechnicalBaseline.json").read_text())["params"]
    assert set(params["coordinator"]) >= {"exit_ma", "hard_stop_atr_mult", "risk_per_trade"}
    arguments = ("--strategy", "TechnicalBaseline", *TIMERANGE, "--cache", "none")
    freqtrade("backtesting", *arguments, user_data=tmp_path, changes=changes)
    (result,) = latest_results(tmp_path / "backtest_results", ["TechnicalBaseline"])
    trades = result.trades
    assert trades["profit_abs"].sum() == pytest.approx(profit, abs=1e-6)
    # The result's initial stop is the planned one, so the loss's R is the ledger's.
    (path,) = (tmp_path / "backtest_results").glob("*.ledger.sqlite")
    rows = traded_rows(result, Ledger(path).read_decisions(), load_settings(None).dca)
    assert len(rows) > 3
    assert objective == pytest.approx(-sum(row.r for row in rows) / len(rows), rel=0.01)
