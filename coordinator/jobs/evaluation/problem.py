"""The accounts of an evaluation as backtests, each as soon as what it needs is known."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import coordinator
from coordinator.adapters import controls
from coordinator.adapters.backtesting.sample_strategy import sample_strategy_folder
from coordinator.adapters.configuration import with_changes
from coordinator.jobs.backtest_worker import PATHS, Market, market_config
from coordinator.jobs.evaluation.random_entries import CALIBRATIONS, random_variants
from coordinator.jobs.evaluation.variants import SAMPLE, Sizes, Variant, all_variants
from coordinator.jobs.optimize.problem import ASIDE
from coordinator.jobs.run_plan import RunPlan
from coordinator.reports.evaluation.account_run import AccountRun
from coordinator.reports.evaluation.evaluation import BASELINE, ML
from coordinator.settings import Settings, run_settings

__all__ = ["AccountJob", "EvaluationProblem", "define_evaluation"]

LONGEST = 3  # trainings come first


@dataclass(frozen=True)
class AccountJob:
    """A backtest to run.

    Attributes
    ----------
    start, end : midnights UTC, end excluded
    changes : over Freqtrade's config, top-level keys whole
    identifier : FreqAI's, None where nothing trains
    priority : of jobs that are ready at once the highest goes first
    """

    variant: Variant
    market: Market
    start: datetime
    end: datetime
    changes: Mapping[str, Any]
    identifier: str | None
    priority: int


@dataclass(frozen=True)
class EvaluationProblem:
    """What is evaluated: a plan's candles, timerange and settings, and the variants.

    Attributes
    ----------
    key : hash of the code, the candles, the timerange and the config; names the folder of the accounts
    variants : all but the random entries
    candles : the plan's ``candle_digest``
    """

    plan: RunPlan
    key: str
    plain: Market
    trained: Market
    variants: tuple[Variant, ...]
    sizes: Sizes
    candles: str

    @property
    def size(self) -> int:
        """How many accounts there are."""
        return len(self.variants) + self._seeds + (CALIBRATIONS if self._seeds else 0)

    @property
    def _seeds(self) -> int:
        return self.sizes.random if "random" in self.sizes.groups else 0

    def ready(self, done: Mapping[str, AccountRun]) -> list[Variant]:
        """All variants that can be run, or have been, now that some are done.

        One that takes another's predictions is not run where that one failed: it would train, and fail, again.
        """
        found = []
        for variant in self.variants:
            first = self._shares_predictions_of(variant)
            if first is None or (first in done and not done[first].problem):
                found.append(variant)
        return [*found, *random_variants(done, self._seeds)]

    def job(self, variant: Variant) -> AccountJob:
        """The backtest of a variant.

        Raises
        ------
        CoordinatorError
            If its settings are refused.
        """
        fee = self.plan.settings.costs.fee * variant.fees
        section = with_changes(self.plan.config.get("coordinator") or {}, variant.settings)
        changes: dict[str, Any] = {"strategy": variant.strategy, "coordinator": section, "fee": fee}
        market = self.trained if variant.trains else self.plain
        settings = run_settings({**market.config, **changes})
        start = self.plan.start + timedelta(days=variant.days_later)
        if variant.strategy == SAMPLE:
            changes["strategy_path"] = str(sample_strategy_folder())
        if variant.entries is not None:
            asked = {"seed": variant.seed, "from": f"{start:%Y-%m-%d}", **variant.entries}
            changes |= {"strategy_path": _controls(), "random_entries": asked}
        identifier = None
        if variant.trains:
            identifier = self._identifier(variant, settings)
            if variant.control is not None:
                changes |= {
                    "freqaimodel": "ControlClassifier",
                    "freqaimodel_path": _controls(),
                    "control": {"kind": variant.control, "seed": variant.seed},
                }
        return AccountJob(variant, market, start, self.plan.end, changes, identifier, self._priority(variant))

    def _identifier(self, variant: Variant, settings: Settings) -> str:
        name = replace(self.plan, settings=settings).identifier(self.candles)
        return name if variant.control is None else f"{name}-{variant.control}-{variant.seed}"

    def _shares_predictions_of(self, variant: Variant) -> str | None:
        """The variant whose predictions it takes from the store, which is to run before it."""
        if not variant.trains or variant.name == ML or variant.fees > 1 or variant.group == "models":
            return None
        if variant.control is None:
            return ML
        same = (
            one.name for one in self.variants if (one.control, one.seed) == (variant.control, variant.seed)
        )
        first = next(same)
        return None if first == variant.name else first

    def _priority(self, variant: Variant) -> int:
        if variant.trains and variant.control in (None, "shuffled"):
            return LONGEST if self._shares_predictions_of(variant) is None else 1
        return 2 if variant.name == BASELINE else 0


def define_evaluation(plan: RunPlan, user_data: Path, sizes: Sizes) -> EvaluationProblem:
    """The evaluation of a plan; without FreqAI in its config, of everything but ML."""
    ml = bool((plan.config.get("freqai") or {}).get("enabled"))
    plain = market_config(plan, BASELINE, trains=False)
    trained = market_config(plan, ML, trains=True)
    candles = plan.candle_digest()
    key = _hash(plan, candles)
    market = Market(
        key, plain, BASELINE, plan.datadir.resolve(), user_data.resolve(), plan.pairs, plan.trading_mode
    )
    with_ml = replace(market, key=f"{key}-ml", config=trained, strategy=ML)
    variants = all_variants(plan.settings, sizes, (plan.end - plan.start).days, ml=ml)
    return EvaluationProblem(plan, key, market, with_ml, variants, sizes, candles)


def _controls() -> str:
    return str(Path(controls.__file__).parent)


def _hash(plan: RunPlan, candles: str) -> str:
    """Hash of everything an account depends on but for its variant; of the code, so that no old one is shown."""
    config = {name: plan.config.get(name) for name in sorted(plan.config) if name not in ASIDE}
    known = [config, plan.overlay["exchange"], plan.timerange, plan.trading_mode, candles]
    content = hashlib.sha256(json.dumps(known, sort_keys=True, default=str).encode())
    library = Path(coordinator.__file__).parent
    own = [path for path in library.rglob("*.py") if not _only_shows(path.relative_to(library).as_posix())]
    loaded = (
        path for name in PATHS if plan.config.get(name) for path in Path(plan.config[name]).glob("*.py")
    )
    for path in sorted((*own, *loaded)):
        content.update(path.read_bytes())
    return content.hexdigest()[:16]


def _only_shows(path: str) -> bool:
    """Whether a part of the library only shows what an account is."""
    return path.startswith(("status/", "reports/page/", "reports/rolling/", "reports/evaluation/tables/"))
