"""The report as one page: what it reads, its figures, its sections, and its summary in words."""
