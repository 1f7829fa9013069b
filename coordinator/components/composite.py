"""The composite model: every enabled component trained on one window, and its predictions for one pair's candles."""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from coordinator.components.absence import FAILED, NO_MODEL, TRAINED_ON
from coordinator.components.component import ActiveModel, TrainingResult, Window
from coordinator.components.factory import build_components
from coordinator.components.market_history import MarketHistory
from coordinator.components.model_files import ModelVerdict
from coordinator.components.registry_quality import RegistryPlace, RegistryQuality
from coordinator.learning.blocks import TooFewRowsError
from coordinator.settings import Settings
from coordinator.types import Floats, Times

__all__ = ["Composite", "CompositeModel"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class CompositeModel:
    """The active model of each component after a window's training; FreqAI pickles it live.

    Attributes
    ----------
    end : int
        End of the window, seconds.
    active_models : mapping of component to ActiveModel
        Without the components that have no model.
    failed : tuple of str
        Components whose training raised; they are absent until the next training.
    """

    end: int
    active_models: Mapping[str, ActiveModel]
    failed: tuple[str, ...] = ()


@dataclass
class Composite:
    """Trains the components and collects their predictions.

    Parameters
    ----------
    names : components, as in ``learning.components``
    settings : Settings
    registry : where signal quality's models come from if ``quality.source`` says so
    """

    names: Sequence[str]
    settings: Settings
    registry: RegistryPlace | None = None
    _logged: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.components = build_components(self.names, self.settings, self.registry)

    def voters(self) -> Composite:
        """The same components without the one that divides the slots, which votes on nothing."""
        if "slots" not in self.names:
            return self
        own = copy.copy(self)
        own.names = [name for name in self.names if name != "slots"]
        own.components = {name: one for name, one in self.components.items() if name != "slots"}
        return own

    @property
    def from_registry(self) -> dict[str, RegistryQuality]:
        """Components whose models are the registry's, by name."""
        found = self.components.items()
        return {name: component for name, component in found if isinstance(component, RegistryQuality)}

    @property
    def standing_models(self) -> list[ModelVerdict]:
        """The registry's champions, oldest first; none where no component takes its models from there."""
        return [verdict for component in self.from_registry.values() for verdict in component.verdicts()]

    @property
    def digest(self) -> str:
        """Hash of the registry's models in use; empty where none are."""
        return "-".join(component.digest() for component in self.from_registry.values())

    @property
    def columns(self) -> list[str]:
        """Names of all columns of ``predict``."""
        own = [column for component in self.components.values() for column in component.columns]
        return own + [f"{name}_absence" for name in self.components]

    def train(
        self,
        window: Window,
        previous: CompositeModel | None,
        on_trained: Callable[[str, TrainingResult], None],
        *,
        tolerant: bool,
    ) -> CompositeModel:
        """Train each component; the better of its new and its previous model is active.

        Parameters
        ----------
        on_trained : callable
            Receives each component's name and result.
        tolerant : bool
            A component that raises is left out and the others go on. Else it raises. Where pairs have models of their
            own, one that has too few candles for them has none, which is no failure.
        """
        active_models: dict[str, ActiveModel] = {}
        failed = []
        for name, component in self.components.items():
            active = None if previous is None else previous.active_models.get(name)
            try:
                result = component.train(window, active)
                if result.active is not None:
                    active_models[name] = result.active
                on_trained(name, result)
                self._logged.discard(f"train {name}")
            except Exception as error:
                pair = window.of_one_pair
                if isinstance(error, TooFewRowsError) and pair is not None:
                    message = f"{pair} has no {name} of its own before it has more candles: {error}"
                    self._log_once(f"too few {name} {pair}", message, logging.WARNING)
                    if active is not None:
                        active_models[name] = active
                    continue
                if not tolerant:
                    raise
                failed.append(name)
                self._log_once(
                    f"train {name}", f"Training of {name} raised {type(error).__name__}; it is absent"
                )
        return CompositeModel(window.end, active_models, tuple(failed))

    def prepare(self, pair: str, times: Times, market: MarketHistory, *, tolerant: bool) -> None:
        """Compute the features that ``predict`` reads, so that its own time can be measured."""
        for component in self.components.values():
            try:
                component.prepare(pair, times, market)
            except Exception:
                if not tolerant:
                    raise  # else predict meets it again and tells

    def predict(
        self, model: CompositeModel, pair: str, times: Times, market: MarketHistory, *, tolerant: bool
    ) -> dict[str, Floats]:
        """All columns of one pair's candles, each of shape (len(times),), NaN where a component is absent."""
        columns: dict[str, Floats] = {}
        for name in self.components:
            columns |= self.predict_one(name, model, pair, times, market, tolerant=tolerant)
        return columns

    def predict_one(
        self,
        name: str,
        model: CompositeModel,
        pair: str,
        times: Times,
        market: MarketHistory,
        *,
        tolerant: bool,
    ) -> dict[str, Floats]:
        """One component's columns, as ``predict`` has them."""
        component = self.components[name]
        values = np.full((len(times), len(component.columns)), np.nan)
        absence = np.full(len(times), float(FAILED if name in model.failed else NO_MODEL))
        active = model.active_models.get(name)
        if active is not None:
            try:
                values = component.predict(active, pair, times, market)
                absence[:] = 0.0
                self._logged.discard(f"predict {name}")
            except Exception as error:
                if not tolerant:
                    raise
                absence[:] = FAILED
                message = f"{name} raised {type(error).__name__} in a prediction; it is absent"
                self._log_once(f"predict {name}", message)
            trained_on = times < active.valid_from
            values[trained_on], absence[trained_on] = np.nan, TRAINED_ON
        return {**dict(zip(component.columns, values.T, strict=True)), f"{name}_absence": absence}

    def _log_once(self, key: str, message: str, level: int = logging.ERROR) -> None:
        """With the exception in hand where it is an error."""
        if key not in self._logged:
            self._logged.add(key)
            logger.log(level, message, exc_info=level == logging.ERROR)
