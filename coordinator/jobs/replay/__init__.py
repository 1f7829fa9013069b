"""``coordinator replay``: the real bot through historical candles, beside the backtest of the same span."""
