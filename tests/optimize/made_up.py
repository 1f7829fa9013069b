"""A search over made-up backtests, as a module and as a process that can be killed: all is real but `evaluate`.

`python -m tests.optimize.made_up JOURNAL_OR_URL TRIALS` joins the study "s", says "ready" and its process number,
waits for a line, and searches.
"""

import math
import os
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from distributed import Client

from coordinator.jobs.optimize import search
from coordinator.jobs.optimize.evaluate import Outcome
from coordinator.jobs.optimize.figures import Figures
from coordinator.jobs.optimize.owners import this_process
from coordinator.jobs.optimize.parameters import choose_parameters
from coordinator.jobs.optimize.storage import open_storage
from coordinator.jobs.optimize.study import StudyKeeper, join_study

FOLDS, DAYS, VALIDATION = 3, 40, 12


def problem(only=("atr_multiple", "risk_per_trade", "max_positions", "fast_clearance")):
    """What `Search` asks of a problem; a job is its values and fold."""
    return SimpleNamespace(
        parameters=choose_parameters(None, only),
        periods=SimpleNamespace(folds=[None] * FOLDS),
        objective="sharpe",
        section=lambda values: {},
        fold_job=lambda values, fold: (dict(values), fold),
    )


def made_up(job):
    """Better towards 3 ATRs; the returns come from the values, so a rerun gives the same."""
    values, fold = job
    time.sleep(0.01)
    quality = 3 - abs(values["stops.atr_multiple"] - 3)
    rng = np.random.default_rng([fold, int(1e6 * sum(map(float, values.values())))])
    returns = rng.normal(0.001 * quality, 0.01, DAYS)
    figures = Figures(quality + fold / 10, 1.0, 1.0, 1.0, 0.1, 0.05, 0.02, 9)
    worse = Figures(math.nan, 1.0, 1.0, math.inf, 0.1, 0.05, 0.02, 9)
    return Outcome(worse, figures, tuple(map(float, returns)), VALIDATION, 0.01)


def client():
    return Client(processes=False, n_workers=1, threads_per_worker=2, dashboard_address=None, silence_logs=50)


def run_search(keeper, workers, wanted, width=2, what=None):
    search.Search(keeper, what or problem(), workers, width).run(wanted)


def say(word):
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


def main(place, wanted):
    search.evaluate = made_up
    url = place if "://" in place else None
    study = join_study(open_storage(url, Path(place)), "s", {"kind": "made up"}, 3)
    keeper = StudyKeeper(study, this_process(), wanted, len(problem().parameters))
    with client() as workers:
        say(f"ready {os.getpid()}")
        sys.stdin.readline()
        run_search(keeper, workers, wanted)
    say("done")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
