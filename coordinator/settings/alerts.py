"""Settings of a bot's messages: which alerts it sends, their limits, and the daily summary."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeAlias

from pydantic import Field

from coordinator.settings.base import Section

__all__ = ["AlertKind", "AlertSettings", "Tell"]

AlertKind: TypeAlias = Literal[
    "weight", "breaker", "promotion", "drift", "training", "improvement", "guard", "hedge", "anomaly"
]
Tell: TypeAlias = Callable[[AlertKind, str, str], None]
"""Tells the user: kind, cause and message. What has the same kind and cause is told once."""


class AlertSettings(Section):
    """Messages through Freqtrade's own channels (Telegram, Discord, webhook), each once per cause.

    A channel takes them where its ``allow_custom_messages`` is true. What was told is kept in the ledger.
    """

    enabled: bool = Field(True, description="false: none of these messages, the daily summary included")
    weight: bool = Field(True, description="changes of ML's phase and weight")
    breaker: bool = Field(True, description="ML fell back to shadow: a breaker, or a cut that left nothing")
    promotion: bool = Field(True, description="a new model has become champion")
    drift: bool = Field(True, description="a model has drifted")
    training: bool = Field(True, description="a training or a component failed")
    improvement: bool = Field(True, description="an improvement was switched off")
    guard: bool = Field(
        True, description="an entry was refused by a limit of the portfolio, once a day, pair and reason"
    )
    hedge: bool = Field(True, description="the hedge was switched on or off")
    anomaly: bool = Field(True, description="a silent exchange or pair, a stale model, no signal for days")
    silent_hours: float = Field(
        2.0, ge=0.5, le=168, description="hours without a new closed candle after which it is silent"
    )
    stale_model_days: int = Field(
        45,
        ge=1,
        le=3650,
        description="a champion whose newest training sample is older is stale; a label of ten days and the "
        "slices a training holds back are part of the age",
    )
    no_signal_days: float = Field(
        14.0, ge=0.5, le=365, description="days without any signal, taken or not, on all pairs together"
    )
    daily_summary: bool = Field(True, description="one summary a day")
    daily_hour: int = Field(7, ge=0, le=23, description="hour from which the day's summary is sent, UTC")
