"""What `coordinator evaluate` reports: accounts, their differences, skill, luck, targets, as a page and as Markdown."""
