"""`coordinator quality`: collect samples, train walk-forward, judge on a holdout."""
