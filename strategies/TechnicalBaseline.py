"""The technical baseline alone: what MLCoordinator is measured against."""

from coordinator.adapters.strategy import CoordinatorStrategy


class TechnicalBaseline(CoordinatorStrategy):
    """Signals, gates, entries, stops and exits of MLCoordinator, without ML."""
