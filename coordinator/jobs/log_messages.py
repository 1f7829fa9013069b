"""Messages in the log of a Freqtrade process, which breaks long ones into lines."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

__all__ = ["messages"]

_BEGIN: Final = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d+ - \S+ - [A-Z]+ - ")

_BAR: Final = "━"  # of Freqtrade's progress bars, which come between


def messages(log: Path, beginning: str) -> list[str]:
    """Those that begin so, in one line each, without time, logger and level."""
    found: list[list[str]] = []
    for line in log.read_text(encoding="utf-8").splitlines():
        if begun := _BEGIN.match(line):
            found.append([line[begun.end() :].strip()])
        elif found and _BAR not in line:
            found[-1].append(line.strip())
    return [text for parts in found if (text := " ".join(parts)).startswith(beginning)]
