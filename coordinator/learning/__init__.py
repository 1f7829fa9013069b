"""Networks, labels and training. No Freqtrade, no files: arrays in, fitted models out."""
