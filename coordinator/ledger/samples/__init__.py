"""What models learn from and what they said: features, panel samples, predictions; copied, measured, pruned."""
