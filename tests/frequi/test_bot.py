"""FreqUI at a bot: every endpoint it asks in trade mode, and what it shows of trades and charts."""

import re

import numpy as np
import pandas as pd
import pytest
import talib
from freqtrade.ft_types.plot_annotation_type import AnnotationTypeTA

from coordinator.adapters.persistence.trade_recorder import DECISION_KEY, WHY_KEY
from tests.frequi.conftest import PAIRS

pytestmark = pytest.mark.xdist_group("frequi bot")

GET = [
    *("ping", "version", "show_config", "plot_config", "logs", "logs?limit=50", "sysinfo", "health"),
    *("balance", "count", "entries", "exits", "mix_tags", "performance", "profit", "profit_all", "stats"),
    *("daily", "weekly", "monthly", "status", "trades", "trades?limit=1&offset=0", "trade/{id}"),
    *("trades/open/custom-data", "trades/{id}/custom-data", "whitelist", "blacklist", "locks"),
    *("pair_candles?pair=BTC/USDT&timeframe=1h&limit=200", "markets"),
]
WEBSERVER_ONLY = ["strategies", "pair_history", "backtest", "pairlists/available", "background"]


@pytest.mark.parametrize("path", GET)
def test_an_endpoint_of_trade_mode_answers(bot, path):
    first = bot.client.answer("GET", "/status")[0]["trade_id"]
    assert bot.client.answer("GET", f"/{path.format(id=first)}")


@pytest.mark.parametrize("path", WEBSERVER_ONLY)
def test_an_endpoint_of_webserver_mode_says_that_it_is_none_of_a_bot(bot, path):
    assert bot.client.call("GET", f"/{path}").status_code == 503


def test_nothing_is_answered_without_the_password(bot):
    for path in (*GET[1:], "token/login"):
        method = "POST" if path == "token/login" else "GET"
        assert bot.client.call(method, f"/{path}", auth=("trader", "wrong")).status_code == 401


def test_a_pair_is_locked_and_unlocked_blocked_and_unblocked(bot):
    lock = {"pair": PAIRS[0], "until": "2030-01-01T00:00:00Z", "side": "long", "reason": "by hand"}
    made = bot.client.answer("POST", "/locks", json=[lock])
    assert made["locks"][0]["reason"] == "by hand"
    areas = [one for one in annotations(bot, PAIRS[0]) if one["type"] == "area"]
    assert all(area["color"].startswith("rgba(") for area in areas)
    assert "locked: by hand" in labels(bot, PAIRS[0])
    assert len([text for text in labels(bot, PAIRS[0]) if text.startswith("locked: ")]) == len(areas)
    bot.client.answer("DELETE", f"/locks/{made['locks'][0]['id']}")
    assert "locked: by hand" not in labels(bot, PAIRS[0])
    assert (
        "XRP/USDT" in bot.client.answer("POST", "/blacklist", json={"blacklist": ["XRP/USDT"]})["blacklist"]
    )
    assert bot.client.answer("DELETE", "/blacklist?pairs_to_delete=XRP/USDT")["blacklist"] == []


# --- trades -----------------------------------------------------------------------------------------------------


def custom_data(bot, trade):
    (found,) = bot.client.answer("GET", f"/trades/{trade['trade_id']}/custom-data")
    return {entry["key"]: entry["value"] for entry in found["custom_data"]}


def stop_in(why):
    return float(re.search(r"; stop ([0-9.]+) ", why)[1])


def open_trades(bot):
    return {trade["pair"]: trade for trade in bot.client.answer("GET", "/status")}


def test_a_signals_trade_says_why(bot):
    trade = open_trades(bot)[bot.pair]
    data = custom_data(bot, trade)
    decision, why = data[DECISION_KEY], data[WHY_KEY]
    assert decision["verdict"] == "accepted"
    assert decision["signal"] == f"{bot.signal:%Y-%m-%d %H:%M}"
    assert why.startswith(f"long: {decision['reasons']}; confidence {decision['unified confidence']:.0%}")
    assert "ML had no say (phase " in why
    assert stop_in(why) == pytest.approx(trade["stop_loss_abs"], rel=1e-4)
    assert why.endswith("; no target; time limit of 20 candles")
    assert trade["enter_tag"].endswith(", no ML")
    assert len(trade["enter_tag"]) < 60


def test_a_trade_by_hand_says_so_with_its_stop(bot):
    trade = open_trades(bot)[bot.other]
    data = custom_data(bot, trade)
    assert DECISION_KEY not in data
    assert data[WHY_KEY].startswith("entered by hand, not by a signal of the strategy; stop ")
    distance = 1 - stop_in(data[WHY_KEY]) / trade["open_rate"]
    assert f"({-distance:+.1%}, as a signal's would be)" in data[WHY_KEY]
    assert distance == pytest.approx(planned_stop(bot, trade), rel=1e-3)
    assert distance < 0.25
    assert stop_in(data[WHY_KEY]) == pytest.approx(trade["stop_loss_abs"], rel=1e-4)


def planned_stop(bot, trade):
    """Two daily ATRs below the close of the last candle before the trade, by the shipped settings."""
    strategy = bot.freqtrade.strategy
    candles, higher, _ = strategy._inputs[trade["pair"]]
    row = int(
        np.searchsorted(candles.time, strategy.plans.last_closed(pd.Timestamp(trade["open_date"], tz="UTC")))
    )
    atr = talib.ATR(*(getattr(higher["1d"], name) for name in ("high", "low", "close")), 14)
    known = np.searchsorted(higher["1d"].time + 86_400, candles.time[row] + 3600, side="right") - 1
    return 2.0 * atr[known] / candles.close[row]


def test_a_waiting_order_without_a_plan_is_told_once_a_trade(bot):
    told = bot.log.having("no signal for this trade")
    assert len(told) == 2  # the order that waited for four looks, and the one that was filled
    assert all(bot.other in line for line in told)


# --- candles ----------------------------------------------------------------------------------------------------


def test_an_empty_data_directory_is_filled_with_all_timeframes(bot):
    stored = {path.name for path in bot.freqtrade.config["datadir"].iterdir()}
    wanted = {f"{pair.replace('/', '_')}-{name}.feather" for pair in PAIRS for name in ("1h", "4h", "1d")}
    assert stored == wanted
    for path in bot.freqtrade.config["datadir"].glob("*[hd].feather"):
        if not path.stem.endswith("-1h"):  # as far back as the exchange has candles, here a year
            assert pd.read_feather(path)["date"].iloc[0] == pd.Timestamp("2022-06-01", tz="UTC")
    assert not bot.log.having("No history")
    assert not bot.log.having("fusion is absent")
    assert bot.log.having("fast start: ")
    freqai = bot.freqtrade.config["freqai"]["feature_parameters"]
    assert freqai["include_timeframes"] == ["1h"]  # each would multiply FreqAI's features


# --- the chart --------------------------------------------------------------------------------------------------


def annotations(bot, pair):
    asked = {"pair": pair, "timeframe": "1h", "limit": 400, "columns": []}
    found = bot.client.answer("POST", "/pair_candles", json=asked)
    assert not {"unified_confidence", "threshold"} & set(found["columns"])  # they come without any column
    return found["annotations"]


def labels(bot, pair):
    return [one["label"] for one in annotations(bot, pair) if one.get("label")]


def test_the_chart_says_what_was_decided_without_a_plot_config(bot):
    found = annotations(bot, bot.pair)
    for one in found:
        AnnotationTypeTA.validate_python(one, extra="forbid")
    said = labels(bot, bot.pair)
    trade = open_trades(bot)[bot.pair]
    assert any(text.startswith("ML: ") for text in said)
    assert any(text.startswith(f"stop {trade['stop_loss_abs']:.6g} (-") for text in said)
    assert any(text.startswith("entry ") for text in said)
    assert any(text.startswith("exit below ") for text in said)
    assert any(text.startswith("enter above ") for text in said)
    when = f"{bot.signal:%Y-%m-%dT%H:%M:%S+00:00}"
    (point,) = [one for one in found if one.get("x") == when and one["type"] == "point" and one["size"] == 9]
    assert point["label"].endswith(" %")


def test_the_chart_asks_nothing_of_the_decisions(bot):
    """It is drawn in a thread of the server: the fold, the plans and the ledger stay where they are."""
    run = bot.freqtrade.strategy.run
    before, decided = run.market.version, run._decided
    annotations(bot, bot.pair)
    assert run.market.version == before
    assert run._decided is decided


def test_plotted_columns_are_of_this_run_with_few_digits(bot):
    plot = bot.client.answer("GET", "/plot_config")
    asked = {"pair": bot.pair, "timeframe": "1h", "limit": 400}
    found = bot.client.answer("GET", "/pair_candles", params=asked)
    named = [*plot["main_plot"], *(name for part in plot["subplots"].values() for name in part)]
    assert set(named) <= set(found["columns"])
    assert len(plot["subplots"]) <= 4
    for name in named:
        column = [row[found["columns"].index(name)] for row in found["data"]]
        known = [value for value in column if value is not None]
        digits = [len(f"{abs(value):.15g}".replace(".", "").strip("0")) for value in known]
        assert max(digits, default=0) <= 7, name
    votes = [f"{name}_vote" for name in ("lstm", "attention", "fusion", "selector", "quality")]
    for name in votes:  # ML has no say in this bot yet
        assert {row[found["columns"].index(name)] for row in found["data"]} == {None}
