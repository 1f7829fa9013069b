"""A sequence classifier: standardised features, a network, early stopping on later data, seeded throughout."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from coordinator.errors import CoordinatorError
from coordinator.learning.labels import CLASSES
from coordinator.learning.networks import LSTMNetwork
from coordinator.learning.sequences import complete_windows, gather_windows
from coordinator.settings import LearningSettings
from coordinator.types import Bools, Floats, Ints

__all__ = ["SequenceClassifier"]

CLIP = 5.0  # standard deviations; a flash crash must not own the gradient
MINIMUM_ROWS = 200  # labelled training sequences below which nothing sensible is learnt
PREDICTION_BATCH = 4096


class SequenceClassifier:
    """HOLD/BUY/SELL probabilities from the last ``sequence_length`` rows of features.

    Parameters
    ----------
    settings : LearningSettings
    network : callable
        Builds the network from the number of features.

    Attributes
    ----------
    mean_, scale_ : ndarray of shape (n_features,)
    network_ : the network with the weights of the best validation epoch
    validation_loss_ : list of float, weighted cross-entropy per epoch
    best_epoch_ : int
    """

    def __init__(self, settings: LearningSettings, network: Callable[[int], nn.Module] = LSTMNetwork) -> None:
        self.settings = settings
        self.network = network

    def fit(self, features: Floats, labels: Floats) -> SequenceClassifier:
        """Fit on one pair's rows in time order.

        The latest ``validation_share`` of the labelled rows decide when to stop. The ``label_horizon`` rows before
        them are left out of training, because their labels look into the validation slice (purging, Lopez de Prado
        2018, chapter 7).

        Parameters
        ----------
        features : ndarray of shape (n, n_features)
            Rows with NaN end no sequence and belong to none.
        labels : ndarray of shape (n,)
            +1, -1, 0; NaN rows train nothing.

        Raises
        ------
        CoordinatorError
            With fewer than 200 labelled training sequences.
        """
        s = self.settings
        usable = complete_windows(features, s.sequence_length) & np.isfinite(labels)
        train, validation = self._split(np.flatnonzero(usable))
        if len(train) < MINIMUM_ROWS:
            raise CoordinatorError(
                "training rows", "the LSTM", f"be at least {MINIMUM_ROWS} labelled sequences", len(train)
            )
        rows = features[: train[-1] + 1]
        rows = rows[np.isfinite(rows).all(axis=1)]
        self.mean_, self.scale_ = rows.mean(axis=0), np.maximum(rows.std(axis=0), 1e-9)
        x = self._standardise(features)
        y = torch.as_tensor(np.searchsorted([-1, 0, 1], np.nan_to_num(labels)))
        y = torch.as_tensor([CLASSES.index(c) for c in (-1, 0, 1)])[y]
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(s.seed)
            self.network_ = self.network(features.shape[1])
            self._train(x, y, torch.as_tensor(train), torch.as_tensor(validation))
        return self

    def predict_proba(self, features: Floats) -> tuple[Floats, Bools]:
        """Class probabilities of every row.

        Returns
        -------
        probabilities : ndarray of shape (n, 3)
            In the order of ``CLASSES`` (HOLD, BUY, SELL); rows sum to 1; NaN where the sequence is not complete.
        usable : ndarray of bool, shape (n,)
        """
        usable = complete_windows(features, self.settings.sequence_length)
        probabilities = np.full((len(features), len(CLASSES)), np.nan)
        x, ends = self._standardise(features), torch.as_tensor(np.flatnonzero(usable))
        self.network_.eval()
        with torch.inference_mode():
            for batch in torch.split(ends, PREDICTION_BATCH):
                logits = self.network_(gather_windows(x, batch, self.settings.sequence_length))
                probabilities[batch.numpy()] = torch.softmax(logits.double(), dim=1).numpy()
        return probabilities, usable

    def _split(self, rows: Ints) -> tuple[Ints, Ints]:
        cut = int(len(rows) * (1 - self.settings.validation_share))
        validation = rows[cut:]
        train = rows[:cut]
        if len(validation):
            train = train[train < validation[0] - self.settings.label_horizon]
        return train, validation

    def _standardise(self, features: Floats) -> Tensor:
        scaled = np.clip((features - self.mean_) / self.scale_, -CLIP, CLIP)
        return torch.as_tensor(np.nan_to_num(scaled), dtype=torch.float32)

    def _train(self, x: Tensor, y: Tensor, train: Tensor, validation: Tensor) -> None:
        s, net = self.settings, self.network_
        counts = torch.bincount(y[train], minlength=len(CLASSES)).clamp(min=1)
        loss_of = nn.CrossEntropyLoss(weight=len(train) / (len(CLASSES) * counts).float())
        optimizer = torch.optim.AdamW(net.parameters(), lr=s.learning_rate, weight_decay=s.weight_decay)
        best = {name: value.clone() for name, value in net.state_dict().items()}
        self.validation_loss_: list[float] = []
        self.best_epoch_ = 0
        for epoch in range(s.epochs):
            net.train()
            for batch in torch.split(train[torch.randperm(len(train))], s.batch_size):
                optimizer.zero_grad(set_to_none=True)
                loss = loss_of(net(gather_windows(x, batch, s.sequence_length)), y[batch])
                loss.backward()
                nn.utils.clip_grad_norm_(net.parameters(), 1.0)
                optimizer.step()
            self.validation_loss_.append(self._loss(x, y, validation, loss_of))
            if self.validation_loss_[-1] <= min(self.validation_loss_):
                self.best_epoch_ = epoch
                best = {name: value.clone() for name, value in net.state_dict().items()}
            elif epoch - self.best_epoch_ >= s.patience:
                break
        net.load_state_dict(best)

    def _loss(self, x: Tensor, y: Tensor, rows: Tensor, loss_of: nn.Module) -> float:
        self.network_.eval()
        with torch.inference_mode():
            logits = [
                self.network_(gather_windows(x, batch, self.settings.sequence_length))
                for batch in torch.split(rows, PREDICTION_BATCH)
            ]
            return float(loss_of(torch.cat(logits), y[rows]))
