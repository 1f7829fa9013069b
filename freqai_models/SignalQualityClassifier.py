"""The signal-quality model as a FreqAI model."""

from coordinator.adapters.freqai import CompositeFreqaiModel


class SignalQualityClassifier(CompositeFreqaiModel):
    """The chance that a signal succeeds, by ``quality.model_type``; see coordinator/learning/quality.py."""

    only = ("quality",)
