"""What the networks know about real signals: retrained every quarter, tested on the next, beside controls.

    python -m benchmarks.network_study ../shared/market-data 2020-07 2021-06
    python -m benchmarks.network_study ../shared/market-data 2021-07 2023-12 --models lstm attention

Each model is trained on all pairs' candles of the months before a quarter (labels known before it) and asked at the
baseline's signals in it: score = direction x (P(BUY) - P(SELL)). Won is "the target came before the stop". Top shares
are the best scores within a quarter. Brier skill compares a logistic curve of the score, fitted on the last 15 % of the
months before the quarter (rows that only stopped the training), with that slice's base rate.
"""

import argparse
import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from coordinator.candles.files import read_candles
from coordinator.decision.outcomes import resolve_outcomes
from coordinator.learning.blocks import Block
from coordinator.learning.classifier import SequenceClassifier
from coordinator.learning.fusion_models import FusionModels
from coordinator.learning.labels import CLASSES, class_numbers, direction_labels
from coordinator.settings import Settings
from coordinator.settings.learning import LearningSettings
from coordinator.settings.trade import TargetSettings
from coordinator.signals.candles import Candles
from coordinator.signals.feature_table import feature_table
from coordinator.signals.fusion import TIMEFRAMES, fuse
from coordinator.signals.technical import compute_technical
from coordinator.trade.reward_risk import target_distance
from coordinator.trade.stops import initial_stop_distance

PAIRS = tuple(f"{coin}/USDT" for coin in ("BTC", "ETH", "SOL", "ADA", "XRP", "LTC", "LINK", "DOGE"))
REWARD_RISKS = (1.0, 2.5)
SLICE = 0.15  # of the months before a quarter: stops the training, then fits the logistic curve
SETTINGS = Settings()
END = pd.Timestamp("2024-01-01", tz="UTC")


@dataclass(frozen=True)
class Pair:
    """A pair's candles, features, labels and signals (row numbers, directions, won and R by reward:risk).

    ``higher`` and ``tables`` are candles and features by timeframe, 1h included.
    """

    candles: Candles
    features: np.ndarray
    labels: np.ndarray
    index: np.ndarray
    direction: np.ndarray
    known: np.ndarray
    higher: dict[str, Candles]
    tables: dict[str, np.ndarray]
    won: dict[float, np.ndarray]
    r: dict[float, np.ndarray]


def load(datadir: Path, name: str, learning: LearningSettings) -> Pair:
    """Read a pair, nothing from 2024 on."""
    higher = {}
    for timeframe in TIMEFRAMES:
        frame = read_candles(datadir, name, timeframe, "spot")
        higher[timeframe] = Candles.from_frame(frame[frame["date"] < END], timeframe)
    tables = {timeframe: feature_table(candles) for timeframe, candles in higher.items()}
    candles = higher["1h"]
    signal = compute_technical(candles, SETTINGS.baseline).signal
    index = np.flatnonzero(signal)
    stop = initial_stop_distance(candles, signal, SETTINGS.stops)[index]
    won, r, known = {}, {}, np.zeros(len(index), dtype=np.int64)
    for ratio in REWARD_RISKS:
        target = target_distance(stop, signal[index], TargetSettings(reward_risk=ratio), SETTINGS.costs)
        outcome = resolve_outcomes(
            candles, index, signal[index], stop, target, SETTINGS.targets.horizon, SETTINGS.costs
        )
        won[ratio], r[ratio] = outcome.exit == 1, outcome.r
        last = len(candles.time) - 1
        ends = np.where(outcome.resolved >= 0, candles.time[np.minimum(outcome.resolved, last)], 2**62)
        known = np.maximum(known, ends)
    labels = direction_labels(candles, learning)
    return Pair(candles, tables["1h"], labels, index, signal[index], known, higher, tables, won, r)


Scores = list[np.ndarray]  # P(BUY) - P(SELL) of every candle, by pair
Model = Callable[[list[Pair], int, int, int], tuple[Scores, list[float]]]


def network(name: str, learning: LearningSettings, shuffled: bool = False) -> Model:
    """A model of the study: fit on the candles of [begin, start), answer everywhere up to the quarter's end."""

    def fit(pairs: list[Pair], begin: int, start: int, end: int) -> tuple[Scores, list[float]]:
        blocks, horizon = [], learning.label_horizon * 3600
        for number, pair in enumerate(pairs):
            part = (pair.candles.time >= begin) & (pair.candles.time + horizon < start)
            labels = pair.labels[part]
            if shuffled:
                labels = np.random.default_rng(number).permutation(labels)
            blocks.append(Block(pair.features[part], labels, pair.candles.time[part]))
        blocks = [block for block in blocks if len(block.labels) > 500]
        model = SequenceClassifier(learning, name).fit_pooled(blocks)
        scores, losses = [], []
        for pair in pairs:
            first, last = np.searchsorted(pair.candles.time, (begin, end))
            score = np.full(len(pair.labels), np.nan)
            probabilities, usable = model.predict_proba(pair.features[first:last])
            score[first:last] = probabilities[:, 1] - probabilities[:, 2]
            scores.append(score)
            test = usable & np.isfinite(pair.labels[first:last]) & (pair.candles.time[first:last] >= start)
            if test.any():
                truth = class_numbers(pair.labels[first:last][test])
                prior = np.concatenate([block.labels[np.isfinite(block.labels)] for block in blocks])
                share = np.array([(prior == c).mean() for c in CLASSES])
                loss = -np.log(probabilities[test, truth]).mean()
                losses.append(loss + np.log(share[truth]).mean())  # log loss less the prior's
        return scores, losses

    return fit


def several(name: str, learning: LearningSettings, members: int) -> Model:
    """The mean score of a network trained with several seeds."""

    def fit(pairs: list[Pair], begin: int, start: int, end: int) -> tuple[Scores, list[float]]:
        seeds = (learning.model_copy(update={"seed": learning.seed + i}) for i in range(members))
        answers = [network(name, member)(pairs, begin, start, end) for member in seeds]
        scores = [np.mean(of_pair, axis=0) for of_pair in zip(*(a[0] for a in answers), strict=True)]
        return scores, [loss for a in answers for loss in a[1]]

    return fit


def fusion(pairs: list[Pair], begin: int, start: int, end: int) -> tuple[Scores, list[float]]:
    """One LightGBM model per timeframe, joined by the documented formula."""
    higher, tables = [pair.higher for pair in pairs], [pair.tables for pair in pairs]
    models = FusionModels(SETTINGS.fusion_models, SETTINGS.fusion).fit(higher, begin, start, tables)
    return [models.join(pair.candles, pair.higher, pair.tables).score for pair in pairs], []


def indicator_fusion(pairs: list[Pair], begin: int, start: int, end: int) -> tuple[Scores, list[float]]:
    """Fusion's fallback: the baselines of the three timeframes, nothing trained."""
    scores = []
    for pair in pairs:
        views = {name: (c, compute_technical(c, SETTINGS.baseline)) for name, c in pair.higher.items()}
        scores.append(fuse(pair.candles, views, SETTINGS.fusion).score)
    return scores, []


def noise(pairs: list[Pair], begin: int, start: int, end: int) -> tuple[Scores, list[float]]:
    """Control: seeded noise."""
    rng = np.random.default_rng(start)
    return [rng.normal(size=len(pair.labels)) for pair in pairs], []


def quarters(first: str, last: str) -> list[tuple[int, int]]:
    """Start and end, seconds, of every quarter of the months first..last."""
    starts = pd.date_range(first, pd.Timestamp(last) + pd.offsets.MonthBegin(1), freq="QS", tz="UTC")
    seconds = [int(start.timestamp()) for start in starts]
    return list(itertools.pairwise(seconds))


def ask(pairs: list[Pair], scores: Scores, begin: int, end: int, known_before: int) -> pd.DataFrame:
    """The signals of [begin, end) whose outcome is known before a time, with their scores."""
    parts = []
    for pair, score in zip(pairs, scores, strict=True):
        time_of = pair.candles.time[pair.index]
        rows = (time_of >= begin) & (time_of < end) & (pair.known < known_before)
        part = {"score": (score[pair.index] * pair.direction)[rows]}
        for ratio in REWARD_RISKS:
            part |= {f"won{ratio}": pair.won[ratio][rows], f"r{ratio}": pair.r[ratio][rows]}
        parts.append(pd.DataFrame(part))
    return pd.concat(parts).dropna()


def evaluate(model: Model, pairs: list[Pair], when: list[tuple[int, int]], months: int) -> pd.DataFrame:
    """Signals of all test quarters with score, rank within the quarter and calibrated probabilities."""
    tests = []
    for start, end in when:
        begin = int((pd.Timestamp(start, unit="s") - pd.DateOffset(months=months)).timestamp())
        scores, losses = model(pairs, begin, start, end)
        test = ask(pairs, scores, start, end, 2**61)
        held = ask(pairs, scores, start - int(SLICE * (start - begin)), start, start)
        test["rank"] = test["score"].rank(pct=True, method="first")
        test["excess"] = np.mean(losses) if losses else np.nan
        for ratio in REWARD_RISKS:
            curve = LogisticRegression().fit(held[["score"]], held[f"won{ratio}"])
            test[f"p{ratio}"] = curve.predict_proba(test[["score"]])[:, 1]
            test[f"base{ratio}"] = held[f"won{ratio}"].mean()
        tests.append(test)
    return pd.concat(tests)


def line(name: str, ratio: float, table: pd.DataFrame, seconds: float) -> str:
    """One row of the printed table."""
    won, r, score = table[f"won{ratio}"].astype(bool), table[f"r{ratio}"], table["rank"]
    brier = [((table[f"{key}{ratio}"] - won) ** 2).mean() for key in ("p", "base")]
    top = [r[table["rank"] > 1 - share].mean() for share in (0.3, 0.1)]
    return (
        f"{name:<18} {ratio:<4} {len(r):>6} {won.mean():>6.3f} {roc_auc_score(won, score):>7.4f} "
        f"{roc_auc_score(r > 0, score):>7.4f} {1 - brier[0] / brier[1]:>+8.4f} {r.mean():>+7.3f} {top[0]:>+7.3f} "
        f"{top[1]:>+7.3f} {table['excess'].mean():>+8.4f} {seconds:>6.0f}"
    )


def models(learning: LearningSettings) -> dict[str, Model]:
    """The study's models by name."""
    return {
        "noise": noise,
        "attention": network("attention", learning),
        "attention shuffled": network("attention", learning, shuffled=True),
        "attention x4": several("attention", learning, 4),
        "fusion": fusion,
        "indicator fusion": indicator_fusion,
        "lstm": network("lstm", learning),
        "lstm shuffled": network("lstm", learning, shuffled=True),
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("datadir", type=Path)
    parser.add_argument("first", help="first test month, e.g. 2020-07")
    parser.add_argument("last", help="last test month")
    parser.add_argument("--models", nargs="*", default=None)
    parser.add_argument("--months", type=int, default=30, help="months trained on")
    parser.add_argument("--set", nargs="*", default=[], help="learning settings, e.g. epochs=6 label=barrier")
    options = parser.parse_args()
    changes: dict[str, object] = {"epochs": 6, "patience": 2, "batch_size": 1024, "balance_classes": False}
    for item in options.set:
        key, value = item.split("=")
        kind = type(getattr(SETTINGS.learning, key))
        changes[key] = kind(value)
    learning = LearningSettings(**{**SETTINGS.learning.model_dump(), **changes})
    pairs = [load(options.datadir, name, learning) for name in PAIRS]
    print(f"trained on {options.months} months; {changes}")
    print(
        "model              RR       n   won   AUCwon  AUC R>0  BrierSk   R all   R 30%   R 10% xLogLoss      s"
    )
    chosen = models(learning)
    for name in options.models or chosen:
        begin = time.process_time()
        table = evaluate(chosen[name], pairs, quarters(options.first, options.last), options.months)
        for ratio in REWARD_RISKS:
            print(line(name, ratio, table, time.process_time() - begin), flush=True)


if __name__ == "__main__":
    main()
