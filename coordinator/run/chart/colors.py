"""Colours that can be read on FreqUI's dark and on its light theme alike.

Each stands out from black and from white by a contrast of 3 at least (WCAG's bound for graphics, tested).
"""

from __future__ import annotations

__all__ = ["AMBER", "BLUE", "COMPONENT_COLORS", "GRAY", "GREEN", "PINK", "RED", "TEAL", "VIOLET", "area"]

BLUE, GREEN, RED = "#3b8eea", "#2f9e5b", "#e5534b"
AMBER, VIOLET, TEAL = "#c27c0e", "#a371f7", "#1a9a9a"
PINK, GRAY = "#d6559b", "#838c99"

COMPONENT_COLORS = {
    "technical": GRAY,
    "lstm": BLUE,
    "fusion": TEAL,
    "selector": AMBER,
    "attention": PINK,
    "quality": VIOLET,
}


def area(color: str, opacity: float) -> str:
    """A colour that lets the candles through.

    >>> area("#3b8eea", 0.1)
    'rgba(59, 142, 234, 0.1)'
    """
    red, green, blue = (int(color[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, {opacity:g})"
