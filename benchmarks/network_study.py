"""What the networks know about real signals: retrained every quarter, tested on the next, beside controls.

    python -m benchmarks.network_study ../shared/market-data 2020-07 2021-06
    python -m benchmarks.network_study ../shared/market-data 2021-07 2023-12 --models lstm attention

Each model is trained on all pairs' candles of the months before a quarter (labels known before it) and asked at the
baseline's signals in it: score = direction x (P(BUY) - P(SELL)). Won is "the target came before the stop". Top shares
are the best scores within a quarter. Brier skill compares a logistic curve of the score, fitted on the last 15 % of the
months before the quarter (rows that only stopped the training), with that slice's base rate. Log loss is of HOLD, BUY
and SELL at every candle of the quarter; xLogLoss is what it is above that of the training labels' frequencies. Standard
errors come from 200 draws of whole weeks, as signals of one week and of several pairs go together; the last lines are
each model's AUC less the first one's, on the same weeks.

The ensembles and the transformer have one configuration each, taken from the literature before anything was measured:
five seeds (Lakshminarayanan et al. 2017); the horizon with its half and its double; four times as many hidden units as
the width in the feed-forward part (Vaswani et al. 2017), the rest as the attention network has it.
"""

import argparse
import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from coordinator.candles.files import read_candles
from coordinator.components.market_history import PairHistory
from coordinator.decision.outcomes import resolve_outcomes
from coordinator.learning.ensemble.network_ensemble import network_model
from coordinator.learning.fusion_models import FusionModels
from coordinator.learning.labels import CLASSES, class_numbers, direction_labels
from coordinator.settings import Settings
from coordinator.settings.learning import LearningSettings
from coordinator.settings.trade import TargetSettings
from coordinator.signals.candles import Candles
from coordinator.signals.fusion import TIMEFRAMES, fuse
from coordinator.signals.technical import compute_technical
from coordinator.trade.reward_risk import target_distance
from coordinator.trade.stops import initial_stop_distance

PAIRS = tuple(f"{coin}/USDT" for coin in ("BTC", "ETH", "SOL", "ADA", "XRP", "LTC", "LINK", "DOGE"))
REWARD_RISKS = (1.0, 2.5)
SLICE = 0.15  # of the months before a quarter: stops the training, then fits the logistic curve
WEEK, DRAWS = 7 * 86400, 200
SEEDS = 5
SETTINGS = Settings()
END = pd.Timestamp("2024-01-01", tz="UTC")


@dataclass(frozen=True)
class Pair:
    """A pair's candles, features, labels and signals (row numbers, directions, won and R by reward:risk).

    ``history`` holds candles and features by timeframe, 1h included.
    """

    history: PairHistory
    labels: np.ndarray
    index: np.ndarray
    direction: np.ndarray
    known: np.ndarray
    won: dict[float, np.ndarray]
    r: dict[float, np.ndarray]

    @property
    def candles(self) -> Candles:
        """Of an hour."""
        return self.history.candles["1h"]


def load(datadir: Path, name: str, learning: LearningSettings) -> Pair:
    """Read a pair, nothing from 2024 on."""
    higher = {}
    for timeframe in TIMEFRAMES:
        frame = read_candles(datadir, name, timeframe, "spot")
        higher[timeframe] = Candles.from_frame(frame[frame["date"] < END], timeframe)
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
    return Pair(PairHistory(higher), labels, index, signal[index], known, won, r)


Scores = list[np.ndarray]  # P(BUY) - P(SELL) of every candle, by pair
Losses = list[tuple[float, float]]  # log loss, and that of the training labels' frequencies, by pair
Model = Callable[[list[Pair], int, int, int], tuple[Scores, Losses]]


def network(name: str, learning: LearningSettings, shuffled: bool = False) -> Model:
    """A model of the study: fit on the candles of [begin, start), answer everywhere up to the quarter's end."""

    def fit(pairs: list[Pair], begin: int, start: int, end: int) -> tuple[Scores, Losses]:
        blocks = [pair.history.block(learning, begin, start) for pair in pairs]
        if shuffled:
            dealt = np.random.default_rng(0).permutation
            blocks = [replace(block, labels=dealt(block.labels)) for block in blocks]
        blocks = [block for block in blocks if len(block.labels) > 500]
        model = network_model(learning, learning.network(name)).fit_pooled(blocks)
        prior = np.concatenate([block.labels[np.isfinite(block.labels)] for block in blocks])
        share = np.array([(prior == c).mean() for c in CLASSES])
        scores, losses = [], []
        for pair in pairs:
            first, last = np.searchsorted(pair.candles.time, (begin, end))
            score = np.full(len(pair.labels), np.nan)
            probabilities, usable = model.predict_proba(pair.history.tables["1h"][first:last])
            score[first:last] = probabilities[:, 1] - probabilities[:, 2]
            scores.append(score)
            test = usable & np.isfinite(pair.labels[first:last]) & (pair.candles.time[first:last] >= start)
            if test.any():
                truth = class_numbers(pair.labels[first:last][test])
                losses.append((-np.log(probabilities[test, truth]).mean(), -np.log(share[truth]).mean()))
        return scores, losses

    return fit


def fusion(pairs: list[Pair], begin: int, start: int, end: int) -> tuple[Scores, Losses]:
    """One LightGBM model per timeframe, joined by the documented formula."""
    histories = [pair.history for pair in pairs]
    candles, tables = [h.candles for h in histories], [h.tables for h in histories]
    models = FusionModels(SETTINGS.fusion_models, SETTINGS.fusion).fit(candles, begin, start, tables)
    return [models.join(h.candles["1h"], h.candles, h.tables).score for h in histories], []


def indicator_fusion(pairs: list[Pair], begin: int, start: int, end: int) -> tuple[Scores, Losses]:
    """Fusion's fallback: the baselines of the three timeframes, nothing trained."""
    scores = []
    for pair in pairs:
        views = {n: (c, compute_technical(c, SETTINGS.baseline)) for n, c in pair.history.candles.items()}
        scores.append(fuse(pair.candles, views, SETTINGS.fusion).score)
    return scores, []


def noise(pairs: list[Pair], begin: int, start: int, end: int) -> tuple[Scores, Losses]:
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
        part = {"week": time_of[rows] // WEEK, "score": (score[pair.index] * pair.direction)[rows]}
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
        test["loss"], test["prior"] = np.mean(losses, axis=0) if losses else (np.nan, np.nan)
        for ratio in REWARD_RISKS:
            curve = LogisticRegression().fit(held[["score"]], held[f"won{ratio}"])
            test[f"p{ratio}"] = curve.predict_proba(test[["score"]])[:, 1]
            test[f"base{ratio}"] = held[f"won{ratio}"].mean()
        tests.append(test)
    return pd.concat(tests)


def auc_draws(table: pd.DataFrame, ratio: float) -> np.ndarray:
    """AUC of target and of R > 0: of all signals, then of each draw of as many weeks, shape (1 + DRAWS, 2)."""
    weeks, week = np.unique(table["week"], return_inverse=True)
    rng, aucs = np.random.default_rng(0), []
    for draw in range(1 + DRAWS):
        times = np.bincount(rng.integers(0, len(weeks), len(weeks)), minlength=len(weeks)) if draw else 1
        weight = (np.ones(len(weeks)) * times)[week]
        truths = (table[f"won{ratio}"].astype(bool), table[f"r{ratio}"] > 0)
        aucs.append([roc_auc_score(truth, table["rank"], sample_weight=weight) for truth in truths])
    return np.array(aucs)


def line(name: str, ratio: float, table: pd.DataFrame, aucs: np.ndarray, seconds: float) -> str:
    """One row of the printed table."""
    won, r = table[f"won{ratio}"].astype(bool), table[f"r{ratio}"]
    brier = [((table[f"{key}{ratio}"] - won) ** 2).mean() for key in ("p", "base")]
    top = [r[table["rank"] > 1 - share].mean() for share in (0.3, 0.1)]
    error, loss = aucs[1:].std(axis=0), table["loss"].mean()
    return (
        f"{name:<18} {ratio:<4} {len(r):>6} {won.mean():>6.3f} {aucs[0, 0]:>7.4f} {error[0]:>6.4f} "
        f"{aucs[0, 1]:>7.4f} {error[1]:>6.4f} {brier[0]:>6.4f} {1 - brier[0] / brier[1]:>+8.4f} {r.mean():>+7.3f} "
        f"{top[0]:>+7.3f} {top[1]:>+7.3f} {loss:>7.4f} {loss - table['prior'].mean():>+8.4f} {seconds:>6.0f}"
    )


def difference(name: str, first: str, ratio: float, aucs: np.ndarray, others: np.ndarray) -> str:
    """A model's AUC less another's, on the same weeks, and the standard error of that."""
    less = aucs - others
    won, gained = (f"{less[0, i]:+.4f} +- {less[1:, i].std():.4f}" for i in range(2))
    return f"{name:<18} {ratio:<4} less {first}: AUC {won}, of R > 0 {gained}"


def models(learning: LearningSettings) -> dict[str, Model]:
    """The study's models by name."""
    seeds = learning.model_copy(update={"ensemble_seeds": SEEDS})
    around = (learning.label_horizon // 2, learning.label_horizon * 2)
    transformer = learning.model_copy(update={"attention_architecture": "transformer"})
    return {
        "noise": noise,
        "attention": network("attention", learning),
        "attention shuffled": network("attention", learning, shuffled=True),
        "attention x5": network("attention", seeds),
        "fusion": fusion,
        "indicator fusion": indicator_fusion,
        "lstm": network("lstm", learning),
        "lstm shuffled": network("lstm", learning, shuffled=True),
        "lstm x5": network("lstm", seeds),
        "lstm horizons": network("lstm", learning.model_copy(update={"ensemble_horizons": around})),
        "transformer": network("attention", transformer),
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("datadir", type=Path)
    parser.add_argument("first", help="first test month, e.g. 2020-07")
    parser.add_argument("last", help="last test month")
    parser.add_argument("--models", nargs="*", default=None)
    parser.add_argument("--pairs", nargs="*", default=PAIRS)
    parser.add_argument("--months", type=int, default=30, help="months trained on")
    parser.add_argument("--set", nargs="*", default=[], help="learning settings, e.g. epochs=6 label=barrier")
    options = parser.parse_args()
    changes: dict[str, object] = {"epochs": 6, "patience": 2, "batch_size": 1024, "balance_classes": False}
    for item in options.set:
        key, value = item.split("=")
        kind = type(getattr(SETTINGS.learning, key))
        changes[key] = kind(value)
    learning = LearningSettings(**{**SETTINGS.learning.model_dump(), **changes})
    pairs = [load(options.datadir, name, learning) for name in options.pairs]
    print(f"{len(pairs)} pairs, trained on {options.months} months; {changes}")
    print(
        "model              RR       n    won  AUCwon     SE AUC R>0     SE  Brier  BrierSk   R all   R 30%   R 10% "
        "LogLoss xLogLoss      s"
    )
    chosen, aucs = models(learning), {}
    names = options.models or list(chosen)
    for name in names:
        begin = time.process_time()
        table = evaluate(chosen[name], pairs, quarters(options.first, options.last), options.months)
        seconds = time.process_time() - begin
        for ratio in REWARD_RISKS:
            aucs[name, ratio] = auc_draws(table, ratio)
            print(line(name, ratio, table, aucs[name, ratio], seconds), flush=True)
    for name, ratio in itertools.product(names[1:], REWARD_RISKS):
        print(difference(name, names[0], ratio, aucs[name, ratio], aucs[names[0], ratio]))


if __name__ == "__main__":
    main()
