"""Candle files in Freqtrade's layout: where they lie, how they are read, and what a sound one looks like."""
