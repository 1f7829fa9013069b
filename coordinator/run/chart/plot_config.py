"""FreqUI's plot config (Load, From strategy): few lines a subplot, and only of components that this run has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from coordinator.decision.voting import ML_COMPONENTS
from coordinator.run.chart.colors import AMBER, BLUE, COMPONENT_COLORS, GRAY, GREEN, RED, TEAL, VIOLET
from coordinator.settings.exits import ExitsSettings

__all__ = ["plot_config"]


def plot_config(components: Sequence[str], exits: ExitsSettings, *, can_short: bool) -> dict[str, Any]:
    """Main plot and subplots.

    Parameters
    ----------
    components : those of ML; empty in a run without it
    """
    main = {"trend_ma": {"color": AMBER}, "entry_high": {"color": GREEN}}
    if can_short:
        main["entry_low"] = {"color": GREEN}
    if exits.channel:
        main |= {name: {"color": RED} for name in (("exit_low", "exit_high") if can_short else ("exit_low",))}
    if exits.moving_average:
        main["exit_ma"] = {"color": GRAY}
    subplots: dict[str, Any] = {
        "confidence": {
            "unified_confidence": _points(BLUE),
            "threshold": {"color": GRAY, "type": "line"},
        }
    }
    if components:
        named = [name for name in ML_COMPONENTS if name in {*components, "fusion", "selector"}]
        subplots["votes"] = {
            f"{name}_vote": _points(COMPONENT_COLORS[name]) for name in ("technical", *named)
        }
        subplots["ML weight"] = {"ml_weight": {"color": VIOLET, "type": "line"}}
    subplots["expected R"] = {"expected_r": _points(TEAL)}
    return {"main_plot": main, "subplots": subplots}


def _points(color: str) -> dict[str, Any]:
    return {"color": color, "type": "scatter", "scatterSymbolSize": 6}
