"""Analyses of all series as one table of signals, and any array of theirs in that table's order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from coordinator.decision.table import UNRESOLVED, SignalTable
from coordinator.decision.voting import COMPONENTS, Votes
from coordinator.run.pair_analysis import PairAnalysis
from coordinator.settings import Settings
from coordinator.signals.clock import CLOCKS
from coordinator.signals.tactics import TACTICS
from coordinator.trade.virtual_trades import virtual_outcomes

__all__ = ["Arrays", "build_signal_table", "in_table_order"]

Arrays = dict[str, npt.NDArray[Any]]

_ARRAYS = (
    *("time", "direction", "stop", "target", "state", "tactic_direction", "tactic_confidence"),
    *("clock", "rearmed", "barred"),
)
_OUTCOMES = ("outcome_r", "outcome_exit", "outcome_time", "outcome_state")


def in_table_order(
    pairs: Mapping[str, PairAnalysis],
    table: SignalTable,
    part: Callable[[PairAnalysis], npt.NDArray[Any]],
) -> npt.NDArray[Any]:
    """One array in the table's order from each pair's own array."""
    merged = np.concatenate([part(pairs[name]) for name in table.pairs])
    out = np.empty(len(merged), dtype=merged.dtype)
    out[np.argsort(table.pair, kind="stable")] = merged
    return out


def build_signal_table(
    pairs: Mapping[str, PairAnalysis], settings: Settings, known: dict[str, Arrays] | None = None
) -> SignalTable:
    """The signals of analysed pairs with their outcomes.

    Parameters
    ----------
    known : each pair's own part under these settings, where it was built before; gets those that it lacks
    """
    names = tuple(sorted(pairs))
    known = {} if known is None else known
    for name in names:
        if name not in known:
            known[name] = _pair_arrays(pairs[name], settings.on_clock(pairs[name].clock))
    parts = [known[name] for name in names]
    merged = {key: np.concatenate([part[key] for part in parts]) for key in (*_ARRAYS, *_OUTCOMES)}
    pair = np.concatenate(
        [np.full(len(pairs[name].index), i, dtype=np.int64) for i, name in enumerate(names)]
    )
    order = np.lexsort((pair, merged["time"]))
    votes = {}
    for component in COMPONENTS:
        each = [pairs[name].votes.get(component) for name in names]
        if any(vote is not None for vote in each):
            present = [v or Votes.absent(len(pairs[name].index)) for v, name in zip(each, names, strict=True)]
            columns = (
                np.concatenate([getattr(v, part) for v in present])[order]
                for part in ("direction", "confidence", "score")
            )
            votes[component] = Votes(*columns).present()
    return SignalTable(
        pairs=names,
        candle_seconds=pairs[names[0]].candles.seconds,
        pair=pair[order],
        votes=votes,
        **{key: values[order] for key, values in merged.items()},
    )


def _pair_arrays(a: PairAnalysis, settings: Settings) -> Arrays:
    """A pair's own part of the table, with its outcomes; ``settings`` are those on its clock."""
    candles = a.candles
    outcome = virtual_outcomes(
        candles, a.technical, a.index, a.direction, a.stop_distance, a.target_distance, settings
    )
    known, at = outcome.resolved >= 0, np.maximum(outcome.resolved, 0)
    tactics = [a.technical.tactics[name] for name in TACTICS]
    return {
        "time": candles.time[a.index],
        "direction": a.direction,
        "stop": a.stop_distance,
        "target": a.target_distance,
        "state": a.regime.state[a.index],
        "tactic_direction": np.column_stack([tactic.direction[a.index] for tactic in tactics]),
        "tactic_confidence": np.column_stack([tactic.confidence[a.index] for tactic in tactics]),
        "clock": np.full(len(a.index), CLOCKS.index(a.clock), dtype=np.int64),
        "rearmed": a.technical.rearmed[a.index].astype(np.int64),
        "barred": a.barred,
        "outcome_r": outcome.r,
        "outcome_exit": outcome.exit,
        "outcome_time": np.where(known, candles.time[at], UNRESOLVED),
        "outcome_state": np.where(known, a.regime.state[at], -1),
    }
