"""Commands in Freqtrade's running Telegram module, over HTTP against a loopback Bot API server."""

import json
import logging
from types import SimpleNamespace

import freqtrade.rpc.telegram as freqtrade_telegram
import pytest

from coordinator.adapters.strategy.operator import Operator
from coordinator.adapters.telegram.attach import FAILED, attach_telegram
from coordinator.ledger.store import Ledger
from coordinator.status.phone import WIDTH
from coordinator.status.source import Source
from tests.operation.bot_api import CHAT, TOKEN
from tests.operation.conftest import PAIRS, PASSWORD, until

pytestmark = pytest.mark.xdist_group("operation")

SHOWS = {
    "/coordinator": ("/ml_stats", "/why BTC"),
    "/ml_stats": ("30 days to", "Sharpe", ">1.5", "Component", "Win prob."),
    "/ml_stats 7": ("7 days to",),
    "/rr_stats": ("Dynamic reward:risk", "By reward:risk", "BTC"),
    "/correlation": ("Average", "BTC ETH SOL", "sector", "Refused last", "correlated with"),
    "/correlation ETH": ("Corr.", "BTC"),
    "/thresholds": ("Gate", "FP", "BTC"),
    "/thresholds BTC/USDT": ("BTC",),
    "/vol_sizing": ("at high volatility", "BTC", "Regime"),
    "/phase": ("Phase", "ML weight", "Next review", "Last reviews"),
    "/why ETH": ("Open long", "Stop now", "Target now", "Entered on", "technical", "Adds"),
    "/why btc/usdt": ("Last signal", "accepted", "entry refused: correlation_filter", "correlated with"),
    "/models": ("no models yet",),
    "/drift": ("no check yet",),
    "/alerts": ("daily", "guard"),
    "/summary": ("Coordinator, 2023-03-11", "Signals", "Equity"),
}


@pytest.mark.parametrize("command", SHOWS)
def test_every_command_answers_in_tables_that_fit_a_phone(bot, command):
    text = bot.ask(command)
    for words in SHOWS[command]:
        assert words in " ".join(text.split())
    assert max(map(len, text.splitlines())) <= WIDTH
    assert not bot.api.refused


def test_help_and_the_menu_name_the_commands(bot):
    before = len(bot.api.sent)
    bot.api.receive("/help")
    until(lambda: len(bot.api.sent) >= before + 2)
    own, ours = bot.api.sent[before : before + 2]
    assert "/status" in own
    assert "/vol_sizing" in ours
    menu = bot.api.menu[-1]
    assert json.loads(menu["scope"]) == {"type": "chat", "chat_id": CHAT}
    assert {"why", "phase"} <= {command["command"] for command in json.loads(menu["commands"])}


def refused(bot, caplog, words, *args, **kwargs):
    """The log says so, and nothing is sent: asked again by the owner, the answer is the next thing sent."""
    before = len(bot.api.sent)
    with caplog.at_level(logging.DEBUG, "freqtrade.rpc.telegram"):
        bot.api.receive(*args, **kwargs)
        until(lambda: words in caplog.text)
    assert bot.ask("/coordinator").startswith("Coordinator")
    assert len(bot.api.sent) == before + 1


@pytest.mark.parametrize("command", ["/why BTC", "/ml_stats", "/coordinator", "/help"])
def test_another_chat_gets_nothing(bot, caplog, command):
    refused(bot, caplog, "Rejected unauthorized message from: 666", command, chat=666)


def test_another_topic_or_user_gets_nothing(bot, caplog, monkeypatch):
    settings = bot.freqtrade.config["telegram"]
    monkeypatch.setitem(settings, "authorized_users", ["99"])
    somebody = {"id": 1000, "is_bot": False, "first_name": "Somebody"}
    refused(bot, caplog, "Unauthorized user tried to control the bot: 1000", "/phase", user=somebody)
    monkeypatch.setitem(settings, "topic_id", "7")
    before = len(bot.api.sent)
    with caplog.at_level(logging.DEBUG, "freqtrade.rpc.telegram"):
        bot.api.receive("/phase", message_thread_id=8)
        until(lambda: "Rejected message from wrong channel" in caplog.text)
    assert len(bot.api.sent) == before
    assert "Phase" in bot.ask("/phase", message_thread_id=7, is_topic_message=True)


HOSTILE = [
    "/why '; DROP TABLE signals; --",
    "/why BTC/USDT' OR '1'='1",
    "/why <b>bold</b><script>alert(1)</script>",
    "/why *_`[x](http://evil.example)`_*",
    "/why ../../../../etc/passwd",
    "/why " + "A" * 4000,
    "/why " + "BTC " * 900,
    "/why БТЦ/USDT",
    "/why ＢＴＣ",
    "/why \u202ebtc\x00",
    "/why",
    "/why NOPE/USDT",
    "/ml_stats -1",
    "/ml_stats 00",
    "/ml_stats 99999999999999999999",
    "/ml_stats ٣",
    "/ml_stats 1e3",
    "/ml_stats 30; rm -rf /",
    "/thresholds {{7*7}} ${jndi:ldap://x}",
    "/correlation %s%s%n",
    "/rr_stats nan",
    "/phase 1 2 3",
    "/models ../x",
]


def test_what_takes_a_pair_or_days_says_both(bot):
    for command in ("/thresholds ETH 3", "/correlation 30 BTC"):
        said = " ".join(bot.ask(command).split())
        assert "one pair, or one number of days, 1 to 3650, or nothing" in said


@pytest.mark.parametrize("command", HOSTILE, ids=lambda text: ascii(text)[:40])
def test_hostile_arguments_are_refused_and_not_repeated(bot, command):
    text = bot.ask(command)
    assert text.startswith(f"Not understood: {command.split()[0]}")
    assert len(text) < 300
    for secret in (TOKEN, PASSWORD, str(bot.folder), "Traceback", "sqlite", "Error"):
        assert secret not in text
    argument = command.partition(" ")[2]
    assert not argument or argument[:12] not in text
    assert not bot.api.refused


def test_edited_messages_do_nothing(bot, caplog):
    before = len(bot.api.sent)
    bot.api.edit("/phase")
    assert bot.ask("/coordinator").startswith("Coordinator")
    assert len(bot.api.sent) == before + 1
    assert "No error handlers are registered" not in caplog.text


def test_what_fails_inside_stays_inside(bot, tmp_path, caplog):
    app = bot.operator_module("telegram")._app
    broken = tmp_path / "secret-place.sqlite"
    broken.write_bytes(b"no database" * 1000)
    good = app.bot_data["coordinator source"]
    app.bot_data["coordinator source"] = Source(Ledger(broken), good.settings)
    try:
        assert bot.ask("/models") == FAILED
        assert "/models failed" in caplog.text
    finally:
        app.bot_data["coordinator source"] = good


def handlers(telegram, command):
    groups = telegram._app.handlers.values()
    return [h for group in groups for h in group if command in getattr(h, "commands", ())]


def test_commands_are_added_once_however_often_one_attaches(bot):
    telegram = bot.operator_module("telegram")
    assert len(handlers(telegram, "why")) == 1
    for source in (None, bot.operator.source, bot.operator.source):
        assert attach_telegram(telegram, source)
        assert until(lambda source=source: telegram._app.bot_data["coordinator source"] is source)  # the last
    assert bot.ask("/coordinator")
    assert len(handlers(telegram, "why")) == len(handlers(telegram, "ml_stats")) == 1
    assert len(handlers(telegram, "help")) == 2


def test_long_answers_come_in_several_messages(bot, monkeypatch):
    lines = [f"line {i} <&> {'x' * 20}" for i in range(400)]
    monkeypatch.setitem(
        __import__("coordinator.adapters.telegram.commands", fromlist=["ANSWERS"]).ANSWERS,
        "drift",
        lambda source, args: "\n".join(lines),
    )
    before = len(bot.api.sent)
    bot.api.receive("/drift")
    until(lambda: "line 399" in "".join(bot.api.sent[before:]))
    parts = bot.api.sent[before:]
    assert len(parts) > 2
    assert "\n".join(parts).splitlines() == lines
    assert not bot.api.refused


def test_a_telegram_without_its_private_names_is_left_alone(bot, monkeypatch, caplog):
    monkeypatch.delattr(freqtrade_telegram, "authorized_only")
    operator = Operator(bot.freqtrade.strategy, bot.freqtrade.strategy.recorder._live)
    assert caplog.text.count("telegram has none of our views") == 1
    assert "Freqtrade has changed (ImportError" in caplog.text
    assert operator.source.pairs() == tuple(sorted(PAIRS))  # the rest of it is there
    module = SimpleNamespace(_thread=SimpleNamespace(is_alive=lambda: True))
    assert not attach_telegram(module, bot.operator.source)  # not built yet: tried again with the next loop
    module._thread = SimpleNamespace(is_alive=lambda: False)
    with pytest.raises(AttributeError):
        attach_telegram(module, bot.operator.source)
