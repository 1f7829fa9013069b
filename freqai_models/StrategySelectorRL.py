"""The reinforcement-learning selector (PPO over flat and the four tactics) as a FreqAI model."""

from coordinator.adapters.freqai import CompositeFreqaiModel


class StrategySelectorRL(CompositeFreqaiModel):
    """Needs ``selector.enabled: false``: it votes instead of Q-learning; see coordinator/learning/selector_rl.py."""

    only = ("selector",)
