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
from coordinator.signals.clock import pair_of
from coordinator.types import Bools, Floats, Ints

__all__ = ["Annotation", "ChartLock", "ChartTrade", "level_lines", "lock_areas", "phase_areas", "price"]
__all__ += ["signal_points", "trade_lines"]

Annotation = dict[str, Any]
MOST_SIGNALS = 60  # of a chart, the newest
ABOVE = 0.004  # where a signal's point stands above the candle, ratio of the price
STEPS = 90  # of a channel's line, the newest


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


def price(value: float) -> str:
    """A price as one reads it: six digits, no exponent.

    >>> [price(value) for value in (27123.4567, 1234567.8, 0.0000123456789)]
    ['27123.5', '1234568', '0.0000123457']
    """
    if abs(value) >= 1e5:
        return f"{value:.0f}"
    decimals = 5 - int(np.floor(np.log10(abs(value)))) if value else 0
    text = f"{value:.{max(decimals, 0)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _time(seconds: int) -> str:
    return datetime.fromtimestamp(int(seconds), tz=UTC).isoformat()


# --- signals ----------------------------------------------------------------------------------------------------


def signal_points(
    pair: str, table: SignalTable, decided: Decisions, time: Ints, high: Floats
) -> list[Annotation]:
    """A point above each signal's candle: its confidence, the gate, and what became of it.

    Taken ones are green, red or blue (profit, loss, not known yet), others grey. The newest names the votes behind it.

    Parameters
    ----------
    table, decided : all pairs'
    time, high : of the pair's candles in the chart
    """
    if not len(time):
        return []
    codes = [i for i, name in enumerate(table.pairs) if pair_of(name) == pair]
    mine: Bools = np.isin(table.pair, codes) & (table.time >= time[0]) & (table.time <= time[-1])
    mine &= decided.rejection >= 0
    shown = np.flatnonzero(mine)[-MOST_SIGNALS:]
    at = np.searchsorted(time, table.time[shown])
    known = table.outcome_time[shown] <= time[-1]
    points = []
    for row, candle, resolved in zip(shown.tolist(), at.tolist(), known.tolist(), strict=True):
        newest = row == shown[-1]
        r = float(table.outcome_r[row]) if resolved else None
        label = _label(table, decided, row, r, newest=newest)
        points.append(
            {
                "type": "point",
                "x": _time(table.time[row]),
                "y": float(high[candle]) * (1 + ABOVE),
                "color": _color(decided.rejection[row] == 0, r),
                "size": 9 if decided.rejection[row] == 0 else 5,
                "shape": "triangle" if decided.rejection[row] == 0 else "circle",
                "rotate": 0 if table.direction[row] > 0 else 180,
                "label": label,
            }
        )
    return points


def _color(taken: bool, r: float | None) -> str:
    if not taken:
        return GRAY
    return BLUE if r is None else GREEN if r > 0 else RED


def _label(table: SignalTable, decided: Decisions, row: int, r: float | None, *, newest: bool) -> str:
    rejection, confidence = int(decided.rejection[row]), 100 * decided.confidence[row]
    gate = 100 * decided.threshold[row]
    if rejection and not newest:
        return f"{confidence:.0f} < {gate:.0f}" if rejection == 1 else ""
    became = "" if r is None else f"{r:+.1f} R"
    passed = f"{confidence:.0f}" + (f" / {gate:.0f}" if gate > 0 else "")
    if not newest:
        return f"{passed}\n{became}" if became else passed
    side = "long" if table.direction[row] > 0 else "short"
    lines = [f"{side}: " + (REJECTIONS[rejection] if rejection else "taken"), f"confidence {passed}"]
    votes = _votes(decided, row)
    return "\n".join([*lines, *([votes] if votes else []), *([became] if became else [])])


def _votes(decided: Decisions, row: int) -> str:
    """The components with a say in this decision, ML's only where one had any."""
    said = [
        f"{name} {100 * decided.percentile[row, i]:.0f}"
        for i, name in enumerate(COMPONENTS)
        if decided.share[row, i] > 0 and np.isfinite(decided.percentile[row, i])
    ]
    return ", ".join(said) if len(said) > 1 else ""


# --- areas ------------------------------------------------------------------------------------------------------

PHASE_COLORS = {"pilot": BLUE, "expansion": VIOLET, "optimization": GREEN}


def phase_areas(table: SignalTable, decided: Decisions, begin: int, end: int) -> list[Annotation]:
    """An area for each stretch of one phase, with ML's weight; only its name where ML had no say.

    Parameters
    ----------
    table, decided : all pairs'; each signal shows where ML stood
    begin, end : of the chart, seconds since the epoch
    """
    rows = np.flatnonzero(decided.phase >= 0)
    rows = rows[table.time[rows] <= end]
    if not len(rows):
        return []
    phases = decided.phase[rows]
    starts = np.concatenate(([0], np.flatnonzero(np.diff(phases)) + 1))
    times = np.concatenate((table.time[rows[starts]], [end]))
    out = []
    for i, first in enumerate(starts.tolist()):
        until = starts[i + 1] if i + 1 < len(starts) else len(rows)
        if times[i + 1] <= begin:
            continue
        name = PHASES[int(phases[first])]
        weights = decided.ml_weight[rows[first:until]]
        weights = weights[weights > 0]
        text = f"ML: {name}" + (f", weight {_range(weights)}" if len(weights) else ", no say")
        color = PHASE_COLORS.get(name)
        out.append(
            {
                "type": "area",
                "start": _time(max(int(times[i]), begin)),
                "end": _time(int(times[i + 1])),
                "color": area(color or GRAY, 0.08 if color else 0.03),
                "label": text,
            }
        )
    return out


def _range(weights: Floats) -> str:
    low, high = 100 * weights.min(), 100 * weights.max()
    return f"{low:.0f} %" if high - low < 1 else f"{low:.0f} to {high:.0f} %"


def lock_areas(locks: Iterable[ChartLock], begin: int, end: int) -> list[Annotation]:
    """An area for each lock that reaches into the chart, with its reason."""
    return [
        {
            "type": "area",
            "start": _time(max(lock.begin, begin)),
            "end": _time(min(lock.end, end)),
            "color": area(RED, 0.10),
            "label": f"locked: {lock.reason}",
        }
        for lock in locks
        if lock.end > begin and lock.begin < end
    ]


# --- lines ------------------------------------------------------------------------------------------------------


def trade_lines(trade: ChartTrade, begin: int, end: int) -> list[Annotation]:
    """Entry, stop and target of the open trade, with their distance from the entry."""
    levels = [("stop", trade.stop, RED, "dashed")]
    if trade.target is not None:
        levels.append(("target", trade.target, GREEN, "dashed"))
    levels.append(("entry", trade.entry, BLUE, "dotted"))
    start = _time(max(trade.opened, begin))
    lines = []
    for name, level, color, style in levels:
        away = 100 * trade.direction * (level / trade.entry - 1)
        label = f"{name} {price(level)}" + ("" if name == "entry" else f" ({away:+.1f} %)")
        lines.append(_line(start, _time(end), level, color, style, label, width=2))
    return lines


def level_lines(time: Ints, levels: Sequence[tuple[str, Floats, bool]], end: int) -> list[Annotation]:
    """Steps of the prices at which the strategy enters and leaves; the newest step of each says its price.

    Parameters
    ----------
    time : of the chart's candles
    levels : what happens there ("exit below"), its price at each candle (NaN where unknown), whether it is an exit
    end : of the last candle
    """
    lines = []
    for name, values, leaves in levels:
        known = np.flatnonzero(np.isfinite(values))
        if not len(known):
            continue
        changes = np.flatnonzero(np.diff(values[known]) != 0) + 1
        starts = known[np.concatenate(([0], changes))][-STEPS:]
        ends = [*time[starts[1:]].tolist(), end]
        color = AMBER if leaves else GREEN
        for i, (first, until) in enumerate(zip(starts.tolist(), ends, strict=True)):
            level = float(values[first])
            label = f"{name} {price(level)}" if i == len(starts) - 1 else ""
            lines.append(_line(_time(time[first]), _time(until), level, color, "dotted", label))
    return lines


def _line(
    start: str, end: str, level: float, color: str, style: str, label: str, width: int = 1
) -> Annotation:
    return {
        "type": "line",
        "start": start,
        "end": end,
        "y_start": level,
        "y_end": level,
        "color": color,
        "width": width,
        "line_style": style,
        "label": label,
    }
