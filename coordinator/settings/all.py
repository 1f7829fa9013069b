"""The whole "coordinator" section."""

from __future__ import annotations

from pydantic import model_validator

from coordinator.settings.base import Section
from coordinator.settings.decision import DecisionSettings
from coordinator.settings.exits import EntriesSettings, ExitsSettings
from coordinator.settings.improvements import ImprovementsSettings
from coordinator.settings.learners import (
    BlendingSettings,
    CalibrationSettings,
    SelectorSettings,
    ThresholdSettings,
    VoteWeightSettings,
)
from coordinator.settings.learning import LearningSettings
from coordinator.settings.ledger import LedgerSettings
from coordinator.settings.networks import FusionModelSettings, SelectorPolicySettings
from coordinator.settings.portfolio import PortfolioSettings
from coordinator.settings.quality import QualitySettings
from coordinator.settings.signals import BaselineSettings, FusionSettings, RegimeSettings
from coordinator.settings.trade import (
    CostSettings,
    DcaSettings,
    SizingSettings,
    StopSettings,
    TargetSettings,
)

__all__ = ["MAX_TIME_LIMIT", "Settings"]

SECONDS_PER_DAY = 86400
MAX_TIME_LIMIT = 20 * SECONDS_PER_DAY
"""A bot must still see a trade's signal, and the trend before it (``signals.trend``), when the trade ends."""


class Settings(Section):
    """The whole "coordinator" section; a missing section means its defaults."""

    costs: CostSettings = CostSettings()
    baseline: BaselineSettings = BaselineSettings()
    regime: RegimeSettings = RegimeSettings()
    fusion: FusionSettings = FusionSettings()
    decision: DecisionSettings = DecisionSettings()
    vote_weights: VoteWeightSettings = VoteWeightSettings()
    calibration: CalibrationSettings = CalibrationSettings()
    blending: BlendingSettings = BlendingSettings()
    thresholds: ThresholdSettings = ThresholdSettings()
    selector: SelectorSettings = SelectorSettings()
    learning: LearningSettings = LearningSettings()
    quality: QualitySettings = QualitySettings()
    fusion_models: FusionModelSettings = FusionModelSettings()
    selector_policy: SelectorPolicySettings = SelectorPolicySettings()
    ledger: LedgerSettings = LedgerSettings()
    stops: StopSettings = StopSettings()
    targets: TargetSettings = TargetSettings()
    dca: DcaSettings = DcaSettings()
    sizing: SizingSettings = SizingSettings()
    entries: EntriesSettings = EntriesSettings()
    exits: ExitsSettings = ExitsSettings()
    improvements: ImprovementsSettings = ImprovementsSettings()
    portfolio: PortfolioSettings = PortfolioSettings()

    @property
    def time_limit(self) -> int:
        """Seconds after which a trade is closed: ``targets.horizon`` candles of the clock."""
        return self.targets.horizon * self.baseline.clock_seconds

    @model_validator(mode="after")
    def _within_a_frame(self) -> Settings:
        if self.time_limit > MAX_TIME_LIMIT:
            clock, days = self.baseline.clock, self.time_limit / SECONDS_PER_DAY
            raise ValueError(
                f"targets.horizon of {self.targets.horizon} candles of {clock} (baseline.clock) is {days:g} days; at "
                f"most {MAX_TIME_LIMIT // SECONDS_PER_DAY}, as a bot sees 999 hourly candles"
            )
        return self
