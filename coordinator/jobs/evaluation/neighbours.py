"""How easily the baseline breaks: each of its parameters a quarter smaller and larger."""

from __future__ import annotations

from typing import Any

from coordinator.settings import Settings

__all__ = ["neighbours"]

MOVED: dict[str, type | tuple[int, ...]] = {
    "baseline.fast_channel": int,
    "baseline.exit_channel": int,
    "baseline.slow_channel": int,
    "baseline.trend_ma": (20, 100),
    "baseline.fast_clearance": float,
    "baseline.slow_clearance": float,
    "baseline.adx_period": int,
    "baseline.adx_trend": float,
    "baseline.momentum_period": int,
    "baseline.momentum_sigmas": float,
    "baseline.ema_fast": int,
    "baseline.ema_slow": int,
    "regime.gate_average": int,
    "stops.atr_multiple": float,
    "targets.horizon": int,
    "sizing.risk_per_trade": float,
    "portfolio.max_positions": int,
}
"""What is moved by a quarter either way: its type, or the neighbours that the document's list has."""


def neighbours(settings: Settings) -> list[tuple[str, dict[str, Any]]]:
    """Each parameter three quarters and five quarters as large: name and changes of the section.

    A neighbour may be out of its bounds; the run that is asked for it says so.
    """
    out = []
    for path, kind in MOVED.items():
        section, name = path.split(".")
        base = getattr(getattr(settings, section), name)
        if base is None:
            continue
        values = kind if isinstance(kind, tuple) else [_moved(base, kind, factor) for factor in (0.75, 1.25)]
        out += [(f"{path} {base} → {value}", {section: {name: value}}) for value in values if value != base]
    return out


def _moved(base: float, kind: type, factor: float) -> float:
    return round(base * factor, 6) if kind is float else round(base * factor)
