"""The sequence networks, one a file, and their registry."""
