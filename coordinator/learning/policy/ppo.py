"""Training by PPO (Schulman et al., 2017) with stable-baselines3, the process's random generators left as they were."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import gymnasium
import numpy as np
import torch

from coordinator.learning.trainer import size_threads
from coordinator.settings.networks import PolicySettings

__all__ = ["trained_policy"]


def trained_policy(
    policy: Any, env: gymnasium.Env[Any, Any], settings: PolicySettings, net_arch: Any
) -> torch.nn.Module:
    """Stable-baselines3's policy after the settings' number of decisions, on one CPU thread.

    Parameters
    ----------
    policy : name or class of stable-baselines3's policy
    net_arch : its ``policy_kwargs``' hidden layers
    """
    from stable_baselines3 import PPO  # needed for training only, and slow to import

    s = settings
    size_threads(1)
    with _kept_generators():
        learner = PPO(
            policy,
            env,
            learning_rate=s.learning_rate,
            n_steps=s.rollout,
            batch_size=s.batch_size,
            n_epochs=s.epochs,
            gamma=s.gamma,
            ent_coef=s.entropy,
            policy_kwargs={"net_arch": net_arch},
            seed=s.seed,
            device="cpu",
        )
        learner.learn(s.timesteps)
    trained: torch.nn.Module = learner.policy
    return trained


@contextmanager
def _kept_generators() -> Iterator[None]:
    """Stable-baselines3 seeds the process's generators; afterwards they are as before."""
    state, numpy_state = random.getstate(), np.random.get_state()  # noqa: NPY002
    with torch.random.fork_rng(devices=[]):
        try:
            yield
        finally:
            random.setstate(state)
            np.random.set_state(numpy_state)  # noqa: NPY002
