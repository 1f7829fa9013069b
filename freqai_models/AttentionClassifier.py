"""The attention network as a FreqAI model."""

from coordinator.adapters.freqai import CompositeFreqaiModel


class AttentionClassifier(CompositeFreqaiModel):
    """Attention over features and over time, or a transformer encoder; see coordinator/learning/networks/."""

    only = ("attention",)
