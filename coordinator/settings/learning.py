"""Settings of the networks' labels and training."""

from __future__ import annotations

from pydantic import Field

from coordinator.settings.base import Section

__all__ = ["LearningSettings"]


class LearningSettings(Section):
    """The LSTM's label and training (spec 004, section 1)."""

    label_horizon: int = Field(12, ge=1, le=240, description="candles ahead that the label looks at")
    label_sigmas: float = Field(
        0.5, gt=0, le=5, description="move in horizon standard deviations that is BUY/SELL"
    )
    sequence_length: int = Field(10, ge=5, le=20, description="candles a prediction sees")
    epochs: int = Field(20, ge=1, le=1000, description="most passes over the training rows")
    patience: int = Field(
        3, ge=1, le=100, description="epochs without a better validation loss before stopping"
    )
    batch_size: int = Field(256, ge=8, le=65536, description="sequences per step")
    learning_rate: float = Field(1e-3, gt=0, le=1, description="Adam's step size")
    weight_decay: float = Field(1e-4, ge=0, le=1, description="AdamW's decoupled weight decay")
    validation_share: float = Field(
        0.15, gt=0, lt=0.5, description="latest share of the rows, kept for stopping"
    )
    seed: int = Field(42, ge=0, le=2**31 - 1, description="seed of every random number in training")
