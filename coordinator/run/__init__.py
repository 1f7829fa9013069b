"""One run, in a backtest and in a bot: analyses of all pairs, decisions, trust, what goes to the ledger."""
