"""Backtest results side by side: metrics, a table and an HTML report."""
