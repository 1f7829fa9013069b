"""A bot's first hour: pairs arrive one by one, nothing of that is stored, and a restart knows what all of them said."""

import logging
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from coordinator.decision.history import SignalHistory
from coordinator.decision.live import LiveFold
from coordinator.ledger.location import ledger_location
from coordinator.ledger.store import Ledger
from coordinator.run.decision_recorder import DecisionRecorder
from coordinator.run.improvement_trust import TRUST
from coordinator.run.live.decisions import LiveDecisions
from coordinator.run.live.ledger import LiveLedger
from coordinator.run.pair_analysis import analyse
from coordinator.run.signal_table import build_signal_table
from coordinator.run.trading_run import TradingRun
from coordinator.settings import load_settings
from coordinator.signals.candles import Candles
from coordinator.types import FAR_FUTURE

PAIRS = tuple(f"{coin}/USDT" for coin in ("ADA", "BTC", "DOGE", "ETH", "LINK", "LTC", "SOL", "XRP"))
FRAME, FIRST = 600, 900
SETTINGS = load_settings(
    {
        "improvements": {
            "trust": {"enabled": True},
            "dynamic_reward_risk": {"mode": "on"},
            "volatility_sizing": {"mode": "on"},
        }
    }
)


class Bot:
    """Lives candle by candle on eight walks, in the order of the pairs."""

    def __init__(self, folder, walks):
        self.config = {"user_data_dir": str(folder), "timeframe": "1h", "runmode": "dry_run"}
        self.walks = walks
        folder.mkdir(exist_ok=True)
        self.start()

    def start(self):
        live = LiveDecisions(
            SETTINGS, LiveLedger(self.config, "TechnicalBaseline", SETTINGS, "bot"), can_short=True
        )
        self.run = TradingRun(can_short=True)
        self.recorder = DecisionRecorder(self.config, "TechnicalBaseline", self.run, is_backtest=False)
        self.run.start_live(live)
        self.recorder.start_live(live)
        return live

    def candle(self, end, pairs=PAIRS):
        for pair in pairs:
            candles = Candles.from_frame(self.walks[pair].iloc[end + 1 - FRAME : end + 1], "1h")
            self.run.put(analyse(pair, candles, {}, SETTINGS, ml=False))
            self.run.decisions(SETTINGS)
            self.recorder.record_decisions(pair, SETTINGS, lambda *said: None, print)

    @property
    def ledger(self):
        return Ledger(ledger_location(self.config, SETTINGS))

    def snapshot(self):
        run = int(self.ledger.runs()["id"].iloc[-1])
        return self.ledger.snapshot(run, TRUST, FAR_FUTURE)

    def known(self):
        """The trust's state, as it is and as it is stored, and what the ledger holds."""
        return self.run.improvements.trust.state(), self.snapshot().state, self.ledger.read_decisions()


@pytest.fixture(scope="module")
def walks(make_walk):
    return {pair: make_walk(i, FIRST + 60) for i, pair in enumerate(PAIRS)}


@pytest.fixture(scope="module")
def undisturbed(walks, tmp_path_factory):
    """What a bot without a restart knows after 15 candles and after 60."""
    bot, found = Bot(tmp_path_factory.mktemp("whole") / "bot", walks), []
    for end in range(FIRST, FIRST + 60):
        bot.candle(end)
        if end + 1 - FIRST in (15, 60):
            found.append(bot.known())
    return found


def test_nothing_is_stored_until_all_pairs_are_there(walks, tmp_path, caplog):
    bot = Bot(tmp_path, walks)
    bot.candle(FIRST)
    assert bot.snapshot() is None
    with caplog.at_level(logging.WARNING):
        bot.candle(FIRST + 1)
    assert bot.snapshot().state == bot.run.improvements.trust.state()
    assert not [record for record in caplog.records if "keeps what it has" in record.getMessage()]


@pytest.mark.parametrize("pairs", [1, 3, 8], ids=["after a pair", "after three", "after the candle"])
def test_a_restart_within_the_first_hour_changes_nothing(walks, undisturbed, tmp_path, pairs):
    bot = Bot(tmp_path / "killed", walks)
    bot.candle(FIRST, PAIRS[:pairs])
    bot.start()
    for end in range(FIRST, FIRST + 15):
        bot.candle(end)
    wanted = undisturbed[0]
    found = bot.known()
    assert found[:2] == wanted[:2]
    assert len(wanted[2])
    pd.testing.assert_frame_equal(found[2], wanted[2])


def test_outcomes_that_a_killed_bot_had_seen_are_written_when_it_starts_again(
    walks, undisturbed, tmp_path, monkeypatch
):
    bot = Bot(tmp_path / "killed", walks)
    write = LiveLedger._write

    def die(self, record):
        if record.outcomes:
            raise KeyboardInterrupt  # as a kill -9 between the learners' state and the outcomes
        write(self, record)

    for end in range(FIRST, FIRST + 60):
        monkeypatch.setattr(LiveLedger, "_write", die if end % 7 == 3 else write)
        try:
            bot.candle(end)
        except KeyboardInterrupt:
            monkeypatch.setattr(LiveLedger, "_write", write)
            bot.start()
            bot.candle(end)
    wanted = undisturbed[1][2]
    assert wanted["outcome_r"].notna().sum() > 5
    pd.testing.assert_frame_equal(bot.ledger.read_decisions(), wanted)


def test_the_day_on_which_a_bot_begins_is_decided_on_what_its_models_would_have_said(walks):
    """The frames of that day lack the models' votes, the history before the run has them."""
    pair = PAIRS[0]
    candles = Candles.from_frame(walks[pair].iloc[: FIRST + 1], "1h")
    bare = build_signal_table({pair: analyse(pair, candles, {}, SETTINGS, ml=False)}, SETTINGS)
    day = int(candles.time[-1]) // 86_400 * 86_400
    today = bare.time >= day
    if not today.any():
        day = int(bare.time[-1]) // 86_400 * 86_400
        today = bare.time >= day
    now = int(bare.time[-1])
    moved = replace(bare.votes["technical"], score=np.where(today, 0.001, bare.votes["technical"].score))
    said = replace(bare, votes={**bare.votes, "technical": moved})
    fold = LiveFold(SETTINGS)
    fold.before = SignalHistory(said, now + 1)
    decided = fold.decide(bare, now)
    alone = LiveFold(SETTINGS).decide(bare, now)
    assert not np.array_equal(decided.of("technical")[today], alone.of("technical")[today])
    # A restart on that day knows it, too.
    again = LiveFold(SETTINGS)
    again.restore(fold.state())
    np.testing.assert_array_equal(
        again.decide(bare, now).of("technical")[today], decided.of("technical")[today]
    )
