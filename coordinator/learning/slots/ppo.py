"""Training of the slots policy by PPO (Schulman et al., 2017); imports stable-baselines3, which is slow."""

from __future__ import annotations

from typing import Any

import torch
from stable_baselines3.common.policies import ActorCriticPolicy
from torch import Tensor, nn

from coordinator.learning.policy.ppo import trained_policy
from coordinator.learning.policy.stored import two_tanh_layers
from coordinator.learning.slots.env import SlotsEnv
from coordinator.learning.slots.network import SlotsNetwork
from coordinator.portfolio.slot_terms import PORTFOLIO

__all__ = ["trained_network"]


class _ActorAndCritic(nn.Module):
    """The network as the actor, and a critic of the same size over the whole observation."""

    latent_dim_pi = 1

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.actor = SlotsNetwork(width - len(PORTFOLIO), hidden)
        self.critic = two_tanh_layers(width, hidden)
        self.latent_dim_vf = hidden

    def forward(self, observed: Tensor) -> tuple[Tensor, Tensor]:
        return self.forward_actor(observed), self.forward_critic(observed)

    def forward_actor(self, observed: Tensor) -> Tensor:
        return self.actor.logit(observed)

    def forward_critic(self, observed: Tensor) -> Tensor:
        value: Tensor = self.critic(observed)
        return value


class _LeaveOrTake(nn.Module):
    """Logits of leaving, which is 0, and of taking: nothing to be learned stands behind the network."""

    def forward(self, logit: Tensor) -> Tensor:
        return torch.cat((torch.zeros_like(logit), logit), dim=1)


class _SlotsActorCritic(ActorCriticPolicy):
    def _build_mlp_extractor(self) -> None:
        hidden = int(self.net_arch["pi"][0])  # type: ignore[call-overload]
        self.mlp_extractor = _ActorAndCritic(self.features_dim, hidden)  # type: ignore[assignment]

    def _build(self, lr_schedule: Any) -> None:
        super()._build(lr_schedule)
        self.action_net = _LeaveOrTake()
        with torch.no_grad():  # as stable-baselines3's own action layer: near indifference at first
            head = self.mlp_extractor.actor.head  # type: ignore[union-attr]
            head.weight.mul_(0.01)  # type: ignore[operator, union-attr]
        own = {"lr": lr_schedule(1), **self.optimizer_kwargs}
        self.optimizer = self.optimizer_class(self.parameters(), **own)  # without the layer that was replaced


def trained_network(env: SlotsEnv) -> SlotsNetwork:
    """The network after the settings' number of decisions."""
    s = env.settings
    policy = trained_policy(_SlotsActorCritic, env, s, {"pi": [s.hidden], "vf": [s.hidden]})
    network: SlotsNetwork = policy.mlp_extractor.actor  # type: ignore[assignment, union-attr]
    return network
