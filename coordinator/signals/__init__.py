"""Candles to features and directions. Pure: arrays in, arrays out, no clock, no files, no Freqtrade."""
