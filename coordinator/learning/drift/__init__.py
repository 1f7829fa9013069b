"""Drift: how far what a model sees now is from what it was trained on."""
