"""What a component of the composite is: it trains on a window, keeps the better model, and answers with columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from coordinator.components.market_history import MarketHistory, PairHistory
from coordinator.learning.promotion import Verdict
from coordinator.signals.feature_schema import FeatureSchema
from coordinator.signals.features import FEATURES, FEATURES_VERSION
from coordinator.types import Floats, Times

__all__ = ["DAY", "SCHEMA", "Component", "Speaker", "Trained", "Window"]

DAY = 86400
SCHEMA = FeatureSchema(FEATURES, FEATURES_VERSION)


@dataclass(frozen=True)
class Window:
    """What a training may look at: [begin, end), seconds; ``pairs`` train, ``market`` holds all of them."""

    begin: int
    end: int
    pairs: Mapping[str, PairHistory]
    market: MarketHistory


@dataclass(frozen=True)
class Speaker:
    """A model in use.

    Attributes
    ----------
    model : SequenceClassifier, FusionModels or Champion
    known_until : int
        All that it has learnt from was known before this time (seconds): later candles may judge it.
    speaks_from : int
        First candle it may speak for.
    """

    model: Any
    known_until: int
    speaks_from: int


@dataclass(frozen=True)
class Trained:
    """What a training came to: who speaks now (None: nobody), the verdict, and the challenger as a file.

    ``metrics`` are its figures on the slice that judged it, ``details`` whatever else the report shows, JSON types.
    """

    speaker: Speaker | None
    verdict: Verdict
    kind: str
    suffix: str
    content: bytes
    trained_from: int
    trained_until: int
    label_horizon: int
    schema: FeatureSchema
    metrics: dict[str, float] = field(default_factory=dict)
    details: dict[str, Any] = field(default_factory=dict)


class Component(Protocol):
    """One component of the composite."""

    @property
    def name(self) -> str:
        """As in ``learning.components``."""

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of what ``predict`` returns."""

    def train(self, window: Window, before: Speaker | None) -> Trained:
        """Train on a window and keep the better of the new model and the one before."""

    def prepare(self, pair: str, times: Times, market: MarketHistory) -> None:
        """Compute the features that ``predict`` will read."""

    def predict(self, speaker: Speaker, pair: str, times: Times, market: MarketHistory) -> Floats:
        """Columns of one pair's candles, shape (len(times), len(columns)), NaN where there is nothing to say."""
