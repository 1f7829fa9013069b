"""What the rolling metrics are computed from: one run of a ledger, and when each of its rows was known.

A window ends at a midnight (UTC) and holds what became known in the 30 days up to it: signals decided, outcomes
resolved, trades opened and closed. A moment at midnight belongs to the day that it ends. So nothing that became known
later can change a window, and a window of the past is the same whenever it is computed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from coordinator.decision.decisions import (
    AGAINST_MARKET,
    AVOIDED_STATE,
    REARMED_ALONE,
    REARMED_SHADOW,
    REJECTIONS,
)
from coordinator.errors import CoordinatorError
from coordinator.ledger.registry import Model, ModelRegistry
from coordinator.ledger.store import Ledger
from coordinator.settings import Settings
from coordinator.signals.candles import timeframe_seconds
from coordinator.types import SECONDS_PER_DAY, Bools, Floats, Ints

__all__ = ["NEVER", "NO_SHORTS", "RunData", "day_of", "find_run_id", "known_models", "load_run", "seconds"]

NO_SHORTS = 3
BARRED = tuple(
    REJECTIONS[i] for i in (NO_SHORTS, AGAINST_MARKET, REARMED_ALONE, REARMED_SHADOW, AVOIDED_STATE)
)
"""Why a signal was not taken although no confidence could have changed it."""
NEVER = np.iinfo(np.int64).max


@dataclass(frozen=True)
class RunData:
    """A run's rows.

    Attributes
    ----------
    run_id : int
    strategy : str
    settings : mapping
        The coordinator section as the run had it, JSON types.
    candle_seconds : int
    decisions : pandas.DataFrame
        :data:`coordinator.ledger.frame.COLUMNS`.
    trades : pandas.DataFrame
        As ``Ledger.trades``.
    improvements, thresholds : pandas.DataFrame
        As ``Ledger.history``.
    models : tuple of Model
        Of the ledger's registry, by the last candle they were trained on.
    """

    run_id: int
    strategy: str
    settings: Mapping[str, Any]
    candle_seconds: int
    decisions: pd.DataFrame
    trades: pd.DataFrame
    improvements: pd.DataFrame
    thresholds: pd.DataFrame
    models: tuple[Model, ...] = ()

    # --- when it was known, seconds since the epoch -----------------------------------------------------------

    @cached_property
    def decided_at(self) -> Ints:
        """Close of each signal's candle."""
        return seconds(self.decisions["time"]) + self.candle_seconds

    @cached_property
    def resolved_at(self) -> Ints:
        """Close of the candle that resolved each signal; :data:`NEVER` while unresolved."""
        at = seconds(self.decisions["outcome_time"])
        known = self.decisions["outcome_r"].notna().to_numpy() & (at != NEVER)
        return np.where(known, np.minimum(at, NEVER - self.candle_seconds) + self.candle_seconds, NEVER)

    @cached_property
    def opened_at(self) -> Ints:
        """When each trade was opened; an entry that never filled was not."""
        return np.where(self.trades["filled_price"].notna(), seconds(self.trades["opened_at"]), NEVER)

    @cached_property
    def closed_at(self) -> Ints:
        """When each trade was closed; :data:`NEVER` while open and where nothing filled."""
        return np.where(self.opened_at == NEVER, NEVER, seconds(self.trades["closed_at"]))

    @cached_property
    def days(self) -> Ints:
        """Number of each day since the epoch, from the first on which anything was known to the last."""
        moments = np.concatenate((self.decided_at, self.resolved_at, self.opened_at, self.closed_at))
        known = moments[moments != NEVER]
        if not len(known):
            return np.zeros(0, dtype=np.int64)
        return np.arange(day_of(known.min()), day_of(known.max()) + 1, dtype=np.int64)

    # --- the rules that the run had ---------------------------------------------------------------------------

    def rule(self, section: str, key: str) -> Any:
        """A setting that all clocks share; the default where the run's settings do not name it."""
        own = self.settings.get(section) or {}
        return own[key] if key in own else getattr(getattr(Settings(), section), key)

    def rule_at_signals(self, section: str, key: str) -> list[Any]:
        """A setting at each signal, by the clock it was read on."""
        clocks = self.settings.get("clocks") or {}
        of = {
            name: (clocks.get(name, {}).get(section) or {}).get(key, self.rule(section, key))
            for name in self.decisions["clock"].unique()
        }
        return [of[name] for name in self.decisions["clock"]]

    @cached_property
    def gate(self) -> Floats:
        """Percentile from which ML's score takes each signal (``decision.threshold``)."""
        return np.array(self.rule_at_signals("decision", "threshold"), dtype=np.float64)

    @cached_property
    def baseline_gate(self) -> Floats:
        """The same of the technical percentile (``decision.baseline_threshold``, ML's gate where it is null)."""
        own = self.rule_at_signals("decision", "baseline_threshold")
        return np.array([ml if base is None else base for base, ml in zip(own, self.gate, strict=True)])

    @cached_property
    def risk(self) -> Floats:
        """Share of the account that the virtual trade of each signal risks at its stop."""
        clocks = self.settings.get("clocks") or {}
        share = {
            name: clocks.get(name, {}).get("risk_share", 1.0) for name in self.decisions["clock"].unique()
        }
        risk = float(self.rule("sizing", "risk_per_trade"))
        return np.array([risk * share[name] for name in self.decisions["clock"]], dtype=np.float64)

    @cached_property
    def won(self) -> Bools:
        """Whether each signal's outcome was won: the target, or with targets off a profit."""
        by_target = np.array(self.rule_at_signals("targets", "enabled"), dtype=bool)
        target = (self.decisions["outcome_exit"] == "target").to_numpy()
        return np.where(by_target, target, self.decisions["outcome_r"].to_numpy() > 0)

    @cached_property
    def could_be_taken(self) -> Bools:
        """Signals that a confidence could have decided, as far as their rejections tell."""
        return ~self.decisions["rejection"].isin(BARRED).to_numpy()

    @cached_property
    def improved(self) -> pd.DataFrame:
        """The improvements with the signal's R, its resolution (``resolved_at``, seconds) and whether it was taken."""
        keys = self.decisions[
            ["time", "pair", "reasons", "outcome_r", "accepted", "rejection", "unified_confidence"]
        ].assign(resolved_at=self.resolved_at)
        joined = self.improvements.merge(keys, on=["time", "pair"], how="left")
        return joined.assign(
            at=seconds(joined["time"]) + self.candle_seconds,
            resolved_at=joined["resolved_at"].fillna(NEVER).astype("int64"),
            accepted=joined["accepted"].eq(True),
        )


def find_run_id(ledger: Ledger, run_id: int | None = None) -> int:
    """A run of the ledger, the last started one unless named.

    Raises
    ------
    CoordinatorError
        If there is no such run.
    """
    known = [int(value) for value in ledger.runs()["id"]]
    if not known or (run_id is not None and run_id not in known):
        wanted = "any run" if run_id is None else run_id
        raise CoordinatorError("run", ledger.database.name, f"be one of {known}", wanted)
    return known[-1] if run_id is None else run_id


def load_run(ledger: Ledger, run_id: int | None = None) -> RunData:
    """Read a run; raises as :func:`find_run_id`."""
    run_id = find_run_id(ledger, run_id)
    runs = ledger.runs().set_index("id")
    return RunData(
        run_id=run_id,
        strategy=str(runs.loc[run_id, "strategy"]),
        settings=runs["settings"][run_id] or {},
        candle_seconds=timeframe_seconds(str(runs.loc[run_id, "timeframe"])),
        decisions=ledger.read_decisions(run_id),
        trades=ledger.trades(run_id),
        improvements=ledger.history(run_id, "improvements"),
        thresholds=ledger.history(run_id, "thresholds"),
        models=ModelRegistry(ledger).models(),
    )


def seconds(times: pd.Series) -> Ints:
    """Moments as seconds since the epoch, parts of one rounded up; :data:`NEVER` for a missing one."""
    if times.isna().all():
        return np.full(len(times), NEVER)
    micro = times.dt.as_unit("us").astype("int64").to_numpy()
    return np.where(times.isna(), NEVER, -(-micro // 1_000_000))


def day_of(moments: Any) -> Any:
    """Number of the day at whose end a moment is known."""
    return (moments - 1) // SECONDS_PER_DAY


def known_models(models: Sequence[Model], until: int) -> list[Model]:
    """Models that might speak by a moment."""
    return [model for model in models if model.info.valid_from <= until]
