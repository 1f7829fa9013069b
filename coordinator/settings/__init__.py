"""The "coordinator" section of config.json as frozen, validated models.

Every field carries its unit and range; unknown keys are errors. ``coordinator settings schema`` prints the JSON
schema. Ratios are fractions of one (0.03 is 3 %), confidences are 0..1, times are candles of the strategy's
timeframe unless the name says otherwise.
"""

from coordinator.settings.all import Settings
from coordinator.settings.base import Mode
from coordinator.settings.decision import DecisionSettings
from coordinator.settings.exits import EntriesSettings, ExitsSettings
from coordinator.settings.improvements import (
    AdjustmentSettings,
    CorrelationFilterSettings,
    DynamicRewardRiskSettings,
    ImprovementSettings,
    ImprovementsSettings,
    VolatilitySizingSettings,
)
from coordinator.settings.learners import (
    BlendingSettings,
    CalibrationSettings,
    SelectorSettings,
    ThresholdSettings,
    VoteWeightSettings,
)
from coordinator.settings.learning import LearningSettings
from coordinator.settings.load import load_settings
from coordinator.settings.networks import FusionModelSettings, SelectorPolicySettings
from coordinator.settings.portfolio import HedgeSettings, PortfolioSettings, ProtectionSettings
from coordinator.settings.quality import QualitySettings
from coordinator.settings.signals import BaselineSettings, FusionSettings, RegimeSettings
from coordinator.settings.trade import (
    CostSettings,
    DcaSettings,
    SizingSettings,
    StopSettings,
    TargetSettings,
)
from coordinator.settings.trust import TrustSettings

__all__ = [
    "AdjustmentSettings",
    "BaselineSettings",
    "BlendingSettings",
    "CalibrationSettings",
    "CorrelationFilterSettings",
    "CostSettings",
    "DcaSettings",
    "DecisionSettings",
    "DynamicRewardRiskSettings",
    "EntriesSettings",
    "ExitsSettings",
    "FusionModelSettings",
    "FusionSettings",
    "HedgeSettings",
    "ImprovementSettings",
    "ImprovementsSettings",
    "LearningSettings",
    "Mode",
    "PortfolioSettings",
    "ProtectionSettings",
    "QualitySettings",
    "RegimeSettings",
    "SelectorPolicySettings",
    "SelectorSettings",
    "Settings",
    "SizingSettings",
    "StopSettings",
    "TargetSettings",
    "ThresholdSettings",
    "TrustSettings",
    "VolatilitySizingSettings",
    "VoteWeightSettings",
    "load_settings",
]
