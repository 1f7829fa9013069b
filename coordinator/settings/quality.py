"""Settings of the signal-quality models: which model, what it predicts, how it is trained and replaced."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from coordinator.settings.base import Fraction, Section

__all__ = ["LabelDesign", "ModelType", "QualitySettings"]

ModelType = Literal["lightgbm", "xgboost", "random_forest", "logistic"]
LabelDesign = Literal["target", "profit", "barrier_sign", "expected_r"]


class QualitySettings(Section):
    """Signal quality (spec 002): the chance that a signal succeeds, learnt from resolved signals of all pairs."""

    source: Literal["freqai", "registry"] = Field(
        "freqai",
        description="freqai: trained in the run; registry: the ledger's models of `coordinator quality train`, at each "
        "candle the one that had not seen it",
    )
    holdout_share: float = Field(
        0.2, gt=0, lt=0.9, description="newest share of the samples' time that `quality train` leaves alone"
    )
    samples: Literal["signals", "panel"] = Field(
        "signals",
        description="signals: learn from resolved signals; panel: from every pair at every candle of the clock",
    )
    panel_horizon: int = Field(
        10, ge=1, le=60, description="candles of the clock that a panel's label looks ahead"
    )
    model_type: ModelType = Field("lightgbm", description="which model of the registry")
    label: LabelDesign = Field(
        "profit",
        description="target: target before stop; profit: R above 0; barrier_sign: first barrier, at the horizon the "
        "sign; expected_r: R scaled to 0..1",
    )
    train_days: int = Field(0, ge=0, le=5000, description="days of signals to learn from; 0: all")
    retrain_days: int = Field(90, ge=1, le=1000, description="days between two trainings")
    online_days: int = Field(
        0,
        ge=0,
        le=90,
        description="days between online updates of the model in use, on outcomes known since its training; 0: none",
    )
    online_rate: float = Field(0.01, gt=0, le=1, description="step size of an online update")
    embargo_candles: int = Field(
        24,
        ge=0,
        le=1000,
        description="candles between the last outcome learnt from and the first tested signal",
    )
    minimum_samples: int = Field(
        50, ge=20, le=100_000, description="resolved signals below which none is trained"
    )
    auc_margin: float = Field(
        0.005, ge=0, le=0.2, description="AUC by which a new model must beat the one it replaces"
    )
    test_share: Fraction = Field(
        0.25,
        description="the last retrain_days judge a new model, but at most this share of the signals' time",
    )
    uniqueness: bool = Field(
        True, description="weigh signals by how little their outcomes overlap with others'"
    )
    half_life_days: float = Field(
        0.0, ge=0, le=5000, description="age at which a signal weighs half; 0: age does not matter"
    )
    balanced: bool = Field(
        False, description="give both classes the same weight; scores are no probabilities any more"
    )
    schema_mismatch: Literal["align", "refuse"] = Field(
        "align", description="rows of another feature schema: align by name with a warning, or refuse"
    )
    trees: int = Field(200, ge=1, le=5000, description="boosting rounds; trees of the forest")
    learning_rate: float = Field(0.02, gt=0, le=1, description="shrinkage of a boosting round")
    leaves: int = Field(7, ge=2, le=255, description="most leaves of a tree")
    leaf_samples: int = Field(
        200, ge=1, le=10_000, description="fewest signals in a leaf, at most 1/20 of all"
    )
    feature_share: float = Field(0.2, gt=0, le=1, description="share of the features a tree may use")
    row_share: float = Field(0.7, gt=0, le=1, description="share of the signals a tree is grown on")
    l2: float = Field(100.0, ge=0, le=10_000, description="L2 penalty on leaf values")
    patience: int = Field(
        0, ge=0, le=1000, description="rounds without a better validation loss before stopping; 0: never"
    )
    regularisation: float = Field(
        0.001, gt=0, le=1000, description="C of the logistic regression, smaller is stronger"
    )
    threads: int = Field(1, ge=1, le=256, description="threads of training and prediction")
    seed: int = Field(42, ge=0, le=2**31 - 1, description="seed of every random number in training")

    @model_validator(mode="after")
    def _panel_label(self) -> QualitySettings:
        if self.samples == "panel" and self.label != "profit":
            raise ValueError(
                'label must be "profit" where samples is "panel": a panel has no stops and targets'
            )
        return self

    @model_validator(mode="after")
    def _online_of_own(self) -> QualitySettings:
        if self.online_days and self.source == "registry":
            raise ValueError(
                "online_days must be 0 where source is registry: its models are trained as outcomes become known"
            )
        return self
