"""Freqtrade in another time: real commands under a simulated clock."""
