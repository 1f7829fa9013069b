"""The "coordinator" section of config.json as frozen, validated models.

Every field carries its unit and range; unknown keys are errors. ``coordinator settings schema`` prints the JSON
schema. Ratios are fractions of one (0.03 is 3 %), confidences are 0..1, times are candles of the strategy's
timeframe unless the name says otherwise.
"""

from coordinator.settings.all import Settings
from coordinator.settings.base import Mode
from coordinator.settings.load import load_settings, run_settings

__all__ = ["Mode", "Settings", "load_settings", "run_settings"]
