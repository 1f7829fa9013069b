"""Accounts of the sandbox exchange: signed requests, orders, fills, balances and positions."""
