"""What the trade callbacks cost: our own share per candle and open trade, and a full backtest beside a bare one.

``callback_us``: every question that Freqtrade's loop asks about an open trade (tranche or scale-out due, a better stop,
the target, a reason to leave), timed inside a real backtest of MLCoordinator's rules with every exit rule on;
Freqtrade's own deep copy of the trade is not in it. ``full_backtest_ratio``: CPU of MLCoordinator with stored
predictions beside TechnicalBaseline without any trade callback, both real processes on the same candles.
"""

import json
from typing import Any

from benchmarks.baseline_cpu import NOTHING_KEPT
from benchmarks.freqtrade_runs import Bench, bench
from benchmarks.result import Result
from coordinator.sandbox.spec import MarketSpec

PAIRS = ("BTC/USDT", "ETH/USDT", "SOL/USDT", "ADA/USDT")
TIMERANGE = "20230701-20240101"
RULES = ("momentum_reversal", "low_volume", "stagnation", "scale_out", "target_following")
ALL_ON: dict[str, Any] = {
    "freqai": {"enabled": False},
    "coordinator": {"exits": {name: {"mode": "on"} for name in RULES}, "dca": {"enabled": True}},
}
TIMED = """
import atexit
import json
from time import perf_counter_ns

from coordinator.adapters.strategy import CoordinatorStrategy

SPENT = {"ns": 0, "candles": 0}


def timed(name):
    asked = getattr(CoordinatorStrategy, name)

    def answer(self, *arguments):
        began = perf_counter_ns()
        found = asked(self, *arguments)
        SPENT["ns"] += perf_counter_ns() - began
        SPENT["candles"] += name == "exit_reason"  # asked once a candle and open trade
        return found

    return answer


class Timed(CoordinatorStrategy):
    adjustment_due = timed("adjustment_due")
    better_stop = timed("better_stop")
    target_profit = timed("target_profit")
    exit_reason = timed("exit_reason")


def write():
    with open("PATH", "w") as file:
        json.dump(SPENT, file)


atexit.register(write)
"""
BARE = '''
from coordinator.adapters.strategy import CoordinatorStrategy


class Bare(CoordinatorStrategy):
    """TechnicalBaseline's signals and exit signals on Freqtrade's own stop and target."""

    position_adjustment_enable = False
    use_custom_stoploss = False
    use_custom_roi = False
    stoploss = -0.03
    minimal_roi = {"0": 0.075}

    def exit_reason(self, trade, rate, now):
        return None
'''


def run() -> list[Result]:
    shipped, every = _timed({"freqai": {"enabled": False}}), _timed(ALL_ON)
    with bench({}, PAIRS, MarketSpec()) as place:
        _strategy(place, "Bare", BARE)
        place.cpu_seconds("backtesting", "MLCoordinator", TIMERANGE, *NOTHING_KEPT)  # trains and stores
        full = min(
            place.cpu_seconds("backtesting", "MLCoordinator", TIMERANGE, *NOTHING_KEPT) for _ in range(2)
        )
        bare = min(place.cpu_seconds("backtesting", "Bare", TIMERANGE, *NOTHING_KEPT) for _ in range(2))
    return [
        Result("callback_us", *shipped, "a candle and open trade, the shipped rules; aim <= 20"),
        Result("callback_all_rules_us", *every, "the same with DCA and every exit rule on"),
        Result(
            "full_backtest_ratio",
            full / bare,
            "x",
            f"{full:.1f} s of CPU with stored predictions, {bare:.1f} s without callbacks; aim <= 2",
        ),
    ]


def _timed(changes: dict[str, Any]) -> tuple[float, str]:
    """Microseconds a candle and open trade in a real backtest."""
    with bench(changes, PAIRS, MarketSpec()) as place:
        path = place.overlay.parent / "spent.json"
        _strategy(place, "Timed", TIMED.replace("PATH", str(path)))
        place.cpu_seconds("backtesting", "Timed", TIMERANGE, *NOTHING_KEPT)
        spent = json.loads(path.read_text())
    return spent["ns"] / 1000 / spent["candles"], "us"


def _strategy(place: Bench, name: str, text: str) -> None:
    (place.overlay.parent / "strategies" / f"{name}.py").write_text(text, encoding="utf-8")
