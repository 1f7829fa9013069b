"""The library behind the Freqtrade strategy pack; see README.md and docs/ for the way in."""

__version__ = "0.1.0"
