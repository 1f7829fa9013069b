"""Text for a phone: lines and tables of at most 34 characters, and messages of at most 4096."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence

from coordinator.portfolio.sectors import base_currency
from coordinator.reports.texts import UNDEFINED, number

__all__ = [
    "WIDTH",
    "day",
    "fields",
    "join_parts",
    "percent",
    "plain",
    "short",
    "split_message",
    "table",
    "wrap",
]

WIDTH = 34
"""Characters of a line in a monospace message on a small phone."""
LEAST = 4  # characters of a first column


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Columns side by side, the first to the left and cut where the line would be too long, the others to the right.

    Examples
    --------
    >>> print(table(("Pair", "Value"), [("BTC", "60%"), ("ETH", "–")]))
    Pair Value
    BTC    60%
    ETH      –
    """
    lines = [[str(cell) for cell in row] for row in (head, *rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    room = WIDTH - sum(width + 1 for width in widths[1:])
    widths[0] = min(widths[0], max(room, LEAST))
    return "\n".join(
        " ".join(
            (
                line[0][: widths[0]].ljust(widths[0]),
                *(cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True)),
            )
        ).rstrip()[:WIDTH]
        for line in lines
    )


def fields(rows: Iterable[tuple[str, str]]) -> str:
    """Names and values, a value that does not fit beside its name below it.

    Examples
    --------
    >>> print(fields([("Phase", "shadow")]))
    Phase                       shadow
    """
    lines = []
    for name, value in rows:
        if len(name) + 1 + len(value) <= WIDTH:
            lines.append(name + value.rjust(WIDTH - len(name)))
        else:
            lines += [name, wrap(value)]
    return "\n".join(lines)


def wrap(text: str) -> str:
    """Text broken into lines, those behind the first indented; words longer than a line are cut.

    Examples
    --------
    >>> print(wrap("kept: 12 outcomes are too few to tell"))
    kept: 12 outcomes are too few to
      tell
    """
    lines = (
        [text] if len(text) <= WIDTH else textwrap.wrap(" ".join(text.split()), WIDTH, subsequent_indent="  ")
    )
    return "\n".join(lines)


def join_parts(*parts: str) -> str:
    """Parts that are not empty, a blank line between them."""
    return "\n\n".join(part for part in parts if part)


def split_message(text: str, limit: int = 4096) -> list[str]:
    """A text in messages of at most ``limit`` characters, broken between lines.

    Examples
    --------
    >>> split_message("ab\\ncd\\nef", 5)
    ['ab\\ncd', 'ef']
    """
    messages: list[str] = []
    for line in text.split("\n"):
        pieces = [line[i : i + limit] for i in range(0, len(line), limit)] or [""]
        for piece in pieces:
            if messages and len(messages[-1]) + 1 + len(piece) <= limit:
                messages[-1] += "\n" + piece
            else:
                messages.append(piece)
    return messages


def short(pair: str) -> str:
    """The coin of a pair.

    >>> short("BTC/USDT:USDT")
    'BTC'
    """
    return base_currency(pair)


def percent(value: float | None, digits: int = 0) -> str:
    """A ratio as percent; a dash where it is unknown.

    >>> percent(0.123), percent(None)
    ('12%', '–')
    """
    return UNDEFINED if value is None else f"{value:.{digits}%}"


def plain(value: float | None, digits: int = 2) -> str:
    """A number; a dash where it is unknown."""
    return UNDEFINED if value is None else number(value, digits)


def day(moment: str | None) -> str:
    """The day of an ISO moment; a dash without one."""
    return UNDEFINED if not moment else moment[:10]
