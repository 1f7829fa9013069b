"""Our network trainer beside FreqAI's own, on the same rows, windows, validation slice and number of epochs.

Reference 1 is ``PyTorchModelTrainer`` as ``PyTorchMLPClassifier`` (a BasePyTorchClassifier) sets it up, with the same
LSTM and windows of ten candles; reference 2 is ``PyTorchTransformerTrainer`` with the network of
``PyTorchTransformerRegressor``. Figures are of CPU time, which other processes disturb least; with two threads of
wall time. Validation losses are plain cross-entropies of windows of ten candles, of the weights that the trainer
leaves behind.
"""

import time
from collections.abc import Generator, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from freqtrade.freqai.torch.PyTorchDataConvertor import DefaultPyTorchDataConvertor
from freqtrade.freqai.torch.PyTorchModelTrainer import PyTorchModelTrainer, PyTorchTransformerTrainer
from freqtrade.freqai.torch.PyTorchTransformerModel import PyTorchTransformerModel
from torch import nn

from benchmarks.result import Result
from coordinator.candles.files import read_candles
from coordinator.jobs.simulated import simulated_datadir
from coordinator.learning.blocks import Block, pool, split_by_time
from coordinator.learning.ensemble.network_ensemble import network_model
from coordinator.learning.labels import class_numbers, forward_direction
from coordinator.learning.networks.lstm import LSTMNetwork
from coordinator.learning.sequences import gather_windows
from coordinator.learning.trainer import size_threads
from coordinator.settings.learning import LearningSettings
from coordinator.signals.candles import Candles
from coordinator.signals.features import compute_features

REAL = Path(__file__).resolve().parent.parent.parent / "shared" / "market-data"
CANDLES, LENGTH, EPOCHS = 9_000, 10, 5
STOCK_BATCH = 64  # PyTorchModelTrainer's default
SETTINGS = LearningSettings(epochs=EPOCHS, patience=EPOCHS, balance_classes=False)


class Silence:
    """In the place of FreqAI's TensorBoard logger when that is off."""

    def log_scalar(self, *args: object) -> None:
        """Log nothing."""


class WindowConvertor(DefaultPyTorchDataConvertor):
    """Windows of ten rows as FreqAI's trainer wants them: one tensor of all, which a user would write so."""

    def convert_x(self, df: pd.DataFrame, device: str) -> torch.Tensor:
        """All windows, shape (n - 9, 10, n_features)."""
        rows = super().convert_x(df, device)
        return rows.unfold(0, LENGTH, 1).transpose(1, 2).contiguous()

    def convert_y(self, df: pd.DataFrame, device: str) -> torch.Tensor:
        """Classes of the windows' last rows."""
        return super().convert_y(df, device)[LENGTH - 1 :]


class FlatCrossEntropy(nn.CrossEntropyLoss):
    """The transformer answers (batch, 1, classes) to labels of (batch, 1, 1)."""

    def forward(self, logits: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        """Mean cross-entropy."""
        return super().forward(logits.flatten(1), y.flatten())


def rows() -> tuple[np.ndarray, np.ndarray]:
    """Features and labels of the last candles before 2022 of one pair, real ones if they are at hand."""
    datadir = REAL if REAL.is_dir() else simulated_datadir(Path("user_data"), "spot")
    frame = read_candles(datadir, "BTC/USDT", "1h", "spot")
    frame = frame[frame["date"] < pd.Timestamp("2022-01-01", tz="UTC")]
    candles = Candles.from_frame(frame, "1h")
    features = np.column_stack(list(compute_features(candles).values()))
    return features[-CANDLES:], forward_direction(candles.close, SETTINGS)[-CANDLES:]


class Comparison:
    """The rows, and each trainer's time and validation loss on them."""

    def __init__(self) -> None:
        self.features, self.labels = rows()
        self.split = split_by_time(
            pool([Block(self.features, self.labels)], SETTINGS.label_horizon),
            LENGTH,
            SETTINGS.validation_share,
            SETTINGS.promotion_share,
        )
        self.train, self.validation = (
            slice(index[0] - LENGTH + 1, index[-1] + 1) for index in (self.split.train, self.split.validation)
        )
        seen = self.features[self.train]
        scaled = np.clip((self.features - seen.mean(axis=0)) / seen.std(axis=0), -5, 5)
        self.x, self.y = torch.as_tensor(scaled, dtype=torch.float32), class_numbers(self.labels)
        self.answers = len(self.split.train) * EPOCHS

    def frames(self) -> dict[str, pd.DataFrame]:
        """As FreqAI's data dictionary."""
        return {
            f"{name}_{kind}": pd.DataFrame(values[part])
            for name, part in (("train", self.train), ("test", self.validation))
            for kind, values in (("features", self.x.numpy()), ("labels", self.y[:, None]))
        }

    def loss(self, network: nn.Module) -> float:
        """Plain cross-entropy of the validation slice."""
        ends = torch.as_tensor(self.split.validation)
        with torch.inference_mode():
            logits = network.eval()(gather_windows(self.x, ends, LENGTH))
            return float(nn.functional.cross_entropy(logits.flatten(1), torch.as_tensor(self.y)[ends]))

    def ours(self, network: str, clock, **changes) -> tuple[float, float]:
        """Rows a second and validation loss of our trainer."""
        settings = SETTINGS.model_copy(update=changes)
        begin = clock()
        model = network_model(settings, network).fit_pooled([Block(self.features, self.labels)])
        return self.answers / (clock() - begin), model.metrics_["log_loss"]

    def stock(self, kind: str, batch: int, clock) -> tuple[float, float]:
        """Rows a second and validation loss of FreqAI's trainer."""
        torch.manual_seed(SETTINGS.seed)
        window = kind == "transformer"
        network = (
            PyTorchTransformerModel(self.x.shape[1], 3, time_window=LENGTH)
            if window
            else LSTMNetwork(self.x.shape[1])
        )
        convertor = DefaultPyTorchDataConvertor if window else WindowConvertor
        trainer = (PyTorchTransformerTrainer if window else PyTorchModelTrainer)(
            model=network,
            optimizer=torch.optim.AdamW(network.parameters(), lr=SETTINGS.learning_rate),
            criterion=FlatCrossEntropy(),
            device="cpu",
            data_convertor=convertor(target_tensor_type=torch.long, squeeze_target_tensor=not window),
            window_size=LENGTH,
            tb_logger=Silence(),
            n_epochs=EPOCHS,
            batch_size=batch,
        )
        frames = self.frames()
        begin = clock()
        trainer.fit(frames, ["train", "test"])
        return self.answers / (clock() - begin), self.loss(network)

    def predict_p99_ms(self, *names: str, **changes) -> tuple[float, float]:
        """99th percentile of networks together on one candle's ten rows, ms of CPU and of wall time."""
        short, block = SETTINGS.model_copy(update={"epochs": 1, **changes}), Block(self.features, self.labels)
        models = [network_model(short, name).fit_pooled([block]) for name in names]
        clocks, spent = (time.process_time, time.perf_counter), []
        for end in range(1000, 3000):
            window = self.features[end - LENGTH : end]
            begin = [clock() for clock in clocks]
            for model in models:
                model.columns(window)
            spent.append([clock() - start for clock, start in zip(clocks, begin, strict=True)])
        cpu, wall = np.quantile(spent, 0.99, axis=0) * 1e3
        return float(cpu), float(wall)


def _best(measure, rounds: int) -> tuple[float, float]:
    return max(measure() for _ in range(rounds))


def run() -> Iterator[Result]:
    """The figures as they come: one thread first, two threads last."""
    comparison = Comparison()
    size_threads(1)
    lstm = yield from _lstm(comparison, time.process_time, 1)
    attention, loss = _best(lambda: comparison.ours("attention", time.process_time), 2)
    transformer, theirs = comparison.stock("transformer", STOCK_BATCH, time.process_time)
    text = f"validation loss {loss:.4f}; FreqAI's transformer {transformer:.0f}/s {theirs:.4f}"
    yield Result("attention_rows_per_second", attention, "1/s", text)
    yield Result("attention_vs_stock_transformer_ratio", attention / transformer, "x", "one thread")
    yield Result("lstm_vs_stock_transformer_ratio", lstm / transformer, "x", "one thread")
    rate, loss = comparison.ours("transformer", time.process_time)
    yield Result("transformer_rows_per_second", rate, "1/s", f"ours; validation loss {loss:.4f}")
    for name, networks, changes in (
        ("network", ("lstm", "attention"), {}),
        ("lstm_five_seeds", ("lstm",), {"ensemble_seeds": 5}),
        ("transformer", ("transformer",), {}),
    ):
        cpu, wall = comparison.predict_p99_ms(*networks, **changes)
        text = f"{' + '.join(networks)}, one candle, CPU time; aim: 10; {wall:.2f} ms wall"
        yield Result(f"{name}_p99_ms", cpu, "ms", text)
    size_threads(2)
    yield from _lstm(comparison, time.perf_counter, 2)


def _lstm(comparison: Comparison, clock, threads: int) -> Generator[Result, None, float]:
    ours, ours_loss = _best(lambda: comparison.ours("lstm", clock, threads=threads), 2)
    alone, alone_loss = comparison.ours("lstm", clock, threads=threads, targets_per_sequence=1)
    stock, stock_loss = _best(lambda: comparison.stock("lstm", STOCK_BATCH, clock), 2)
    same, same_loss = comparison.stock("lstm", SETTINGS.batch_size, clock)
    text = (
        f"validation loss {ours_loss:.4f}; FreqAI's trainer {stock:.0f}/s {stock_loss:.4f} at its batch {STOCK_BATCH}, "
        f"{same:.0f}/s {same_loss:.4f} at ours; ours, every window alone {alone:.0f}/s {alone_loss:.4f}"
    )
    tail = "" if threads == 1 else "_two_threads"
    yield Result(f"lstm_rows_per_second{tail}", ours, "1/s", text)
    yield Result(
        f"lstm_vs_stock_trainer_ratio{tail}", ours / stock, "x", f"aim: 3; {ours / same:.2f} at our batch"
    )
    return ours
