"""Freqtrade's strategy interface: ``CoordinatorStrategy`` is the class to inherit from."""

from coordinator.adapters.strategy.signals import CoordinatorStrategy

__all__ = ["CoordinatorStrategy"]
