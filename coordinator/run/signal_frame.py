"""Signals, decisions and outcomes as the table that the ledger stores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from coordinator.decision.blending.manager import PHASES
from coordinator.decision.blending.pilot import ARMS
from coordinator.decision.decisions import REJECTIONS, Decisions
from coordinator.decision.outcomes import EXITS
from coordinator.decision.table import UNRESOLVED, SignalTable
from coordinator.decision.voting import COMPONENTS
from coordinator.run.pair_analysis import PairAnalysis
from coordinator.run.signal_table import in_table_order
from coordinator.settings import Settings
from coordinator.signals.clock import CLOCKS
from coordinator.signals.regime import STATES
from coordinator.signals.tactics import TACTICS
from coordinator.types import Floats, Ints

__all__ = ["signal_frame"]


def signal_frame(
    analyses: Mapping[str, PairAnalysis],
    signals: SignalTable,
    decisions: Decisions,
    settings: Settings,
    rows: Sequence[int] | None = None,
) -> pd.DataFrame:
    """One row per signal, in the table's order; columns as in ``coordinator.ledger.frame``.

    Parameters
    ----------
    rows : these only, in this order; None: all. A bot asks for one or two of a thousand
    """
    has_selector = bool((decisions.tactic >= 0).any())
    index = in_table_order(analyses, signals, lambda a: a.index)
    if rows is not None:
        chosen = np.array(rows, dtype=np.int64)
        signals, decisions, index = signals.rows(chosen), decisions.rows(chosen), index[chosen]
    owners = [analyses[name] for name in signals.names()]
    prices = np.array([a.candles.close[i] for a, i in zip(owners, index.tolist(), strict=True)], dtype=float)
    reasons = np.array(
        [a.technical.reasons(i) for a, i in zip(owners, index.tolist(), strict=True)], dtype=object
    )
    resolved = signals.outcome_time != UNRESOLVED
    when = pd.to_datetime(np.where(resolved, signals.outcome_time, 0), unit="s", utc=True)
    columns = {
        "time": pd.to_datetime(signals.time, unit="s", utc=True),
        "pair": np.array(signals.pair_names(), dtype=object),
        "clock": np.array(CLOCKS, dtype=object)[signals.clock],
        "direction": signals.direction.astype(np.int8),
        "price": prices,
        "stop": prices * (1 - signals.direction * signals.stop),
        "target": np.where(
            np.isinf(signals.target), np.nan, prices * (1 + signals.direction * signals.target)
        ),
        "horizon": np.array([settings.on_clock(name).targets.horizon for name in CLOCKS])[signals.clock],
        "reasons": reasons,
        **_vote_columns(signals, decisions, has_selector=has_selector),
        "unified_score": decisions.unified_score,
        "unified_confidence": decisions.confidence,
        "threshold": decisions.threshold,
        "ml_weight": decisions.ml_weight,
        "accepted": decisions.accepted,
        "ml_score": decisions.ml_score,
        "ml_rank": decisions.ml_rank,
        "win_probability": decisions.win_probability,
        "expected_r": decisions.expected_r,
        "tactic": _names_of(TACTICS, decisions.tactic),
        "phase": _names_of(PHASES, decisions.phase),
        "arm": _names_of(ARMS, decisions.arm),
        "regime": _names_of(STATES, signals.state),
        "rejection": np.array((*REJECTIONS, "not seen in time"), dtype=object)[decisions.rejection],
        "outcome_r": signals.outcome_r,
        "outcome_exit": np.array(EXITS, dtype=object)[signals.outcome_exit],
        "outcome_time": pd.Series(when).where(resolved),
    }
    return pd.DataFrame(columns)


def _vote_columns(signals: SignalTable, decisions: Decisions, *, has_selector: bool) -> dict[str, Floats]:
    columns = {}
    for name in COMPONENTS:
        vote = signals.votes.get(name)
        if name == "selector" and has_selector:
            vote = decisions.selector_votes(signals)
        if vote is not None:
            columns[f"{name}_direction"] = vote.direction
            columns[f"{name}_confidence"] = vote.confidence
            columns[f"{name}_percentile"] = decisions.of(name)
    return columns


def _names_of(names: tuple[str, ...], codes: Ints) -> npt.NDArray[np.object_]:
    """Texts of codes; -1 is an empty one."""
    return np.array((*names, ""), dtype=object)[codes]
