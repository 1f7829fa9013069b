"""CPU of a TechnicalBaseline backtest per candle beside Freqtrade's own SampleStrategy, callbacks included.

The slope between a one-year and a five-year run of eight simulated pairs leaves start-up out. Both run as real
`freqtrade backtesting` processes, taking turns, against the same sandbox exchange.
"""

from benchmarks.freqtrade_runs import SPEC, bench
from benchmarks.result import Result

SHORT, LONG = ("20230101-20240101", 365), ("20190101-20240101", 1826)
NOTHING_KEPT = ("--export", "none", "--cache", "none")


def run() -> list[Result]:
    cpu = {}
    with bench({"freqai": {"enabled": False}}) as place:
        for strategy in ("SampleStrategy", "TechnicalBaseline"):
            for timerange, days in (SHORT, LONG):
                cpu[strategy, days] = place.cpu_seconds("backtesting", strategy, timerange, *NOTHING_KEPT)
    candles = len(SPEC.pairs) * 24 * (LONG[1] - SHORT[1])
    per_candle = {
        name: (cpu[name, LONG[1]] - cpu[name, SHORT[1]]) / candles * 1e6
        for name in ("SampleStrategy", "TechnicalBaseline")
    }
    ours, reference = per_candle["TechnicalBaseline"], per_candle["SampleStrategy"]
    beside = f"SampleStrategy {reference:.1f} us a candle-pair"
    return [
        Result("baseline_cpu_per_candle_ratio", ours / reference, "x", beside),
        Result(
            "baseline_candle_pairs_per_second", 1e6 / ours, "1/s", f"SampleStrategy {1e6 / reference:.0f}"
        ),
    ]
