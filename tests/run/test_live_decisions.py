"""A bot's memory: what it decided is in the ledger, a restart goes on, a broken ledger stops nothing."""

from dataclasses import fields

import numpy as np
import pytest

from coordinator.decision.fold import Fold
from coordinator.errors import CoordinatorError
from coordinator.ledger.location import ledger_location
from coordinator.ledger.store import Ledger
from coordinator.run.live.decisions import LiveDecisions
from coordinator.run.live.ledger import LiveLedger
from coordinator.run.pair_analysis import analyse
from coordinator.run.trading_run import TradingRun
from coordinator.settings import Settings
from coordinator.signals.candles import Candles

SETTINGS = Settings()
PAIRS = ("ADA/USDT", "BTC/USDT")


def config(tmp_path):
    return {"user_data_dir": str(tmp_path), "timeframe": "1h", "runmode": "dry_run"}


@pytest.fixture(scope="module")
def walks(make_walk):
    return {pair: make_walk(seed, 1200) for seed, pair in enumerate(PAIRS)}


def drive(trading_run, walks, make_higher, candles):
    """Candle by candle, pair by pair, as a bot does."""
    decided = None
    for end in candles:
        for pair, walk in walks.items():
            seen = walk.iloc[: end + 1]
            base, higher = Candles.from_frame(seen, "1h"), {}
            for name in ("4h", "1d"):
                frame = Candles.from_frame(make_higher(seen, name), name)
                closed = frame.time + frame.seconds <= base.time[-1] + base.seconds
                columns = ("time", "open", "high", "low", "close", "volume")
                higher[name] = Candles(*(getattr(frame, c)[closed] for c in columns), frame.seconds)
            trading_run.put(analyse(pair, base, higher, SETTINGS, ml=True))
            decided = trading_run.decisions(SETTINGS)
    return decided


def bot(tmp_path):
    trading_run = TradingRun(can_short=True)
    ledger = LiveLedger(config(tmp_path), "MLCoordinator", SETTINGS, "bot")
    trading_run.start_live(LiveDecisions(SETTINGS, ledger, can_short=True))
    return trading_run


def test_a_bot_that_restarts_decides_as_the_backtest_and_the_ledger_has_it_all(
    tmp_path, walks, make_higher, caplog
):
    first, second = bot(tmp_path), None
    drive(first, walks, make_higher, range(1000, 1060))
    second = bot(tmp_path)  # a restart in the middle of a day
    decided = drive(second, walks, make_higher, range(1060, 1130))
    table = second.market.signals(SETTINGS)
    batch = Fold(SETTINGS).run(table)
    today = decided.rejection >= 0
    assert today[table.time >= walks[PAIRS[0]]["date"].iloc[1060].timestamp()].all()
    for f in fields(batch):
        np.testing.assert_array_equal(
            getattr(decided, f.name)[today], getattr(batch, f.name)[today], err_msg=f.name
        )

    ledger = Ledger(ledger_location(config(tmp_path), SETTINGS))
    assert ledger.check() == []
    (run,) = ledger.runs()["id"]
    stored = ledger.read_decisions(int(run))
    live = table.time >= walks[PAIRS[0]]["date"].iloc[1000].timestamp()
    expected = second.ledger_frame(SETTINGS)[live]
    assert len(stored) >= len(expected) > 10
    merged = stored.merge(expected, on=["time", "pair"], suffixes=("", "_expected"))
    assert len(merged) == len(expected)
    known = merged["unified_confidence_expected"].notna()
    np.testing.assert_array_equal(
        merged.loc[known, "unified_confidence"], merged.loc[known, "unified_confidence_expected"]
    )
    resolved = merged["outcome_r_expected"].notna()
    np.testing.assert_allclose(merged.loc[resolved, "outcome_r"], merged.loc[resolved, "outcome_r_expected"])
    assert len(ledger.history(int(run), "snapshots")) >= 2
    assert len(ledger.history(int(run), "weights")) >= 1  # the warm start's reviews
    assert not [record for record in caplog.records if record.levelname == "ERROR"]
    assert resolved.sum() > 5


def test_a_ledger_that_fails_later_does_not_stop_the_bot(tmp_path, walks, make_higher, caplog):
    trading_run = bot(tmp_path)
    drive(trading_run, walks, make_higher, range(1000, 1002))
    (tmp_path / "coordinator.ledger.sqlite").rename(tmp_path / "kept.sqlite")
    (tmp_path / "coordinator.ledger.sqlite").mkdir()
    decided = drive(trading_run, walks, make_higher, range(1002, 1030))
    assert (decided.rejection >= 0).any()
    assert "The ledger did not take a candle" in caplog.text
    (tmp_path / "coordinator.ledger.sqlite").rmdir()
    (tmp_path / "kept.sqlite").rename(tmp_path / "coordinator.ledger.sqlite")
    drive(trading_run, walks, make_higher, range(1030, 1040))  # what could not be written comes later
    stored = Ledger(tmp_path / "coordinator.ledger.sqlite").read_decisions()
    table = trading_run.market.signals(SETTINGS)
    since = walks[PAIRS[0]]["date"].iloc[1002].timestamp()
    assert (
        len(stored[stored["time"].dt.as_unit("s").astype("int64") >= since])
        == (table.time >= since).sum()
        > 0
    )


def test_a_ledger_that_cannot_be_opened_is_one_clear_error(tmp_path):
    (tmp_path / "coordinator.ledger.sqlite").write_text("not a database" * 100)
    with pytest.raises(CoordinatorError):
        bot(tmp_path)


def test_the_environment_comes_before_the_settings(tmp_path, monkeypatch):
    assert ledger_location(config(tmp_path), SETTINGS).endswith("coordinator.ledger.sqlite")
    monkeypatch.setenv("COORDINATOR_LEDGER_URL", "sqlite:///elsewhere.sqlite")
    assert ledger_location(config(tmp_path), SETTINGS) == "sqlite:///elsewhere.sqlite"
