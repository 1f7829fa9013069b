"""Freqtrade's config, as it and every command of ours read it."""

import pytest

from coordinator.adapters.configuration import command_folders, read_config
from coordinator.errors import CoordinatorError
from coordinator.jobs.sandbox_run import with_its_candles
from coordinator.sandbox.overlay import environment_below, overlay_config


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_comments_trailing_commas_and_added_files_are_as_in_freqtrade(folder):
    write(
        folder / "below" / "quality.json",
        '{"coordinator": {"quality": {"model_type": "logistic", "trees": 5,}}}',
    )
    own = write(
        folder / "below" / "config.json",
        '{"add_config_files": ["quality.json"],\n// mine\n"coordinator": {"quality": {"trees": 7}, /* no */},}',
    )
    over = write(folder / "over.json", '{"stake_currency": "EUR"}')
    config = read_config([own, over])
    assert config == {
        "coordinator": {"quality": {"model_type": "logistic", "trees": 7}},
        "stake_currency": "EUR",
    }


def test_the_environment_goes_over_the_files_and_no_key_comes_along(folder, monkeypatch):
    own = write(folder / "config.json", '{"exchange": {"name": "kraken", "key": "k"}, "max_open_trades": 3}')
    monkeypatch.setenv("FREQTRADE__COORDINATOR__QUALITY__MODEL_TYPE", "logistic")
    monkeypatch.setenv("FREQTRADE__MAX_OPEN_TRADES", "5")
    monkeypatch.setenv("FREQTRADE__EXCHANGE__SECRET", "hidden")
    config = read_config(own)
    assert config["coordinator"]["quality"]["model_type"] == "logistic"
    assert config["max_open_trades"] == 5
    assert config["exchange"] == {"name": "kraken", "key": "REDACTED", "secret": "REDACTED"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[]", ("broken.json", "must hold a JSON object")),
        ("null", ("broken.json", "must hold a JSON object")),
        ('{\n "a": 1\n "b": 2\n}', ("line 3", "broken.json", "Missing a comma", '"b": 2')),
        ('{\n "ä": "ö",\n "b": nein\n}', ("line 3", "broken.json", '"b": nein')),
        ('{"a": 1', ("line 1", "broken.json", "Missing a comma")),
        ("", ("line 1", "broken.json", "empty", "the file's end")),
        ('{\n "Secret": "abc" "key": "def\n}', ("line 2", "broken.json", '"Secret": "..." "key": "..."')),
        ("[1]", ("--config", "broken.json", "object")),
        ('{"exchange": "binance"}', ("exchange", "object", "binance")),
        ('{"add_config_files": ["absent.json"]}', ("absent.json", "not found")),
        ('{"add_config_files": ["broken.json"]}', ("broken.json", "loop")),
    ],
)
def test_what_is_wrong_with_a_file_is_one_line_that_names_it(folder, text, words):
    broken = write(folder / "broken.json", text)
    parent = write(folder / "parent.json", '{"add_config_files": ["broken.json"]}')
    for path in (broken, parent):
        with pytest.raises(CoordinatorError) as error:
            read_config(path)
        said = str(error.value)
        assert "\n" not in said
        assert "abc" not in said
        assert "def" not in said
        if path is broken or words[0].startswith("line"):
            assert all(word in said for word in words), said


def test_bytes_that_are_no_text_are_one_line(folder):
    (folder / "latin.json").write_bytes(b'{"a": "\xff"}')
    with pytest.raises(CoordinatorError, match=r"readable UTF-8 file.*latin\.json"):
        read_config(folder / "latin.json")


def test_candles_are_looked_for_where_freqtrade_does(folder, monkeypatch):
    assert tuple(map(str, command_folders(["trade"]))) == ("user_data", "user_data/data/binance")
    write(
        folder / "config.json",
        '{"user_data_dir": "elsewhere", "exchange": {"name": "Kraken"}, "datadir": "no"}',
    )
    named = write(folder / "named.json", '{"user_data_dir": "named"}')

    def found(*arguments):
        return tuple(map(str, command_folders(["backtesting", *arguments])))

    assert found() == ("elsewhere", "elsewhere/data/kraken")
    assert found("--userdir", "u") == ("u", "u/data/kraken")
    assert found("-c", "config.json", "-c", str(named)) == ("named", "named/data/kraken")
    assert found("-d", "x") == ("elsewhere", "x")
    write(folder / "user_data" / "config.json", "{}")
    assert found() == ("user_data", "user_data/data/binance")
    monkeypatch.setenv("FREQTRADE__USER_DATA_DIR", "told")
    assert found() == ("told", "told/data/binance")


def test_the_sandbox_serves_another_exchanges_folder_and_tells_the_command(folder):
    write(folder / "config.json", '{"user_data_dir": "u", "exchange": {"name": "kraken"}}')
    command = ["freqtrade", "backtesting"]
    assert with_its_candles(command)[0] == command
    assert str(with_its_candles(command)[2]) == "u/data/binance"
    (folder / "u/data/kraken").mkdir(parents=True)
    completed, _, candles = with_its_candles(command)
    assert completed == [*command, "--datadir", "u/data/kraken"]
    assert str(candles) == "u/data/kraken"
    assert with_its_candles([*command, "-d", "x"])[0] == [*command, "-d", "x"]
    other = ["python", "-c", "tool", "--datadir=y"]
    assert with_its_candles(other)[0] == other
    assert str(with_its_candles(other)[2]) == "y"


def test_no_variable_leads_out_of_the_sandbox():
    overlay = overlay_config("http://127.0.0.1:1")
    variables = {
        "FREQTRADE__EXCHANGE__NAME": "kraken",
        "FREQTRADE__DRY_RUN": "false",
        "FREQTRADE__EXCHANGE__CCXT_CONFIG__urls": "[]",
        "FREQTRADE__STAKE_AMOUNT": "5",
        "PATH": "/bin",
    }
    assert set(environment_below(overlay, variables)) == {"FREQTRADE__STAKE_AMOUNT", "PATH"}
