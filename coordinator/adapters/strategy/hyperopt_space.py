"""Hyperopt's parameters: those documented (spec 002), their spaces and ranges, and the settings they change.

Those of the baseline change which signals there are, so they can be tuned where no model was trained on the signals:
with TechnicalBaseline.

A Freqtrade parameter has one space, and ours can be asked for in two ways: all of them as the space "coordinator", or
each in the standard space it belongs to (:data:`STANDARD`). So the space is chosen when a strategy is built, by what
hyperopt was asked for, and the values of a parameter file are moved to it: a file that was exported from either opens
in backtests, in bots and in the next hyperopt, whatever spaces that one tunes.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from freqtrade.strategy import CategoricalParameter, DecimalParameter, IntParameter

from coordinator.settings import Settings

__all__ = ["OWN_SPACE", "STANDARD", "hyperopt_parameters", "move_parameters", "spaces", "tuned_settings"]

MOST_POSITIONS = 12  # spec 002; where the settings have no limit it stands for none
OWN_SPACE = "coordinator"
STANDARD = {
    "threshold": "buy",
    "risk_per_trade": "buy",
    "trend_ma": "buy",
    "fast_clearance": "buy",
    "slow_clearance": "buy",
    "exit_ma": "sell",
    "hard_stop_atr_mult": "sell",
    "max_positions": "protection",
}
"""Freqtrade's own space of each parameter."""


def spaces(asked: Collection[str]) -> dict[str, str]:
    """The space of each parameter, by name.

    Parameters
    ----------
    asked : hyperopt's ``--spaces``; empty in a backtest or a bot. "all" and "default" mean Freqtrade's own.

    Examples
    --------
    >>> sorted(set(spaces(["coordinator"]).values())), sorted(set(spaces(["buy", "sell"]).values()))
    (['coordinator'], ['buy', 'protection', 'sell'])
    >>> spaces(["coordinator", "protection"])["max_positions"]
    'protection'
    """
    whole = OWN_SPACE in asked and not {"all", "default"} & set(asked)
    return {name: OWN_SPACE if whole and space not in asked else space for name, space in STANDARD.items()}


def move_parameters(params: Mapping[str, Any], space_of: Mapping[str, str]) -> dict[str, Any]:
    """The "params" of a parameter file with the values of our parameters in the spaces where they are looked up.

    A value that is in its space already stays; all that is not ours is left alone.

    Examples
    --------
    >>> move_parameters({"coordinator": {"exit_ma": 50}, "buy": {"mine": 1}}, spaces([]))
    {'buy': {'mine': 1}, 'sell': {'exit_ma': 50}}
    """
    moved = {
        space: dict(values) if isinstance(values, Mapping) else values for space, values in params.items()
    }
    for name, space in space_of.items():
        for other in {OWN_SPACE, STANDARD[name]} - {space}:
            if name in moved.get(other, {}):
                moved.setdefault(space, {}).setdefault(name, moved[other].pop(name))
                moved[other].pop(name, None)
    return {space: values for space, values in moved.items() if space != OWN_SPACE or values}


def hyperopt_parameters(settings: Settings, *, uses_ml: bool, asked: Collection[str] = ()) -> dict[str, Any]:
    """Freqtrade's parameters by attribute name; their defaults are the settings'.

    Parameters
    ----------
    uses_ml : whether models judge the signals: then what changes the signals is not tuned; without, no gate that
        only judged signals meet
    asked : as for :func:`spaces`
    """
    s, space_of = settings, spaces(asked)
    gated = uses_ml or s.decision.baseline_threshold is None
    untuned = set() if gated else {"threshold"}
    if uses_ml:
        untuned |= {"trend_ma", "exit_ma", "fast_clearance", "slow_clearance", "hard_stop_atr_mult"}

    def own(name: str) -> dict[str, Any]:
        return {"space": space_of[name], "optimize": name not in untuned, "load": True}

    def decimal(name: str, low: float, high: float, default: float, decimals: int) -> DecimalParameter:
        return DecimalParameter(low, high, default=default, decimals=decimals, **own(name))

    positions = MOST_POSITIONS if s.portfolio.max_positions is None else s.portfolio.max_positions
    return {
        "threshold": decimal("threshold", 0.60, 0.85, s.decision.threshold, 2),
        "risk_per_trade": decimal("risk_per_trade", 0.005, 0.015, s.sizing.risk_per_trade, 4),
        "max_positions": IntParameter(4, MOST_POSITIONS, default=positions, **own("max_positions")),
        "trend_ma": CategoricalParameter([20, 50, 100], default=s.baseline.trend_ma, **own("trend_ma")),
        "exit_ma": CategoricalParameter([20, 50], default=s.baseline.exit_ma, **own("exit_ma")),
        "fast_clearance": decimal("fast_clearance", 0.0, 0.02, s.baseline.fast_clearance, 3),
        "slow_clearance": decimal("slow_clearance", 0.005, 0.025, s.baseline.slow_clearance, 3),
        "hard_stop_atr_mult": decimal("hard_stop_atr_mult", 1.5, 4.0, s.stops.atr_multiple, 1),
    }


def tuned_settings(settings: Settings, parameters: Mapping[str, Any], *, uses_ml: bool) -> Settings:
    """The settings with the parameters' values, and the modes that the global switches leave.

    Parameters
    ----------
    parameters : as ``hyperopt_parameters`` gives them, among others
    uses_ml : False switches the selector off, a strategy without ML has none
    """
    s, effective = settings, settings.improvements.effective
    untuned = hyperopt_parameters(settings, uses_ml=uses_ml)

    def tuned(**values: Any) -> dict[str, Any]:
        """Of parameters by name, with the settings' values: the tuned one, where there is one.

        Freqtrade rounds a default to the steps of its parameter, so one that was not tuned would change the setting.
        """
        found = {name: parameters[name].value for name in values}
        return {name: values[name] if found[name] == untuned[name].value else found[name] for name in values}

    b = s.baseline
    sizing = {
        **tuned(risk_per_trade=s.sizing.risk_per_trade),
        "kelly_mode": effective(s.sizing.kelly_mode),
        "earned": _switched(s.sizing.earned, effective),
        "volatility_target": _switched(s.sizing.volatility_target, effective),
    }
    changes: dict[str, dict[str, Any]] = {
        "decision": tuned(threshold=s.decision.threshold),
        "baseline": tuned(
            trend_ma=b.trend_ma,
            exit_ma=b.exit_ma,
            fast_clearance=b.fast_clearance,
            slow_clearance=b.slow_clearance,
        ),
        "stops": {"atr_multiple": tuned(hard_stop_atr_mult=s.stops.atr_multiple)["hard_stop_atr_mult"]},
        "sizing": sizing,
        "portfolio": tuned(max_positions=s.portfolio.max_positions),
        "thresholds": {"mode": effective(s.thresholds.mode)},
        "selector": {"enabled": s.selector.enabled and uses_ml},
    }
    return s.model_copy(
        update={name: getattr(s, name).model_copy(update=change) for name, change in changes.items()}
    )


def _switched(section: Any, effective: Any) -> Any:
    return section.model_copy(update={"mode": effective(section.mode)})
