"""Dynamic reward:risk: its mode and range, what it made of the last signals, and outcomes by market and by level."""

from __future__ import annotations

from coordinator.reports.rolling.improvements import regime_table, reward_risk_table
from coordinator.reports.rolling.summary import WINDOW_DAYS
from coordinator.run.improvements import DYNAMIC_REWARD_RISK
from coordinator.status.base import Cell, Figures, View, figures, iso
from coordinator.status.improvement import (
    LastSignal,
    comparison,
    effective_mode,
    last_signals,
    last_text,
    trusted_range,
)
from coordinator.status.phone import fields, join_parts, percent, plain, table, wrap
from coordinator.status.source import NOTHING_YET, Source

__all__ = ["RewardRisk", "read_reward_risk", "reward_risk_text"]


class RewardRisk(View):
    """Reward:risk: ``base`` from the settings, adjusted between ``minimum`` and ``maximum`` as far as trusted."""

    days: int
    mode: str
    targets: bool
    base: float
    minimum: float
    maximum: float
    trusted_range: float | None = None
    end: str | None = None
    signals: list[LastSignal] = []
    by_market: Figures | None = None
    by_level: Figures | None = None
    comparison: Figures | None = None


def read_reward_risk(source: Source, days: int = WINDOW_DAYS) -> RewardRisk:
    """The view of the last ``days``."""
    own = source.settings.improvements.dynamic_reward_risk
    mode = effective_mode(source.settings, DYNAMIC_REWARD_RISK)
    targets = source.settings.targets
    base = RewardRisk(
        days=days,
        mode=mode,
        targets=targets.enabled,
        base=targets.reward_risk,
        minimum=own.minimum,
        maximum=own.maximum,
        trusted_range=None if mode == "off" else trusted_range(source, DYNAMIC_REWARD_RISK),
    )
    found = source.window()
    if found is None:
        return base.model_copy(update={"note": NOTHING_YET})
    run, until = found
    return base.model_copy(
        update={
            "end": iso(until),
            "signals": last_signals(source, DYNAMIC_REWARD_RISK),
            "by_market": figures(regime_table(run, until, days)),
            "by_level": figures(reward_risk_table(run, until, days)),
            "comparison": comparison(run, until, days, (DYNAMIC_REWARD_RISK,)),
        }
    )


def reward_risk_text(view: RewardRisk) -> str:
    """For a phone."""
    head = [
        ("Dynamic reward:risk", view.mode),
        ("Base", plain(view.base)),
        ("Range", f"{view.minimum:g} to {view.maximum:g}"),
        ("Trusted with", percent(view.trusted_range) if view.mode != "off" else "–"),
        ("Targets", "on" if view.targets else "off: none is set"),
    ]
    return join_parts(
        fields(head),
        wrap(view.note),
        last_text(view.signals),
        _outcomes(view.by_market, "Market", f"Markets, {view.days} days"),
        _outcomes(view.by_level, "R:R", "By reward:risk"),
    )


def _outcomes(part: Figures | None, first: str, title: str) -> str:
    if part is None or not part.rows:
        return ""
    rows = [
        (
            str(row[first]).replace("_", " "),
            str(row["Outcomes"]),
            percent(_float(row["Win rate"])),
            plain(_float(row["Mean R"])),
            plain(_float(row["Profit factor"]), 1),
        )
        for row in part.rows
        if row["Outcomes"]
    ]
    if not rows:
        return f"{title}: no outcomes yet"
    return f"{title}\n{table((first, 'N', 'Won', 'R', 'PF'), rows)}"


def _float(cell: Cell) -> float | None:
    return cell if isinstance(cell, float) else None
