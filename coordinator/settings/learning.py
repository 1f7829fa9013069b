"""Settings of the networks' labels and training."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self, get_args

from pydantic import Field, model_validator

from coordinator.settings.base import Section, lists_to_tuples

__all__ = ["ComponentName", "LearningSettings"]

ComponentName = Literal["lstm", "attention", "fusion", "quality"]
Architecture = Literal["attention", "transformer"]
Horizon = Annotated[int, Field(ge=1, le=240)]

MOST_NETWORKS = 20
"""Of an ensemble: a bot asks all of them at each candle, within ``latency_limit_ms``."""


class LearningSettings(Section):
    """Label, training and sizes of the sequence networks (spec 004, section 1)."""

    components: tuple[ComponentName, ...] = Field(
        ("lstm", "attention", "fusion", "quality"),
        min_length=1,
        description="what CoordinatorClassifier trains: lstm, attention, fusion, quality, each at most once",
    )
    on_failure: Literal["stop", "baseline"] = Field(
        "stop",
        description="a component that fails in a backtest or hyperopt ends it, or is absent from its window while the "
        "rest trades on, as a bot's always is",
    )
    fast_start_days: int = Field(
        1095,
        ge=0,
        le=5000,
        description="days of history before a run on which ML may earn its say, trained walk-forward; 0: none",
    )
    latency_limit_ms: float = Field(
        50.0, gt=0, le=60_000, description="live: a prediction of one candle that takes longer is not used"
    )
    label: Literal["direction", "barrier"] = Field(
        "direction",
        description="where the price stands after the horizon, or which of two barriers it meets first",
    )
    label_horizon: int = Field(12, ge=1, le=240, description="candles ahead that the label looks at")
    ensemble_horizons: tuple[Horizon, ...] = Field(
        (),
        max_length=4,
        description="further horizons, candles: each component trains networks on these labels, too, and their mean "
        "speaks",
    )
    ensemble_seeds: int = Field(
        1, ge=1, le=10, description="networks of a component for each horizon, which differ in their seed"
    )
    label_sigmas: float = Field(
        0.5, gt=0, le=5, description="move in horizon standard deviations that is BUY/SELL"
    )
    sequence_length: int = Field(10, ge=5, le=20, description="candles a prediction sees")
    targets_per_sequence: int = Field(
        16,
        ge=1,
        le=64,
        description="neighbouring candles that one training sequence answers for; 1 trains every window alone",
    )
    epochs: int = Field(20, ge=1, le=1000, description="most passes over the training rows")
    patience: int = Field(
        3, ge=1, le=100, description="epochs without a better validation loss before stopping"
    )
    batch_size: int = Field(256, ge=8, le=65536, description="labelled candles per step")
    learning_rate: float = Field(1e-3, gt=0, le=1, description="Adam's step size")
    weight_decay: float = Field(1e-4, ge=0, le=1, description="AdamW's decoupled weight decay")
    gradient_clip: float = Field(1.0, gt=0, le=100, description="largest norm of a step's gradient")
    balance_classes: bool = Field(
        True, description="weight HOLD, BUY and SELL by the inverse of their frequency"
    )
    promotion_share: float = Field(
        0.10, gt=0, lt=0.5, description="latest share of the rows, kept for judging a new model"
    )
    validation_share: float = Field(
        0.15,
        gt=0,
        lt=0.5,
        description="share of the rows before those that judge, kept for stopping and the temperature",
    )
    pooled: bool = Field(True, description="one model for all pairs; false trains one per pair")
    warm_start: bool = Field(False, description="start from the previous window's weights")
    device: Literal["auto", "cpu", "cuda"] = Field(
        "auto", description="where networks train and predict; auto takes a GPU if there is one"
    )
    threads: int = Field(1, ge=1, le=256, description="CPU threads of the networks, set once a process")
    attention_architecture: Architecture = Field(
        "attention",
        description="network of the attention component: attention over features and candles, or a transformer "
        "encoder",
    )
    attention_width: int = Field(
        32, ge=8, le=512, description="attention and transformer: numbers that describe a candle"
    )
    attention_heads: int = Field(
        4, ge=1, le=16, description="attention and transformer: heads; they divide the width"
    )
    attention_dropout: float = Field(
        0.2, ge=0, lt=1, description="attention and transformer: dropout probability"
    )
    transformer_layers: int = Field(2, ge=1, le=8, description="transformer: layers of the encoder")
    transformer_feedforward: int = Field(
        128, ge=8, le=4096, description="transformer: hidden units of a layer's feed-forward part"
    )
    seed: int = Field(
        42,
        ge=0,
        le=2**31 - 1,
        description="seed of every random number in training; an ensemble counts on from it",
    )

    @model_validator(mode="before")
    @classmethod
    def _tuples(cls, data: Any) -> Any:
        return lists_to_tuples(data, "components", "ensemble_horizons")

    @property
    def horizons(self) -> tuple[int, ...]:
        """Horizons of the labels, candles; ``label_horizon`` first."""
        return (self.label_horizon, *self.ensemble_horizons)

    @property
    def longest_horizon(self) -> int:
        """Candles after which all labels of a row are known."""
        return max(self.horizons)

    @property
    def members(self) -> tuple[Self, ...]:
        """Settings of each network of a component's ensemble: one horizon, one seed; these alone without one."""
        return tuple(
            self.at_horizon(horizon).model_copy(update={"seed": self.seed + i, "ensemble_seeds": 1})
            for horizon in self.horizons
            for i in range(self.ensemble_seeds)
        )

    def at_horizon(self, horizon: int) -> Self:
        """The same with labels of one horizon, candles."""
        return self.model_copy(update={"label_horizon": horizon, "ensemble_horizons": ()})

    def network(self, component: str) -> str:
        """Name of a component's network in ``NETWORKS``."""
        return self.attention_architecture if component == "attention" else component

    @model_validator(mode="after")
    def _each_once(self) -> LearningSettings:
        if len(set(self.components)) < len(self.components):
            raise ValueError(
                f"components must name each of {', '.join(get_args(ComponentName))} at most once"
            )
        return self

    @model_validator(mode="after")
    def _heads(self) -> LearningSettings:
        if self.attention_width % self.attention_heads:
            raise ValueError("attention_heads must divide attention_width")
        return self

    @model_validator(mode="after")
    def _ensemble(self) -> LearningSettings:
        if len(set(self.horizons)) < len(self.horizons):
            raise ValueError(
                f"ensemble_horizons must name each horizon once, and none label_horizon ({self.label_horizon}) again"
            )
        networks = self.ensemble_seeds * len(self.horizons)
        if networks > MOST_NETWORKS:
            raise ValueError(
                f"ensemble_seeds times the horizons ({len(self.horizons)}, label_horizon's included) must be at most "
                f"{MOST_NETWORKS} networks, and is {networks}: take fewer seeds or horizons"
            )
        return self
