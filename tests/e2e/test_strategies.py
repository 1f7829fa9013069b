"""The strategies inside real Freqtrade processes: backtesting, hyperopt, lookahead-analysis."""

import json
import zipfile

import numpy as np
import pandas as pd
import pytest

from coordinator.ledger.registry import ModelRegistry
from coordinator.ledger.store import Ledger
from coordinator.reports.results import latest_results

NO_ML = {"freqai": {"enabled": False}}


def trades(user_data, strategy):
    (result,) = latest_results(user_data / "backtest_results", [strategy])
    return result.trades


def records(user_data):
    """Freqtrade's own trade records of the newest result."""
    path = sorted((user_data / "backtest_results").glob("*.zip"))[-1]
    with zipfile.ZipFile(path) as archive:
        name = path.with_suffix(".json").name
        (strategy,) = json.loads(archive.read(name))["strategy"].values()
    return strategy["trades"]


def test_a_spot_backtest_trades_with_words_and_tranches(spot_result):
    output, user_data = spot_result
    assert "exception" not in output.lower()
    found = records(user_data)
    assert len(found) > 10
    assert not any(trade["is_short"] for trade in found)
    reasons = {trade["exit_reason"] for trade in found}
    allowed = {"target reached", "stop_loss", "trailing_stop_loss", "baseline turned short", "force_exit"}
    assert reasons <= allowed | {"time limit of 48 candles"}
    assert {"stop_loss", "target reached"} & reasons
    assert all("confidence" in trade["enter_tag"] for trade in found)
    tranches = [sum(order["ft_is_entry"] for order in trade["orders"]) for trade in found]
    assert max(tranches) > 1
    assert max(tranches) <= 3  # accepted signals are above 70 %: two or three tranches


def test_tranches_follow_the_documented_plan(spot_result):
    """Each further tranche fills at least its offset below the first, in the planned proportion."""
    _, user_data = spot_result
    seen = 0
    for trade in records(user_data):
        entries = [order for order in trade["orders"] if order["ft_is_entry"]]
        shares = (0.60, 0.40) if "75%+" in trade["enter_tag"] else (0.40, 0.35, 0.25)
        for i, order in enumerate(entries[1:], start=1):
            seen += 1
            assert order["safe_price"] <= entries[0]["safe_price"] * (1 - 0.005 * i) * (1 + 1e-9)
            if i < len(shares) and entries[0]["cost"] < 9_000 * shares[0]:
                ratio = (
                    order["amount"] * order["safe_price"] / (entries[0]["amount"] * entries[0]["safe_price"])
                )
                assert ratio == pytest.approx(shares[i] / shares[0], rel=0.02)
    assert seen > 3


def test_stops_are_at_most_the_hard_limit_from_the_first_fill(spot_result):
    _, user_data = spot_result
    stopped = [trade for trade in records(user_data) if trade["exit_reason"] == "stop_loss"]
    assert stopped
    for trade in stopped:
        first = next(order for order in trade["orders"] if order["ft_is_entry"])["safe_price"]
        gap = 0.02  # a candle may open beyond the stop
        assert trade["close_rate"] >= first * (1 - 0.03 - gap)
        assert trade["stop_loss_abs"] >= first * 0.97 * (1 - 1e-4)


def test_the_ledger_beside_the_result_tells_the_same_story(spot_result):
    _, user_data = spot_result
    (path,) = (user_data / "backtest_results").glob("*.ledger.sqlite")
    frame = Ledger(path).read_decisions()
    accepted = frame[frame["accepted"]]
    assert (accepted["unified_confidence"] >= 0.70).all()
    assert set(frame.loc[~frame["accepted"], "rejection"]) == {
        "confidence below the threshold",
        "no shorts in spot",
    }
    assert (accepted["direction"] == 1).all()
    keys = set(zip(accepted["pair"], accepted["time"].dt.strftime("%Y-%m-%d %H"), strict=True))
    for trade in records(user_data):
        opened = np.datetime64(trade["open_timestamp"], "ms") - np.timedelta64(1, "h")
        assert (trade["pair"], str(opened.astype("datetime64[h]")).replace("T", " ")) in keys
    resolved = frame["outcome_r"].notna()
    assert resolved.mean() > 0.9
    assert frame.loc[resolved, "outcome_r"].between(-10, 4).all()


def test_skipping_freqtrades_copies_changes_no_trade(spot_result, freqtrade, timerange, tmp_path, root):
    """The same backtest through the documented callbacks only."""
    _, user_data = spot_result
    slow = tmp_path / "slow"
    slow.mkdir()
    (slow / "SlowBaseline.py").write_text(
        "from coordinator.adapters.strategy import CoordinatorStrategy\n\n\n"
        "class SlowBaseline(CoordinatorStrategy):\n    fast_callbacks = False\n"
    )
    freqtrade(
        "backtesting",
        "--strategy",
        "SlowBaseline",
        "--strategy-path",
        str(slow),
        "--timerange",
        timerange,
        "--cache",
        "none",
        user_data=tmp_path,
        changes={**NO_ML, "strategy_path": str(slow)},
    )
    keys = (
        "pair",
        "open_timestamp",
        "close_timestamp",
        "close_rate",
        "profit_abs",
        "exit_reason",
        "stop_loss_abs",
    )
    fast_trades, slow_trades = (
        [[trade[key] for key in keys] for trade in records(folder)] for folder in (user_data, tmp_path)
    )
    assert fast_trades == slow_trades


def test_futures_trade_both_ways(freqtrade, timerange, tmp_path, datadir):
    changes = {**NO_ML, "trading_mode": "futures"}
    changes["exchange"] = {
        **freqtrade.overlay["exchange"],
        "pair_whitelist": ["BTC/USDT:USDT", "ETH/USDT:USDT", "SOL/USDT:USDT"],
    }
    freqtrade(
        "backtesting",
        "--strategy",
        "TechnicalBaseline",
        "--timerange",
        timerange,
        "--cache",
        "none",
        user_data=tmp_path,
        changes=changes,
    )
    found = records(tmp_path)
    shorts = [trade for trade in found if trade["is_short"]]
    assert len(shorts) > 5
    assert len(found) - len(shorts) > 5
    for trade in shorts:
        first = next(order for order in trade["orders"] if order["ft_is_entry"])["safe_price"]
        assert trade["stop_loss_abs"] <= first * 1.03 * (1 + 1e-4)
    assert {"baseline turned long", "target reached"} & {trade["exit_reason"] for trade in shorts}
    (path,) = (tmp_path / "backtest_results").glob("*.ledger.sqlite")
    decided = Ledger(path).read_decisions().query("accepted")
    sides = dict(zip(zip(decided["pair"], decided["time"], strict=True), decided["direction"], strict=True))
    for trade in found:  # each is of the ledger's accepted signal, and on its side
        signal = pd.Timestamp(trade["open_timestamp"], unit="ms", tz="UTC").floor("h") - pd.Timedelta("1h")
        assert sides[trade["pair"], signal] == (-1 if trade["is_short"] else 1)


def test_ml_votes_are_in_the_ledger_and_twice_the_same(freqtrade, timerange, tmp_path):
    ledgers, registries = [], []
    for name in ("one", "two"):
        folder = tmp_path / name
        folder.mkdir()
        done = freqtrade(
            "backtesting",
            "--strategy",
            "MLCoordinator",
            "--timerange",
            timerange,
            "--cache",
            "none",
            user_data=folder,
        )
        output = done.stdout + done.stderr
        assert "raised exception" not in output
        # Three windows (the last a day long) for three pairs: each is trained once, for all of them.
        assert output.count("for all 3 pairs") == 3
        (path,) = (folder / "backtest_results").glob("*.ledger.sqlite")
        ledgers.append(Ledger(path).read_decisions())
        registries.append(ModelRegistry(Ledger(path)))
    first = ledgers[0]
    assert first.equals(ledgers[1])
    traded = first[first["time"] >= "2023-04-01"]
    assert traded["fusion_direction"].notna().all()
    assert (traded.loc[traded["fusion_direction"].notna(), "ml_weight"] == 0.30).all()
    assert traded["lstm_confidence"].dropna().between(1 / 3 - 1e-6, 1).all()
    spoke: list[str] = []  # who was promoted speaks from that window on, and nobody before
    for name, column in (("lstm", "lstm_confidence"), ("quality", "quality_percentile")):
        models = registries[0].models(name)
        assert len(models) == 3
        assert [m.info.file_hash for m in models] == [m.info.file_hash for m in registries[1].models(name)]
        windows = [pd.Timestamp(day, tz="UTC") for day in ("2023-04-01", "2023-05-01", "2023-05-31")]
        promoted = [day for day in windows if registries[0].champion(name, int(day.timestamp())) is not None]
        start = min(promoted, default=first["time"].max() + pd.Timedelta("1h"))
        assert first.loc[first["time"] < start, column].isna().all(), name
        if promoted:
            spoke.append(name)
            assert first.loc[first["time"] >= start, column].notna().mean() > 0.99, name
    assert spoke
    assert {"ML agrees", "ML disagrees"} <= {
        trade["enter_tag"].split(", ")[-1] for trade in records(tmp_path / "one")
    }


@pytest.mark.parametrize(
    ("model", "component", "section"),
    [
        (
            "LSTMClassifier",
            "lstm",
            {"learning": {"ensemble_seeds": 2, "ensemble_horizons": [24], "epochs": 2}},
        ),
        ("AttentionClassifier", "attention", {"learning": {"attention_architecture": "transformer"}}),
        ("FusionClassifier", "fusion", {}),
        ("SignalQualityClassifier", "quality", {}),
        (
            "StrategySelectorRL",
            "selector",
            {
                "selector": {"enabled": False},
                "selector_policy": {"timesteps": 2048, "rollout": 512},
                "entries": {"ranking_by": "policy"},
                "portfolio": {"max_positions": 1},
                "slots_policy": {"timesteps": 2048, "rollout": 512},
            },
        ),
    ],
)
def test_each_model_class_trains_its_component_alone(freqtrade, tmp_path, model, component, section):
    done = freqtrade(
        "backtesting",
        "--strategy",
        "MLCoordinator",
        "--freqaimodel",
        model,
        "--timerange",
        "20230401-20230420",
        "--cache",
        "none",
        user_data=tmp_path,
        changes={"coordinator": section},
    )
    output = done.stdout + done.stderr
    assert "raised exception" not in output
    assert output.count("for all 3 pairs") == 1
    (path,) = (tmp_path / "backtest_results").glob("*.ledger.sqlite")
    (trained,) = ModelRegistry(Ledger(path)).models(component)
    networks = {"lstm": "lstm ensemble", "attention": "transformer"}
    assert trained.info.kind == networks.get(component, trained.info.kind)
    # The policy that divides the slots is trained beside it, and is no vote.
    assert len(ModelRegistry(Ledger(path)).models("slots")) == ("slots_policy" in section)
    frame = Ledger(path).read_decisions()
    assert not [name for name in frame if name.startswith("slots")]
    traded = frame[frame["time"] >= "2023-04-01"]
    column = f"{component}_direction"
    voted = traded[column].notna().mean()
    speaks = (
        trained.status == "champion" or component == "fusion"
    )  # the indicators' fusion stays without a model
    assert voted == (1.0 if speaks else 0.0)


def test_each_pair_has_its_own_models_where_they_are_not_pooled(freqtrade, tmp_path):
    done = freqtrade(
        "backtesting",
        "--strategy",
        "MLCoordinator",
        "--freqaimodel",
        "LSTMClassifier",
        "--timerange",
        "20230401-20230420",
        "--cache",
        "none",
        user_data=tmp_path,
        changes={"coordinator": {"learning": {"pooled": False, "epochs": 2}}},
    )
    output = done.stdout + done.stderr
    assert "raised exception" not in output
    (path,) = (tmp_path / "backtest_results").glob("*.ledger.sqlite")
    registry = ModelRegistry(Ledger(path))
    hashes = set()
    for pair in ("BTC/USDT", "ETH/USDT", "SOL/USDT"):
        (model,) = registry.models(f"lstm {pair}")
        assert output.count(f"for {pair} in") == 1
        hashes.add(model.info.file_hash)
    assert len(hashes) == 3
    assert not registry.models("lstm")


def test_a_failed_training_fails_the_run(freqtrade, timerange, tmp_path):
    """Freqtrade itself would log it, predict zeros and exit with 0."""
    changes = {"freqai": {"enabled": True, "identifier": "too-short", "train_period_days": 2}}
    done = freqtrade(
        "backtesting",
        "--strategy",
        "MLCoordinator",
        "--timerange",
        timerange,
        "--cache",
        "none",
        user_data=tmp_path,
        changes=changes,
        check=False,
    )
    assert done.returncode != 0
    assert "Training of BTC/USDT failed" in done.stdout + done.stderr


def test_lookahead_analysis_finds_no_bias(freqtrade, timerange, tmp_path):
    done = freqtrade(
        "lookahead-analysis",
        "--strategy",
        "TechnicalBaseline",
        "--timerange",
        timerange,
        "--minimum-trade-amount",
        "5",
        "--targeted-trade-amount",
        "10",
        *("-p", "BTC/USDT"),
        "--lookahead-analysis-exportfilename",
        str(tmp_path / "bias.csv"),
        user_data=tmp_path,
        changes=NO_ML,
    )
    header, row = (tmp_path / "bias.csv").read_text().strip().splitlines()
    values = dict(zip(header.split(","), row.split(","), strict=False))
    assert values["has_bias"] == "False", done.stdout[-2000:]
    assert int(values["total_signals"]) >= 5
    assert (int(values["biased_entry_signals"]), int(values["biased_exit_signals"])) == (0, 0)


def test_recursive_analysis_sees_no_drift_at_the_strategys_startup(freqtrade, timerange, tmp_path):
    done = freqtrade(
        "recursive-analysis",
        "--strategy",
        "TechnicalBaseline",
        "--timerange",
        timerange,
        "-p",
        "BTC/USDT",
        user_data=tmp_path,
        changes=NO_ML,
    )
    said = done.stdout + done.stderr
    assert "No variance on indicator(s) found due to recursive formula" in said, said[-2000:]
    assert "No lookahead bias on indicators found" in said


def test_hyperopt_runs_with_several_workers(freqtrade, timerange, tmp_path):
    done = freqtrade(
        "hyperopt",
        "--strategy",
        "TechnicalBaseline",
        "--timerange",
        timerange,
        "--spaces",
        "coordinator",
        "--hyperopt-loss",
        "SharpeHyperOptLossDaily",
        "--epochs",
        "4",
        "-j",
        "2",
        "--disable-param-export",
        "--random-state",
        "1",
        user_data=tmp_path,
        changes=NO_ML,
    )
    assert "exception" not in (done.stdout + done.stderr).lower()
    assert "threshold" in done.stdout


@pytest.mark.parametrize(
    ("section", "words"),
    [
        ({"decision": {"ml_wight": 0.2}}, "'decision.ml_wight'"),
        ({"decision": {"ml_weight": 0.9}}, "less than or equal to 0.7. Got 0.9"),
    ],
)
def test_plain_freqtrade_refuses_bad_settings_in_one_line(freqtrade, timerange, tmp_path, section, words):
    done = freqtrade(
        "backtesting",
        "--strategy",
        "TechnicalBaseline",
        "--timerange",
        timerange,
        user_data=tmp_path,
        changes={**NO_ML, "coordinator": section},
        check=False,
    )
    output = done.stdout + done.stderr
    assert done.returncode != 0
    assert words in output
    assert "Traceback" not in output
