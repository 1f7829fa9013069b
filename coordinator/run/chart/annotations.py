"""Annotations of FreqUI's chart: what is drawn without loading a plot config by hand.

Plain dictionaries in the shape of Freqtrade's ``AnnotationType``; numpy once a chart and a few lines a signal, so that
FreqUI can ask at every candle.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np

from coordinator.decision.blending.review import PHASES
from coordinator.decision.decisions import REJECTIONS, Decisions
from coordinator.decision.table import SignalTable
from coordinator.decision.voting import COMPONENTS
from coordinator.run.chart.colors import AMBER, BLUE, GRAY, GREEN, RED, VIOLET, area
from coordinator.run.explanation import price
from coordinator.signals.clock import pair_of
from coordinator.types import Bools, Floats, Ints

__all__ = [
    "Annotation",
    "ChartCandles",
    "ChartLock",
    "ChartTrade",
    "level_lines",
    "lock_areas",
    "phase_areas",
    "signal_points",
    "trade_lines",
]

Annotation = dict[str, Any]
MOST_SIGNALS = 60  # of a chart, the newest
ABOVE = 0.015  # where a signal's point stands above the candle, part of the chart's height
ROW = 0.03  # a line of text, likewise
STEPS = 90  # of a channel's line, the newest
VIEW = 200  # candles that FreqUI shows at first, about: text stands where it is seen
EDGE = 25  # candles from the right edge at which a line of text is not cut off
AHEAD = 5  # candles that FreqUI leaves free on the right
BELOW_GATE = 1
HIDDEN = (3, 6, 7)  # signals that could not be taken whatever is decided: no shorts in spot, re-arming


@dataclass(frozen=True)
class ChartCandles:
    """What is drawn upon: open times (seconds since the epoch), highs, lows, shape (n,), n > 0; a candle's seconds."""

    time: Ints
    high: Floats
    low: Floats
    seconds: int

    @property
    def span(self) -> float:
        """Height of what is seen at first, in prices: distances are parts of it."""
        return float(self.high[-VIEW:].max() - self.low[-VIEW:].min()) or float(self.high[-1])


@dataclass(frozen=True)
class ChartTrade:
    """An open trade as the chart shows it.

    Attributes
    ----------
    direction : +1 or -1
    opened : seconds since the epoch
    entry, stop : average entry price and the present stop
    target : price, None without one
    """

    direction: int
    opened: int
    entry: float
    stop: float
    target: float | None


@dataclass(frozen=True)
class ChartLock:
    """A lock of the pair or of all: from, until (seconds since the epoch) and why."""

    begin: int
    end: int
    reason: str


def _time(seconds: int) -> str:
    return datetime.fromtimestamp(int(seconds), tz=UTC).isoformat()


# --- text -------------------------------------------------------------------------------------------------------


def _text(chart: ChartCandles, seconds: int, label: str, color: str, row: int) -> Annotation:
    """A line of text below the candles, or above them where there is no room.

    Areas' own labels cannot be read on a light theme, and points write one line only.

    Parameters
    ----------
    row : 1 is the nearest to the candles
    """
    n = len(chart.time)
    at = min(int(np.searchsorted(chart.time, seconds)), n - 1)
    edge = max(EDGE, int(0.6 * len(label)))  # half the text, in candles
    at = max(min(max(at, n - VIEW), n - edge), 0)
    near = slice(max(at - edge, 0), at + edge)
    below = float(chart.low[near].min()) - ROW * chart.span * (row + 1)
    if below < chart.low[-VIEW:].min():
        return _tag(chart, at, float(chart.high[near].max()) + ROW * chart.span * row, label, color)
    return _tag(chart, at, below, label, color)


def _tag(chart: ChartCandles, at: int, level: float, label: str, color: str) -> Annotation:
    """Text at a candle and a price; FreqUI writes none where there is no symbol at all."""
    where = {"type": "point", "x": _time(chart.time[at]), "y": level, "shape": "rect", "size": 2}
    return where | {"color": color, "label": label}


# --- signals ----------------------------------------------------------------------------------------------------


def signal_points(pair: str, table: SignalTable, decided: Decisions, chart: ChartCandles) -> list[Annotation]:
    """A point above each signal's candle: its confidence, the gate, and what became of it.

    Taken ones are green, red or blue (profit, loss, not known yet), others grey. The newest says in a line what was
    decided and who had a say.

    Parameters
    ----------
    table, decided : all pairs'
    """
    time = chart.time
    codes = [i for i, name in enumerate(table.pairs) if pair_of(name) == pair]
    mine: Bools = np.isin(table.pair, codes) & (table.time >= time[0]) & (table.time <= time[-1])
    mine &= (decided.rejection >= 0) & ~np.isin(decided.rejection, HIDDEN)
    shown = np.flatnonzero(mine)[-MOST_SIGNALS:]
    if not len(shown):
        return []
    at = np.searchsorted(time, table.time[shown])
    known = table.outcome_time[shown] <= time[-1]
    points, span = [], chart.span
    for row, candle, resolved in zip(shown.tolist(), at.tolist(), known.tolist(), strict=True):
        r = float(table.outcome_r[row]) if resolved else None
        taken = decided.rejection[row] == 0
        points.append(
            {
                "type": "point",
                "x": _time(table.time[row]),
                "y": float(chart.high[candle]) + ABOVE * span,
                "color": _color(taken, r),
                "size": 9 if taken else 6,
                "shape": "triangle" if taken else "circle",
                "rotate": 0 if table.direction[row] > 0 else 180,
                "label": _label(decided, row, r),
            }
        )
    newest = int(shown[-1])
    return [*points, _text(chart, int(table.time[newest]), _sentence(table, decided, newest), BLUE, 1)]


def _color(taken: bool, r: float | None) -> str:
    if not taken:
        return GRAY
    return BLUE if r is None else GREEN if r > 0 else RED


def _label(decided: Decisions, row: int, r: float | None) -> str:
    """A taken signal's confidence and outcome; the others are dots, else nothing could be read."""
    if decided.rejection[row]:
        return ""
    return f"{100 * decided.confidence[row]:.0f} %" + ("" if r is None else f": {r:+.1f} R")


def _sentence(table: SignalTable, decided: Decisions, row: int) -> str:
    """What was decided on a signal, and the votes with a say in it."""
    when = datetime.fromtimestamp(int(table.time[row]), tz=UTC)
    side = "long" if table.direction[row] > 0 else "short"
    rejection, gate = int(decided.rejection[row]), decided.threshold[row]
    confidence = f"confidence {decided.confidence[row]:.0%}"
    if rejection == BELOW_GATE:
        verdict = f"not taken: {confidence} below {gate:.0%}"
    elif rejection:
        verdict = f"not taken: {REJECTIONS[rejection]} ({confidence})"
    else:
        verdict = f"taken: {confidence}" + (f", gate {gate:.0%}" if gate > 0 else "")
    said = [
        f"{name} {100 * decided.percentile[row, i]:.0f}"
        for i, name in enumerate(COMPONENTS)
        if decided.share[row, i] > 0 and np.isfinite(decided.percentile[row, i])
    ]
    votes = f"; {', '.join(said)}" if len(said) > 1 else ""
    return f"{when:%d %b %H:%M} {side} {verdict}{votes}"


# --- areas ------------------------------------------------------------------------------------------------------

PHASE_COLORS = {"pilot": BLUE, "expansion": VIOLET, "optimization": GREEN}


def phase_areas(table: SignalTable, decided: Decisions, chart: ChartCandles) -> list[Annotation]:
    """An area for each stretch of one phase in which ML had a say, and a line of text for each stretch.

    Parameters
    ----------
    table, decided : all pairs'; each signal shows where ML stood
    """
    begin, end = int(chart.time[0]), int(chart.time[-1])
    rows = np.flatnonzero((decided.phase >= 0) & (table.time <= end))
    if not len(rows):
        return []
    phases = decided.phase[rows]
    starts = np.concatenate(([0], np.flatnonzero(np.diff(phases)) + 1))
    times = np.concatenate((table.time[rows[starts]], [end]))
    out: list[Annotation] = []
    for i, first in enumerate(starts.tolist()):
        until = int(starts[i + 1]) if i + 1 < len(starts) else len(rows)
        if times[i + 1] <= begin:
            continue
        name = PHASES[int(phases[first])]
        weights = decided.ml_weight[rows[first:until]]
        weights = weights[weights > 0]
        said = f"ML: {name}" + (f", weight {_range(weights)}" if len(weights) else ", no say")
        color, start = PHASE_COLORS.get(name), max(int(times[i]), begin)
        if color:
            out.append(_area(start, int(times[i + 1]), area(color, 0.08)))
        out.append(_text(chart, start, said, color or GRAY, 2))
    return out


def _range(weights: Floats) -> str:
    low, high = 100 * weights.min(), 100 * weights.max()
    return f"{low:.0f} %" if high - low < 1 else f"{low:.0f} to {high:.0f} %"


def lock_areas(locks: Iterable[ChartLock], chart: ChartCandles) -> list[Annotation]:
    """An area for each lock that reaches into the chart, with its reason."""
    begin, end = int(chart.time[0]), int(chart.time[-1])
    out: list[Annotation] = []
    for lock in locks:
        right = end + AHEAD * chart.seconds
        if lock.end > begin and lock.begin < right:
            start = max(lock.begin, begin)
            out.append(_area(start, min(lock.end, right), area(RED, 0.12)))
            out.append(_text(chart, start, f"locked: {lock.reason}", RED, 3))
    return out


def _area(begin: int, end: int, color: str) -> Annotation:
    return {"type": "area", "start": _time(begin), "end": _time(end), "color": color}


# --- lines ------------------------------------------------------------------------------------------------------


def trade_lines(trade: ChartTrade, chart: ChartCandles) -> list[Annotation]:
    """Entry, stop and target of the open trade, with their distance from the entry."""
    levels = [("stop", trade.stop, RED, "dashed"), ("entry", trade.entry, BLUE, "dotted")]
    if trade.target is not None:
        levels.append(("target", trade.target, GREEN, "dashed"))
    begin = max(trade.opened, int(chart.time[0]))
    end = int(chart.time[-1]) + AHEAD * chart.seconds
    lines = []
    for name, level, color, style in levels:
        away = 100 * trade.direction * (level / trade.entry - 1)
        label = f"{name} {price(level)}" + ("" if name == "entry" else f" ({away:+.1f} %)")
        lines.append(_line(begin, end, level, color, style))
        # Before the line: FreqUI writes "Stoploss" in its middle.
        at = int(np.searchsorted(chart.time, begin)) - int(0.35 * len(label)) - 1
        at = min(max(at, len(chart.time) - VIEW + EDGE, 0), len(chart.time) - 1)
        lines.append(_tag(chart, at, level, label, color))
    return lines


def level_lines(levels: Sequence[tuple[str, Floats, bool]], chart: ChartCandles) -> list[Annotation]:
    """Steps of the prices at which the strategy enters and leaves; the newest one's price as text.

    Parameters
    ----------
    levels : what happens there ("exit below"), its price at each candle (NaN where unknown), whether it is an exit
    """
    end = int(chart.time[-1]) + AHEAD * chart.seconds
    lines = []
    for name, values, leaves in levels:
        known = np.flatnonzero(np.isfinite(values))
        if not len(known):
            continue
        changes = np.flatnonzero(np.diff(values[known]) != 0) + 1
        starts = known[np.concatenate(([0], changes))][-STEPS:]
        ends = [*chart.time[starts[1:]].tolist(), end]
        color = AMBER if leaves else GREEN
        for first, until in zip(starts.tolist(), ends, strict=True):
            lines.append(_line(int(chart.time[first]), until, float(values[first]), color, "dotted"))
        level = float(values[starts[-1]])
        label = f"{name} {price(level)}"
        lines.append(_tag(chart, max(len(chart.time) - EDGE, 0), level, label, color))
    return lines


def _line(begin: int, end: int, level: float, color: str, style: str) -> Annotation:
    return {
        "type": "line",
        "start": _time(begin),
        "end": _time(end),
        "y_start": level,
        "y_end": level,
        "color": color,
        "width": 2,
        "line_style": style,
    }
