"""What the ledger has collected, as rows that signal quality learns from and signals that it is judged on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection, and_, select

from coordinator.decision.outcomes import EXITS
from coordinator.learning.quality_rows import QualityRows
from coordinator.ledger import schema
from coordinator.ledger.feature_store import FeatureSchema, unpack
from coordinator.ledger.samples.panel_store import PanelTable, panel_query, panel_table
from coordinator.ledger.schema_models import ml_feature_schemas, ml_trade_features
from coordinator.ledger.store import Ledger
from coordinator.settings import Settings
from coordinator.signals.candles import timeframe_seconds
from coordinator.signals.feature_schema import FeatureSchema as Columns
from coordinator.signals.panel_features import PANEL_SCHEMA
from coordinator.signals.signal_features import SIGNAL_SCHEMA
from coordinator.types import Bools, Floats, Ints, Times

__all__ = ["SIGNAL_SECTIONS", "Samples", "SignalSamples", "read_samples", "stored_schema"]

SIGNAL_SECTIONS: Final = ("baseline", "regime", "stops", "targets", "costs", "exits", "clocks")
"""Settings that say what a signal is and what became of it: signals of others are left out."""


@dataclass(frozen=True)
class SignalSamples:
    """Signals with the features that the model reads, sorted by time, then pair; arrays of shape (n,).

    Attributes
    ----------
    direction : +1 or -1
    r : outcome in R after costs, NaN while unresolved
    exit_kind : index into ``decision.outcomes.EXITS``
    outcome_time : open of the candle that resolved it, seconds; -1 while unresolved
    taken : whether the run accepted it
    x : shape (n, n_features), NaN where unknown
    """

    time: Times
    pair: npt.NDArray[np.object_]
    direction: Ints
    r: Floats
    exit_kind: Ints
    outcome_time: Times
    taken: Bools
    x: Floats

    def __len__(self) -> int:
        return len(self.time)


@dataclass(frozen=True)
class Samples:
    """What there is on a clock.

    Attributes
    ----------
    rows : what a model learns from, in time order: signals, or the panel (``quality.samples``)
    signals : what it is judged on
    is_panel : whether its score is the probability of a rise, of a short that of a fall
    left_out : signals of runs with other settings of what a signal is
    """

    rows: QualityRows
    signals: SignalSamples
    is_panel: bool
    left_out: int

    def confidence(self, rises: Floats, signals: SignalSamples) -> Floats:
        """A model's scores on signals as confidence in their direction."""
        return np.where(signals.direction > 0, rises, 1.0 - rises) if self.is_panel else rises


def read_samples(ledger: Ledger, settings: Settings, clock: str) -> Samples:
    """All samples of a clock that fit the settings, each once.

    Parameters
    ----------
    settings : of the run, with the fee of its market (``run_settings``)
    """
    own, base = settings.on_clock(clock), timeframe_seconds("1h")
    panel: PanelTable | None = None
    with ledger.database.read() as connection:
        fitting = _runs(connection, settings, _signal_settings)
        rows, left_out = _signal_rows(connection, clock, fitting)
        if own.quality.samples == "panel":
            stored = stored_schema(PANEL_SCHEMA)
            alike = _runs(connection, settings, _panel_settings)
            found = [row for row in connection.execute(panel_query(stored, clock)) if row.run_id in alike]
            panel = panel_table(stored, clock, found)
    signals = _signals(rows)
    if panel is not None:
        signals = _with_panel(signals, panel, own.baseline.clock_seconds)
    learned = _panel_rows(panel, base) if panel is not None else _quality_rows(signals, own, base)
    return Samples(learned, signals, panel is not None, left_out)


def stored_schema(columns: Columns) -> FeatureSchema:
    """A schema of features as the ledger knows it."""
    return FeatureSchema(str(columns.version), columns.names)


def _runs(
    connection: Connection, settings: Settings, part: Callable[[Mapping[str, Any]], dict[str, Any]]
) -> set[int]:
    """Runs whose part of the settings is the same."""
    wanted = part(settings.model_dump(mode="json"))
    runs = connection.execute(select(schema.runs.c.id, schema.runs.c.settings)).all()
    return {int(run_id) for run_id, dumped in runs if part(dumped) == wanted}


def _signal_settings(dumped: Mapping[str, Any]) -> dict[str, Any]:
    return {name: dumped.get(name) for name in SIGNAL_SECTIONS}


def _panel_settings(dumped: Mapping[str, Any]) -> dict[str, Any]:
    """What a panel's label depends on; the costs tell a spot market from a futures one."""
    horizon = dumped.get("quality", {}).get("panel_horizon")
    return {"horizon": horizon, **{name: dumped.get(name) for name in ("clocks", "costs")}}


def _signal_rows(connection: Connection, clock: str, fitting: set[int]) -> tuple[list[Any], int]:
    """Signals with features and outcomes, each pair and time once: a resolved one first, then the newest run's."""
    s, f, o, d = schema.signals, ml_trade_features, schema.outcomes, schema.decisions
    names = ml_feature_schemas
    key = ("run_id", "time", "pair")
    query = (
        select(*(s.c[name] for name in (*key, "direction")), o.c.r, o.c.exit, o.c.time_resolved)
        .add_columns(f.c.features, d.c.accepted)
        .join_from(s, f, and_(*(s.c[name] == f.c[name] for name in key)))
        .join(o, and_(*(s.c[name] == o.c[name] for name in key)))
        .join(d, and_(*(s.c[name] == d.c[name] for name in key)))
        .join(names, names.c.id == f.c.schema_id)
        .where(s.c.clock == clock, names.c.hash == stored_schema(SIGNAL_SCHEMA).hash)
    )
    best: dict[tuple[int, str], Any] = {}
    rows = connection.execute(query).all()
    for row in sorted(rows, key=lambda row: (row.time_resolved is not None, row.run_id)):
        if row.run_id in fitting:
            best[row.time, row.pair] = row
    return [best[key] for key in sorted(best)], sum(row.run_id not in fitting for row in rows)


def _signals(rows: list[Any]) -> SignalSamples:
    resolved = [row.time_resolved is not None for row in rows]
    return SignalSamples(
        time=np.array([row.time for row in rows], dtype=np.int64),
        pair=np.array([row.pair for row in rows], dtype=object),
        direction=np.array([row.direction for row in rows], dtype=np.int64),
        r=np.array(
            [row.r if ok else np.nan for row, ok in zip(rows, resolved, strict=True)], dtype=np.float64
        ),
        exit_kind=np.array([EXITS.index(row.exit or "") for row in rows], dtype=np.int64),
        outcome_time=np.array(
            [row.time_resolved if ok else -1 for row, ok in zip(rows, resolved, strict=True)], dtype=np.int64
        ),
        taken=np.array([row.accepted for row in rows], dtype=bool),
        x=unpack([row.features for row in rows], len(SIGNAL_SCHEMA)),
    )


def _with_panel(signals: SignalSamples, panel: PanelTable, clock_seconds: int) -> SignalSamples:
    """The same signals with the panel's features as known at their candles' close."""
    x = np.full((len(signals), panel.values.shape[1]), np.nan)
    for pair in np.unique(signals.pair.astype(str)):
        own, here = np.flatnonzero(panel.pair == pair), np.flatnonzero(signals.pair == pair)
        if not len(own):
            continue
        last = np.searchsorted(panel.time[own], signals.time[here], side="right") - 1
        fresh = (last >= 0) & (signals.time[here] - panel.time[own[np.maximum(last, 0)]] < clock_seconds)
        x[here[fresh]] = panel.values[own[last[fresh]]]
    return SignalSamples(**{**vars(signals), "x": x})


def _panel_rows(panel: PanelTable, base_seconds: int) -> QualityRows:
    return QualityRows(
        schema=PANEL_SCHEMA,
        x=panel.values,
        time=panel.time,
        outcome_time=panel.known_at,
        r=panel.label,
        exit_kind=np.zeros(len(panel), dtype=np.int64),
        reward_risk=1.0,
        candle_seconds=base_seconds,
    )


def _quality_rows(signals: SignalSamples, settings: Settings, base_seconds: int) -> QualityRows:
    return QualityRows(
        schema=SIGNAL_SCHEMA,
        x=signals.x,
        time=signals.time,
        outcome_time=signals.outcome_time,
        r=signals.r,
        exit_kind=signals.exit_kind,
        reward_risk=settings.targets.reward_risk,
        candle_seconds=base_seconds,
    )
