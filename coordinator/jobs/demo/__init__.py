"""``coordinator demo``: a dry-run bot in one command, offline, at many times the speed of the market."""
