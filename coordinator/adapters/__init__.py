"""The only part that imports Freqtrade: strategies, FreqAI models and operation hook in here."""
