"""Settings of the models beside the sequence networks: fusion's, the selector's policy and the slots' policy."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from coordinator.settings.base import Fraction, Section

__all__ = ["FusionModelSettings", "PolicySettings", "SelectorPolicySettings", "SlotsPolicySettings"]


class FusionModelSettings(Section):
    """The LightGBM models of 1h, 4h and 1d whose views fusion joins (spec 004, section 2)."""

    label_horizon: int = Field(
        12, ge=1, le=240, description="candles of its own timeframe that a model's label looks ahead"
    )
    label_sigmas: float = Field(
        0.5, gt=0, le=5, description="move in horizon standard deviations that is BUY/SELL"
    )
    train_days: int = Field(
        720, ge=0, le=5000, description="days of candles to learn from, as far as there are files; 0: all"
    )
    trees: int = Field(200, ge=1, le=5000, description="most boosting rounds")
    leaves: int = Field(8, ge=2, le=256, description="leaves of a tree")
    learning_rate: float = Field(0.03, gt=0, le=1, description="shrinkage of each tree")
    rows_per_leaf: float = Field(
        0.01, gt=0, le=0.5, description="fewest rows in a leaf, share of the training rows"
    )
    columns: float = Field(0.5, gt=0, le=1, description="share of the features that a tree may use")
    patience: int = Field(
        20, ge=1, le=500, description="rounds without a better validation loss before stopping"
    )
    promotion_share: float = Field(
        0.10, gt=0, lt=0.5, description="latest share of the rows, kept for judging new models"
    )
    validation_share: float = Field(
        0.15, gt=0, lt=0.5, description="share of the rows before those that judge, kept for stopping"
    )
    threads: int = Field(1, ge=1, le=256, description="CPU threads of LightGBM")
    seed: int = Field(42, ge=0, le=2**31 - 1, description="seed of the columns' draws")


class PolicySettings(Section):
    """What training a policy by PPO has in common (Schulman et al., 2017); a decision is one of an episode's."""

    timesteps: int = Field(50_000, ge=256, le=10_000_000, description="decisions that training walks through")
    rollout: int = Field(1024, ge=32, le=65536, description="decisions between two updates")
    batch_size: int = Field(128, ge=8, le=65536, description="decisions per gradient step")
    epochs: int = Field(5, ge=1, le=100, description="passes over a rollout")
    learning_rate: float = Field(3e-4, gt=0, le=1, description="Adam's step size")
    gamma: Fraction = Field(0.95, description="discount of later rewards")
    entropy: float = Field(0.01, ge=0, le=1, description="weight of the policy's entropy in the loss")
    hidden: int = Field(32, ge=4, le=1024, description="units of each of the policy's two hidden layers")
    episode: int = Field(200, ge=10, le=100_000, description="decisions of an episode")
    seed: int = Field(42, ge=0, le=2**31 - 1, description="seed of every random number in training")

    @model_validator(mode="after")
    def _batches(self) -> Self:
        if self.rollout % self.batch_size:
            raise ValueError("batch_size must divide rollout")
        return self


class SelectorPolicySettings(PolicySettings):
    """The reinforcement-learning selector: PPO over flat and the four tactics (spec 004, section 4).

    A decision is taken at each signal of a pair.
    """

    profit_unit: float = Field(0.05, gt=0, le=1, description="profit that is a reward of 1, ratio")
    reward_low: float = Field(-1.0, ge=-10, le=0, description="lowest reward")
    reward_high: float = Field(2.0, gt=0, le=10, description="highest reward")


class SlotsPolicySettings(PolicySettings):
    """The policy that divides the slots among the pairs: PPO over take and leave (``entries.ranking_by``)."""

    gamma: Fraction = Field(0.99, description="discount of later rewards: how much a place is worth keeping")
    reward_low: float = Field(-2.0, ge=-100, le=0, description="lowest reward, R")
    reward_high: float = Field(10.0, gt=0, le=100, description="highest reward, R")
