"""The composite's components, champion and challenger, model files."""
