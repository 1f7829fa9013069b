"""The decision ledger of a backtest, beside Freqtrade's result; and how the ledger describes a run."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from coordinator.components.model_files import ModelVerdict, register_models
from coordinator.errors import CoordinatorError
from coordinator.ledger.records import CandleRecord
from coordinator.ledger.store import Ledger, RunInfo
from coordinator.settings import Settings
from coordinator.signals.candles import timeframe_seconds

__all__ = ["append_to_ledger", "describe_run", "write_backtest_ledger"]

logger = logging.getLogger(__name__)


def describe_run(
    config: dict[str, Any], strategy: str, settings: Settings, started_at: datetime, bot: str = ""
) -> RunInfo:
    """What the ledger keeps about a run; without FreqAI there is no model. What hyperopt looks for and a
    bot tells changes no run."""
    freqai = config.get("freqai") or {}
    learns = bool(freqai.get("enabled"))
    return RunInfo(
        strategy=strategy,
        started_at=started_at,
        timeframe=config.get("timeframe", "1h"),
        settings=settings.model_dump(mode="json", exclude={"hyperopt", "alerts"}),
        model=config.get("freqaimodel") if learns else None,
        identifier=freqai.get("identifier") if learns else None,
        bot=bot,
    )


def write_backtest_ledger(
    config: dict[str, Any],
    strategy: str,
    decisions: pd.DataFrame,
    settings: Settings,
    learned: Iterable[CandleRecord] = (),
    verdicts: Iterable[ModelVerdict] = (),
) -> tuple[Path, int] | None:
    """One SQLite file a run, ``<strategy>-<UTC time>.ledger.sqlite`` in Freqtrade's backtest directory.

    ``learned`` is how the learners changed and what the signals lacked, ``verdicts`` go to its registry of models.
    Nothing is written with ``--export none``. A ledger that cannot be written is an error in the log, not the end
    of the backtest. Returns the file and the run's id, None where nothing was written.
    """
    if config.get("export") == "none":
        return None
    now = datetime.now(UTC)
    folder = Path(config.get("exportdirectory") or Path(config["user_data_dir"]) / "backtest_results")
    path = folder / f"{strategy}-{now:%Y%m%dT%H%M%S%f}.ledger.sqlite"
    info = describe_run(config, strategy, settings, now)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        ledger = Ledger(path)
        run = ledger.write_run(info, decisions, learned)
        register_models(ledger, verdicts, timeframe_seconds(info.timeframe))
        logger.info("Decision ledger of %d signals written to %s", len(decisions), path)
        return path, run
    except (OSError, CoordinatorError) as error:
        logger.error("The decision ledger %s could not be written: %s", path, error)
        return None


def append_to_ledger(path: Path, run: int, records: Iterable[CandleRecord]) -> None:
    """What a backtest saw only while it traded, in one transaction; a failure is an error in the log."""
    try:
        Ledger(path).append_histories(run, records)
    except CoordinatorError as error:
        logger.error("The decision ledger %s could not be completed: %s", path, error)
