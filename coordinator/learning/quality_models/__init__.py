"""One file a signal-quality model; ``registry`` lists them."""
