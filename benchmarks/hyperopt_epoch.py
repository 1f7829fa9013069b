"""CPU of a hyperopt epoch of MLCoordinator beside one of TechnicalBaseline: eight pairs, one year, one job.

The slope between few and many epochs leaves start-up, indicators and training out; both strategies try the same
parameters (one seed, fewer epochs than the sampler draws at random). Predictions are made once beforehand.
"""

from benchmarks.freqtrade_runs import bench
from benchmarks.result import Result

TIMERANGE = "20230101-20240101"
FEW, MANY = 2, 10
STRATEGIES = ("MLCoordinator", "TechnicalBaseline")


def run() -> list[Result]:
    options = ("--spaces", "coordinator", "--hyperopt-loss", "SharpeHyperOptLossDaily", "--random-state", "1")
    options += ("-j", "1", "--disable-param-export", "--min-trades", "1")
    seconds = {}
    with bench({}) as place:
        place.cpu_seconds("backtesting", "MLCoordinator", TIMERANGE, "--export", "none", "--cache", "none")
        for strategy in STRATEGIES:
            few, many = (
                place.cpu_seconds("hyperopt", strategy, TIMERANGE, "--epochs", str(epochs), *options)
                for epochs in (FEW, MANY)
            )
            seconds[strategy] = (many - few) / (MANY - FEW)
    ours, reference = (seconds[name] for name in STRATEGIES)
    return [
        Result(
            "hyperopt_epoch_ratio",
            ours / reference,
            "x",
            f"aim: 1.5; TechnicalBaseline {reference:.2f} s an epoch",
        )
    ]
