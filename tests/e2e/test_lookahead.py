"""lookahead-analysis over a pair list: with one pair cut alone, as Freqtrade does, and with all pairs cut at once."""

import csv

import pytest

EARNED = {
    "freqai": {"enabled": False},
    "coordinator": {"decision": {"weighting": "earned"}, "learning": {"epochs": 2}},
}
PEEKING = """from coordinator.adapters.strategy import CoordinatorStrategy


class Peeking(CoordinatorStrategy):
    def populate_indicators(self, dataframe, metadata):
        dataframe = super().populate_indicators(dataframe, metadata)
        return dataframe.assign(peeked=dataframe["close"].shift(-1))
"""


def analysed(freqtrade, timerange, folder, strategy, module, trades="16"):
    export = folder / "bias.csv"
    done = freqtrade(
        "lookahead-analysis",
        *("--strategy", strategy, "--timerange", timerange),
        *("--minimum-trade-amount", "5", "--targeted-trade-amount", trades),
        *("--lookahead-analysis-exportfilename", str(export), "--strategy-path", str(folder)),
        user_data=folder,
        changes=EARNED,
        module=module,
    )
    assert export.is_file(), done.stdout[-2000:] + done.stderr[-2000:]
    with export.open(newline="") as file:
        (values,) = csv.DictReader(file)
    assert int(values["total_signals"]) >= 5, done.stdout[-2000:]
    return values


@pytest.fixture
def folder(tmp_path, root):
    (tmp_path / "Peeking.py").write_text(PEEKING)
    (tmp_path / "TechnicalBaseline.py").write_text((root / "strategies" / "TechnicalBaseline.py").read_text())
    return tmp_path


def test_nothing_looks_ahead_where_all_pairs_are_cut_at_once(freqtrade, timerange, folder):
    values = analysed(freqtrade, timerange, folder, "TechnicalBaseline", "benchmarks.lookahead_all_pairs")
    assert values["has_bias"] == "False"
    assert (values["biased_entry_signals"], values["biased_exit_signals"]) == ("0", "0")
    assert values["biased_indicators"] == ""


def test_one_pair_cut_alone_lacks_what_was_learned_from_the_others(freqtrade, timerange, folder):
    """Freqtrade's own way: the calibrated numbers differ, as README says."""
    values = analysed(freqtrade, timerange, folder, "TechnicalBaseline", "freqtrade")
    assert values["has_bias"] == "True"
    assert set(values["biased_indicators"].replace('"', "").replace(",", " ").split()) <= {
        "win_probability",
        "expected_r",
        "ml_phase",
    }


def test_a_column_that_peeks_is_found(freqtrade, timerange, folder):
    values = analysed(freqtrade, timerange, folder, "Peeking", "benchmarks.lookahead_all_pairs", trades="8")
    assert values["has_bias"] == "True"
    assert "peeked" in values["biased_indicators"]
