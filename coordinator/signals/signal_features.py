"""The features of signals: what the signal-quality models learn from, named, versioned and pair-neutral.

A feature belongs to a group; a group is one function and one line in ``GROUPS``. Everything is causal and looks back
over finite windows (or averages that forget within the 999 candles an exchange serves), so a live bot's frame gives
the numbers that the whole history gives: tests/signals/test_signal_features.py holds both to 1e-9.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from coordinator.signals.breaks import follows_break
from coordinator.signals.cross_section import CROSS_FEATURES, CrossSection, cross_features, cross_section
from coordinator.signals.feature_schema import FeatureSchema
from coordinator.signals.higher_features import HIGHER_FEATURES, higher_features
from coordinator.signals.own_features import (
    CANDLE_FEATURES,
    SIGNAL_OWN_FEATURES,
    candle_features,
    signal_own_features,
)
from coordinator.signals.pair_view import PairView
from coordinator.signals.reference_features import REFERENCE_FEATURES, reference_features
from coordinator.types import Floats, Ints

__all__ = ["GROUPS", "SIGNAL_SCHEMA", "FeatureGroup", "SignalFeatures", "signal_features"]

VERSION = 1
LONGEST_WINDOW = 168  # candles that a feature of the signal's own candles looks back on, at most
LIMIT = 20.0  # an untested market must not send a linear model to infinity


@dataclass(frozen=True)
class Market:
    """What a group may look at besides the pair itself: the reference pair and all pairs side by side."""

    pair: str
    reference: PairView | None
    section: CrossSection


@dataclass(frozen=True)
class FeatureGroup:
    """Features that come and go together (an ablation drops a group).

    Attributes
    ----------
    names : tuple of str
    compute : callable
        (view, market) to a dict of these names, each an ndarray of shape (n_signals,), NaN where unknown.
    """

    names: tuple[str, ...]
    compute: Callable[[PairView, Market], dict[str, Floats]]


GROUPS: dict[str, FeatureGroup] = {
    "candle": FeatureGroup(CANDLE_FEATURES, lambda view, market: candle_features(view)),
    "signal": FeatureGroup(SIGNAL_OWN_FEATURES, lambda view, market: signal_own_features(view)),
    "higher": FeatureGroup(HIGHER_FEATURES, lambda view, market: higher_features(view)),
    "reference": FeatureGroup(
        REFERENCE_FEATURES, lambda view, market: reference_features(view, market.reference)
    ),
    "cross": FeatureGroup(
        CROSS_FEATURES, lambda view, market: cross_features(market.pair, view, market.section)
    ),
}

SIGNAL_SCHEMA = FeatureSchema(tuple(name for group in GROUPS.values() for name in group.names), VERSION)


@dataclass(frozen=True)
class SignalFeatures:
    """Features of one pair's signals.

    Attributes
    ----------
    index : ndarray of int, shape (n_signals,)
        Candles of the signals.
    values : ndarray of float, shape (n_signals, len(SIGNAL_SCHEMA))
        -20..20, NaN where unknown.
    """

    index: Ints
    values: Floats


def signal_features(
    views: Mapping[str, PairView], reference: str | None = "BTC/USDT"
) -> dict[str, SignalFeatures]:
    """The feature matrix of every pair's signals, columns as in ``SIGNAL_SCHEMA``.

    Parameters
    ----------
    views : mapping of pair to PairView
        All of one timeframe. Ranks and breadth are taken over these pairs.
    reference : str, optional
        The pair whose state and correlation are features; where it is None or not among the views they are NaN.
    """
    if not views:
        return {}
    section = cross_section(views)
    leader = None if reference is None else views.get(reference)
    out = {}
    for pair, view in views.items():
        market = Market(pair, leader, section)
        columns: dict[str, Floats] = {}
        with np.errstate(invalid="ignore", divide="ignore"):
            for group in GROUPS.values():
                columns |= group.compute(view, market)
        values = np.column_stack([columns[name] for name in SIGNAL_SCHEMA.names]).astype(np.float64)
        values[~np.isfinite(values)] = np.nan
        values[follows_break(view.candles, LONGEST_WINDOW)[view.index]] = np.nan
        out[pair] = SignalFeatures(view.index, np.clip(values, -LIMIT, LIMIT))
    return out
