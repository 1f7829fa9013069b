"""The page's figures, room by room of the page."""
