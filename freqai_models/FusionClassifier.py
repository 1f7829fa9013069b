"""The fusion of 1h, 4h and 1d models as a FreqAI model."""

from coordinator.adapters.freqai import CompositeFreqaiModel


class FusionClassifier(CompositeFreqaiModel):
    """One LightGBM model a timeframe, joined by the documented formula; see coordinator/learning/fusion_models.py."""

    only = ("fusion",)
