"""One timeframe's view: gradient-boosted trees that say HOLD, BUY or SELL from the candle's 31 features."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import lightgbm as lgb
import numpy as np

from coordinator.errors import CoordinatorError
from coordinator.learning.artefact import align
from coordinator.learning.blocks import Block, pool, split_by_time
from coordinator.learning.class_health import class_figures, confidence_quantiles, input_drift
from coordinator.learning.labels import CLASSES, class_numbers
from coordinator.learning.reliability import ece
from coordinator.settings.networks import FusionModelSettings
from coordinator.signals.feature_schema import FeatureSchema
from coordinator.types import Bools, Floats, Ints

__all__ = ["TimeframeModel"]

MINIMUM_ROWS = 200
QUIET = {"verbosity": -1, "deterministic": True, "force_row_wise": True}


class TimeframeModel:
    """LightGBM on the rows of all pairs, stopped on a purged later slice (Ke et al., "LightGBM", 2017).

    The slice after that, which judges the model, is left alone (``split_by_time``).

    Parameters
    ----------
    settings : FusionModelSettings

    Attributes
    ----------
    schema_ : FeatureSchema
    booster_ : lightgbm.Booster, cut at its best round
    metrics_ : dict of str to float
        rows trained and validated on, rounds kept, and on the validation slice ``log_loss`` beside
        ``prior_log_loss``, that of the training labels' class frequencies, and ``calibration_error`` of the likeliest
        class; ``accuracy``, ``train_accuracy``, ``gap`` and ``feature_drift`` as of ``SequenceClassifier``.
    details_ : dict
        Of a fresh model: ``drifted``, ``confidence`` as of ``SequenceClassifier``, and ``importance``, the gain of the
        trees by feature. Not kept in files.
    """

    def __init__(self, settings: FusionModelSettings) -> None:
        self.settings = settings

    def fit(self, blocks: Sequence[Block], schema: FeatureSchema) -> TimeframeModel:
        """Fit on the pairs' rows.

        Raises
        ------
        CoordinatorError
            With fewer than 200 labelled training rows.
        """
        s = self.settings
        data = pool(blocks, s.label_horizon)
        split = split_by_time(data, 1, s.validation_share, s.promotion_share)
        if len(split.train) < MINIMUM_ROWS or not len(split.validation):
            rule = f"be at least {MINIMUM_ROWS} labelled rows"
            raise CoordinatorError("training rows", "a timeframe's model", rule, len(split.train))
        self.schema_ = schema
        classes = class_numbers(data.labels)
        train, validation = (
            lgb.Dataset(
                data.features[rows],
                classes[rows],
                weight=data.weights[rows],
                free_raw_data=False,
                params=QUIET,
            )
            for rows in (split.train, split.validation)
        )
        booster = lgb.train(
            {
                **QUIET,
                "objective": "multiclass",
                "num_class": len(CLASSES),
                "num_leaves": s.leaves,
                "learning_rate": s.learning_rate,
                "min_data_in_leaf": max(5, int(s.rows_per_leaf * len(split.train))),
                "feature_fraction": s.columns,
                "lambda_l2": 1.0,
                "num_threads": s.threads,
                "seed": s.seed,
            },
            train,
            num_boost_round=s.trees,
            valid_sets=[validation],
            callbacks=[lgb.early_stopping(s.patience, verbose=False)],
        )
        rounds = booster.best_iteration
        self.booster_ = lgb.Booster(model_str=booster.model_to_string(num_iteration=rounds))
        self.metrics_ = self._measure(data.features, classes, split.train, split.validation, rounds)
        return self

    def predict_proba(self, features: Floats, names: Sequence[str] | None = None) -> tuple[Floats, Bools]:
        """Class probabilities in the order of ``CLASSES``, shape (n, 3), NaN where a feature is, and where they are.

        Trees answer row by row, so one row alone gets what it gets among many, to the bit.
        """
        if names is not None:
            features = features[:, align(self.schema_, names, "the table of a timeframe's model")]
        usable = np.asarray(np.isfinite(features).all(axis=1))
        out = np.full((len(features), len(CLASSES)), np.nan)
        if usable.any():
            out[usable] = self.booster_.predict(features[usable], num_threads=self.settings.threads)
        return out, usable

    def view(self, features: Floats) -> tuple[Ints, Floats, Bools]:
        """Direction (the likeliest class), its probability as confidence, and where there is one; each (n,)."""
        probabilities, usable = self.predict_proba(features)
        best = np.nan_to_num(probabilities).argmax(axis=1)
        direction = np.where(usable, np.array(CLASSES, dtype=np.int64)[best], 0)
        return direction, np.where(usable, np.nan_to_num(probabilities).max(axis=1), 0.0), usable

    def to_json(self) -> dict[str, Any]:
        """The model as JSON values; the trees are LightGBM's own text."""
        return {
            "settings": self.settings.model_dump(mode="json"),
            "features": list(self.schema_.names),
            "features_version": self.schema_.version,
            "features_hash": self.schema_.hash,
            "metrics": self.metrics_,
            "trees": self.booster_.model_to_string(),
        }

    @classmethod
    def from_json(cls, data: dict[str, Any], owner: str = "a timeframe's model") -> TimeframeModel:
        """Inverse of ``to_json``.

        Raises
        ------
        CoordinatorError
            If something is missing or the schema does not fit its hash.
        """
        try:
            model = cls(FusionModelSettings.model_validate_json(json.dumps(data["settings"])))
            model.schema_ = FeatureSchema(tuple(data["features"]), int(data["features_version"]))
            model.metrics_ = {str(name): float(value) for name, value in data["metrics"].items()}
            stored, trees = data["features_hash"], str(data["trees"])
            model.booster_ = lgb.Booster(model_str=trees)
        except (KeyError, TypeError, AttributeError, ValueError, lgb.basic.LightGBMError) as error:
            raise CoordinatorError("content", owner, "be a timeframe's model", repr(error)) from error
        if stored != model.schema_.hash:
            raise CoordinatorError("features_hash", owner, f"fit its features ({model.schema_.hash})", stored)
        return model

    def _measure(
        self, features: Floats, classes: Ints, train: Ints, validation: Ints, rounds: int
    ) -> dict[str, float]:
        probabilities, _ = self.predict_proba(features[validation])
        newest = train[-len(validation) :]
        seen, _ = self.predict_proba(features[newest])
        drift, drifted = input_drift(features[train], features[validation], self.schema_.names)
        gain = self.booster_.feature_importance("gain").tolist()
        self.details_: dict[str, Any] = {
            "drifted": drifted,
            "confidence": confidence_quantiles(probabilities),
            "importance": dict(zip(self.schema_.names, gain, strict=True)),
        }
        share = np.bincount(classes[train], minlength=len(CLASSES)) / len(train)
        truth = classes[validation]
        return {
            "rows_train": float(len(train)),
            "rows_validation": float(len(validation)),
            "rounds": float(rounds),
            "log_loss": -float(np.log(probabilities[np.arange(len(truth)), truth]).mean()),
            "prior_log_loss": -float(np.log(np.maximum(share[truth], 1e-6)).mean()),
            "calibration_error": ece(probabilities.max(axis=1), probabilities.argmax(axis=1) == truth),
            "feature_drift": drift,
            **class_figures(seen, classes[newest], probabilities, truth),
        }
