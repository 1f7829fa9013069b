"""Signals of all pairs as rows that a signal-quality model learns from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from coordinator.decision.outcomes import Outcomes
from coordinator.errors import CoordinatorError
from coordinator.learning.quality_labels import quality_label
from coordinator.settings.quality import QualitySettings
from coordinator.signals.feature_schema import FeatureSchema
from coordinator.signals.pair_view import PairView
from coordinator.signals.signal_features import SIGNAL_SCHEMA, SignalFeatures
from coordinator.types import Bools, Floats, Ints, Times

__all__ = ["QualityRows", "pool_rows"]


@dataclass(frozen=True)
class QualityRows:
    """Signals of all pairs, pooled; any order.

    Attributes
    ----------
    schema : FeatureSchema
    x : ndarray of shape (n, len(schema)), NaN where unknown
    time, outcome_time : ndarray of int, shape (n,)
        Open times of the signal's candle and of the candle that resolved it; the latter -1 while unresolved.
    r : ndarray of shape (n,), outcome in R after costs, NaN while unresolved
    exit_kind : ndarray of int, shape (n,), index into ``decision.outcomes.EXITS``
    reward_risk : float
    candle_seconds : int
    """

    schema: FeatureSchema
    x: Floats
    time: Times
    outcome_time: Times
    r: Floats
    exit_kind: Ints
    reward_risk: float
    candle_seconds: int

    def __len__(self) -> int:
        return len(self.time)

    def label(self, settings: QualitySettings) -> Floats:
        """Labels by the settings' design, NaN while unresolved."""
        return quality_label(self.r, self.exit_kind, settings.label, self.reward_risk)

    def select_features(self, names: Sequence[str]) -> QualityRows:
        """The same signals with some of the features, by name."""
        columns = [self.schema.names.index(name) for name in names]
        return replace(self, schema=FeatureSchema(tuple(names), self.schema.version), x=self.x[:, columns])

    def known_before(self, until: int) -> Bools:
        """Rows whose outcome was known before the candle that opens at ``until``; shape (n,)."""
        return np.asarray((self.outcome_time >= 0) & (self.outcome_time < until))


def pool_rows(
    views: Mapping[str, PairView],
    features: Mapping[str, SignalFeatures],
    outcomes: Mapping[str, Outcomes],
    reward_risk: float,
) -> QualityRows:
    """Put the signals of all pairs below each other, in the order of ``views``.

    Parameters
    ----------
    views, features, outcomes : mappings of pair
        ``features`` of ``signal_features``; ``outcomes`` of the same signals, from ``resolve_outcomes``.
    """
    time, known, x, r, kind, seconds = [], [], [], [], [], {view.candles.seconds for view in views.values()}
    if len(seconds) != 1:
        raise CoordinatorError("views", "signal quality", "be of one timeframe", sorted(seconds))
    for pair, view in views.items():
        candles, outcome = view.candles.time, outcomes[pair]
        time.append(candles[features[pair].index])
        known.append(np.where(outcome.resolved >= 0, candles[np.maximum(outcome.resolved, 0)], -1))
        x.append(features[pair].values)
        r.append(outcome.r)
        kind.append(outcome.exit)
    return QualityRows(
        schema=SIGNAL_SCHEMA,
        x=np.vstack(x),
        time=np.concatenate(time),
        outcome_time=np.concatenate(known),
        r=np.concatenate(r),
        exit_kind=np.concatenate(kind),
        reward_risk=reward_risk,
        candle_seconds=seconds.pop(),
    )
