"""What a backtest does when ML fails in it: ``learning.on_failure``."""

import json
import zipfile

import pytest

from coordinator.jobs import freqtrade_process
from coordinator.jobs.backtest import backtest_in_sandbox
from coordinator.jobs.run_plan import plan_run
from coordinator.ledger.store import Ledger

BROKEN = '''
"""A model whose components cannot be trained, and whose second window FreqAI gives up."""

from coordinator.adapters.freqai import CompositeFreqaiModel


def broken(*_):
    raise RuntimeError("out of order")


class BrokenClassifier(CompositeFreqaiModel):
    """LSTM and signal quality, both out of order."""

    only = ("lstm", "quality")

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        for component in self.composite.components.values():
            component.train = broken

    def train(self, frame, pair, dk, **kwargs):
        if self.training_timerange.stopts == dk.training_timeranges[1].stopts:
            broken()
        return super().train(frame, pair, dk, **kwargs)
'''


def trades(user_data):
    """Freqtrade's own trade records of the newest result, without the tags, which name what fusion thinks."""
    path = sorted((user_data / "backtest_results").glob("*.zip"))[-1]
    with zipfile.ZipFile(path) as archive:
        (strategy,) = json.loads(archive.read(path.with_suffix(".json").name))["strategy"].values()
    found = strategy["trades"]
    for trade in found:
        del trade["enter_tag"]
        for order in trade["orders"]:
            del order["ft_order_tag"]
    return found


@pytest.fixture
def backtest(freqtrade, timerange, tmp_path):
    """A backtest on a training's candles whose models are broken; its output and its exit code."""
    (tmp_path / "BrokenClassifier.py").write_text(BROKEN)

    def run(on_failure, strategy="MLCoordinator"):
        # The indicators' fusion never fails: without the vote's weight quality alone could change a trade.
        decision = {"ml_weight": 0.0, "quality_mode": "replace"}
        done = freqtrade(
            "backtesting",
            *("--strategy", strategy, "--freqaimodel", "BrokenClassifier"),
            *("--timerange", timerange, "--cache", "none"),
            user_data=tmp_path,
            changes={
                "freqaimodel_path": str(tmp_path),
                "coordinator": {"learning": {"on_failure": on_failure}, "decision": decision},
            },
            check=False,
        )
        return done.stdout + done.stderr, done.returncode

    return run


def test_it_ends_or_trades_what_the_baseline_trades_and_twice_the_same(backtest, tmp_path):
    output, code = backtest("stop")
    assert code != 0
    assert "Training of BTC/USDT failed" in output
    assert '"learning.on_failure": "baseline"' in output
    _, code = backtest("stop", "TechnicalBaseline")
    assert code == 0
    expected = trades(tmp_path)
    assert len(expected) > 10
    (path,) = (tmp_path / "backtest_results").glob("TechnicalBaseline-*.ledger.sqlite")
    alone = Ledger(path).read_decisions()
    assert alone["technical_percentile"].notna().all()
    for name in ("lstm", "fusion", "selector", "attention", "quality"):
        assert alone[f"{name}_percentile"].isna().all()
    for _ in range(2):  # the second time with stored predictions
        output, code = backtest("baseline")
        assert code == 0, output[-3000:]
        assert trades(tmp_path) == expected
        for pair in ("BTC/USDT", "ETH/USDT", "SOL/USDT"):
            words = "lstm failed in 3 of 3 windows, quality failed in 3 of 3 windows."
            assert f"{pair}: ML IS ABSENT in part, and the rest trades on: {words}" in output
    assert "Found backtesting prediction file" in output
    ledger = Ledger(sorted((tmp_path / "backtest_results").glob("MLCoordinator-*.ledger.sqlite"))[-1])
    decisions = ledger.read_decisions()
    assert decisions[["lstm_direction", "quality_percentile"]].isna().all(axis=None)
    drops = ledger.history(int(ledger.runs()["id"].iloc[-1]), "drops")
    tested = drops[drops["time"] >= "2023-04-01"]
    for name in ("lstm", "quality"):
        assert set(tested.loc[tested["component"] == name, "reason"]) == {"raised an exception"}
    output, code = backtest("stop")
    assert code != 0
    assert "The stored predictions of BTC/USDT are of a run in which lstm failed in 3 of 3 windows" in output


def test_the_main_job_goes_on_where_it_may_and_repeats_what_failed(tmp_path, monkeypatch):
    program = tmp_path / "freqtrade"
    program.write_text(
        "#!/bin/sh\n"
        "echo 't - freqai - WARNING - Training BTC/USDT raised exception RuntimeError. Message: x, skipping.'\n"
        "echo 't - model - WARNING - BTC/USDT: ML IS ABSENT in part'\n"
        "echo 't - main - INFO - of no interest'\n"
        "echo 't - sizing - WARNING - THE WALLET IS TOO SMALL: it holds 19.8 USDT. This is said once.'\n"
    )
    program.chmod(0o755)
    monkeypatch.setattr(freqtrade_process.sys, "executable", str(program))

    def run(**tolerant):
        return freqtrade_process.run_freqtrade([], tmp_path / "log", lambda *_: None, **tolerant)

    assert run(tolerant=True) == [
        "BTC/USDT: ML IS ABSENT in part",
        "THE WALLET IS TOO SMALL: it holds 19.8 USDT. This is said once.",
    ]
    with pytest.raises(freqtrade_process.FreqtradeError, match="Training BTC/USDT raised exception"):
        run()
    with program.open("a") as file:
        file.write("echo 't - freqtrade - ERROR - there is a way out'; exit 2\n")
    with pytest.raises(freqtrade_process.FreqtradeError, match=r"raised exception .* there is a way out"):
        run(tolerant=True)


def test_a_backtest_that_writes_nothing_is_no_traceback(tmp_path, monkeypatch, quick_config, datadir):
    program = tmp_path / "freqtrade"
    program.write_text("#!/bin/sh\nexit 0\n")
    program.chmod(0o755)
    monkeypatch.setattr(freqtrade_process.sys, "executable", str(program))
    plan = plan_run(quick_config, datadir, ["BTC/USDT"], "20230501-20230515", "spot")
    with pytest.raises(
        freqtrade_process.FreqtradeError, match=r"wrote no result to .*backtest_results.*log: "
    ):
        backtest_in_sandbox(plan, "TechnicalBaseline", tmp_path, lambda *_: None)
