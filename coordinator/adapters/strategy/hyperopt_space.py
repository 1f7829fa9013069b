"""Hyperopt's space "coordinator": the documented parameters (spec 002), their ranges, and the settings they change.

Those of the baseline change which signals there are, so they can be tuned where no model was trained on the signals:
with TechnicalBaseline.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from freqtrade.strategy import CategoricalParameter, DecimalParameter, IntParameter

from coordinator.settings import Settings

__all__ = ["hyperopt_parameters", "tuned_settings"]

MOST_POSITIONS = 12  # spec 002; where the settings have no limit it stands for none


def hyperopt_parameters(settings: Settings, *, uses_ml: bool) -> dict[str, Any]:
    """Freqtrade's parameters by attribute name; their defaults are the settings'.

    Parameters
    ----------
    uses_ml : whether models judge the signals: then what changes the signals is not tuned; without, no gate that
        only judged signals meet
    """
    s, own = settings, {"space": "coordinator", "optimize": True, "load": True}
    signals = {**own, "optimize": not uses_ml}
    gate = {**own, "optimize": uses_ml or s.decision.baseline_threshold is None}
    positions = s.portfolio.max_positions
    return {
        "threshold": DecimalParameter(0.60, 0.85, default=s.decision.threshold, decimals=2, **gate),
        "risk_per_trade": DecimalParameter(0.005, 0.015, default=s.sizing.risk_per_trade, decimals=4, **own),
        "max_positions": IntParameter(
            4, MOST_POSITIONS, default=MOST_POSITIONS if positions is None else positions, **own
        ),
        "trend_ma": CategoricalParameter([20, 50, 100], default=s.baseline.trend_ma, **signals),
        "exit_ma": CategoricalParameter([20, 50], default=s.baseline.exit_ma, **signals),
        "fast_clearance": DecimalParameter(
            0.0, 0.02, default=s.baseline.fast_clearance, decimals=3, **signals
        ),
        "slow_clearance": DecimalParameter(
            0.005, 0.025, default=s.baseline.slow_clearance, decimals=3, **signals
        ),
        "hard_stop_atr_mult": DecimalParameter(1.5, 4.0, default=s.stops.atr_multiple, decimals=1, **signals),
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
