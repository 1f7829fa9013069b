"""Settings of an hourly account for tests that need many signals in few candles."""

HOURLY = {
    "decision": {"weighting": "earned", "quality_mode": "replace", "threshold": 0.70},
    "stops": {"trailing_start": 0.5},
    "dca": {"enabled": False},
    "exits": {"momentum_reversal": {"mode": "on"}, "target_following": {"mode": "on"}},
    "improvements": {"dynamic_reward_risk": {"mode": "on"}},
}
"""Many signals in few candles: what a test's own settings go over, section by section, as Freqtrade merges configs."""
