"""Several networks as one model, and how far they disagree."""
