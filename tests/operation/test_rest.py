"""Our routes in Freqtrade's running API server: credentials, schema, hostile input, while the bot trades."""

import json
import logging
from concurrent.futures import ThreadPoolExecutor

import httpx
import pandas as pd
import pytest
import schemathesis
from fastapi import FastAPI
from freqtrade.persistence import Trade
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode

from coordinator.adapters.rest.attach import attach_rest
from coordinator.adapters.rest.routes import PREFIX, STATE
from coordinator.ledger.store import Ledger
from coordinator.status.overview import COMMANDS
from coordinator.status.source import Source
from tests.operation.bot_api import TOKEN
from tests.operation.conftest import PAIRS, PASSWORD, USER

pytestmark = pytest.mark.xdist_group("operation")
OWNER = (USER, PASSWORD)
ROUTES = ["", *(f"/{name}" for name in COMMANDS)]
WITH = {"/why": {"pair": "ETH/USDT"}}


def get(bot, route, auth=OWNER, **query):
    return httpx.get(bot.url + route, params={**WITH.get(route, {}), **query}, auth=auth, timeout=60)


@pytest.mark.parametrize("route", ROUTES)
def test_without_or_with_wrong_credentials_nothing_is_said(bot, route):
    for auth in (None, (USER, "wrong"), ("wrong", PASSWORD), ("", ""), (USER, "")):
        answer = get(bot, route, auth)
        assert answer.status_code == 401
        assert set(answer.json()) == {"detail"}
    for header in ("Bearer nonsense", "Bearer a.b.c", "Basic !!!", "Token owner"):
        answer = httpx.get(bot.url + route, headers={"Authorization": header}, params=WITH.get(route))
        assert answer.status_code == 401
    assert get(bot, route, days="x").status_code == 422  # with them, the parameters are looked at
    assert get(bot, route, None, days="x").status_code == 401  # and without them not


@pytest.mark.parametrize("route", ROUTES)
def test_a_token_of_freqtrades_login_will_do(bot, route):
    base = bot.url.removesuffix("/coordinator")
    token = httpx.post(f"{base}/token/login", auth=OWNER).json()["access_token"]
    head = {"Authorization": f"Bearer {token}"}
    assert httpx.get(bot.url + route, headers=head, params=WITH.get(route), timeout=60).status_code == 200


def test_nobody_is_let_in_while_no_password_is_set(bot, monkeypatch):
    monkeypatch.setitem(bot.freqtrade.config["api_server"], "password", "")
    monkeypatch.setitem(bot.freqtrade.config["api_server"], "username", "")
    base = bot.url.removesuffix("/coordinator")
    assert httpx.get(f"{base}/version", auth=("", "")).status_code == 200  # Freqtrade lets everybody in
    assert get(bot, "/phase", ("", "")).status_code == 401


FIELDS = {
    "": {"run_id", "candle", "pairs", "views"},
    "/phase": {"phase", "ml_weight", "next_review", "reviews", "history", "criterion"},
    "/ml_stats": {"metrics", "components", "calibration", "tables"},
    "/rr_stats": {"mode", "base", "trusted_range", "signals", "by_market", "by_level", "comparison"},
    "/correlation": {"pairs", "matrix", "average", "sectors", "refused", "refusals", "filtered", "portfolio"},
    "/thresholds": {"mode", "pairs", "steps", "scores"},
    "/vol_sizing": {"mode", "multipliers", "signals", "sizes", "comparison", "volatility"},
    "/why": {"trade", "signal", "pair"},
    "/models": {"names"},
    "/drift": {"checks", "events", "watching"},
    "/alerts": {"alerts"},
    "/summary": {"signals", "profit", "equity", "phase"},
}


@pytest.mark.parametrize("route", ROUTES)
def test_every_view_is_json_without_nan(bot, route):
    answer = get(bot, route)
    assert answer.status_code == 200
    view = json.loads(answer.text, parse_constant=pytest.fail)
    assert FIELDS[route] <= set(view)
    assert view["note"] == "" or route in ("/models", "/drift")


def test_the_figures_are_those_of_bot_and_ledger(bot):
    ledger = Ledger(bot.folder / "coordinator.ledger.sqlite")
    decisions = ledger.read_decisions().set_index("pair")
    why = get(bot, "/why").json()
    signal, last = why["signal"], decisions.loc["ETH/USDT"].iloc[-1]
    assert signal["at"] == f"{last['time']:%Y-%m-%dT%H:%M:%SZ}"
    assert signal["confidence"] == pytest.approx(last["unified_confidence"], abs=1e-4)
    sides = {1: "long", 0: "hold", -1: "short"}
    assert signal["direction"] == sides[int(last["direction"])]
    for vote in signal["votes"]:
        assert vote["direction"] == sides[int(last[f"{vote['component']}_direction"])]
        assert vote["percentile"] == pytest.approx(last[f"{vote['component']}_percentile"], abs=1e-4)
    assert sum(vote["weight"] for vote in signal["votes"]) == pytest.approx(1.0, abs=1e-3)
    added = sum(vote["contribution"] for vote in signal["votes"])
    assert added == pytest.approx(last["unified_score"], abs=1e-3)
    trade = why["trade"]
    assert trade["stop"] > trade["entered_on"]["stop"]  # it trails
    assert trade["target"] > trade["entry"] > trade["entered_on"]["stop"]
    (held,) = Trade.get_open_trades()
    assert (trade["stop"], trade["stake"]) == pytest.approx((held.stop_loss, held.stake_amount), rel=1e-3)
    assert trade["stop"] < trade["target"]
    gates = {row["pair"]: row for row in get(bot, "/thresholds").json()["pairs"]}
    own = decisions.loc["BTC/USDT"]
    assert gates["BTC/USDT"]["signals"] == len(own)
    assert gates["BTC/USDT"]["acceptance_rate"] == pytest.approx(own["accepted"].mean(), abs=1e-6)
    matrix = get(bot, "/correlation").json()
    above = [matrix["matrix"][i][j] for i in range(3) for j in range(3) if i < j]
    assert matrix["average"] == pytest.approx(sum(above) / 3, abs=1e-5)
    assert {row["pair"] for row in matrix["refusals"]} >= {"BTC/USDT"}
    assert matrix["held"] == ["ETH/USDT"]
    held = {one["name"]: one["held"] for one in matrix["sectors"]}
    assert held == {"layer1": 1, "payments": 0}
    stats = get(bot, "/ml_stats").json()
    assert (stats["days"], len(stats["metrics"])) == (30, 15)
    phase = get(bot, "/phase").json()
    manager = bot.freqtrade.strategy.recorder._live.fold.fold.learners.manager
    assert (phase["phase"], phase["ml_weight"]) == (manager.phase, manager.weight_)


def test_the_tables_of_rewards_count_the_window_and_their_trust_is_their_own(bot, monkeypatch):
    monkeypatch.setitem(bot.operator.source.facts.trust, "dynamic_reward_risk", 0.07)
    decisions = Ledger(bot.folder / "coordinator.ledger.sqlite").read_decisions()
    view, last = get(bot, "/rr_stats").json(), get(bot, "/rr_stats", days=1).json()
    assert (view["days"], view["trusted_range"], last["days"]) == (30, 0.07, 1)
    rows = {row["Market"]: row for row in view["by_market"]["rows"]}
    assert {name: row["Signals"] for name, row in rows.items()} == dict(decisions["regime"].value_counts())
    for name, own in decisions[decisions["outcome_r"].notna()].groupby("regime"):
        assert (rows[name]["Outcomes"], rows[name]["Mean R"]) == (
            len(own),
            pytest.approx(own["outcome_r"].mean()),
        )
    in_a_day = decisions["time"] >= pd.Timestamp(last["end"]) - pd.Timedelta(days=1)
    assert 0 < in_a_day.sum() < len(decisions)
    assert sum(row["Signals"] for row in last["by_market"]["rows"]) == in_a_day.sum()


def test_sizes_rewards_and_the_day_are_those_of_the_ledger(bot):
    ledger = Ledger(bot.folder / "coordinator.ledger.sqlite")
    decisions = ledger.read_decisions()
    history = ledger.history(int(ledger.runs()["id"].iloc[-1]), "improvements")
    rewards, sizes = get(bot, "/rr_stats").json(), get(bot, "/vol_sizing").json()
    assert (rewards["mode"], rewards["base"], rewards["minimum"], rewards["maximum"]) == ("on", 2.5, 1.5, 4.0)
    assert sizes["multipliers"] == {"low": 1.2, "normal": 1.0, "high": 0.7, "extreme": 0.5}
    assert sizes["max_increase"] == 1.5
    for view, name in ((rewards, "dynamic_reward_risk"), (sizes, "volatility_sizing")):
        assert {one["pair"] for one in view["signals"]} == set(history[history["name"] == name]["pair"])
        for one in view["signals"]:
            row = history[(history["name"] == name) & (history["pair"] == one["pair"])].iloc[-1]
            assert (one["base"], one["adjusted"]) == pytest.approx((row["base"], row["adjusted"]), abs=1e-4)
    day = get(bot, "/summary").json()
    own = decisions[decisions["time"].dt.strftime("%Y-%m-%d") == day["day"]]
    assert (day["signals"], day["accepted"]) == (len(own), own["accepted"].sum())
    assert day["signals"] > 0
    assert day["equity"] == pytest.approx(10_000, rel=0.05)
    assert day["phase"] == get(bot, "/phase").json()["phase"]


def test_the_ledger_alone_gives_the_same_phase_thresholds_and_reasons(bot):
    """What webserver mode shows, and what a bot shows that has just begun again."""
    from coordinator.status.phase import read_phase
    from coordinator.status.thresholds import read_thresholds
    from coordinator.status.why import read_why

    own = bot.operator.source
    alone = Source(Ledger(bot.folder / "coordinator.ledger.sqlite"), own.settings)
    assert read_phase(alone) == read_phase(own)
    assert read_thresholds(alone) == read_thresholds(own)
    for pair in PAIRS:
        one, two = read_why(alone, pair).signal, read_why(own, pair).signal
        assert (one.at, one.verdict, one.reasons) == (two.at, two.verdict, two.reasons)
        assert [vote.component for vote in one.votes] == [vote.component for vote in two.votes]


BAD = [
    ("/why", {"pair": "'; DROP TABLE signals; --"}),
    ("/why", {"pair": "../../etc/passwd"}),
    ("/why", {"pair": "A" * 5000}),
    ("/why", {"pair": "БТЦ/USDT"}),
    ("/why", {"pair": "BTC/USDT\x00"}),
    ("/why", {"pair": "BTC/USDT\n"}),
    ("/why", {"pair": ""}),
    ("/ml_stats", {"days": "0"}),
    ("/ml_stats", {"days": "-5"}),
    ("/ml_stats", {"days": "99999999999999999999"}),
    ("/ml_stats", {"days": "nan"}),
    ("/ml_stats", {"days": "1e3"}),
    ("/rr_stats", {"days": "30; rm -rf /"}),
    ("/phase", {"limit": "0"}),
    ("/phase", {"limit": "100000"}),
    ("/alerts", {"limit": "{{7*7}}"}),
    ("/models", {"name": "../../x'"}),
    ("/models", {"name": "x" * 65}),
    ("/models", {"name": ["", "quality"]}),
    ("/why", {"pair": ["ETH/USDT", "ETH/USDT"]}),
    ("/phase", {"unknown": "1"}),
    ("", {"x": "1"}),
]


@pytest.mark.parametrize(("route", "query"), BAD, ids=lambda value: ascii(value)[:40])
def test_hostile_parameters_are_refused_with_a_reason(bot, route, query):
    answer = httpx.get(bot.url + route, params=query, auth=OWNER, timeout=60)
    assert answer.status_code == 422
    (problem,) = answer.json()["detail"]
    assert problem["loc"][0] == "query"
    assert problem["msg"]
    for secret in (TOKEN, PASSWORD, str(bot.folder), "Traceback", "sqlite"):
        assert secret not in answer.text


@pytest.mark.parametrize("route", ["/why", "/correlation", "/thresholds"])
def test_an_unknown_pair_is_404_and_names_the_known(bot, route):
    answer = get(bot, route, pair="NOPE/USDT")
    assert answer.status_code == 404
    assert answer.json()["detail"] == "no such pair; known: BTC/USDT, ETH/USDT, SOL/USDT"


def test_a_ledger_that_cannot_be_read_is_503_without_its_name(bot, tmp_path, caplog):
    app = bot.operator_module("apiserver").app
    broken = tmp_path / "secret-place.sqlite"
    broken.write_bytes(b"no database" * 1000)
    good = app.state.coordinator_source
    app.state.coordinator_source = Source(Ledger(broken), good.settings)
    try:
        for route in ("", "/phase", "/ml_stats", "/models", "/summary", "/why", "/alerts"):
            answer = get(bot, route)
            assert answer.status_code == 503
            assert "secret-place" not in answer.text
        assert "secret-place" in caplog.text
    finally:
        app.state.coordinator_source = good


def paths(app):
    return [getattr(route, "path", "") for route in app.router.routes]


def test_routes_are_added_once_before_freqtrades_catch_all(bot):
    app = bot.operator_module("apiserver").app
    before = len(app.router.routes)
    for source in (None, bot.operator.source, bot.operator.source):
        attach_rest(app, source)
        assert getattr(app.state, STATE) is source  # the last one answers
    assert len(app.router.routes) == before
    schema = httpx.get(bot.url.removesuffix("/api/v1/coordinator") + "/openapi.json").json()
    ours = [path for path in schema["paths"] if path.startswith(PREFIX)]
    assert sorted(ours) == sorted(PREFIX + route for route in ROUTES)
    assert all(schema["paths"][path]["get"]["tags"] == ["Coordinator"] for path in ours)
    assert httpx.get(bot.url + "/nothing", auth=OWNER).status_code == 404
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        assert httpx.request(method, bot.url + "/phase", auth=OWNER).status_code == 405


def test_an_app_without_a_bot_says_so():
    from fastapi.testclient import TestClient

    app = FastAPI()
    attach_rest(app, None)
    assert TestClient(app, raise_server_exceptions=False).get(f"{PREFIX}/phase").status_code in (
        401,
        500,
        503,
    )


def test_views_are_read_by_many_while_the_bot_trades(bot, caplog):
    routes = [route for route in ROUTES for _ in range(3)]
    with ThreadPoolExecutor(6) as pool:
        answers = [pool.submit(get, bot, route) for route in routes]
        bot.hours(2)
        codes = {answer.result().status_code for answer in answers}
    assert codes == {200}
    assert not [r for r in caplog.records if r.levelno >= logging.ERROR]
    decided = get(bot, "").json()["candle"]
    assert decided == f"{bot.now.replace(hour=bot.now.hour - 1):%Y-%m-%dT%H:%M:%SZ}"


@pytest.fixture(scope="module")
def operations(bot):
    root = bot.url.removesuffix("/api/v1/coordinator")
    schema = schemathesis.openapi.from_url(f"{root}/openapi.json").include(path_regex=f"^{PREFIX}")
    return {one.ok().path: one.ok() for one in schema.get_all_operations()}


@pytest.mark.parametrize("mode", list(GenerationMode))
@pytest.mark.parametrize("route", ROUTES)
def test_the_routes_keep_their_own_schema(operations, route, mode):
    """Whatever is sent, right or wrong by the schema: a documented status, a body as documented, never a 500."""
    operation = operations[PREFIX + route]
    codes = set()

    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(max_examples=5, suppress_health_check=list(HealthCheck), phases=[Phase.generate])
    def keeps_it(case):
        codes.add(case.call_and_validate(auth=OWNER, timeout=60).status_code)

    keeps_it()
    assert codes <= {200, 404, 422}
