"""The whole "coordinator" section."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field, ValidationError, model_validator

from coordinator.settings.alerts import AlertSettings
from coordinator.settings.base import Section
from coordinator.settings.blending import BlendingSettings
from coordinator.settings.clocks import CLOCK_SECTIONS, ClockSettings
from coordinator.settings.continuous_learning import ContinuousLearningSettings
from coordinator.settings.decision import DecisionSettings
from coordinator.settings.exits import EntriesSettings, ExitsSettings
from coordinator.settings.hyperopt import HyperoptSettings
from coordinator.settings.improvements import ImprovementsSettings
from coordinator.settings.learners import (
    CalibrationSettings,
    SelectorSettings,
    ThresholdSettings,
    VoteWeightSettings,
)
from coordinator.settings.learning import LearningSettings
from coordinator.settings.ledger import DataCollectionSettings, LedgerSettings
from coordinator.settings.networks import (
    FusionModelSettings,
    SelectorPolicySettings,
    SlotsPolicySettings,
)
from coordinator.settings.portfolio import PortfolioSettings
from coordinator.settings.quality import QualitySettings
from coordinator.settings.signals import (
    CLOCK_SECONDS,
    BaselineSettings,
    ClockName,
    FusionSettings,
    RegimeSettings,
)
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
    slots_policy: SlotsPolicySettings = SlotsPolicySettings()
    ledger: LedgerSettings = LedgerSettings()
    data_collection: DataCollectionSettings = DataCollectionSettings()
    continuous_learning: ContinuousLearningSettings = ContinuousLearningSettings()
    stops: StopSettings = StopSettings()
    targets: TargetSettings = TargetSettings()
    dca: DcaSettings = DcaSettings()
    sizing: SizingSettings = SizingSettings()
    entries: EntriesSettings = EntriesSettings()
    exits: ExitsSettings = ExitsSettings()
    improvements: ImprovementsSettings = ImprovementsSettings()
    portfolio: PortfolioSettings = PortfolioSettings()
    hyperopt: HyperoptSettings = HyperoptSettings()
    alerts: AlertSettings = AlertSettings()
    clocks: Mapping[ClockName, ClockSettings] = Field(
        {}, description="several clocks at once, each with keys of its own; empty: baseline.clock alone"
    )

    @property
    def clock_names(self) -> tuple[str, ...]:
        """The clocks that are read, the slowest first."""
        names = self.clocks or (self.baseline.clock,)
        return tuple(sorted(names, key=CLOCK_SECONDS.__getitem__, reverse=True))

    def on_clock(self, name: str) -> Settings:
        """The settings that hold on one of the clocks: as if there were no other."""
        if name not in self.clocks:
            return self
        changes = {section: self._section_on(name, section) for section in CLOCK_SECTIONS}
        return self.model_copy(update={**changes, "clocks": {}})

    def risk_share(self, name: str) -> float:
        """Share of the risk per trade that positions on a clock get."""
        return self.clocks[name].risk_share if name in self.clocks else 1.0  # type: ignore[index]

    def _section_on(self, name: str, section: str) -> Section:
        """A section with a clock's own keys over the shared ones."""
        shared: Section = getattr(self, section)
        change = dict(getattr(self.clocks[name], section))  # type: ignore[index]
        if section == "baseline":
            change["clock"] = name
        return type(shared).model_validate({**shared.model_dump(), **change}) if change else shared

    @property
    def time_limit(self) -> int:
        """Seconds after which a trade is closed: ``targets.horizon`` candles of the clock."""
        return self.targets.horizon * self.baseline.clock_seconds

    @property
    def divides_slots(self) -> bool:
        """Whether a trained policy ranks the entries."""
        ranks = self.improvements.effective(self.entries.ranking) != "off"
        return ranks and self.entries.ranking_by == "policy"

    @model_validator(mode="after")
    def _slots_can_be_divided(self) -> Settings:
        if not self.divides_slots:
            return self
        if self.portfolio.max_positions is None:
            raise ValueError(
                'entries.ranking_by "policy" divides portfolio.max_positions slots, which is null: set it, e.g. to 8'
            )
        if len(self.clock_names) > 1:
            raise ValueError(
                'entries.ranking_by "policy" reads one clock, and clocks has several: take "expected_r", or leave '
                "clocks out"
            )
        return self

    @model_validator(mode="after")
    def _clocks_hold_together(self) -> Settings:
        for name in self.clocks:
            for section in CLOCK_SECTIONS:
                try:
                    self._section_on(name, section)
                except ValidationError as error:
                    first = error.errors(include_url=False)[0]
                    key = ".".join(("clocks", name, section, *map(str, first["loc"])))
                    raise ValueError(f"{key}: {first['msg']}, but is {first['input']!r}") from None
            _check_time_limit(self.on_clock(name))
        return self

    @model_validator(mode="after")
    def _within_a_frame(self) -> Settings:
        _check_time_limit(self)
        return self


def _check_time_limit(settings: Settings) -> None:
    if settings.time_limit > MAX_TIME_LIMIT:
        clock, days = settings.baseline.clock, settings.time_limit / SECONDS_PER_DAY
        raise ValueError(
            f"targets.horizon of {settings.targets.horizon} candles of {clock} is {days:g} days; at most "
            f"{MAX_TIME_LIMIT // SECONDS_PER_DAY}, as a bot sees 999 hourly candles"
        )
