"""Benchmarks of a bot that trades for long and is killed."""
