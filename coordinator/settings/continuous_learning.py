"""Settings of what keeps models up to date: when they are trained anew, and when they are taken to have drifted."""

from __future__ import annotations

from pydantic import Field

from coordinator.settings.base import Section

__all__ = ["ContinuousLearningSettings"]


class ContinuousLearningSettings(Section):
    """`coordinator learning cycle`, and a bot's watch over its models (spec 001 and 002)."""

    retrain_days: int = Field(7, ge=1, le=365, description="days of candles after which a training is due")
    drift_check: bool = Field(
        True, description="a bot compares once a day; a drift trains anew and sends an alert"
    )
    drift_window: int = Field(
        240, ge=50, le=5000, description="newest samples that are compared with the training's"
    )
    drift_psi: float = Field(
        0.25, gt=0, le=10, description="a feature's stability index below which it has not moved"
    )
    drift_level: float = Field(
        0.01,
        gt=0,
        lt=0.5,
        description="share of the training's own windows that a feature's limit passes over",
    )
    drift_features: float = Field(
        0.1, gt=0, le=1, description="share of the features that may be beyond their limits at once"
    )
    adwin_delta: float = Field(
        0.002, gt=0, lt=1, description="ADWIN's confidence that a change of the error is none"
    )
    change_errors: float = Field(
        3.0, gt=0, le=10, description="standard errors by which mean error or calibration must have changed"
    )
