"""Panel samples, copies of a run's samples, their size, and what pruning leaves."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from typer.testing import CliRunner

from coordinator.cli import app
from coordinator.errors import CoordinatorError
from coordinator.ledger.feature_store import FeatureSchema, FeatureTable
from coordinator.ledger.records import CandleRecord, SignalRow
from coordinator.ledger.samples.copying import copy_samples, labelled_runs
from coordinator.ledger.samples.panel_store import PanelTable
from coordinator.ledger.samples.pruning import prune
from coordinator.ledger.samples.sizes import sample_sizes, size_sentence
from coordinator.ledger.store import Ledger, RunInfo
from tests.ledger.conftest import decision_frame

HOUR, DAY = 3600, 86400
START = datetime(2026, 1, 1, tzinfo=UTC)
SCHEMA = FeatureSchema("1", ("a", "b"))
NAN = float("nan")


def panel(times, labels, known, pair="BTC/USDT"):
    n = len(times)
    values = np.column_stack((np.arange(n, dtype=float), np.full(n, np.nan)))
    pairs = np.full(n, pair, dtype=object)
    return PanelTable(SCHEMA, "1d", np.array(times), pairs, values, np.array(labels), np.array(known))


def batch(ledger, n=10, started=START):
    """A run whose signals all have features, and its id."""
    frame = decision_frame(n)
    run = ledger.write_run(RunInfo("TechnicalBaseline", started, "1h"), frame)
    times = frame["time"].dt.as_unit("s").astype("int64").to_numpy()
    values = np.arange(2.0 * n).reshape(n, 2)
    ledger.write_features(run, FeatureTable(SCHEMA, times, frame["pair"].to_numpy(dtype=object), values))
    return run, times


@pytest.fixture
def ledger(ledger_url):
    return Ledger(ledger_url)


def test_a_label_is_filled_in_once_it_is_known_and_features_stay(ledger):
    run, _ = batch(ledger)
    assert ledger.write_panel(run, panel([0, DAY], [NAN, NAN], [-1, -1])) == 2
    later = panel([0, DAY, 2 * DAY], [0.5, NAN, NAN], [10 * DAY, -1, -1])
    later.values[:] = 7.0
    assert ledger.write_panel(run, later) == 1
    assert ledger.write_panel(run, panel([0], [0.9], [11 * DAY])) == 0  # it is known already
    back = ledger.read_panel(SCHEMA, "1d")
    assert back.time.tolist() == [0, DAY, 2 * DAY]
    np.testing.assert_array_equal(back.label, [0.5, np.nan, np.nan])
    assert back.known_at.tolist() == [10 * DAY, -1, -1]
    np.testing.assert_array_equal(back.values[:, 0], [0.0, 1.0, 7.0])
    assert (
        len(ledger.read_panel(SCHEMA, "4h"))
        == len(ledger.read_panel(FeatureSchema("2", SCHEMA.names), "1d"))
        == 0
    )


def test_of_two_runs_the_one_that_knows_the_label_counts(ledger):
    first, _ = batch(ledger)
    second, _ = batch(ledger, started=START.replace(day=2))
    ledger.write_panel(first, panel([0, DAY], [0.5, NAN], [10 * DAY, -1]))
    ledger.write_panel(second, panel([0, DAY], [NAN, NAN], [-1, -1]))
    back = ledger.read_panel(SCHEMA, "1d")
    np.testing.assert_array_equal(back.label, [0.5, np.nan])


def test_a_copy_holds_the_samples_of_its_time_and_replaces_the_one_before(tmp_path, ledger):
    source = Ledger(tmp_path / "source.sqlite")
    run, times = batch(source)
    source.write_panel(run, panel(sorted(set(times.tolist())), [0.5] * 5, [10**10] * 5))
    begin, end = int(times[2]), int(times[-2])
    for _ in range(2):
        replaces = labelled_runs(ledger, "accumulate").get("accumulate x")
        copy = copy_samples(source, run, ledger, "accumulate x", begin, end, replaces)
    assert labelled_runs(ledger, "accumulate") == {"accumulate x": copy}
    assert len(ledger.runs()) == 1
    inside = (times >= begin) & (times < end)
    features = ledger.read_features(copy, SCHEMA)
    assert features.time.tolist() == times[inside].tolist()
    np.testing.assert_array_equal(features.values, source.read_features(run, SCHEMA).values[inside])
    whole = source.read_decisions(run)
    kept = whole[inside].reset_index(drop=True)
    assert ledger.read_decisions(copy).equals(kept)
    assert len(ledger.read_panel(SCHEMA, "1d")) == 3
    assert ledger.check() == []
    with pytest.raises(CoordinatorError, match=r"'run' of .* must exist"):
        copy_samples(source, 99, ledger, "y", begin, end)


def test_pruning_leaves_a_bots_memory_and_the_newest_backtests(ledger):
    old, times = batch(ledger)
    new, _ = batch(ledger, started=START.replace(day=2))
    live = ledger.open_run(RunInfo("MLCoordinator", START.replace(day=3), "1h", bot="bot"))
    signal = SignalRow("BTC/USDT", 1, 100.0, 95.0, None, 20, "", 0.5, 0.5, 0.0, 0.0, True, "")
    ledger.write_candle(live, CandleRecord(HOUR, (signal,)))
    one = FeatureTable(SCHEMA, np.array([HOUR]), np.array(["BTC/USDT"], dtype=object), np.ones((1, 2)))
    ledger.write_features(live, one)
    ledger.write_panel(live, panel([HOUR, int(times[-1])], [0.5, 0.5], [10**10] * 2))
    expected = {"ml_trade_features": 1, "ml_panel_samples": 1, "ml_predictions": 0, "runs": 1}
    assert prune(ledger, DAY, 1, dry_run=True) == expected
    assert len(ledger.runs()) == 3
    assert prune(ledger, DAY, 1) == expected
    assert set(ledger.runs()["id"]) == {new, live}
    assert old not in set(ledger.runs()["id"])
    assert len(ledger.read_features(live, SCHEMA).time) == 0
    assert len(ledger.read_decisions(live)) == 1
    assert len(ledger.read_features(new, SCHEMA).time) == len(times)
    assert ledger.check() == []


def test_sizes_are_told_by_year_and_pair(ledger):
    run, _ = batch(ledger)
    ledger.write_panel(run, panel([0, DAY], [NAN, NAN], [-1, -1]))
    sizes = sample_sizes(ledger, run)
    assert [(s.year, s.pair, s.signals, s.panel, s.bytes) for s in sizes] == [
        (1970, "BTC/USDT", 0, 2, 32),
        (2024, "BTC/USDT", 5, 0, 80),
        (2024, "ETH/USDT", 5, 0, 80),
    ]
    assert size_sentence(sizes) == "10 signals and 2 panel samples, 0.0 MB: 0 kB a year and pair"
    assert size_sentence(sample_sizes(ledger, run + 1)) == "no samples"


def test_the_commands_say_what_goes(tmp_path):
    path = tmp_path / "x.ledger.sqlite"
    batch(Ledger(path))
    runner = CliRunner()
    done = runner.invoke(app, ["ledger", "prune", "--ledger", str(path), "--before", "20250101", "--dry-run"])
    assert "10 of ml_trade_features" in done.output
    assert "would go" in done.output
    assert "10 signals" in runner.invoke(app, ["ledger", "size", "--ledger", str(path)]).output
    nothing = runner.invoke(app, ["ledger", "prune", "--ledger", str(path)])
    assert "say what goes" in str(nothing.exception)
    wrong = runner.invoke(app, ["ledger", "prune", "--ledger", str(path), "--before", "soon"])
    assert "be YYYYMMDD" in str(wrong.exception)


def test_a_panel_of_the_wrong_shape_is_refused(ledger):
    run, _ = batch(ledger)
    with pytest.raises(CoordinatorError, match="be 1 rows of 2"):
        ledger.write_panel(run, replace(panel([0], [NAN], [-1]), values=np.ones((1, 3))))
