"""What a real bot tells by itself: once per cause, over a restart too, through Freqtrade's own messages."""

import logging
from datetime import timedelta

import httpx
import pytest

from coordinator.adapters.strategy import operator as operator_module
from coordinator.adapters.strategy.operator import Operator
from coordinator.run.live.ledger import LiveLedger
from tests.operation.conftest import PASSWORD, USER, until

pytestmark = pytest.mark.xdist_group("operation")


def told(bot):
    """Messages of ours that the chat has got."""
    return [text for text in bot.api.sent if text.removeprefix("```\n").startswith("Coordinator")]


def once(bot, words, seconds=20):
    until(lambda: any(words in text for text in told(bot)), seconds)
    (text,) = [text for text in told(bot) if words in text]
    return text


def test_a_night_brings_one_refusal_a_pair_and_one_summary(bot):
    refusal = once(bot, "BTC/USDT: the entry is refused")
    assert "correlation filter: correlated with ETH/USDT" in refusal
    daily = once(bot, "```\nCoordinator, 2023-03-11")
    assert "Signals" in daily
    assert not bot.api.refused  # Telegram would have taken all of them
    assert not [text for text in told(bot) if "no signal" in text or "no new candle" in text]


def test_a_silent_exchange_is_told_once_and_only_if_two_loops_see_it(bot):
    late = bot.now + timedelta(hours=3)
    bot.operator.update(late)  # a bot that was itself stopped for hours
    assert not [text for text in bot.freqtrade.dataprovider._msg_queue if "no new candle" in text]
    for minutes in (1, 2, 60):
        bot.operator.update(late + timedelta(minutes=minutes))
    bot.freqtrade.rpc.process_msg_queue(bot.freqtrade.dataprovider._msg_queue)
    assert f"{bot.now:%Y-%m-%d %H:%M}" in once(bot, "no new candle of any pair")


def test_a_failure_here_stops_no_decision_and_is_logged_once(bot, monkeypatch, caplog):
    decided = bot.freqtrade.strategy.run.market.version
    monkeypatch.setattr(operator_module, "gather_facts", lambda *args, **kwargs: 1 / 0)
    monkeypatch.setattr(LiveLedger, "store_state", lambda *args: 1 / 0)
    with caplog.at_level(logging.INFO):
        bot.hours(2)
    assert bot.freqtrade.strategy.run.market.version > decided
    assert caplog.text.count("The copy of the bot's state failed; the bot trades on") == 1


def test_a_channel_that_takes_no_messages_is_named_in_the_log(bot, monkeypatch, caplog):
    strategy = bot.freqtrade.strategy
    Operator(strategy, strategy.recorder._live)
    assert "allow_custom_messages" not in caplog.text
    monkeypatch.setitem(bot.freqtrade.config["telegram"], "allow_custom_messages", False)
    Operator(strategy, strategy.recorder._live)
    assert caplog.text.count("telegram.allow_custom_messages is not true: alerts") == 1


def test_a_reload_repeats_nothing_and_all_answers_come_from_the_new_bot(bot):
    before = told(bot)
    old = bot.operator
    bot.stop()
    bot.start()  # what a reload does: all is made anew
    bot.hours(2)
    new = told(bot)[len(before) :]
    assert not [text for text in new if text in before or text.startswith("```")]
    assert bot.operator is not old
    assert "Phase" in bot.ask("/phase")
    telegram = bot.operator_module("telegram")
    groups = telegram._app.handlers.values()
    assert sum("why" in getattr(h, "commands", ()) for group in groups for h in group) == 1
    assert telegram._app.bot_data["coordinator source"] is bot.operator.source
    view = httpx.get(bot.url, auth=(USER, PASSWORD)).json()
    assert view["candle"] == f"{bot.now - timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}"
