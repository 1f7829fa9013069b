"""How often drift is seen where there is none, and how soon where it was planted: simulated streams, by numbers.

    python -m benchmarks.drift_detection [--streams 200] [--days 364]

A stream is eight pairs' samples day by day: features, a model's probability and what came of it ten days later. Kinds:
independent rows; and moods, where features and luck of all pairs hang together and last for days (first-order, .9 a
day), as daily candles do. The model was trained on 500 days and judged on the next 90; from then on the check runs
every seven days. Printed are streams with an alarm within the time, and the samples until a planted shift was found.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from coordinator.learning.drift.watch import DriftReport, Scored, check_drift, training_marks
from coordinator.settings.continuous_learning import ContinuousLearningSettings
from coordinator.types import SECONDS_PER_DAY, Bools, Floats, Times

PAIRS, FEATURES, TRAIN_DAYS, JUDGED_DAYS, EVERY, LABEL_DAYS = 8, 38, 500, 90, 7, 10
PERSISTENCE, EDGE = 0.9, 0.2  # the edge in the log odds: an AUC of about .55
NAMES = tuple(f"feature_{i}" for i in range(FEATURES))
SETTINGS = ContinuousLearningSettings()


class Stream(NamedTuple):
    """Samples in time order; arrays of shape (n,), ``x`` of (n, features)."""

    day: Times
    x: Floats
    p: Floats
    y: Floats

    def rows(self, mask: Bools) -> Stream:
        return Stream(*(part[mask] for part in self))


Shift = Callable[[Stream, Bools, np.random.Generator], Stream]


def make_stream(rng: np.random.Generator, days: int, moods: bool) -> Stream:
    """Features, probabilities with a small edge, and outcomes."""
    n = days * PAIRS
    day = np.repeat(np.arange(days), PAIRS).astype(np.int64)
    x = rng.normal(size=(n, FEATURES))
    luck = np.zeros(n)
    if moods:
        common = _persistent(rng, days, FEATURES)[day]
        x = 0.7 * common + 0.7 * x
        luck = 0.8 * _persistent(rng, days, 1)[day, 0]
    signal = x[:, 0]
    p = 1 / (1 + np.exp(-EDGE * signal))
    y = (rng.random(n) < 1 / (1 + np.exp(-(EDGE * signal + luck)))).astype(np.float64)
    return Stream(day, x, p, y)


def _persistent(rng: np.random.Generator, days: int, columns: int) -> Floats:
    noise = rng.normal(size=(days, columns)) * np.sqrt(1 - PERSISTENCE**2)
    out = np.zeros((days, columns))
    out[0] = rng.normal(size=columns)
    for i in range(1, days):
        out[i] = PERSISTENCE * out[i - 1] + noise[i]
    return out


def no_shift(stream: Stream, later: Bools, rng: np.random.Generator) -> Stream:
    return stream


def moved_features(stream: Stream, later: Bools, rng: np.random.Generator) -> Stream:
    """A fifth of the features (the last ones) are one standard deviation higher."""
    x = stream.x.copy()
    x[np.ix_(later, np.arange(FEATURES - FEATURES // 5, FEATURES))] += 1.0
    return stream._replace(x=x)


def broken_feature(stream: Stream, later: Bools, rng: np.random.Generator) -> Stream:
    """One feature stands still."""
    x = stream.x.copy()
    x[later, FEATURES - 1] = 0.0
    return stream._replace(x=x)


def fewer_wins(stream: Stream, later: Bools, rng: np.random.Generator) -> Stream:
    """Four of ten winners lose: the model's probabilities are too high."""
    y = stream.y.copy()
    y[later & (rng.random(len(y)) < 0.4)] = 0.0
    return stream._replace(y=y)


def wrong_way(stream: Stream, later: Bools, rng: np.random.Generator) -> Stream:
    """A strong model (probabilities four times as far from even) whose sign turns."""
    odds = 4 * np.log(stream.p / (1 - stream.p))
    p = 1 / (1 + np.exp(-odds))
    y = (rng.random(len(p)) < np.where(later, 1 - p, p)).astype(np.float64)
    return stream._replace(p=p, y=y)


SHIFTS: dict[str, Shift] = {
    "none": no_shift,
    "a fifth of the features + 1 sd": moved_features,
    "one feature stands still": broken_feature,
    "four of ten winners lose": fewer_wins,
    "the model's sign turns": wrong_way,
}


def first_alarm(stream: Stream, days: int) -> tuple[int | None, str]:
    """Days after the training until a check finds drift, and what it found; None where none does."""
    start = TRAIN_DAYS + JUDGED_DAYS
    train = stream.rows(stream.day < TRAIN_DAYS - LABEL_DAYS)
    judged = stream.rows((stream.day >= TRAIN_DAYS) & (stream.day < start - LABEL_DAYS))
    marks = training_marks(train.x, _scored(judged), float(LABEL_DAYS), SETTINGS)
    for after in range(EVERY, days + 1, EVERY):
        now = start + after
        new = stream.rows((stream.day >= TRAIN_DAYS) & (stream.day < now))
        known = stream.rows((stream.day >= start - LABEL_DAYS) & (stream.day < now - LABEL_DAYS))
        report = check_drift(marks, new.x, NAMES, _scored(known), SETTINGS)
        if report.drifted:
            return after, _by_what(report)
    return None, ""


def _scored(stream: Stream) -> Scored:
    return Scored(stream.day * SECONDS_PER_DAY, stream.p, stream.y)


def _by_what(report: DriftReport) -> str:
    if report.features is not None and report.features.drifted:
        return "features"
    return "error" if report.error_rose else "calibration"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--streams", type=int, default=200)
    parser.add_argument("--days", type=int, default=364)
    arguments = parser.parse_args()
    streams, days, start = arguments.streams, arguments.days, TRAIN_DAYS + JUDGED_DAYS
    print(f"{streams} streams a line, {PAIRS} samples a day, a check every {EVERY} days, {days} days")
    print(f"{'rows':<14}{'planted':<34}{'alarm':>8}{'median':>9}{'90 %':>9}   by")
    for kind, moods in (("independent", False), ("with moods", True)):
        for name, shift in SHIFTS.items():
            found = []
            for seed in range(streams):
                rng = np.random.default_rng([seed, int(moods)])
                stream = make_stream(rng, start + days, moods)
                found.append(first_alarm(shift(stream, stream.day >= start, rng), days))
            samples = np.array([np.inf if at is None else at * PAIRS for at, _ in found])
            reasons = [what for _, what in found if what]
            by = ", ".join(f"{what} {reasons.count(what)}" for what in sorted(set(reasons)))
            median, most = (_shown(q) for q in np.quantile(samples, (0.5, 0.9), method="higher"))
            alarm = np.isfinite(samples).mean()
            print(f"{kind:<14}{name:<34}{alarm:>8.1%}{median:>9}{most:>9}   {by}", flush=True)


def _shown(samples: float) -> str:
    return f"{samples:.0f}" if np.isfinite(samples) else "never"


if __name__ == "__main__":
    main()
