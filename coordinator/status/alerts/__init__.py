"""What a bot tells by itself: alerts, each once per cause, and a daily summary."""
