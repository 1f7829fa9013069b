"""Bots that the pack itself starts, offline, under a simulated clock: demo and replay."""
