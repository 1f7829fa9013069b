"""A handful of scenarios through a real dry-run bot, hour by hour: the orders of the backtest.

The real FreqtradeBot, its real database and real HTTP against the sandbox exchange; only the clock is turned, by
time-machine, for the bot and the exchange alike. Within an hour the price steps from the open to the low and the high
(the nearer to the open first) and to the close, in five-minute candles; the bot looks every quarter of an hour.
"""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import time_machine
from freqtrade.configuration import Configuration
from freqtrade.enums import RunMode, State
from freqtrade.freqtradebot import FreqtradeBot
from freqtrade.persistence import Trade, enable_database_use

from coordinator.sandbox.exchange import create_app, wall_clock
from coordinator.sandbox.overlay import overlay_config
from coordinator.sandbox.server import SandboxServer
from tests.scenarios.engine import (
    AT_ONCE,
    CALM,
    HISTORY,
    START,
    Fill,
    Play,
    Signal,
    fills,
    level,
    over_off,
)

pytestmark = pytest.mark.xdist_group("replay")
ROOT = Path(__file__).resolve().parent.parent.parent
STEPS = 12


def five_minutes(frame: pd.DataFrame) -> pd.DataFrame:
    """Hourly candles as paths: three steps each at the open, the nearer extreme, the other one, the close."""
    paths = []
    for row in frame.itertuples():
        low_first = row.open - row.low < row.high - row.open
        way = (
            (row.open, row.low, row.high, row.close)
            if low_first
            else (row.open, row.high, row.low, row.close)
        )
        paths.append(np.repeat(way, STEPS // 4))
    price = np.concatenate(paths)
    date = pd.date_range(frame["date"].iloc[0], periods=len(price), freq="5min")
    return pd.DataFrame(
        {"date": date, "open": price, "high": price, "low": price, "close": price, "volume": 80.12345}
    )


def write(folder: Path, pair: str, futures: bool, play: Play) -> None:
    """Candle files of a play; in futures mark prices and funding of nothing beside them."""
    hourly = play.frame()
    name = pair.replace("/", "_").replace(":", "_")
    target = folder / "futures" if futures else folder
    target.mkdir(parents=True, exist_ok=True)
    kind = "-futures" if futures else ""
    five_minutes(hourly).to_feather(target / f"{name}-5m{kind}.feather")
    if futures:
        hourly.to_feather(target / f"{name}-1h-mark.feather")
        funding = hourly[hourly["date"].dt.hour % 8 == 0].assign(open=0.0, high=0.0, low=0.0, close=0.0)
        funding.reset_index(drop=True).to_feather(target / f"{name}-1h-funding_rate.feather")


def replay(tmp_path, plays: dict[str, Play], settings, futures: bool, slots: int):
    """(pair, still open, fills) of each trade of a bot that lives through the rows."""
    suffix = ":USDT" if futures else ""
    pairs = [f"{coin}/USDT{suffix}" for coin in plays]
    datadir = tmp_path / "candles"
    for pair, play in zip(pairs, plays.values(), strict=True):
        write(datadir, pair, futures, play)
    enable_database_use()  # another test's Backtesting may have switched it off
    shipped = json.loads((ROOT / "config.json").read_text())
    rows = max(len(play.rows) for play in plays.values())
    with time_machine.travel(START.to_pydatetime()) as clock:
        clock.move_to((START + pd.Timedelta(hours=HISTORY)).to_pydatetime())
        with SandboxServer(create_app(datadir, wall_clock), "127.0.0.1", 0) as server:
            overlay = overlay_config(server.url)
            pricing = {"price_side": "other", "use_order_book": True, "order_book_top": 1}
            config = {
                **shipped,
                **overlay,
                "exchange": {**shipped["exchange"], **overlay["exchange"], "pair_whitelist": pairs},
                "trading_mode": "futures" if futures else "spot",
                "strategy": "Scripted",
                "strategy_path": str(Path(__file__).resolve().parent / "strategies"),
                "freqai": {**shipped["freqai"], "enabled": False},
                "coordinator": over_off(settings),
                "user_data_dir": str(tmp_path),
                "db_url": "sqlite://",
                "tradable_balance_ratio": 1.0,
                "max_open_trades": slots,
                "entry_pricing": pricing,
                "exit_pricing": pricing,
                "fee": 0.0,
            }
            path = tmp_path / "config.json"
            path.write_text(json.dumps(config))
            arguments = {"config": [str(path)], "user_data_dir": str(tmp_path), "datadir": str(datadir)}
            bot = FreqtradeBot(Configuration(arguments, RunMode.DRY_RUN).get_config())
            bot.strategy.script = dict(zip(pairs, plays.values(), strict=True))
            bot.state = State.RUNNING
            bot.startup()
            first = START + pd.Timedelta(hours=HISTORY)
            for minutes in range(0, 60 * rows, 15):
                clock.move_to((first + pd.Timedelta(minutes=minutes + 0.5)).to_pydatetime())
                bot.process()
            trades = sorted(Trade.get_trades_proxy(), key=lambda trade: (trade.open_date, trade.pair))
            found = [(trade.pair, trade.is_open, fills(trade)) for trade in trades]
            bot.cleanup()
            Trade.session.remove()
    return found


CASES = {
    "three tranches, then the stop": (
        [CALM, CALM, *level(99.45), *level(98.95), (98.5, 98.5, 97.95, 98.2), *level(98.2)],
        Signal(0.74),
        {},
        [
            Fill(1, 100, 40 / 1.575),
            Fill(2, 99.45, 35 / 1.575, "tranche 2 of 3"),
            Fill(3, 98.95, 25 / 1.575, "tranche 3 of 3"),
            Fill(4, 98, 100, "stop_loss"),
        ],
    ),
    "the target": (
        [CALM, CALM, (101.0, 105.25, 100.9, 105.0), *level(105.0)],
        Signal(),
        AT_ONCE,
        [Fill(1, 100, 50), Fill(2, 105.17, 100, "target reached")],
    ),
    "momentum reversal": (
        [CALM, CALM, *level(105.0, 4), *level(103.0, 2)],
        Signal(),
        {
            **AT_ONCE,
            "targets": {"reward_risk": 4.0},
            "exits": {"momentum_reversal": {"mode": "on", "period": 3}},
        },
        [Fill(1, 100, 50), Fill(7, 103, 100, "momentum reversal (85%)")],
    ),
    "scale out, stagnation": (
        [CALM, CALM, *level(104.2), *level(104.2, 6)],
        Signal(),
        {
            **AT_ONCE,
            "targets": {"reward_risk": 4.0},
            "exits": {"scale_out": {"mode": "on"}, "stagnation": {"mode": "on", "candles": 3}},
        },
        [Fill(1, 100, 50), Fill(2, 104.2, 33, "scale out 1 of 2"), Fill(6, 104.2, 67, "stagnation (70%)")],
    ),
    "the baseline turns": (
        [CALM, CALM, *level(99.0, 3)],
        Signal(),
        AT_ONCE,
        [Fill(1, 100, 50), Fill(3, 99, 100, "baseline turned short")],
    ),
}
TURNS = {"baseline_rows": {0: 1, 2: -1}}


@pytest.mark.parametrize("side", [1, -1], ids=["long", "short"])
@pytest.mark.parametrize("name", CASES)
def test_a_bot_makes_the_backtests_orders(tmp_path, engines, name, side):
    rows, signal, settings, expected = CASES[name]
    play = Play(rows, {0: signal}, side, **(TURNS if name == "the baseline turns" else {}))
    ((_, still_open, found),) = replay(tmp_path, {"BTC": play}, settings, futures=True, slots=1)
    assert not still_open
    (trade,) = engines("futures").run({"BTC": play}, settings)
    tested = fills(trade)
    # A bot's stop stands at the exchange, a backtest's cannot: the same stop under another name.
    told = [(x.row, x.words.replace("stoploss_on_exchange", "stop_loss")) for x in found]
    assert told == [(x.row, x.words) for x in tested]
    assert [x.row for x in found] == [x.row for x in expected]
    for one, other, wanted in zip(found, tested, expected, strict=True):
        assert one.price == pytest.approx(other.price, abs=0.12)  # a look every quarter, a spread of .02 %
        assert one.part == pytest.approx(other.part, rel=5e-3)
        assert wanted.part == pytest.approx(other.part, rel=5e-3)


def test_a_bot_ranks_entries_as_the_backtest(tmp_path, engines):
    plays = {
        coin: Play([CALM] * 4, {0: Signal(value, 0.02)}, 1)
        for coin, value in {"BTC": 0.6, "ETH": 0.7, "SOL": 0.9, "LTC": 0.8}.items()
    }
    trades = replay(tmp_path, plays, AT_ONCE, futures=False, slots=2)
    tested = engines("spot").run(plays, AT_ONCE, max_open_trades=2)
    assert {pair for pair, _, _ in trades} == {trade.pair for trade in tested} == {"SOL/USDT", "LTC/USDT"}
