"""Keeping what models learn from in the ledger."""
