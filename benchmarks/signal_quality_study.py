"""What signal quality is worth on real candles: `python -m benchmarks.signal_quality_study DATADIR [dev|test]`.

Eight spot pairs pooled, walk-forward: train on all that was known before a quarter, score the quarter. The settings
were chosen on the development period (quarters from 2020-01 to 2021-06) and the test period (2021-07 to 2023-12) was
then scored once. Beside each model stand its controls. "top" is the best-scored share of each quarter's own
signals; "causal" takes those above the quantile of the model's scores on its last training year, which a live bot
could do. The interval is a bootstrap over weeks, 95 %.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.signal_study_data import Signals, load_signals
from coordinator.learning.controls import noise_scores, shuffled_label_model
from coordinator.learning.quality import QualityRows, train_model
from coordinator.learning.reliability import brier_skill
from coordinator.learning.scores import auc, top_share
from coordinator.learning.walk_forward import Fold, quarter_edges, walk_forward
from coordinator.settings.quality import QualitySettings
from coordinator.signals.signal_features import GROUPS, SIGNAL_SCHEMA

PERIODS = {"dev": ("2020-01", "2021-07"), "test": ("2021-07", "2024-01")}
DESIGNS = ((2.5, 48), (1.0, 48), (2.5, 168))
PLAIN = (*GROUPS["candle"].names, "confidence")
RANKS_ONLY = ("expected_r", "noise", "longs")  # no probabilities: a Brier skill would mean nothing
YEAR, WEEK = 365 * 86400, 7 * 86400
SETTINGS = QualitySettings()

Scorer = Callable[[QualityRows, Fold], tuple[np.ndarray, np.ndarray]]
"""Scores of the test rows, and of the training rows of the last year."""


def trained(settings: QualitySettings) -> Scorer:
    """A model trained on the fold."""

    def score(rows: QualityRows, fold: Fold) -> tuple[np.ndarray, np.ndarray]:
        model = train_model(rows, settings, fold.train)
        recent = fold.train[rows.time[fold.train] >= fold.start - YEAR]
        return model.predict_proba(rows.x[fold.test]), model.predict_proba(rows.x[recent])

    return score


def shuffled(rows: QualityRows, fold: Fold) -> tuple[np.ndarray, np.ndarray]:
    """The default model on shuffled outcomes."""
    model = shuffled_label_model(rows, SETTINGS, fold.train, seed=fold.start % 2**31)
    recent = fold.train[rows.time[fold.train] >= fold.start - YEAR]
    return model.predict_proba(rows.x[fold.test]), model.predict_proba(rows.x[recent])


def noise(rows: QualityRows, fold: Fold) -> tuple[np.ndarray, np.ndarray]:
    """Uniform noise."""
    return noise_scores(len(fold.test), fold.start % 2**31), noise_scores(1000, fold.start % 2**31 + 1)


def constant(rows: QualityRows, fold: Fold) -> tuple[np.ndarray, np.ndarray]:
    """The base rate; ties are broken by noise, so that "top" takes signals at random."""
    base, (test, recent) = float(rows.label(SETTINGS)[fold.train].mean()), noise(rows, fold)
    return base + 1e-9 * test, base + 1e-9 * recent


def longs_first(rows: QualityRows, fold: Fold) -> tuple[np.ndarray, np.ndarray]:
    """Any long before any short, at random within both: what following the market's rise is worth."""
    direction = rows.x[:, rows.schema.names.index("direction")]
    recent = fold.train[rows.time[fold.train] >= fold.start - YEAR]
    seed = fold.start % 2**31
    return (
        direction[fold.test] + 1e-3 * noise_scores(len(fold.test), seed),
        direction[recent] + 1e-3 * noise_scores(len(recent), seed + 1),
    )


def variants(quick: bool) -> list[tuple[str, str, Scorer]]:
    """(name, features, scorer): models, controls, label designs, ablations."""

    def change(**update: object) -> Scorer:
        return trained(SETTINGS.model_copy(update=update))

    out = [("lightgbm (default)", "all", trained(SETTINGS))]
    if not quick:
        out.append(("xgboost", "all", change(model_type="xgboost")))
        out.append(("random_forest, 100 trees", "all", change(model_type="random_forest", trees=100)))
    out.append(("logistic", "all", change(model_type="logistic")))
    out.append(("plain control, default label", "plain", trained(SETTINGS)))
    out.append(("plain control, label target", "plain", change(label="target")))
    out += [(f"label {name}", "all", change(label=name)) for name in ("target", "barrier_sign", "expected_r")]
    for name in GROUPS:
        out.append((f"without {name}", f"without {name}", trained(SETTINGS)))
    out.append(("without uniqueness weights", "all", change(uniqueness=False)))
    out.append(("one year of training", "all", change(train_days=365)))
    out += [
        ("constant", "all", constant),
        ("longs first", "all", longs_first),
        ("seeded noise", "all", noise),
        ("shuffled labels", "all", shuffled),
    ]
    return out


def features_of(kind: str) -> tuple[str, ...] | None:
    """Names of a feature set; None for all."""
    if kind == "all":
        return None
    if kind == "plain":
        return PLAIN
    left_out = GROUPS[kind.removeprefix("without ")].names
    return tuple(name for name in SIGNAL_SCHEMA.names if name not in left_out)


def bootstrap(r: np.ndarray, when: np.ndarray, count: int = 2000, seed: int = 0) -> tuple[float, float]:
    """95 % interval of the mean R, weeks drawn with replacement."""
    _, week = np.unique(when // WEEK, return_inverse=True)
    total, number = np.bincount(week, weights=r), np.bincount(week)
    drawn = np.random.default_rng(seed).integers(0, len(total), (count, len(total)))
    means = total[drawn].sum(axis=1) / number[drawn].sum(axis=1)
    low, high = np.quantile(means, (0.025, 0.975))
    return float(low), float(high)


def difference(rows: QualityRows, one: np.ndarray, other: np.ndarray, seed: int = 0) -> str:
    """Mean R of one choice of signals less another's, with a paired bootstrap over weeks."""
    _, week = np.unique(rows.time // WEEK, return_inverse=True)
    r, count = np.nan_to_num(rows.r), int(week.max()) + 1
    tested = np.unique(week[one | other])
    drawn = np.random.default_rng(seed).choice(tested, (2000, len(tested)))
    means = []
    for chosen in (one, other):
        total = np.bincount(week[chosen], weights=r[chosen], minlength=count)
        number = np.bincount(week[chosen], minlength=count)
        means.append(total[drawn].sum(axis=1) / number[drawn].sum(axis=1))
    low, high = np.quantile(means[0] - means[1], (0.025, 0.975))
    return f"{r[one].mean() - r[other].mean():+.3f} [{low:+.3f}, {high:+.3f}]"


def line(
    name: str, rows: QualityRows, folds: list[Fold], scorer: Scorer, event: np.ndarray
) -> tuple[str, np.ndarray]:
    """Score all folds: the figures of one variant, and which signals are its best tenth."""
    score, base = np.full(len(rows), np.nan), np.full(len(rows), np.nan)
    top = {share: np.zeros(len(rows), dtype=bool) for share in (0.3, 0.1)}
    causal = {share: np.zeros(len(rows), dtype=bool) for share in (0.3, 0.1)}
    areas = {"target": [], "profit": []}
    for fold in folds:
        tested, recent = scorer(rows, fold)
        known = np.isfinite(rows.r[fold.test])
        here, p = fold.test[known], tested[known]
        score[here], base[here] = p, event[fold.train].mean()
        for share in top:
            top[share][here] = top_share(p, share)
            causal[share][here] = p > np.quantile(recent, 1 - share)
        areas["target"].append(auc(p, rows.exit_kind[here] == 1))
        areas["profit"].append(auc(p, rows.r[here] > 0))
    here = np.isfinite(score)
    reference = 1 - brier_skill(
        base[here], event[here]
    )  # the training base rate's Brier over the best constant's
    skill = 1 - (1 - brier_skill(score[here], event[here])) / reference
    low, high = bootstrap(rows.r[top[0.1]], rows.time[top[0.1]])
    r, n = rows.r, here.sum()
    text = (
        f"{name:30s} {np.mean(areas['target']):.3f} {np.mean(areas['profit']):.3f} "
        + ("      – " if any(word in name for word in RANKS_ONLY) else f"{skill:+.4f} ")
        + f"{r[here].mean():+.3f} {r[top[0.3]].mean():+.3f} {r[top[0.1]].mean():+.3f} [{low:+.3f}, {high:+.3f}]  "
        + " ".join(f"{_mean(r[causal[s]]):+.3f} ({causal[s].sum() / n:4.0%})" for s in (0.3, 0.1))
    )
    return text, top[0.1]


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if len(values) else float("nan")


def study(signals: Signals, period: str, quick: bool) -> None:
    """Print the tables of a period."""
    first, last = PERIODS[period]
    for reward_risk, horizon in DESIGNS:
        rows = signals.rows(reward_risk, horizon)
        embargo = SETTINGS.embargo_candles * rows.candle_seconds
        edges = quarter_edges(first, last)
        folds = walk_forward(rows.time, rows.outcome_time, edges, embargo_seconds=embargo)
        tested = sum(len(fold.test) for fold in folds)
        print(f"\n{period} {first} to {last}, reward:risk {reward_risk}, horizon {horizon}: {tested} signals")
        print(
            f"{'':30s} AUC target, AUC R>0, Brier skill, R of all, top 30 %, top 10 % [95 %], causal 30 %, 10 % (share)"
        )
        best: dict[str, np.ndarray] = {}
        for name, kind, scorer in variants(quick):
            names = features_of(kind)
            part = rows if names is None else rows.select_features(names)
            if name == "one year of training":
                used = walk_forward(
                    rows.time, rows.outcome_time, edges, embargo_seconds=embargo, train_seconds=YEAR
                )
            else:
                used = folds
            binary = "expected_r" not in name
            label = "target" if "target" in name else "barrier_sign" if "barrier" in name else "profit"
            event = part.label(SETTINGS.model_copy(update={"label": label if binary else "profit"})) >= 0.5
            text, best[name] = line(name, part, used, scorer, event)
            print(text, flush=True)
        compare(rows, folds, best)


def compare(rows: QualityRows, folds: list[Fold], best: dict[str, np.ndarray]) -> None:
    """Print the default's best tenth beside the controls', and quarter by quarter."""
    names = list(best)
    for name in names[1:]:
        if "control" in name or name in ("longs first", "shuffled labels"):
            print(f"top 10 % of {names[0]} less {name}: {difference(rows, best[names[0]], best[name])}")
    for name in names[:1] + [name for name in names if "control" in name]:
        quarters = [rows.r[fold.test][best[name][fold.test]].mean() for fold in folds]
        print(f"top 10 % by quarter, {name}: " + " ".join(f"{value:+.2f}" for value in quarters), flush=True)


def main() -> None:
    folder, period = Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else "test"
    begin = time.process_time()
    signals = load_signals(folder, PERIODS[period][1] + "-01")
    pair_years = sum(len(view.candles) for view in signals.views.values()) / 8766
    print(f"{signals.count} signals, {len(SIGNAL_SCHEMA)} features, {pair_years:.1f} pair-years")
    print(f"views and features: {(time.process_time() - begin) / pair_years:.3f} CPU s a pair-year")
    study(signals, period, quick="quick" in sys.argv)


if __name__ == "__main__":
    main()
