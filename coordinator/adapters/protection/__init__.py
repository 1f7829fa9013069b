"""Freqtrade's protection interface."""
