"""What a bot says and keeps beside its decisions."""
