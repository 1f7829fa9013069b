"""A model on the holdout: candles that no training of its line has seen, each look at them on record."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np

from coordinator.components.samples import Samples
from coordinator.decision.edge import Gain, gain_probability, mean_gain
from coordinator.decision.percentile import causal_percentile
from coordinator.errors import CoordinatorError
from coordinator.jobs.learning.context import LearningContext, day_text
from coordinator.jobs.quality.train import holdout_start
from coordinator.learning.quality_models.base import QualityModel
from coordinator.learning.reliability import brier, brier_skill, ece
from coordinator.learning.scores import auc
from coordinator.ledger.learning_events import LearningEvent, add_event, learning_events
from coordinator.ledger.registry import Model
from coordinator.reports.texts import finite_json
from coordinator.settings import Settings
from coordinator.types import FAR_FUTURE, SECONDS_PER_DAY, Bools, Floats

__all__ = ["Evaluation", "SignalFigures", "evaluate"]

SURE = 0.9


@dataclass(frozen=True)
class SignalFigures:
    """Accepted signals against all; R after costs, ``error`` is the standard error of the difference."""

    signals: int
    auc: float
    accepted: int
    r_all: float
    r_accepted: float
    gain: float
    error: float

    @property
    def probability(self) -> float:
        """P(accepted make more), under a flat prior."""
        return gain_probability(Gain(self.gain, self.error))


@dataclass(frozen=True)
class Evaluation:
    """A model on the holdout.

    Attributes
    ----------
    begin, end : int, seconds
        First candle of the holdout and its last resolved sample.
    rows : int
        Resolved samples of what the model learns from.
    auc, brier, skill, ece : float
        On them; skill against the base rate of its training.
    signals, taken : SignalFigures
        All signals, and those that the run took.
    looks : list of str
        Days at which the holdout was looked at before, oldest first.
    learnt_from : list of str
        Days of later models that have been trained on it.
    """

    model: Model
    begin: int
    end: int
    rows: int
    auc: float
    brier: float
    skill: float
    ece: float
    signals: SignalFigures
    taken: SignalFigures
    looks: list[str]
    learnt_from: list[str]

    @property
    def verdict(self) -> str:
        """In words."""
        skilled = self.auc > 0.5 and self.skill > 0
        ranks = (
            f"AUC {self.auc:.3f}, Brier skill {self.skill:+.4f}: {'better' if skilled else 'no better'} than the base "
            "rate"
        )
        s = self.signals
        if not math.isfinite(s.error):
            return f"{ranks}; too few signals to say what it is worth in R"
        if s.probability >= SURE:
            worth = "the signals it accepts make more"
        elif s.probability <= 1 - SURE:
            worth = "the signals it accepts make less"
        else:
            worth = "no difference that is not noise"
        return (
            f"{ranks}; accepted {s.r_accepted:+.3f} R against {s.r_all:+.3f} R of all "
            f"({s.gain:+.3f}, standard error {s.error:.3f}): {worth}"
        )

    @property
    def warning(self) -> str:
        """What makes the figures worth less; empty where nothing does."""
        parts = []
        if self.looks:
            parts.append(
                f"this holdout was looked at before ({len(self.looks)} times, first on {self.looks[0]}): what was "
                "chosen by it is not proven by it any more"
            )
        if self.learnt_from:
            parts.append(
                f"models trained on {', '.join(self.learnt_from[:3])} have learnt from it; judged is the one before"
            )
        return "; ".join(parts)

    def as_json(self) -> dict[str, Any]:
        """JSON types."""
        numbers = {name: getattr(self, name) for name in ("rows", "auc", "brier", "skill", "ece")}
        document = {
            "model": self.model.id,
            "holdout": [day_text(self.begin), day_text(self.end)],
            **numbers,
            "signals": asdict(self.signals),
            "taken": asdict(self.taken),
            "looked_at_before": self.looks,
            "learnt_from": self.learnt_from,
            "verdict": self.verdict,
        }
        return finite_json(document)  # type: ignore[no-any-return]


def evaluate(context: LearningContext, clock: str, until: int | None = None) -> Evaluation:
    """Judge the champion of the holdout's first candle on what came from there on.

    A signal is accepted where the model's confidence reaches ``decision.threshold`` on its causal percentile among the
    last ``decision.percentile_window`` signals of all pairs.

    Parameters
    ----------
    until : seconds; samples from there on are left for another look

    Raises
    ------
    CoordinatorError
        Without a champion, or samples after it.
    """
    samples, trainer = context.samples(clock), context.trainer(clock)
    succession = trainer.models.succession()
    begin = holdout_start(context, trainer.name, samples)
    model = trainer.models.champion(begin)
    rows = samples.rows
    end = FAR_FUTURE if until is None else until
    held = (rows.time >= begin) & (rows.time < end) & (rows.outcome_time >= 0)
    if not held.any():
        rule = f"reach beyond {day_text(begin)}, where the holdout begins: accumulate newer candles"
        raise CoordinatorError("samples", context.ledger.database.name, rule, day_text(int(rows.time.max())))
    quality = context.settings.on_clock(clock).quality
    loaded = trainer.models.load(model)
    scores = loaded.predict_proba(rows.x[held], rows.schema)
    y = rows.label(quality)[held]
    won = y >= 0.5
    looks = [
        e for e in learning_events(context.ledger, trainer.name, "evaluated") if _overlaps(e, begin, end)
    ]
    later = [m for m in succession.champions if m is not None and m.info.trained_until >= begin]
    found = Evaluation(
        model=model,
        begin=begin,
        end=int(rows.time[held].max()),
        rows=int(held.sum()),
        auc=auc(scores, won),
        brier=brier(scores, won),
        skill=brier_skill(scores, won, float(model.info.metrics["prior"])),
        ece=ece(scores, won),
        **_signal_figures(
            context.settings.on_clock(clock), samples, loaded, model.info.valid_from, (begin, end)
        ),
        looks=[f"{event.at:%Y-%m-%d}" for event in looks],
        learnt_from=sorted({day_text(int(m.info.metrics["trained_at"])) for m in later}),
    )
    look = LearningEvent(
        trainer.name,
        "evaluated",
        datetime.now(UTC),
        found.verdict,
        time_from=found.begin,
        time_until=found.end,
        model_id=model.id,
        figures=found.as_json(),
    )
    add_event(context.ledger, look)
    return found


def _signal_figures(
    own: Settings, samples: Samples, quality: QualityModel, valid_from: int, span: tuple[int, int]
) -> dict[str, SignalFigures]:
    signals = samples.signals
    known = np.isfinite(signals.x).any(axis=1)
    confidence = np.full(len(signals), np.nan)
    confidence[known] = quality.predict_proba(signals.x[known], samples.rows.schema)
    confidence = samples.confidence(confidence, signals)
    confidence[signals.time < valid_from] = np.nan  # what it has seen is no measure
    rank = causal_percentile(signals.time, confidence, window=own.decision.percentile_window)
    inside = (signals.time >= span[0]) & (signals.time < span[1])
    held = inside & (signals.outcome_time >= 0) & np.isfinite(rank)
    accepted = rank >= own.decision.threshold
    lag = own.time_limit // SECONDS_PER_DAY
    return {
        "signals": _figures(samples, held, accepted, confidence, lag),
        "taken": _figures(samples, held & signals.taken, accepted, confidence, lag),
    }


def _figures(samples: Samples, held: Bools, accepted: Bools, confidence: Floats, lag: int) -> SignalFigures:
    signals, nan = samples.signals, float("nan")
    chosen = held & accepted
    if not held.any():
        return SignalFigures(0, nan, 0, nan, nan, nan, math.inf)
    day, place = np.unique(signals.time[held] // SECONDS_PER_DAY, return_inverse=True)
    r, mine = signals.r[held], accepted[held]
    n = len(day)

    def sums(weights: Floats) -> Floats:
        return np.bincount(place, weights=weights, minlength=n).astype(np.float64)

    ones = np.ones(len(r))
    gain = mean_gain(
        sums(mine.astype(np.float64)),
        sums(np.where(mine, r, 0.0)),
        sums(ones),
        sums(r),
        day.astype(np.int64),
        lag,
    )
    return SignalFigures(
        signals=int(held.sum()),
        auc=auc(confidence[held], signals.r[held] > 0),
        accepted=int(chosen.sum()),
        r_all=float(r.mean()),
        r_accepted=float(signals.r[chosen].mean()) if chosen.any() else nan,
        gain=gain.mean if chosen.any() else nan,
        error=gain.error if chosen.any() else math.inf,
    )


def _overlaps(event: LearningEvent, begin: int, end: int) -> bool:
    return (event.time_from or 0) < end and (event.time_until or 0) >= begin
