"""Models of the registry in a run (``quality.source`` "registry"): from the bot's ledger, whatever the run is."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pandas import DataFrame

from coordinator.components.component import Window
from coordinator.components.composite import Composite, CompositeModel
from coordinator.components.market_history import MarketHistory
from coordinator.components.registry_models import MODEL_FOLDER
from coordinator.components.registry_quality import RegistryPlace
from coordinator.ledger.location import ledger_location
from coordinator.ledger.store import Ledger
from coordinator.settings import Settings
from coordinator.signals.candles import open_seconds

__all__ = ["follow_registry", "registry_composite"]


def registry_composite(names: Sequence[str], settings: Settings, config: dict[str, Any]) -> Composite:
    """The composite of a run; where it takes models from the registry, those of the ledger of `quality train`.

    Raises
    ------
    CoordinatorError
        If models are to come from the registry and it has none.
    """
    folder = Path(config["user_data_dir"]) / "models" / MODEL_FOLDER
    composite = Composite(names, settings, RegistryPlace(Ledger(ledger_location(config, settings)), folder))
    for component in composite.from_registry.values():
        component.models.succession()
    return composite


def follow_registry(
    composite: Composite, frame: DataFrame, pair: str, market: MarketHistory, tolerant: bool
) -> None:
    """Give a backtest's frame what the registry's models say now: FreqAI may have stored what others said then."""
    times = open_seconds(frame)
    for name, component in composite.from_registry.items():
        active = component.train(Window(0, 0, {}, market), None).active
        model = CompositeModel(0, {} if active is None else {name: active})
        for column, values in composite.predict_one(
            name, model, pair, times, market, tolerant=tolerant
        ).items():
            frame[column] = values
