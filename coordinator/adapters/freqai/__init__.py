"""FreqAI's model interface."""
