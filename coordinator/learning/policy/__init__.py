"""What the policies trained by reinforcement learning have in common: training by PPO, and their files."""
