"""The metrics of spec 001 and spec 003 over the last 30 days, from a run's ledger alone."""
