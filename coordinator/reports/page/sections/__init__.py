"""The sections of the page: which charts and tables, in which order, and what is said where there is no data."""
