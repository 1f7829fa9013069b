"""Votes to decisions, and what learns from outcomes. Pure: arrays in, arrays out."""
