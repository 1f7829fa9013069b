"""No run takes over the stored predictions or models of another one: real backtests, and a bot's model."""

import json
import shutil
from pathlib import Path

import pytest
from freqtrade.enums import RunMode
from freqtrade.exceptions import OperationalException

from coordinator.adapters.configuration import read_config
from coordinator.adapters.freqai import CompositeFreqaiModel
from coordinator.components.fingerprint import FINGERPRINT

PAIRS = ["BTC/USDT", "ETH/USDT"]
CHANGES = {
    "freqai": {"identifier": "fixed"},
    "coordinator": {"learning": {"components": ["quality"]}, "quality": {"trees": 10}},
}
FOUND = "Found backtesting prediction file"


class CoordinatorClassifier(CompositeFreqaiModel):
    """Named as the shipped one."""


class OtherModel(CompositeFreqaiModel):
    """Another class."""


@pytest.fixture(scope="module")
def stored(freqtrade, tmp_path_factory):
    """A backtest of two pairs and one window: what it said, and its user directory."""
    user_data = tmp_path_factory.mktemp("stored")
    done = backtest(freqtrade, user_data, "20230401-20230501")
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout + done.stderr, user_data


def backtest(freqtrade, user_data, timerange, pairs=PAIRS):
    return freqtrade(
        *("backtesting", "--strategy", "MLCoordinator", "--timerange", timerange),
        *("--cache", "none", "--export", "none", "--pairs", *pairs),
        user_data=user_data,
        changes=CHANGES,
        check=False,
    )


@pytest.fixture
def model(freqtrade, stored, tmp_path):
    """The model class on a copy of the folder, as Freqtrade makes it at a start."""

    def make(kind=CoordinatorClassifier, mode=RunMode.BACKTEST, before=None, **sections):
        user_data = tmp_path / "copy"
        shutil.rmtree(user_data, ignore_errors=True)
        shutil.copytree(stored[1] / "models", user_data / "models")
        if before is not None:
            before(user_data / "models" / "fixed")
        own = tmp_path / "own.json"
        own.write_text(json.dumps({**CHANGES, "exchange": freqtrade.overlay["exchange"]}))
        config = read_config([freqtrade.config, own])
        for name, values in sections.items():
            config[name] = {**config.get(name, {}), **values} if isinstance(values, dict) else values
        config |= {"runmode": mode, "user_data_dir": user_data, "datadir": freqtrade.datadir}
        return kind(config=config)

    return make


def test_a_longer_timerange_goes_on_and_another_market_is_refused(freqtrade, stored):
    output, user_data = stored
    assert FOUND not in output
    done = backtest(freqtrade, user_data, "20230401-20230520")
    longer = done.stdout + done.stderr
    assert done.returncode == 0, longer[-2000:]
    assert longer.count(FOUND) == len(PAIRS)  # the first window of each; the second is trained
    done = backtest(freqtrade, user_data, "20230401-20230520", [*PAIRS, "SOL/USDT"])
    said = " ".join((done.stdout + done.stderr).split())
    assert done.returncode == 2
    assert "The 'freqai.identifier' of the Freqtrade config must be another one" in said
    assert f"rm -r {user_data / 'models' / 'fixed'}" in said
    assert "pairs BTC/USDT, ETH/USDT (now BTC/USDT, ETH/USDT, SOL/USDT)" in said
    assert "Traceback" not in said
    assert FOUND not in said


@pytest.mark.parametrize(
    "mode", [RunMode.BACKTEST, RunMode.HYPEROPT, RunMode.WEBSERVER, RunMode.DRY_RUN, RunMode.LIVE]
)
def test_in_every_mode_the_same_settings_go_on_and_others_are_refused_by_name(model, mode):
    model(mode=mode)
    learning = {"components": ["quality"], "epochs": 2}
    model(mode=mode, coordinator={"learning": {**learning, "on_failure": "baseline", "fast_start_days": 7}})
    model(mode=mode, freqai={"live_retrain_hours": 1, "purge_old_models": 5}, dry_run=False)
    for words, change in (
        ('trading_mode "spot" (now "futures")', {"trading_mode": "futures"}),
        ('stake_currency "USDT" (now "EUR")', {"stake_currency": "EUR"}),
        ('exchange "binance" (now "kraken")', {"exchange": {"name": "kraken"}}),
        ("freqai.train_period_days 60 (now 90)", {"freqai": {"train_period_days": 90}}),
        ('model_type "lightgbm" (now "logistic")', {"coordinator": {"quality": {"model_type": "logistic"}}}),
        ('freqaimodel "CoordinatorClassifier" (now "OtherModel")', {"kind": OtherModel}),
    ):
        with pytest.raises(OperationalException) as refused:
            model(mode=mode, **change)
        assert words in str(refused.value)
        assert "\n" not in str(refused.value)


def test_an_older_versions_predictions_are_of_networks_alone(model):
    """Its fingerprint does not know the settings of ensembles and of the transformer: they were as by default."""

    def older(folder: Path):
        stored = json.loads((folder / FINGERPRINT).read_text())
        new = ("ensemble_", "attention_architecture", "transformer_")
        kept = {k: v for k, v in stored["made_with"].items() if not any(name in k for name in new)}
        assert len(stored["made_with"]) == len(kept) + 5
        (folder / FINGERPRINT).write_text(json.dumps({**stored, "made_with": kept}))

    own = CHANGES["coordinator"]["learning"]
    model(before=older)
    for words, change in (
        ("learning.ensemble_seeds 1 (now 5)", {"ensemble_seeds": 5}),
        ("learning.ensemble_horizons [] (now [6])", {"ensemble_horizons": [6]}),
        ('architecture "attention" (now "transformer")', {"attention_architecture": "transformer"}),
    ):
        for before in (older, None):
            with pytest.raises(OperationalException) as refused:
                model(before=before, coordinator={"learning": {**own, **change}})
            assert words in str(refused.value)


def test_what_nothing_tells_about_is_a_bots_own_or_is_refused(model, caplog):
    def unmarked(folder: Path):
        (folder / FINGERPRINT).unlink()

    def foreign(folder: Path):
        unmarked(folder)
        shutil.rmtree(folder / "coordinator")

    for before, mode in (
        (unmarked, RunMode.BACKTEST),
        (foreign, RunMode.BACKTEST),
        (foreign, RunMode.DRY_RUN),
    ):
        with pytest.raises(OperationalException, match="nothing in it says what it was made of"):
            model(mode=mode, before=before)
    bot = model(mode=RunMode.DRY_RUN, before=unmarked)
    assert "has no fingerprint yet" in caplog.text
    assert (bot.full_path / FINGERPRINT).is_file()


def test_where_nothing_is_stored_a_fingerprint_is_no_obstacle(model):
    def emptied(folder: Path):
        shutil.rmtree(folder / "backtesting_predictions")

    made = model(before=emptied, coordinator={"quality": {"trees": 20}})
    assert (
        json.loads((made.full_path / FINGERPRINT).read_text())["made_with"]["coordinator.quality.trees"] == 20
    )
    assert made.verdicts == []  # those of the models before are no longer told as this one's


def test_a_webservers_chart_of_another_market_has_a_folder_of_its_own(model):
    """FreqUI names a market with a chart, and no identifier."""
    own = {"exchange": {"name": "binance"}, "trading_mode": "spot"}
    asked = {"mode": RunMode.WEBSERVER, "original_config": own}
    assert model(**asked).full_path.name == "fixed"
    assert model(**asked, trading_mode="futures").full_path.name == "fixed-futures"
    assert model(**asked, exchange={"name": "kraken"}).full_path.name == "fixed-kraken"
    with pytest.raises(OperationalException, match="trading_mode"):
        model(original_config=own, trading_mode="futures")  # a backtest
