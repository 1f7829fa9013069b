"""The documented LSTM network (spec 004, section 1)."""

from __future__ import annotations

from torch import Tensor, nn

from coordinator.learning.networks.base import SequenceNetwork

__all__ = ["LSTMNetwork"]


class LSTMNetwork(SequenceNetwork):
    """LSTM 128 - dropout .2 - LSTM 64 - dropout .2 - dense 64 relu .3 - dense 32 relu .2 - dense 3.

    Greff et al., "LSTM: A Search Space Odyssey", 2017. The softmax of the documented output layer lives in the
    loss (training) and in ``SequenceClassifier.predict_proba`` (prediction).

    Parameters
    ----------
    n_features : int
        31 in version 1 of the features.
    n_classes : int
        3: HOLD, BUY, SELL.

    Notes
    -----
    ``steps`` answers at a candle with the memory of all candles of its sequence, so the later ones of a longer
    sequence remember a few candles more than ``length``. Training uses that (one pass answers several candles);
    predictions are made on sequences of exactly ``length``.
    """

    def __init__(self, n_features: int, n_classes: int = 3) -> None:
        super().__init__()
        self.lstm_1 = nn.LSTM(n_features, 128, batch_first=True)
        self.lstm_2 = nn.LSTM(128, 64, batch_first=True)
        self.dropout = nn.Dropout(0.2)
        self.head = nn.Sequential(
            nn.Linear(64, 64),
            nn.ReLU(),
            nn.Dropout(0.3),
            nn.Linear(64, 32),
            nn.ReLU(),
            nn.Dropout(0.2),
            nn.Linear(32, n_classes),
        )

    def steps(self, x: Tensor, length: int) -> Tensor:
        """See ``SequenceNetwork.steps``."""
        sequence, _ = self.lstm_1(x)
        memory, _ = self.lstm_2(self.dropout(sequence))
        logits: Tensor = self.head(self.dropout(memory[:, length - 1 :]))
        return logits
