"""Freqtrade's strategy interface."""
