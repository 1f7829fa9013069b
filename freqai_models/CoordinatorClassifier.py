"""The composite model that MLCoordinator uses: the components of the setting ``learning.components``."""

from coordinator.adapters.freqai import CompositeFreqaiModel


class CoordinatorClassifier(CompositeFreqaiModel):
    """LSTM, attention, fusion and signal quality, trained together; see coordinator/components/composite.py."""
