"""Decisions to orders: entry plans, sizes, stops and targets. Pure, and deaf to ML after the entry."""
