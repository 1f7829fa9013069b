"""`coordinator backtest` from end to end, and what it says to bad input."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
from dataclasses import replace

import pandas as pd
import pytest

from coordinator.candles.files import candle_path
from coordinator.cli import main
from coordinator.jobs.backtest import backtest_in_sandbox
from coordinator.jobs.run_plan import plan_run
from coordinator.ledger.store import Ledger
from coordinator.reports.results import read_result
from coordinator.settings import load_settings
from coordinator.signals.regime import STATES


def coordinator(*arguments, monkeypatch, capsys):
    """Run the command in this process: (exit code, output, error output)."""
    monkeypatch.setattr(sys, "argv", ["coordinator", *map(str, arguments)])
    with pytest.raises(SystemExit) as end:
        main()
    out, err = capsys.readouterr()
    return end.value.code, out, err


def backtest_words(config, over, datadir, user_data):
    configs = ["--config", config, "--config", over]
    return ["backtest", *configs, "--datadir", datadir, "--user-data", user_data]


def test_the_main_job_prints_one_table_and_writes_ledgers_and_a_report(
    warm_python, quick_config, datadir, tmp_path
):
    words = ["-m", "coordinator", "backtest", "--config", quick_config, "--datadir", datadir]
    words += ["--timerange", "20230501-20230601", "--pairs", "BTC/USDT ETH/USDT", "--user-data", tmp_path]
    # Two Pythons, two hash seeds: no set's order may matter.
    runs = [
        subprocess.run([python, *words], capture_output=True, text=True, timeout=400)
        for python in (sys.executable, warm_python)
    ]
    for done in runs:
        assert done.returncode == 0, done.stdout + done.stderr
    tables = [[line for line in done.stdout.splitlines() if "│" in line] for done in runs]
    assert tables[0] == tables[1]
    labels = " ".join(line.split("│")[1].strip() for line in tables[0])
    for label in (
        "Profit",
        "Sharpe",
        "Sortino",
        "Calmar",
        "Profit factor",
        "Max drawdown",
        "Win rate",
        "Trades",
        "Fees",
    ):
        assert label in labels
    assert all(name in runs[0].stdout for name in ("MLCoordinator", "TechnicalBaseline", "Buy and hold"))
    results = tmp_path / "backtest_results"
    zips = sorted(results.glob("*.zip"))
    assert len(zips) == 4
    assert {path.with_suffix(".ledger.sqlite") for path in zips} == set(results.glob("*.ledger.sqlite"))
    report = max((tmp_path / "reports").glob("*.html")).read_text()
    assert "MLCoordinator" in report
    assert "Plotly" in report
    assert len(re.findall(r"<h3>\w+, run 1: the 30 days to ", report)) == 2
    assert '"rolling-profit_factor"' in report
    assert "Is ML worth it?" in report

    parquet = tmp_path / "decisions.parquet"
    trades = Ledger(zips[0].with_suffix(".ledger.sqlite")).trades(1)
    assert len(trades) > 5
    with_signal = trades[trades["intended_price"].notna()]
    assert len(with_signal) == len(trades)
    assert with_signal["slippage"].abs().max() < 0.05
    assert (trades["tranches_planned"] >= trades["tranches_filled"]).all()
    assert (trades["tranches_planned"] > trades["tranches_filled"]).any()
    assert trades["exit_slippage"].notna().all()
    assert trades["exit_slippage"].abs().max() < 0.1
    # A stop-out loses about the initial risk, costs included; whatever was filled of the plan.
    stopped = trades[trades["exit_reason"] == "stop_loss"]
    assert len(stopped)
    assert stopped["r"].between(-2.5, -0.9).all()
    ledger = zips[0].with_suffix(".ledger.sqlite")
    stored = Ledger(ledger).metrics(1)
    assert stored["time"].nunique() == 31  # every midnight of the timerange
    assert {"ml", "baseline", "all"} == set(stored["arm"])
    assert stored.query("metric == 'portfolio_correlation'")["value"].dropna().between(-1, 1).all()
    regimes = Ledger(ledger).read_decisions()["regime"]
    assert set(regimes) <= set(STATES)
    shown = [warm_python, "-m", "coordinator", "metrics", "--ledger", ledger]
    printed = subprocess.run(shown, capture_output=True, text=True, env={**os.environ, "COLUMNS": "200"})
    assert printed.returncode == 0, printed.stderr
    assert "5 Max drawdown" in printed.stdout
    assert "lstm (lstm)" in printed.stdout
    export = [
        warm_python,
        "-m",
        "coordinator",
        "ledger",
        "export",
        "--ledger",
        ledger,
        "--output",
        parquet,
    ]
    assert subprocess.run(export, capture_output=True).returncode == 0
    frame = pd.read_parquet(parquet)
    wanted = {
        "time",
        "pair",
        "direction",
        "technical_confidence",
        "lstm_direction",
        "fusion_confidence",
        "unified_confidence",
        "accepted",
        "rejection",
        "outcome_r",
    }
    assert wanted <= set(frame.columns)
    assert len(frame) > 50


@pytest.fixture
def broken(datadir, tmp_path):
    """A copy of BTC's candles that a test may break."""
    folder = tmp_path / "candles"
    folder.mkdir()
    for name in ("BTC_USDT-1h.feather", "BTC_USDT-4h.feather", "BTC_USDT-1d.feather"):
        (folder / name).write_bytes((datadir / name).read_bytes())
    return folder


def nan_in_close(frame):
    frame.loc[100, "close"] = float("nan")
    return frame


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (nan_in_close, ("'close'", "finite", "nan")),
        (lambda frame: pd.concat((frame.iloc[:50], frame.iloc[49:])), ("'date'", "twice")),
        (lambda frame: frame.iloc[::-1], ("'date'", "ascend")),
        (lambda frame: frame.drop(columns="volume"), ("'volume'", "column")),
        (lambda frame: frame.assign(low=-1.0), ("'low'", "above 0", "-1.0")),
    ],
)
def test_bad_candles_are_one_line(broken, damage, words, quick_config, monkeypatch, capsys):
    path = candle_path(broken, "BTC/USDT", "1h", "spot")
    damage(pd.read_feather(path)).reset_index(drop=True).to_feather(path)
    code, _, err = coordinator(
        "backtest", "--config", quick_config, "--datadir", broken, monkeypatch=monkeypatch, capsys=capsys
    )
    assert code == 2
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert all(word in err for word in (*words, "BTC_USDT-1h.feather"))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--datadir", "/nowhere/at/all"), ("/nowhere/at/all",)),
        (("--pairs", "FOO/USDT"), ("--pairs", "BTC/USDT, ETH/USDT, SOL/USDT", "FOO/USDT")),
        (("--timerange", "2023-05-01"), ("--timerange", "YYYYMMDD-YYYYMMDD")),
        (("--timerange", "20230601-20230501"), ("--timerange", "start before")),
        (("--timerange", "20200101-20200201"), ("--timerange", "reach candles", "20200101-20200201")),
        (("--timerange", "20220615-20220715"), ("--timerange", "lie within", "20220615-20220715")),
        (("--timerange", "20239901-20240101"), ("--timerange", "YYYYMMDD")),
        (("--trading-mode", "margin"), ("--trading-mode", "spot or futures", "margin")),
        (("--config", "/nowhere.json"), ("--config", "existing file", "/nowhere.json")),
    ],
)
def test_bad_options_are_one_line(options, words, quick_config, datadir, monkeypatch, capsys):
    arguments = ["backtest", "--config", quick_config, "--datadir", datadir, *options]
    code, _, err = coordinator(*arguments, monkeypatch=monkeypatch, capsys=capsys)
    assert (code, err.count("\n")) == (2, 1)
    assert all(word in err for word in words)


@pytest.mark.parametrize(
    ("section", "words"),
    [
        ({"decison": {}}, ("decison", "known key")),
        ({"stops": {"atr_multiple": 9}}, ("stops.atr_multiple", "less than or equal to 4", "9")),
    ],
)
def test_bad_settings_are_one_line(section, words, quick_config, datadir, tmp_path, monkeypatch, capsys):
    config = json.loads(quick_config.read_text()) | {"coordinator": section}
    path = tmp_path / "config.json"
    path.write_text(json.dumps(config))
    for command in (["backtest", "--datadir", datadir], ["settings", "check"]):
        code, _, err = coordinator(*command, "--config", path, monkeypatch=monkeypatch, capsys=capsys)
        assert (code, err.count("\n")) == (2, 1)
        assert all(word in err for word in words)


def test_config_that_is_not_json_is_one_line(tmp_path, monkeypatch, capsys):
    (tmp_path / "config.json").write_text("{'no': 1}")
    code, _, err = coordinator(
        "settings", "check", "--config", tmp_path / "config.json", monkeypatch=monkeypatch, capsys=capsys
    )
    assert (code, err.count("\n")) == (2, 1)
    assert all(word in err for word in ("'line 1'", str(tmp_path / "config.json"), "{'no': 1}"))


@pytest.mark.usefixtures("warm_commands")
def test_a_config_that_freqtrade_refuses_ends_with_freqtrades_own_line(
    quick_config, datadir, tmp_path, monkeypatch, capsys
):
    """Freqtrade itself exits with code 0 there."""
    over = tmp_path / "over.json"
    over.write_text('{"stake_amount": "lots", /* of it */}')
    words = backtest_words(quick_config, over, datadir, tmp_path)
    code, _, err = coordinator(*words, monkeypatch=monkeypatch, capsys=capsys)
    assert (code, err.count("\n")) == (2, 1)
    log = tmp_path / "logs" / "backtest-MLCoordinator.log"
    refused = "error: Configuration error: 'lots' does not match 'unlimited' (at ['stake_amount'])"
    assert err == f"{refused} (log: {log})\n"


@pytest.mark.usefixtures("warm_commands")
def test_what_hyperopt_left_beside_one_strategy_is_not_compared_with_the_other(
    quick_config, root, datadir, tmp_path, monkeypatch, capsys
):
    shutil.copytree(root / "strategies", tmp_path / "strategies")
    left = {"strategy_name": "TechnicalBaseline", "params": {"buy": {"trend_ma": 100}}}
    (tmp_path / "strategies" / "TechnicalBaseline.json").write_text(json.dumps(left))
    over = tmp_path / "over.json"
    changes = {"freqai": {"enabled": False}, "coordinator": {"decision": {"ml_weight": 0.0}}}
    over.write_text(json.dumps({**changes, "strategy_path": str(tmp_path / "strategies")}))
    words = backtest_words(quick_config, over, datadir, tmp_path)
    words += ["--pairs", "BTC/USDT", "--timerange", "20230501-20230601"]
    code, out, err = coordinator(*words, monkeypatch=monkeypatch, capsys=capsys)
    assert code == 0, err
    assert "Hyperopt's parameters are not used here, where strategies are compared: " in out
    assert "strategies/TechnicalBaseline.json" in out
    ml, baseline = (
        read_result(path).trades.drop(columns="enter_tag")
        for path in sorted((tmp_path / "backtest_results").glob("*.zip"))
    )
    assert len(ml) > 2
    pd.testing.assert_frame_equal(ml, baseline)


@pytest.mark.usefixtures("warm_commands")
def test_the_environment_decides_as_in_freqtrade_and_never_where_the_run_does(
    quick_config, datadir, tmp_path, monkeypatch
):
    monkeypatch.setenv("FREQTRADE__COORDINATOR__QUALITY__MODEL_TYPE", "logistic")
    monkeypatch.setenv("FREQTRADE__FREQAI__IDENTIFIER", "theirs")
    monkeypatch.setenv("FREQTRADE__EXCHANGE__NAME", "kraken")
    monkeypatch.setenv("FREQTRADE__EXCHANGE__PAIR_WHITELIST", '["ADA/USDT"]')
    over = tmp_path / "over.json"
    over.write_text('{"coordinator": {"learning": {"components": ["quality"]}}}')
    plan = plan_run([quick_config, over], datadir, ["BTC/USDT"], "20230501-20230515", "spot")
    assert plan.settings.quality.model_type == "logistic"
    assert (
        plan.identifier() != replace(plan, settings=load_settings({"learning": {"epochs": 2}})).identifier()
    )
    result, ledger, _ = backtest_in_sandbox(plan, "MLCoordinator", tmp_path, lambda *_: None)
    assert result.is_file()
    run = Ledger(ledger).runs().iloc[-1]
    assert run["identifier"] == plan.identifier()
    assert set(Ledger(ledger).read_decisions()["pair"]) == {"BTC/USDT"}
    made = json.loads((tmp_path / "models" / plan.identifier() / "fingerprint.json").read_text())["made_with"]
    assert (made["exchange"], made["coordinator.quality.model_type"]) == ("binance", "logistic")


def test_a_port_in_use_is_one_line(datadir, monkeypatch, capsys):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        code, _, err = coordinator(
            "sandbox", "serve", "--datadir", datadir, "--port", port, monkeypatch=monkeypatch, capsys=capsys
        )
    assert (code, err.count("\n")) == (2, 1)
    assert str(port) in err
