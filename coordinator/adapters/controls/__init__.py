"""Controls that Freqtrade loads in the model's and the strategy's place (`coordinator evaluate`)."""
