"""The decision ledger: the time-ordered record of signals, component votes, decisions and outcomes."""
