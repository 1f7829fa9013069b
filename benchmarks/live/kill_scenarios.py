"""What a bot is doing when `python -m benchmarks live.replay_kills` kills it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from benchmarks.live.plan import make_plan
from coordinator.candles.files import TradingMode
from coordinator.jobs.run_plan import RunPlan
from coordinator.sandbox.spec import MarketSpec

__all__ = ["SCENARIOS", "Scenario"]

END: Final = datetime(2023, 3, 20, tzinfo=UTC)


@dataclass(frozen=True)
class Scenario:
    """A bot's work of some days.

    Attributes
    ----------
    strategy : class name
    timerange : the days
    coordinator, freqai : over the shipped sections; without ``freqai`` nothing is trained
    trading_mode : spot or futures
    days : of candles before the end of the market
    kills : of a hundred
    kills_a_run : at most; runs follow until there were kills enough
    startup : seconds that a process needs on a free core before it can be killed at work
    """

    strategy: str
    timerange: str
    coordinator: Mapping[str, Any]
    kills: int
    kills_a_run: int
    freqai: Mapping[str, Any] = field(default_factory=dict)
    trading_mode: TradingMode = "spot"
    days: int = 78
    startup: float = 8.0

    @property
    def market(self) -> MarketSpec:
        """The simulated candles."""
        start = datetime.fromtimestamp(END.timestamp() - 86_400 * self.days, UTC)
        return MarketSpec(pairs=("BTC/USDT", "ETH/USDT", "SOL/USDT"), start=start, end=END, seed=11)

    def plan(self, folder: Path) -> RunPlan:
        """The work as a bot's plan."""
        freqai = {"enabled": bool(self.freqai), **self.freqai}
        return make_plan(
            folder, self.market, self.timerange, self.coordinator, self.trading_mode, freqai=freqai
        )


HOURLY: Final[dict[str, Any]] = {
    "baseline": {"clock": "1h"},
    "regime": {"gate": "off"},
    "decision": {"require_positive_expectancy": False},
}
SCENARIOS: Final[dict[str, Scenario]] = {
    # Open plans, pending tranches, scale-outs, trailing stops, following targets, adaptive thresholds.
    "plans": Scenario(
        strategy="TechnicalBaseline",
        timerange="20230301-20230308",
        coordinator={
            **HOURLY,
            "dca": {"enabled": True},
            "stops": {"trailing_start": 0.5},
            "targets": {"enabled": True, "horizon": 48},
            "exits": {"scale_out": {"mode": "on"}, "channel": True, "momentum_reversal": {"mode": "on"}},
            "thresholds": {"mode": "on"},
            "improvements": {"volatility_sizing": {"mode": "on"}, "dynamic_reward_risk": {"mode": "on"}},
        },
        kills=60,
        kills_a_run=10,
    ),
    "hedge": Scenario(
        strategy="TechnicalBaseline",
        timerange="20230301-20230308",
        coordinator={
            **HOURLY,
            "dca": {"enabled": True},
            "portfolio": {"hedge": {"mode": "on", "drawdown": 0.005, "tolerance": 0.1, "peak_days": 5}},
        },
        kills=20,
        kills_a_run=10,
        trading_mode="futures",
    ),
    # A training every day, which is half of the bot's time.
    "training": Scenario(
        strategy="MLCoordinator",
        timerange="20230301-20230305",
        coordinator={
            **HOURLY,
            "learning": {"components": ["lstm", "fusion", "quality"], "fast_start_days": 0},
            "quality": {"trees": 200, "leaf_samples": 50, "label": "target"},
        },
        kills=20,
        kills_a_run=10,
        freqai={"train_period_days": 90, "backtest_period_days": 1},
        days=170,
        startup=15.0,
    ),
}
