"""The attention network as a FreqAI model."""

from coordinator.adapters.freqai import CompositeFreqaiModel


class AttentionClassifier(CompositeFreqaiModel):
    """Attention over features and over time; see coordinator/learning/networks/attention.py."""

    only = ("attention",)
