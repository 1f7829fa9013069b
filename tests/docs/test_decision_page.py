"""The page on one real decision says what the library decides, and Freqtrade does, today."""

import importlib.util
from pathlib import Path

import pytest
from freqtrade.persistence import enable_database_use

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def example():
    spec = importlib.util.spec_from_file_location("decision_example", ROOT / "docs" / "decision_example.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    enable_database_use()  # a backtest in this process switches it off


def test_every_number_of_the_page_is_the_librarys(example, market_data):
    made = example.make(market_data).splitlines()
    assert example.PAGE.read_text().splitlines() == made, "type: python docs/decision_example.py DATADIR"
