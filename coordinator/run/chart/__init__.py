"""What FreqUI draws: the strategy's columns, their plot config, and annotations that need none; no freqtrade."""
