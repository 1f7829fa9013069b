"""What the content of a model folder was made of, as a file in it, and in what a run differs from that."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np

from coordinator.signals.candles import Candles
from coordinator.whole_file import write_whole

__all__ = ["FINGERPRINT", "CandleRecord", "Fingerprint", "candle_digest", "flat", "shortened"]

FINGERPRINT: Final = "fingerprint.json"
_SHOWN: Final = 4  # differences that are named; the others are counted


@dataclass(frozen=True)
class CandleRecord:
    """A pair's candles of one timeframe but for the last, which may not have been whole.

    Attributes
    ----------
    first, last : open times, seconds; 0 without candles
    count : int
    digest : SHA-256 of all of them
    """

    first: int
    last: int
    count: int
    digest: str

    @classmethod
    def of(cls, candles: Candles) -> CandleRecord:
        """The record of candles."""
        if len(candles) < 2:
            return cls(0, 0, 0, "")
        end = int(candles.time[-1])
        return cls(int(candles.time[0]), int(candles.time[-2]), len(candles) - 1, candle_digest(candles, end))

    def difference(self, now: Candles) -> str:
        """In what other candles differ, in words; empty where they are the same, or the same and newer ones."""
        if not self.count or not len(now):
            return "" if self.count == max(len(now) - 1, 0) else f"were {self.count} (now {len(now)})"
        first, last = int(now.time[0]), int(now.time[-1])
        if first != self.first:
            return f"began on {_day(self.first)} (now {_day(first)})"
        if last < self.last:
            return f"ended on {_day(self.last)} (now {_day(last)})"
        count = int(np.searchsorted(now.time, self.last, side="right"))
        if count != self.count:
            return f"were {self.count} up to {_day(self.last)} (now {count})"
        same = candle_digest(now, self.last + 1) == self.digest
        return "" if same else f"had other prices or volumes between {_day(self.first)} and {_day(self.last)}"


@dataclass(frozen=True)
class Fingerprint:
    """What stored models and predictions were made of.

    Attributes
    ----------
    made_with : what a value of JSON types says by its name, e.g. ``{"quality.model_type": "lightgbm"}``
    candles : of a backtest, by pair and timeframe, e.g. ``"BTC/USDT 1h"``; None where no backtest has stored any
    """

    made_with: Mapping[str, Any]
    candles: Mapping[str, CandleRecord] | None = None

    @classmethod
    def read(cls, folder: Path) -> Fingerprint | None:
        """The fingerprint of a folder; None where it has none that can be read."""
        try:
            stored = json.loads((folder / FINGERPRINT).read_text(encoding="utf-8"))
            candles = stored["candles"]
            if candles is not None:
                candles = {name: CandleRecord(**record) for name, record in candles.items()}
            return cls(dict(stored["made_with"]), candles)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None

    def write(self, folder: Path) -> None:
        """Put it into a folder, whole or not at all."""
        content = {"made_with": dict(self.made_with), "candles": None}
        if self.candles is not None:
            content["candles"] = {name: asdict(record) for name, record in sorted(self.candles.items())}
        write_whole(folder / FINGERPRINT, json.dumps(content, indent=1).encode())

    def with_candles(self, series: Mapping[str, Candles]) -> Fingerprint:
        """The same with a backtest's candles."""
        return replace(self, candles={name: CandleRecord.of(candles) for name, candles in series.items()})

    def differences(
        self, made_with: Mapping[str, Any], may_come: Sequence[str], defaults: Mapping[str, Any]
    ) -> list[str]:
        """In what a run differs, in words, one of each name.

        Parameters
        ----------
        made_with : the run's, JSON types
        may_come : beginnings of names that only one of the two need have
        defaults : what was in force before there was such a name, where that is known
        """
        words, before = [], {**defaults, **self.made_with}
        for name in sorted({*self.made_with, *made_with}):
            there, here = (json.dumps(values.get(name)) for values in (before, made_with))
            on_both = name in before and name in made_with
            if there == here or (not on_both and name.startswith(tuple(may_come))):
                continue
            words.append(f"{name} {there} (now {here})")
        return words

    def candle_differences(self, series: Mapping[str, Candles]) -> list[str]:
        """In what a backtest's pairs and candles differ, in words; newer candles are no difference."""
        known = self.candles or {}
        pairs, now = (sorted({name.split(" ")[0] for name in names}) for names in (known, series))
        if pairs != now:
            return [f"pairs {', '.join(pairs)} (now {', '.join(now)})"]
        found = {name: known[name].difference(series[name]) for name in sorted(known) if name in series}
        return [f"candles of {name} that {words}" for name, words in found.items() if words]


def flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested mappings as one, by dotted names.

    Examples
    --------
    >>> flat({"quality": {"trees": 10}, "pairs": ["a"]})
    {'quality.trees': 10, 'pairs': ['a']}
    """
    found: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            found |= flat(value, f"{prefix}{name}.")
        else:
            found[f"{prefix}{name}"] = value
    return found


def candle_digest(candles: Candles, until: int) -> str:
    """SHA-256 of the candles that open before a moment, seconds."""
    rows = candles.rows(slice(0, int(np.searchsorted(candles.time, until, side="left"))))
    content = hashlib.sha256()
    for values in (rows.time, rows.open, rows.high, rows.low, rows.close, rows.volume):
        content.update(np.ascontiguousarray(values).tobytes())
    return content.hexdigest()


def shortened(words: Sequence[str]) -> str:
    """The first differences, and how many more there are.

    Examples
    --------
    >>> shortened(["a 1 (now 2)"])
    'a 1 (now 2)'
    >>> shortened(list("abcdef"))
    'a, b, c, d and 2 more'
    """
    more = f" and {len(words) - _SHOWN} more" if len(words) > _SHOWN else ""
    return ", ".join(words[:_SHOWN]) + more


def _day(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, tz=UTC):%Y-%m-%d %H:%M}"
