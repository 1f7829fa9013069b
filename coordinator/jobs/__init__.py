"""What the `coordinator` command does in several steps: real Freqtrade processes, then results to read."""
