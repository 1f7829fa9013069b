"""What the commands about learning share: config, ledger, folders, clocks."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from coordinator.adapters.configuration import read_config
from coordinator.components.learning_lock import learning_lock
from coordinator.components.quality_trainer import QualityTrainer
from coordinator.components.registry_models import MODEL_FOLDER
from coordinator.components.samples import Samples, read_samples
from coordinator.errors import CoordinatorError
from coordinator.jobs.run_plan import parse_trading_mode
from coordinator.ledger.location import ledger_location
from coordinator.ledger.store import Ledger
from coordinator.settings import Settings, run_settings

__all__ = ["LearningContext", "day_text", "parse_day"]

ACCUMULATE = "run `coordinator quality accumulate`, or backtests and bots with data_collection.enabled"


@dataclass(frozen=True)
class LearningContext:
    """One config's learning.

    Attributes
    ----------
    config_paths, config : Freqtrade's
    user_data : folder
    ledger : the bot's, which holds samples and models too
    settings : with the fee of the config's market
    """

    config_paths: tuple[Path, ...]
    config: dict[str, Any]
    user_data: Path
    ledger: Ledger
    settings: Settings

    @classmethod
    def of(
        cls,
        config_paths: Sequence[Path],
        user_data: Path,
        ledger: str | None = None,
        trading_mode: str | None = None,
    ) -> LearningContext:
        """Read and check a config; ``ledger`` goes before the config's."""
        config = read_config(config_paths)
        mode = parse_trading_mode(trading_mode or config.get("trading_mode") or "spot")
        config = {**config, "trading_mode": mode, "user_data_dir": str(user_data)}
        settings = run_settings(config)
        return cls(
            tuple(config_paths),
            config,
            user_data,
            Ledger(ledger or ledger_location(config, settings)),
            settings,
        )

    @property
    def clocks(self) -> tuple[str, ...]:
        """Each has models of its own."""
        return self.settings.clock_names

    @property
    def model_folder(self) -> Path:
        """Where model files are written."""
        return self.user_data / "models" / MODEL_FOLDER

    def trainer(self, clock: str) -> QualityTrainer:
        """Trains a clock's models."""
        return QualityTrainer(self.ledger, self.model_folder, self.settings, clock)

    def samples(self, clock: str) -> Samples:
        """What has been collected.

        Raises
        ------
        CoordinatorError
            With fewer resolved ones than ``quality.minimum_samples``, saying what to do.
        """
        least = self.settings.on_clock(clock).quality.minimum_samples
        rule = f"be at least {least} resolved ones: {ACCUMULATE}"
        owner = f"{self.ledger.database.name}, clock {clock}"
        if not self.ledger.database.exists:
            raise CoordinatorError("samples", owner, rule, "no ledger yet")
        samples = read_samples(self.ledger, self.settings, clock)
        resolved = int((samples.rows.outcome_time >= 0).sum())
        if resolved < least:
            got = f"Insufficient samples: {resolved} < {least}"
            if samples.left_out:
                got += f" ({samples.left_out} signals are of runs with other baseline, stops, targets, exits or costs)"
            raise CoordinatorError("samples", owner, rule, got)
        return samples

    def lock(self) -> AbstractContextManager[None]:
        """One process at a time trains models."""
        return learning_lock(self.user_data)


def parse_day(text: str | None, option: str) -> int | None:
    """YYYYMMDD to its first second; None stays."""
    if text is None:
        return None
    try:
        return int(datetime.strptime(text, "%Y%m%d").replace(tzinfo=UTC).timestamp())
    except ValueError:
        raise CoordinatorError(option, "the command line", "be YYYYMMDD", text) from None


def day_text(time: int) -> str:
    """The day of a time.

    Examples
    --------
    >>> day_text(1_700_000_000)
    '2023-11-14'
    """
    return f"{datetime.fromtimestamp(time, tz=UTC):%Y-%m-%d}"
