"""FreqUI at ``freqtrade webserver``: the endpoints it asks there, the historic chart, backtests from the browser."""

import time

import pytest
from freqtrade.ft_types.plot_annotation_type import AnnotationTypeTA

from coordinator.ledger.store import Ledger
from tests.frequi.conftest import Webserver, config, free_port

pytestmark = pytest.mark.xdist_group("frequi webserver")

TIMERANGE = "20230401-20230525"
GET = [
    *("ping", "version", "show_config", "strategies", "strategy/MLCoordinator", "strategy/TechnicalBaseline"),
    *("freqaimodels", "hyperoptloss", "exchanges", "pairlists/available", "markets?exchange=binance"),
    *("plot_config?strategy=MLCoordinator", "plot_config?strategy=TechnicalBaseline", "available_pairs"),
    *("background", "backtest", "backtest/history", "logs", "sysinfo"),
]
TRADE_MODE_ONLY = ["status", "trades", "balance", "profit", "locks", "whitelist", "count", "pair_candles"]


@pytest.fixture
def client(webserver):
    return webserver.client


@pytest.mark.parametrize("path", GET)
def test_an_endpoint_of_webserver_mode_answers(client, path):
    found = client.answer("GET", f"/{path}")
    assert found is not None
    if path == "strategies":
        assert {"MLCoordinator", "TechnicalBaseline"} <= set(found["strategies"])
    if path == "freqaimodels":
        assert "CoordinatorClassifier" in found["freqaimodels"]


@pytest.mark.parametrize("path", TRADE_MODE_ONLY)
def test_an_endpoint_of_trade_mode_says_that_there_is_no_bot(client, path):
    assert client.call("GET", f"/{path}").status_code == 503


def test_health_is_a_bots(client):
    assert client.call("GET", "/health").status_code == 502


def asked(strategy="MLCoordinator", timerange=TIMERANGE, futures=False):
    """What FreqUI posts for a chart; the market only where another one than the config's is chosen."""
    market = {"trading_mode": "futures", "margin_mode": "isolated"} if futures else {}
    return {
        "pair": "BTC/USDT:USDT" if futures else "BTC/USDT",
        "timeframe": "1h",
        "timerange": timerange,
        "strategy": strategy,
        "freqaimodel": "CoordinatorClassifier",
        **market,
    }


def test_the_historic_chart_shows_futures(client):
    """Asked for first, of a config in spot: none of its pairs is a futures pair."""
    chart = client.answer("POST", "/pair_history", json=asked(futures=True))
    assert chart["enter_short_signals"]
    levels = [
        one["label"].partition(" above")[0]
        for one in chart["annotations"]
        if " above " in one.get("label", "")
    ]
    assert {"enter", "exit"} <= set(levels)


# --- backtests from the browser ---------------------------------------------------------------------------------


def finished(client, **settings):
    """Start a backtest and poll it, as FreqUI does."""
    asked = {"strategy": "MLCoordinator", "timerange": TIMERANGE, "enable_protections": False, **settings}
    assert client.answer("POST", "/backtest", json=asked)["running"]
    for _ in range(600):
        found = client.answer("GET", "/backtest")
        if not found["running"]:
            return found
        time.sleep(0.1)
    raise AssertionError(found)


def test_a_backtest_from_the_browser(webserver, client):
    """MLCoordinator with FreqAI: started, polled, listed, noted, read again and deleted."""
    found = finished(client, freqaimodel="CoordinatorClassifier")
    assert found["status"] == "ended", found["status_msg"]
    (result,) = found["backtest_result"]["strategy"].values()
    history = client.answer("GET", "/backtest/history")
    file = history[0]["filename"]
    read = client.answer(
        "GET", "/backtest/history/result", params={"filename": file, "strategy": "MLCoordinator"}
    )
    assert len(read["backtest_result"]["strategy"]["MLCoordinator"]["trades"]) == len(result["trades"])
    client.answer(
        "PATCH", f"/backtest/history/{file}", json={"strategy": "MLCoordinator", "notes": "the first"}
    )
    assert client.answer("GET", "/backtest/history")[0]["notes"] == "the first"
    assert client.answer("GET", f"/backtest/history/{file}/market_change")["length"]
    client.answer("DELETE", f"/backtest/history/{file}")
    assert client.answer("GET", "/backtest/history") == []
    assert client.answer("GET", "/backtest/abort")["status"] == "not_running"
    assert client.answer("DELETE", "/backtest")["status"] == "reset"
    webserver.trades = result["trades"]


def test_the_historic_chart_shows_what_the_backtest_decided(webserver, client):
    chart = client.answer("POST", "/pair_history", json=asked())
    assert chart["data_start"] == "2023-04-01 00:00:00+00:00"
    assert chart["strategy"] == "MLCoordinator"
    for annotation in chart["annotations"]:
        AnnotationTypeTA.validate_python(annotation, extra="forbid")
    assert any(one.get("label", "").startswith("ML: ") for one in chart["annotations"])
    columns = chart["columns"]
    marked = {
        row[columns.index("__date_ts")] // 1000 + 3600
        for row in chart["data"]
        if row[columns.index("enter_long")] == 1
    }
    opened = {trade["open_timestamp"] // 1000 for trade in webserver.trades if trade["pair"] == "BTC/USDT"}
    assert opened
    assert opened <= marked
    (path,) = (webserver.log.parent / "backtest_results").glob("*.ledger.sqlite")
    stored = Ledger(path).read_decisions().query("pair == 'BTC/USDT'")
    known = dict(zip(stored["time"].dt.as_unit("s").astype("int64"), stored["win_probability"], strict=True))
    shown = {
        row[columns.index("__date_ts")] // 1000: row[columns.index("win_probability")]
        for row in chart["data"]
    }
    both = [(known[time], one) for time, one in shown.items() if one is not None and time in known]
    assert len(both) > 10
    for one, other in both:  # it has learnt from the other pair's outcomes, too
        assert other == pytest.approx(one, abs=6e-4)
    again = client.answer("GET", "/pair_history", params=asked())
    assert again["data"] == chart["data"]


def test_a_chart_of_the_baseline_has_no_ml(client):
    chart = client.answer("POST", "/pair_history", json=asked("TechnicalBaseline"))
    assert chart["enter_long_signals"]
    plot = client.answer("GET", "/plot_config?strategy=TechnicalBaseline")
    assert not {"votes", "ML weight"} & set(plot["subplots"])


def test_a_timerange_that_cannot_be_trained_says_what_to_do(client):
    found = client.call("POST", "/pair_history", json=asked(timerange="20220601-20220801"))
    assert found.status_code == 502
    said = found.json()["detail"]
    assert "FreqAI trains on the 60 days before the timerange" in said
    assert "begin the timerange on 2022-08-01 or later" in said


# --- the process ------------------------------------------------------------------------------------------------


def test_candles_are_downloaded_from_the_browser(client):
    pairs = ["ETH/USDT"]
    wanted = {"pairs": pairs, "timeframes": ["1d"], "timerange": "20230501-20230601"}
    job = client.answer("POST", "/download_data", json=wanted)["job_id"]
    for _ in range(300):
        found = client.answer("GET", f"/background/{job}")
        if not found["running"] and found["status"] != "pending":
            break
        time.sleep(0.1)
    assert found["status"] == "success", found


def test_the_second_interrupt_ends_it_whatever_it_served(warm_python, exchange, datadir, tmp_path):
    """Freqtrade's own: no strategy has been loaded here. When this fails it ends at once: say so in the docs."""
    made = config(exchange, tmp_path, free_port())
    with Webserver(warm_python, made, tmp_path, datadir) as running:
        running.client.answer("GET", "/version")
        running.interrupt()
        time.sleep(1.0)
        assert running.process.poll() is None
