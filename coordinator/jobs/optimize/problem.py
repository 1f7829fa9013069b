"""What is searched: a market, periods, parameters, an objective, and the jobs they make."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from coordinator import __version__
from coordinator.jobs.backtest_worker import PATHS, Market, market_config
from coordinator.jobs.optimize.evaluate import Job
from coordinator.jobs.optimize.folds import Periods, divide
from coordinator.jobs.optimize.parameters import Parameter, Value, with_values
from coordinator.jobs.run_plan import RunPlan
from coordinator.settings import run_settings
from coordinator.settings.predictions import PREDICTED_FROM

__all__ = ["STRATEGIES", "Problem", "define_problem"]

STRATEGIES = ("MLCoordinator", "TechnicalBaseline")
ML_STRATEGY = STRATEGIES[0]
ASIDE = (
    *(*PATHS, "user_data_dir", "$schema", "add_config_files", "bot_name", "db_url", "exchange", "internals"),
    *("api_server", "telegram", "discord", "webhook", "external_message_consumer"),
)
"""Keys that may differ between the machines of a study: they change no backtest (the pairs are compared apart)."""


@dataclass(frozen=True)
class Problem:
    """A search's question.

    Attributes
    ----------
    plan : RunPlan
        Pairs, timerange and settings, checked.
    market : Market
        What all its backtests share.
    periods : Periods
    parameters : tuple of Parameter
    objective : str
        A key of :data:`~coordinator.jobs.optimize.figures.LIMITS`.
    candles : the plan's ``candle_digest``
    """

    plan: RunPlan
    market: Market
    periods: Periods
    parameters: tuple[Parameter, ...]
    objective: str
    candles: str

    def section(self, values: Mapping[str, Value]) -> dict[str, Any]:
        """The "coordinator" section with values in their places."""
        return with_values(self.plan.config.get("coordinator"), values)

    def fold_job(self, values: Mapping[str, Value], fold: int) -> Job:
        """The backtest of one fold."""
        part = self.periods.folds[fold]
        return self._job(values, part.start, part.split, part.end)

    def holdout_job(self, values: Mapping[str, Value]) -> Job:
        """The backtest of the holdout."""
        return self._job(values, self.periods.holdout_start, None, self.periods.holdout_end)

    @property
    def changes_predictions(self) -> list[str]:
        """Parameters each of whose values needs models of its own (MLCoordinator only)."""
        if not self._has_models:
            return []
        return [p.name for p in self.parameters if p.name.split(".")[0] in PREDICTED_FROM]

    @property
    def _has_models(self) -> bool:
        return bool((self.market.config.get("freqai") or {}).get("enabled"))

    def _job(
        self, values: Mapping[str, Value], start: datetime, split: datetime | None, end: datetime
    ) -> Job:
        section, identifier = self.section(values), None
        if self._has_models:
            settings = run_settings({**self.market.config, "coordinator": section})
            # What the predictions of this timerange depend on: trials that share it share them.
            identifier = replace(self.plan, start=start, end=end, settings=settings).identifier(self.candles)
        return Job(self.market, start, split, end, section, identifier)

    def about(self) -> dict[str, Any]:
        """What everybody who joins the study must agree on."""
        return {
            "strategy": self.market.strategy,
            "objective": self.objective,
            "trading mode": self.plan.trading_mode,
            "pairs": list(self.plan.pairs),
            "folds": [str(fold) for fold in self.periods.folds],
            "holdout": f"{self.periods.holdout_start:%Y-%m-%d} .. {self.periods.holdout_end:%Y-%m-%d}",
            "parameters": [str(parameter) for parameter in self.parameters],
            "candles and config": self.market.key,
        }


def define_problem(
    plan: RunPlan,
    strategy: str,
    user_data: Path,
    parameters: tuple[Parameter, ...],
    objective: str,
    folds: int,
) -> Problem:
    """A problem over a plan; the newest fifth of its timerange is the holdout."""
    periods = divide(plan.start, plan.end, folds)
    config = market_config(plan, strategy, trains=strategy == ML_STRATEGY)
    candles = plan.candle_digest()
    key = _hash(config, parameters, candles)
    market = Market(
        key, config, strategy, plan.datadir.resolve(), user_data.resolve(), plan.pairs, plan.trading_mode
    )
    return Problem(plan, market, periods, parameters, objective, candles)


def _hash(config: Mapping[str, Any], parameters: tuple[Parameter, ...], candles: str) -> str:
    """Hash of the version, the candles, and the config but for what is tuned and what changes no backtest."""
    known = {name: value for name, value in config.items() if name not in ASIDE}
    known["coordinator"] = with_values(
        known.get("coordinator"), {parameter.name: "tuned" for parameter in parameters}
    )
    content = json.dumps([__version__, known, candles], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()[:16]
