"""One trainer for every sequence classifier: fast on a CPU, deterministic, keeps the best weights.

What makes it fast: a training sequence of ``length - 1 + k`` candles answers for ``k`` neighbouring candles in one
pass (an LSTM of 10 candles needs 1.6 steps a label at k = 16 instead of 10), sequences are views of one matrix and
only a batch's are copied, and AdamW runs fused.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from coordinator.learning.networks.base import SequenceNetwork
from coordinator.learning.sequences import gather_windows, sequence_view
from coordinator.settings.learning import LearningSettings

__all__ = ["History", "Rows", "choose_device", "mean_loss", "row_logits", "size_threads", "train"]

VALIDATION_BATCH = 1024


@dataclass(frozen=True)
class Rows:
    """What is learnt from, on one device.

    Attributes
    ----------
    x : Tensor of float, shape (n, n_features), standardised, without NaN
    y : Tensor of int, shape (n,), class numbers
    weight : Tensor of float, shape (n,), weight of each label in the loss, class weights included
    run : Tensor of int, shape (n,), length of the unbroken run of rows of one pair that ends at each row
    train, validation : Tensor of int, row numbers
    """

    x: Tensor
    y: Tensor
    weight: Tensor
    run: Tensor
    train: Tensor
    validation: Tensor


@dataclass(frozen=True)
class History:
    """Weighted cross-entropy on the validation rows after each epoch, and the epoch whose weights were kept."""

    validation_loss: list[float]
    best_epoch: int


def choose_device(device: str) -> torch.device:
    """``auto`` is a GPU if PyTorch sees one, else the CPU."""
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return torch.device(device)


def size_threads(threads: int) -> None:
    """Set PyTorch's CPU threads, if they differ, for the whole process.

    Fitting and loading a model do it, predicting does not. More threads than idle cores make small networks
    many times slower. Denormal numbers stay as they are: flushing them to zero would hold for all of the process.
    """
    if torch.get_num_threads() != threads:
        torch.set_num_threads(threads)


def train(network: SequenceNetwork, rows: Rows, settings: LearningSettings) -> History:
    """Train in place; the network ends with the weights of its best validation epoch, in evaluation mode.

    Randomness is PyTorch's global generator: the caller seeds and restores it.
    """
    s = settings
    optimizer = torch.optim.AdamW(
        network.parameters(), lr=s.learning_rate, weight_decay=s.weight_decay, fused=True
    )
    batches = _Batches(rows, s)
    losses: list[float] = []
    best_epoch, best = 0, _copy(network)
    for epoch in range(s.epochs):
        network.train()
        for x, y, weight in batches.epoch():
            optimizer.zero_grad(set_to_none=True)
            logits = network.steps(x, s.sequence_length).flatten(0, 1)
            loss = (nn.functional.cross_entropy(logits, y, reduction="none") * weight).sum() / weight.sum()
            torch.autograd.backward(loss)
            nn.utils.clip_grad_norm_(network.parameters(), s.gradient_clip)
            optimizer.step()
        losses.append(mean_loss(network, rows, rows.validation, s.sequence_length))
        if losses[-1] <= min(losses):
            best_epoch, best = epoch, _copy(network)
        elif epoch - best_epoch >= s.patience:
            break
    network.load_state_dict(best)
    network.eval()
    return History(losses, best_epoch)


def mean_loss(network: SequenceNetwork, rows: Rows, index: Tensor, length: int) -> float:
    """Weighted mean cross-entropy of the given rows, each seen with exactly ``length`` candles."""
    loss = nn.functional.cross_entropy(
        row_logits(network, rows, index, length), rows.y[index], reduction="none"
    )
    weight = rows.weight[index].double()
    return float((loss.double() * weight).sum() / weight.sum())


def row_logits(network: SequenceNetwork, rows: Rows, index: Tensor, length: int) -> Tensor:
    """Logits of the given rows, shape (len(index), n_classes); the network ends in evaluation mode."""
    network.eval()
    with torch.inference_mode():
        parts = [
            network(gather_windows(rows.x, batch, length)) for batch in torch.split(index, VALIDATION_BATCH)
        ]
        return torch.cat(parts)


def _copy(network: nn.Module) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in network.state_dict().items()}


class _Batches:
    """Shuffled batches of sequences that each answer for several neighbouring rows.

    Every epoch cuts the rows into groups of ``k`` neighbours at another phase. A row counts only if its sequence
    is unbroken from its start: with gaps or pairs' borders near, it comes up at other phases.
    """

    def __init__(self, rows: Rows, settings: LearningSettings) -> None:
        s, n, device = settings, len(rows.x), rows.x.device
        trains = torch.zeros(n, dtype=torch.bool, device=device)
        trains[rows.train] = True
        self.k = self._targets(s, rows)
        self.before = s.sequence_length - 1
        self.size = max(1, s.batch_size // self.k)
        k = self.k
        self.x = sequence_view(_pad(rows.x, self.before + k, k), self.before + k)
        self.y, self.run = _pad(rows.y, k, k), _pad(rows.run, k, k)
        self.weight = _pad(torch.where(trains, rows.weight, 0.0), k, k)
        self.offset = torch.arange(k, device=device)

    @staticmethod
    def _targets(s: LearningSettings, rows: Rows) -> int:
        """One row a sequence where the labelled rows are too sparse for neighbours to pay."""
        span = int(rows.train[-1] - rows.train[0]) + 1
        dense, k = len(rows.train) / span, s.targets_per_sequence
        return k if (s.sequence_length - 1 + k) / (k * dense) <= s.sequence_length else 1

    def epoch(self) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        """Sequences (batch, length - 1 + k, n_features), classes (batch x k,) and weights (batch x k,)."""
        last = len(self.y) - self.k
        phase = int(torch.randint(self.k, ()))
        starts = torch.arange(phase, last + 1, self.k, device=self.offset.device)
        targets = starts[:, None] + self.offset
        weight = torch.where(self.run[targets] > self.before + self.offset, self.weight[targets], 0.0)
        trains = weight.sum(dim=1) > 0
        starts, targets, weight = starts[trains], targets[trains], weight[trains]
        order = torch.randperm(len(starts)).to(starts.device)
        for batch in torch.split(order, self.size):
            yield self.x[starts[batch]], self.y[targets[batch]].flatten(), weight[batch].flatten()


def _pad(values: Tensor, before: int, after: int) -> Tensor:
    shape = values.shape[1:]
    parts = (values.new_zeros((before, *shape)), values, values.new_zeros((after, *shape)))
    return torch.cat(parts).contiguous()
