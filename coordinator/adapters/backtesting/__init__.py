"""Freqtrade's own backtests, many of them in one process."""
