"""The documented LSTM (10 candles x 31 features -> HOLD, BUY, SELL) as a FreqAI model."""

from coordinator.adapters.freqai import CompositeFreqaiModel


class LSTMClassifier(CompositeFreqaiModel):
    """LSTM 128, LSTM 64, dense 64, 32, 3; see coordinator/learning/networks/lstm.py."""

    only = ("lstm",)
