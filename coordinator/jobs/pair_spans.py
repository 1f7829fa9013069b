"""Which pairs a run trades, from when to when: each while it has candles, as in Freqtrade."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from coordinator.candles.files import TradingMode, list_pairs, read_candles, told_repair, unsound_pairs
from coordinator.errors import CoordinatorError

__all__ = [
    "PairSpan",
    "choose_pairs",
    "read_spans",
    "refuse_unsound",
    "spans_within",
    "told_missing",
    "told_spans",
]

HOUR = timedelta(hours=1)
OWNER = "this run"
LISTED = 10  # pairs named in an error


class PairSpan(NamedTuple):
    """A pair and its hourly candles: the open of the first, the close of the last."""

    pair: str
    first: datetime
    end: datetime


def choose_pairs(
    datadir: Path, config: dict[str, Any], pairs: list[str] | None, mode: TradingMode
) -> list[str]:
    """The asked pairs, else the config's whitelist as far as the data directory has it, else all that it has.

    Pairs are in the mode's spelling: BTC/USDT is BTC/USDT:USDT in futures.

    Raises
    ------
    CoordinatorError
        If an asked pair has no candle file or is not quoted in the stake currency, or there is no pair.
    """
    available, stake = list_pairs(datadir, mode), config.get("stake_currency")
    tradable = [pair for pair in available if stake is None or _quote(pair) == stake]
    asked = [_spell(pair, mode) for pair in (pairs or _whitelist(config))]
    wanted = asked if pairs else [pair for pair in asked if pair in tradable] or tradable
    unknown = [pair for pair in wanted if pair not in tradable]
    if unknown or not wanted:
        rule = f"be among the {mode} pairs of {datadir}: {', '.join(tradable or available) or 'none'}"
        got = unknown[0] if unknown else "no pair"
        if (available and not tradable) or (unknown and unknown[0] in available):
            rule = (
                f"be quoted in the config's stake_currency, which is {stake} (set it, or name others: {datadir} has "
                f"{', '.join(available)})"
            )
            got = next(iter(unknown or asked), got)
        raise CoordinatorError("--pairs", OWNER, rule, got)
    return list(dict.fromkeys(wanted))


def told_missing(
    config: dict[str, Any], chosen: Sequence[str], mode: TradingMode, datadir: Path
) -> list[str]:
    """A line on the whitelist's pairs that are not there, where others of it are."""
    names = [_spell(pair, mode) for pair in _whitelist(config)]
    missing = [pair for pair in names if pair not in list_pairs(datadir, mode)]
    if not missing or not set(names) & set(chosen):
        return []
    return [f"No candles in {datadir}: {', '.join(missing)} of the whitelist {_are(missing)} not traded"]


def refuse_unsound(datadir: Path, pairs: Sequence[str], timeframes: Sequence[str], mode: TradingMode) -> None:
    """Refuse pairs whose files are missing, unreadable or unsound, all of them at once.

    Results would be others without a pair, so none is left out silently: it is said how to.

    Raises
    ------
    CoordinatorError
        With what is wrong with each, how to have its files anew, and how to go on without.
    """
    unsound = unsound_pairs(datadir, pairs, timeframes, mode)
    if not unsound:
        return
    others = [pair for pair in pairs if pair not in unsound]
    wrong = " ".join(str(error) for error in unsound.values())
    way = told_repair(list(unsound), mode)
    if others:
        way += f' Or go on without: --pairs "{" ".join(others)}"'
    raise CoordinatorError("candles", str(datadir), f"be sound. {wrong} {way}", ", ".join(unsound))


def read_spans(datadir: Path, pairs: Iterable[str], mode: TradingMode) -> list[PairSpan]:
    """The pairs' spans, in their order."""
    spans = []
    for pair in pairs:
        dates = read_candles(datadir, pair, "1h", mode)["date"]
        first, last = (dates.iloc[row].to_pydatetime() for row in (0, -1))
        spans.append(PairSpan(pair, first, last + HOUR))
    return spans


def spans_within(spans: Sequence[PairSpan], start: datetime, end: datetime) -> list[PairSpan]:
    """Those with a candle within [start, end).

    Raises
    ------
    CoordinatorError
        If there is none.
    """
    inside = [span for span in spans if span.first < end and span.end > start]
    if not inside:
        have = ", ".join(f"{s.pair} {s.first:%Y%m%d}-{s.end:%Y%m%d}" for s in spans[:LISTED])
        have += f" and {len(spans) - LISTED} more" if len(spans) > LISTED else ""
        rule = f"reach candles of a pair at least ({have})"
        raise CoordinatorError("--timerange", OWNER, rule, f"{start:%Y%m%d}-{end:%Y%m%d}")
    return inside


def told_spans(spans: Sequence[PairSpan], start: datetime, end: datetime) -> list[str]:
    """A line for each pair that has no candles in part of [start, end), or in all of it."""
    lines = []
    for pair, first, last in spans:
        if first >= end or last <= start:
            lines.append(f"{pair} is not traded: its candles are of {first:%Y-%m-%d} to {last:%Y-%m-%d}")
            continue
        parts = []
        if first > start:
            parts.append(f"from {first:%Y-%m-%d %H:%M} on, as soon as its indicators have their history")
        if last < end:
            parts.append(f"until {last:%Y-%m-%d %H:%M}, where its candles end")
        if parts:
            lines.append(f"{pair} is traded {' and '.join(parts)}")
    return lines


def _whitelist(config: dict[str, Any]) -> list[str]:
    return (config.get("exchange") or {}).get("pair_whitelist") or []


def _are(names: Sequence[str]) -> str:
    return "is" if len(names) == 1 else "are"


def _quote(pair: str) -> str:
    return pair.split(":")[0].split("/")[-1]


def _spell(pair: str, mode: TradingMode) -> str:
    base = pair.split(":")[0].upper()
    return f"{base}:{_quote(base)}" if mode == "futures" else base
