"""Which pairs a run trades and when, and what is said where that is not what was asked for."""

import json

import pandas as pd
import pytest

from coordinator.candles.files import candle_path, write_candles
from coordinator.errors import CoordinatorError
from coordinator.jobs.run_plan import plan_run

FIRST, DAYS = pd.Timestamp("2022-01-01", tz="UTC"), 400
SPANS = {"BTC/USDT": (0, DAYS), "NEW/USDT": (300, DAYS), "OLD/USDT": (0, 250), "GONE/USDT": (0, 90)}


@pytest.fixture(scope="module")
def market(tmp_path_factory, make_walk, make_higher):
    """Four pairs of 400 days: one whole, one listed on day 300, two that end on days 250 and 90."""
    folder = tmp_path_factory.mktemp("market")
    walk = make_walk(3, DAYS * 24, start=str(FIRST.date()))
    for pair, (begin, end) in SPANS.items():
        own = walk.iloc[begin * 24 : end * 24].reset_index(drop=True)
        write(folder, pair, own, make_higher)
    return folder


def write(folder, pair, hourly, make_higher):
    for timeframe, rule in (("1h", "1h"), ("4h", "4h"), ("1d", "1D")):
        frame = hourly if rule == "1h" else make_higher(hourly, rule)
        write_candles(frame, candle_path(folder, pair, timeframe, "spot"))


@pytest.fixture
def plan(market, tmp_path):
    def make(pairs=None, timerange=None, datadir=market, train=60, **changes):
        config = {
            "stake_currency": "USDT",
            "freqai": {"enabled": True, "train_period_days": train},
            **changes,
        }
        path = tmp_path / "config.json"
        path.write_text(json.dumps(config))
        return plan_run(path, datadir, pairs, timerange)

    return make


def day(number):
    return f"{FIRST + pd.Timedelta(days=number):%Y%m%d}"


def test_a_pair_is_traded_while_it_has_candles(plan):
    found = plan(timerange=f"{day(200)}-{day(350)}")
    assert found.pairs == ("BTC/USDT", "NEW/USDT", "OLD/USDT")
    assert found.timerange == f"{day(200)}-{day(350)}"
    assert found.told == (
        "GONE/USDT is not traded: its candles are of 2022-01-01 to 2022-04-01",
        "NEW/USDT is traded from 2022-10-28 00:00 on, as soon as its indicators have their history",
        "OLD/USDT is traded until 2022-09-08 00:00, where its candles end",
    )
    frames = found.candles()
    assert frames["NEW/USDT"]["date"].iloc[0] == FIRST + pd.Timedelta(days=300)
    assert frames["OLD/USDT"]["date"].iloc[-1] == FIRST + pd.Timedelta(days=250, hours=-1)


def test_the_default_is_the_last_240_days_of_the_market(plan):
    assert plan().timerange == f"{day(DAYS - 240)}-{day(DAYS)}"
    with pytest.raises(CoordinatorError, match=f"lie within {day(100)}-{day(250)}"):
        plan(["OLD/USDT"])


def test_without_a_pair_in_the_timerange_the_error_says_what_there_is(plan):
    with pytest.raises(
        CoordinatorError, match=r"reach candles of a pair.*OLD/USDT 20220101-20220908"
    ) as error:
        plan(["OLD/USDT", "GONE/USDT"], f"{day(300)}-{day(350)}")
    assert f"{day(300)}-{day(350)}" in str(error.value)


def test_the_oldest_pair_needs_the_training_days_and_the_others_do_not(plan):
    assert plan(timerange=f"{day(100)}-{day(350)}").start == FIRST + pd.Timedelta(days=100)
    with pytest.raises(CoordinatorError, match=rf"lie within {day(100)}-{day(400)} .*100 days"):
        plan(timerange=f"{day(99)}-{day(350)}")
    off = {"freqai": {"enabled": False, "train_period_days": 60}}
    assert plan(timerange=f"{day(40)}-{day(350)}", **off).start == FIRST + pd.Timedelta(days=40)
    with pytest.raises(
        CoordinatorError, match=r"begin 140 days after .*download-data --days 280.*train_period_days"
    ):
        plan(["NEW/USDT"], train=100)


def test_pairs_of_the_whitelist_without_candles_are_told(plan, market):
    whitelist = {"exchange": {"pair_whitelist": ["BTC/USDT", "ADA/USDT", "XRP/USDT"]}}
    found = plan(**whitelist)
    assert found.pairs == ("BTC/USDT",)
    assert found.told == (f"No candles in {market}: ADA/USDT, XRP/USDT of the whitelist are not traded",)
    assert plan(["BTC/USDT"], **whitelist).told == ()


def test_pairs_are_of_the_stake_currency(plan):
    with pytest.raises(
        CoordinatorError, match=r"quoted in the config's stake_currency, which is BTC.*GONE/USDT"
    ):
        plan(stake_currency="BTC")
    with pytest.raises(CoordinatorError, match=r"which is EUR.*Got 'NEW/USDT'"):
        plan(["NEW/USDT"], stake_currency="EUR")


def test_all_unsound_files_are_named_at_once_with_both_ways_on(plan, tmp_path, make_walk, make_higher):
    folder = tmp_path / "market"
    walk = make_walk(3, 24 * 30)
    for pair in ("BTC/USDT", "DUP/USDT", "NOT/USDT"):
        write(folder, pair, walk, make_higher)
    twice = pd.concat([walk.iloc[:5], walk.iloc[4:]], ignore_index=True)
    write_candles(twice, candle_path(folder, "DUP/USDT", "1h", "spot"))
    candle_path(folder, "NOT/USDT", "4h", "spot").write_bytes(b"nothing")
    with pytest.raises(CoordinatorError) as error:
        plan(datadir=folder)
    said = str(error.value)
    assert (
        "DUP_USDT-1h.feather must not hold a candle twice (first offence: candle 2023-01-01 04:00 UTC" in said
    )
    assert "NOT_USDT-4h.feather must be a readable feather file" in said
    assert "freqtrade download-data --erase --pairs DUP/USDT NOT/USDT" in said
    assert 'Or go on without: --pairs "BTC/USDT"' in said
