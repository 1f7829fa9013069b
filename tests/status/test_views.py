"""Views where there is nothing yet, and their texts on a phone."""

from datetime import UTC, datetime

import pytest

from coordinator.adapters.telegram.commands import ANSWERS, answer
from coordinator.ledger.store import Ledger, RunInfo
from coordinator.settings import load_settings
from coordinator.status.correlation import Correlation, correlation_text
from coordinator.status.phase import read_phase
from coordinator.status.phone import WIDTH
from coordinator.status.source import Source

NOW = datetime(2024, 5, 1, tzinfo=UTC)


@pytest.fixture(params=["no ledger", "no run", "a run without signals"])
def empty(request, tmp_path):
    ledger = Ledger(tmp_path / "ledger.sqlite")
    if request.param == "no run":
        ledger.upgrade()
    if request.param == "a run without signals":
        ledger.open_run(RunInfo("S", NOW, "1h"))
    return Source(Ledger(tmp_path / "ledger.sqlite"), load_settings(None))


@pytest.mark.parametrize("command", ANSWERS)
def test_a_view_says_plainly_when_there_is_nothing_yet(empty, command):
    text = answer(command, empty, ["BTC"] if command == "why" else [])
    assert max(map(len, text.splitlines())) <= WIDTH
    if command == "coordinator":
        return
    words = " ".join(text.split())
    said = (
        "nothing yet",
        "no models yet",
        "no check yet",
        "nothing was told yet",
        "no correlations",
        "none yet",
    )
    assert any(one in words for one in said)
    assert not (empty.ledger.database.exists and empty.run_id is None and "sqlite" in text)


def test_reading_makes_no_ledger(tmp_path):
    path = tmp_path / "ledger.sqlite"
    source = Source(Ledger(path), load_settings(None))
    for command in ANSWERS:
        answer(command, source, ["BTC"] if command == "why" else [])
    assert not path.exists()


def test_fixed_weights_shadow_and_no_ml_are_said(tmp_path):
    ledger = Ledger(tmp_path / "ledger.sqlite")
    fixed = load_settings({"decision": {"weighting": "fixed", "ml_weight": 0.3}})
    view = read_phase(Source(ledger, fixed))
    assert view.ml_weight == 0.3
    assert "fixed" in view.note
    shadow = load_settings({"decision": {"weighting": "fixed", "ml_weight": 0.3, "shadow": True}})
    assert read_phase(Source(ledger, shadow)).ml_weight == 0.0
    assert "no ML" in read_phase(Source(ledger, fixed, uses_ml=False)).note


@pytest.mark.parametrize("count", [2, 6, 7, 25])
def test_a_matrix_of_many_pairs_is_cut_into_parts_as_wide_as_a_phone(count):
    pairs = [f"COIN{i}/USDT" for i in range(count)]
    matrix = [[1.0 if i == j else -0.99 for j in range(count)] for i in range(count)]
    view = Correlation(
        days=30, mode="on", threshold=0.7, window=100, max_correlated=2, pairs=pairs, matrix=matrix
    )
    text = correlation_text(view)
    assert max(map(len, text.splitlines())) <= WIDTH
    assert text.count("-99") == count * (count - 1)
