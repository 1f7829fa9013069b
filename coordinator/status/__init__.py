"""A bot as its operator sees it: one view a file, as JSON for REST and as text for a phone; alerts; no freqtrade."""
