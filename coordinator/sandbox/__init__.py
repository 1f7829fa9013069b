"""An offline world: a market simulator and a Binance-shaped loopback exchange that serves candle files."""
