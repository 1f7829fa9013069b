"""What a component of the composite is: it trains on a window, keeps the better model, and predicts columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from coordinator.components.market_history import MarketHistory, PairHistory
from coordinator.signals.feature_schema import FeatureSchema
from coordinator.signals.features import FEATURES, FEATURES_VERSION
from coordinator.types import Floats, Times

if TYPE_CHECKING:  # what a bot's records say of a training needs none of the models
    from coordinator.learning.promotion import Verdict

__all__ = ["DAY", "SCHEMA", "ActiveModel", "Component", "TrainingResult", "Window"]

DAY = 86400
SCHEMA = FeatureSchema(FEATURES, FEATURES_VERSION)


@dataclass(frozen=True)
class Window:
    """What a training may read: candles of [begin, end), seconds; ``pairs`` train, ``market`` holds all pairs."""

    begin: int
    end: int
    pairs: Mapping[str, PairHistory]
    market: MarketHistory

    @property
    def of_one_pair(self) -> str | None:
        """The pair whose own models are trained, where the market has others."""
        return next(iter(self.pairs)) if len(self.pairs) == 1 < len(self.market.pairs) else None

    def newest_begin(self, share: float, previous: ActiveModel | None) -> int:
        """Where the window's newest share begins (seconds): nothing in it has trained the model before."""
        trained_until = 0 if previous is None else previous.trained_until
        return max(self.end - int(share * (self.end - self.begin)), trained_until)


@dataclass(frozen=True)
class ActiveModel:
    """A model in use.

    Attributes
    ----------
    model : SequenceClassifier, FusionModels or Champion
    trained_until : int
        Everything it was trained on was known before this time (seconds): later candles may validate it.
    valid_from : int
        Open time of the first candle it may predict (seconds).
    """

    model: Any
    trained_until: int
    valid_from: int


@dataclass(frozen=True)
class TrainingResult:
    """Result of a training.

    Attributes
    ----------
    active : the model in use from now on; None for no model
    verdict : whether the challenger was promoted, and why
    content : the challenger as a file, with ``suffix``
    metrics : its figures on the validation slice
    details : whatever else the report shows, JSON types
    """

    active: ActiveModel | None
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

    def train(self, window: Window, previous: ActiveModel | None) -> TrainingResult:
        """Train on a window and keep the better of the new and the previous model."""

    def prepare(self, pair: str, times: Times, market: MarketHistory) -> None:
        """Compute the features that ``predict`` will read."""

    def predict(self, active: ActiveModel, pair: str, times: Times, market: MarketHistory) -> Floats:
        """Columns of one pair's candles, shape (len(times), len(columns)), NaN where it is absent."""
