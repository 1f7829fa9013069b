"""What models learn from, of a run's candles: features of its signals, panel samples, and what the models said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from coordinator.components.market_history import BASE, MarketHistory, row_positions
from coordinator.components.samples import stored_schema
from coordinator.decision.table import SignalTable
from coordinator.learning.panel import panel_part
from coordinator.ledger.feature_store import FeatureTable
from coordinator.ledger.samples.panel_store import PanelTable
from coordinator.ledger.samples.prediction_rows import Said
from coordinator.settings import Settings
from coordinator.signals.candles import open_seconds, timeframe_seconds
from coordinator.signals.clock import CLOCKS
from coordinator.signals.panel_features import PANEL_SCHEMA
from coordinator.signals.signal_features import SIGNAL_SCHEMA
from coordinator.types import Bools

__all__ = ["Predicted", "panel_samples", "said_on_signals", "signal_samples"]


class Predicted(NamedTuple):
    """A pair's frame with the models' columns, and which columns are whose."""

    frame: pd.DataFrame
    columns: Mapping[str, Sequence[str]]


def signal_samples(
    market: MarketHistory, signals: SignalTable, settings: Settings, rows: Bools
) -> FeatureTable:
    """Features (``SIGNAL_SCHEMA``) of some of a run's signals, those on each clock as that clock sees them."""
    pairs, values = (
        np.array(signals.pair_names(), dtype=object),
        np.full((len(signals), len(SIGNAL_SCHEMA)), np.nan),
    )
    for clock in settings.clock_names:
        on_clock = market.on_clock(clock)
        own = rows & (signals.clock == CLOCKS.index(clock))
        if not own.any():
            continue
        for pair, features in on_clock.signals.items():
            here = np.flatnonzero(own & (pairs == pair))
            at = row_positions(on_clock.signal_times(pair), signals.time[here])
            values[here[at >= 0]] = features.values[at[at >= 0]]
    known = rows & np.isfinite(values).any(axis=1)
    return FeatureTable(stored_schema(SIGNAL_SCHEMA), signals.time[known], pairs[known], values[known])


def panel_samples(market: MarketHistory, settings: Settings, begin: int, end: int) -> list[PanelTable]:
    """The panel of [begin, end), seconds, on each clock whose models learn from it."""
    tables, base = [], timeframe_seconds(BASE)
    for clock in settings.clock_names:
        quality = settings.on_clock(clock).quality
        if quality.samples != "panel":
            continue
        on_clock = market.on_clock(clock)
        parts = {
            pair: panel_part(on_clock.clock_of(pair), features, quality.panel_horizon, base)
            for pair, features in on_clock.panel.items()
        }
        chosen = {pair: (part.time >= begin) & (part.time < end) for pair, part in parts.items()}
        names = [np.full(int(rows.sum()), pair, dtype=object) for pair, rows in chosen.items()]
        time, known_at, x, label = (
            np.concatenate([part[place][chosen[pair]] for pair, part in parts.items()]) for place in range(4)
        )
        schema = stored_schema(PANEL_SCHEMA)
        tables.append(PanelTable(schema, clock, time, np.concatenate(names), x, label, known_at))
    return tables


def said_on_signals(
    predicted: Mapping[str, Predicted], signals: SignalTable, rows: Bools, *, pooled: bool
) -> list[Said]:
    """What each component's models said on some signals; where they said nothing there is no row.

    Parameters
    ----------
    pooled : whether one model speaks for all pairs; else each pair's own, under its name ("lstm BTC/USDT")
    """
    said: dict[str, Said] = {}
    pairs = np.array(signals.pair_names(), dtype=object)
    for pair, (frame, columns) in predicted.items():
        times = signals.time[rows & (pairs == pair)]
        at = row_positions(open_seconds(frame), times)
        found = frame.iloc[at[at >= 0]]
        for component, names in columns.items():
            if not set(names) <= set(found):
                continue
            values = found[list(names)].to_numpy(dtype=np.float64)
            # FreqAI fills with zeros where there is no prediction.
            spoke = np.flatnonzero(np.isfinite(values).all(axis=1) & (values != 0).any(axis=1))
            own = component if pooled or component.startswith("quality") else f"{component} {pair}"
            before = said.setdefault(own, Said(own, [], [], []))
            said[own] = Said(
                own,
                [*before.times, *times[at >= 0][spoke].tolist()],
                [*before.pairs, *[pair] * len(spoke)],
                [*before.values, *(dict(zip(names, row, strict=True)) for row in values[spoke].tolist())],
            )
    return list(said.values())
