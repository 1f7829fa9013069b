"""Freqtrade's trades: their plans, and their records in the ledger."""
