"""A sequence classifier: standardised features, a network stopped and tempered on later data, seeded throughout."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from coordinator.learning.artefact import Artefact, align
from coordinator.learning.blocks import Block, Pool, Split, TooFewRowsError, pool, split_by_time
from coordinator.learning.class_health import class_figures, confidence_quantiles, input_drift
from coordinator.learning.complete_rows import complete_windows
from coordinator.learning.labels import CLASSES, class_numbers
from coordinator.learning.networks.attention import AttentionNetwork, mean_attention
from coordinator.learning.networks.registry import build_network
from coordinator.learning.reliability import ece
from coordinator.learning.sequences import gather_windows
from coordinator.learning.temperature import fit_temperature, mean_log_loss, scaled_probabilities
from coordinator.learning.trainer import Rows, choose_device, row_logits, size_threads, train
from coordinator.settings.learning import LearningSettings
from coordinator.signals.feature_schema import FeatureSchema
from coordinator.types import Bools, Floats, Ints

__all__ = ["SequenceClassifier"]

CLIP = 5.0  # standard deviations; a flash crash must not own the gradient
MINIMUM_ROWS = 200  # labelled training sequences below which nothing sensible is learnt
PREDICTION_BATCH = 32  # always that many, padded: matrix products of one shape give one row the same bits


class SequenceClassifier:
    """HOLD/BUY/SELL probabilities from the last ``sequence_length`` rows of features.

    Parameters
    ----------
    settings : LearningSettings
    network : str
        Name of the network in ``NETWORKS``: "lstm", "attention" or "transformer".

    Attributes
    ----------
    schema_ : FeatureSchema
    mean_, scale_ : ndarray of shape (n_features,)
    network_ : the network with the weights of the best validation epoch
    validation_loss_ : list of float, weighted cross-entropy per epoch
    best_epoch_ : int
    temperature_ : float
        The logits are divided by it. Fitted on the validation slice (``fit_temperature``), without class weights
        even where the network is trained with them: its probabilities are to be true of rows as they come.
    metrics_ : dict of str to float
        rows trained and validated on; on the validation slice, without class weights: ``log_loss``,
        ``calibration_error`` (of the likeliest class, ``reliability.ece``), both again as ``..._untempered``, before
        the ``temperature``, and ``prior_log_loss``, that of the training labels' class frequencies there. At or
        above the prior's, the model has failed. ``accuracy`` there, ``train_accuracy`` on as many of the newest
        training rows and their ``gap``; ``feature_drift``, the features' mean stability index between the two slices.
    details_ : dict
        Of a fresh model: ``drifted``, the five features that moved most, and ``confidence``, quantiles of the
        likeliest class's probability on the validation slice. Not kept in files.
    """

    def __init__(self, settings: LearningSettings, network: str = "lstm") -> None:
        self.settings = settings
        self.network = network

    @property
    def kind(self) -> str:
        """Of its files: the network's name."""
        return self.network

    def fit(self, features: Floats, labels: Floats) -> SequenceClassifier:
        """Fit on one pair's rows in time order; see ``fit_pooled``."""
        return self.fit_pooled([Block(features, labels)])

    def fit_pooled(
        self,
        blocks: Sequence[Block],
        schema: FeatureSchema | None = None,
        previous: SequenceClassifier | None = None,
    ) -> SequenceClassifier:
        """Fit one model on the rows of several pairs.

        The latest ``promotion_share`` of the labelled rows of all pairs are left alone, to judge the model. The
        ``validation_share`` before those decides when to stop, and the temperature. Labels that look into a later
        slice are purged. Features are standardised by what is known before the validation slice.

        Parameters
        ----------
        blocks : sequence of Block
            One per pair, with times if there are several. Sequences never cross from one into the next.
        schema : FeatureSchema, optional
            Names of the features; numbered without it.
        previous : SequenceClassifier, optional
            A fitted model whose weights are the start, if it has the same network and features.

        Raises
        ------
        TooFewRowsError
            With fewer than 200 labelled training sequences, or as ``pool``.
        """
        s = self.settings
        size_threads(s.threads)
        data = pool(blocks, s.label_horizon)
        split = split_by_time(data, s.sequence_length, s.validation_share, s.promotion_share)
        if len(split.train) < MINIMUM_ROWS or not len(split.validation):
            rule = f"be at least {MINIMUM_ROWS} labelled sequences"
            raise TooFewRowsError("training rows", f"the network '{self.network}'", rule, len(split.train))
        n_features = data.features.shape[1]
        self.schema_ = schema or FeatureSchema(tuple(f"feature_{i}" for i in range(n_features)), 0)
        known = np.isfinite(data.features).all(axis=1) & (data.times <= data.times[split.train].max())
        self.mean_ = data.features[known].mean(axis=0)
        self.scale_ = np.maximum(data.features[known].std(axis=0), 1e-9)
        device = choose_device(s.device)
        cards = [torch.cuda.current_device()] if device.type == "cuda" else []
        with torch.random.fork_rng(devices=cards), torch.backends.cudnn.flags(deterministic=True):
            torch.manual_seed(s.seed)
            self.network_ = build_network(self.network, n_features, s)
            self._start_from(previous)
            self.network_.to(device)
            rows = self._rows(data, split, device)
            history = train(self.network_, rows, s)
        self.validation_loss_, self.best_epoch_ = history.validation_loss, history.best_epoch
        newest = split.train[-len(split.validation) :]
        seen = torch.as_tensor(newest, device=device)
        logits, seen_logits = (
            row_logits(self.network_, rows, part, s.sequence_length).double().cpu().numpy()
            for part in (rows.validation, seen)
        )
        classes = class_numbers(data.labels)
        truth = classes[split.validation]
        self.temperature_ = fit_temperature(logits, truth)
        drift, drifted = input_drift(
            data.features[split.train], data.features[split.validation], self.schema_.names
        )
        self.metrics_ = {
            **self._measure(logits, classes[split.train], truth),
            **class_figures(seen_logits, classes[newest], logits, truth),
            "feature_drift": drift,
        }
        p = scaled_probabilities(logits, self.temperature_)
        self.details_: dict[str, Any] = {"drifted": drifted, "confidence": confidence_quantiles(p)}
        return self

    def predict_proba(self, features: Floats, names: Sequence[str] | None = None) -> tuple[Floats, Bools]:
        """Class probabilities of every row.

        Parameters
        ----------
        features : ndarray of shape (n, n_features)
        names : sequence of str, optional
            Names of the columns; another order is put right, others are left out, a missing one is an error.

        Returns
        -------
        probabilities : ndarray of shape (n, 3)
            In the order of ``CLASSES`` (HOLD, BUY, SELL); rows sum to 1; NaN where the sequence is not complete.
        usable : ndarray of bool, shape (n,)
        """
        if names is not None:
            features = features[:, align(self.schema_, names, f"the table of the network '{self.network}'")]
        usable = complete_windows(features, self.settings.sequence_length)
        probabilities = np.full((len(features), len(CLASSES)), np.nan)
        ends = np.flatnonzero(usable)
        if len(ends):
            probabilities[ends] = self.predict_ends(features, ends)
        return probabilities, usable

    def columns(self, features: Floats) -> Floats:
        """The probabilities alone; an ensemble (``NetworkEnsemble``) has a column more."""
        return self.predict_proba(features)[0]

    def predict_ends(self, features: Floats, ends: Ints) -> Floats:
        """Class probabilities of rows that end complete sequences, one at least; shape (len(ends), 3)."""
        length, device = self.settings.sequence_length, next(self.network_.parameters()).device
        x = self._standardise(features).to(device)
        padded = torch.as_tensor(np.resize(ends, -(-len(ends) // PREDICTION_BATCH) * PREDICTION_BATCH))
        self.network_.eval()
        with torch.inference_mode():
            logits = [
                self.network_(gather_windows(x, batch.to(device), length))
                for batch in torch.split(padded, PREDICTION_BATCH)
            ]
            tempered = torch.cat(logits)[: len(ends)].double() / self.temperature_
            answer: Floats = torch.softmax(tempered, dim=1).cpu().numpy()
        return answer

    def attention(self, features: Floats) -> dict[str, dict[str, float]]:
        """Mean attention per feature and per lag (candles ago) over all complete rows; each sums to 1.

        Empty for a network without attention, or where no row ends a complete sequence.
        """
        length = self.settings.sequence_length
        ends = np.flatnonzero(complete_windows(features, length))
        if not isinstance(self.network_, AttentionNetwork) or not len(ends):
            return {}
        device = next(self.network_.parameters()).device
        attention = mean_attention(self.network_, self._standardise(features).to(device), ends, length)
        lags = {str(length - 1 - i): float(share) for i, share in enumerate(attention.lags)}
        return {
            "attention_features": dict(zip(self.schema_.names, attention.features.tolist(), strict=True)),
            "attention_lags": lags,
        }

    def to_artefact(self) -> Artefact:
        """The fitted model as data, for ``artefact.write``."""
        tensors = {f"network.{name}": value for name, value in self.network_.state_dict().items()}
        tensors |= {"mean": torch.as_tensor(self.mean_), "scale": torch.as_tensor(self.scale_)}
        about: dict[str, Any] = {
            "settings": self.settings.model_dump(mode="json"),
            "validation_loss": self.validation_loss_,
            "best_epoch": self.best_epoch_,
            "temperature": self.temperature_,
            "metrics": self.metrics_,
        }
        return Artefact(self.kind, self.schema_, tensors, about)

    @classmethod
    def from_artefact(cls, artefact: Artefact) -> SequenceClassifier:
        """Inverse of ``to_artefact``; the model predicts on the device its settings ask for.

        Raises
        ------
        CoordinatorError
            For a file of another kind of model.
        """
        model = cls(LearningSettings.model_validate(artefact.about["settings"]), artefact.kind)
        size_threads(model.settings.threads)
        with torch.random.fork_rng(devices=[]):
            model.network_ = build_network(artefact.kind, len(artefact.schema), model.settings)
        model.schema_ = artefact.schema
        model.mean_, model.scale_ = artefact.tensors["mean"].numpy(), artefact.tensors["scale"].numpy()
        prefix = "network."
        model.network_.load_state_dict(
            {k.removeprefix(prefix): v for k, v in artefact.tensors.items() if k.startswith(prefix)}
        )
        model.network_.to(choose_device(model.settings.device)).eval()
        model.validation_loss_ = list(artefact.about["validation_loss"])
        model.best_epoch_ = int(artefact.about["best_epoch"])
        model.temperature_ = float(artefact.about["temperature"])
        model.metrics_ = dict(artefact.about["metrics"])
        return model

    def _start_from(self, previous: SequenceClassifier | None) -> None:
        if previous is None or (previous.network, previous.schema_) != (self.network, self.schema_):
            return
        weights, own = previous.network_.state_dict(), self.network_.state_dict()
        if all(weights[name].shape == own[name].shape for name in own):
            self.network_.load_state_dict(weights)

    def _rows(self, data: Pool, split: Split, device: torch.device) -> Rows:
        classes = class_numbers(data.labels)
        weight = np.where(np.isfinite(data.labels), data.weights, 0.0)
        if self.settings.balance_classes:
            counts = np.bincount(classes[split.train], weight[split.train], minlength=len(CLASSES))
            share = counts / counts.sum()
            weight = weight * (1 / (len(CLASSES) * np.maximum(share, 1 / len(split.train))))[classes]
        return Rows(
            x=self._standardise(data.features).to(device),
            y=torch.as_tensor(classes, device=device),
            weight=torch.as_tensor(weight, dtype=torch.float32, device=device),
            run=torch.as_tensor(data.run, device=device),
            train=torch.as_tensor(split.train, device=device),
            validation=torch.as_tensor(split.validation, device=device),
        )

    def _measure(self, logits: Floats, trained: Ints, truth: Ints) -> dict[str, float]:
        """Figures on the validation slice, from its logits and classes, and the classes trained on."""
        shares = np.bincount(trained, minlength=len(CLASSES)) / len(trained)
        metrics = {
            "rows_train": float(len(trained)),
            "rows_validation": float(len(truth)),
            "temperature": self.temperature_,
            "prior_log_loss": -float(np.log(np.maximum(shares[truth], 1e-6)).mean()),
        }
        for name, temperature in (("", self.temperature_), ("_untempered", 1.0)):
            p = scaled_probabilities(logits, temperature)
            metrics[f"log_loss{name}"] = mean_log_loss(logits, truth, temperature)
            metrics[f"calibration_error{name}"] = ece(p.max(axis=1), p.argmax(axis=1) == truth)
        return metrics

    def _standardise(self, features: Floats) -> Tensor:
        scaled = np.clip((features - self.mean_) / self.scale_, -CLIP, CLIP)
        return torch.as_tensor(np.nan_to_num(np.ascontiguousarray(scaled)), dtype=torch.float32)
