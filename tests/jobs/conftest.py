"""A ledger with made-up samples, and the config they are of: what the commands about learning work on."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from coordinator.components.samples import stored_schema
from coordinator.jobs.learning.context import LearningContext
from coordinator.ledger.feature_store import FeatureTable
from coordinator.ledger.samples.panel_store import PanelTable
from coordinator.ledger.store import Ledger, RunInfo
from coordinator.settings import run_settings
from coordinator.signals.panel_features import PANEL_SCHEMA
from coordinator.signals.signal_features import SIGNAL_SCHEMA

DAY, HOUR = 86400, 3600
FIRST = int(datetime(2020, 1, 1, tzinfo=UTC).timestamp())
PAIRS = ("BTC/USDT", "ETH/USDT")
COMMON = {"trees": 30, "leaf_samples": 20, "feature_share": 1.0, "learning_rate": 0.1, "l2": 1.0}


@dataclass
class World:
    """A user directory, its config and its ledger."""

    folder: Path
    samples: str

    @property
    def config_path(self) -> Path:
        return self.folder / "config.json"

    def configure(self, **sections: dict[str, Any]) -> None:
        quality = {"samples": self.samples, "retrain_days": 60, **COMMON, **sections.pop("quality", {})}
        config = {
            "coordinator": {
                "baseline": {"clock": "1d"},
                "targets": {"horizon": 10},
                "quality": quality,
                **sections,
            }
        }
        self.config_path.write_text(json.dumps(config))

    @property
    def context(self) -> LearningContext:
        return LearningContext.of([self.config_path], self.folder)

    @property
    def ledger(self) -> Ledger:
        return self.context.ledger

    def collect(
        self,
        first_day: int,
        days: int,
        *,
        shift: float = 0.0,
        edge: float = 1.0,
        bot: str = "",
        seed: int = 0,
    ) -> int:
        """A run with a signal of each pair a day, and its panel; the first feature tells the outcome by ``edge``."""
        rng = np.random.default_rng(first_day)
        day = np.repeat(np.arange(first_day, first_day + days), len(PAIRS))
        n, time = len(day), FIRST + day * DAY + 5 * HOUR
        pair = np.resize(np.array(PAIRS, dtype=object), n)
        x = rng.normal(size=(n, len(SIGNAL_SCHEMA)))
        won = rng.random(n) < 1 / (1 + np.exp(-edge * x[:, 0]))
        x += shift
        direction = rng.choice([-1, 1], n)
        r = np.where(won, 1.5, -1.1)
        last = FIRST + (first_day + days) * DAY
        resolved = time + 5 * DAY < last
        started = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=first_day * 1000 + days)
        dumped = run_settings(self.context.config).model_dump(mode="json")
        info = RunInfo("TechnicalBaseline", started, "1h", dumped)
        run = self.ledger.write_run(info, _decisions(time, pair, direction, r, resolved))
        self.ledger.write_features(run, FeatureTable(stored_schema(SIGNAL_SCHEMA), time, pair, x))
        rises = np.where(direction > 0, won, ~won)
        panel = rng.normal(size=(n, len(PANEL_SCHEMA)))
        panel[:, 0] = np.where(direction > 0, x[:, 0] - shift, shift - x[:, 0])
        panel += shift
        table = PanelTable(
            stored_schema(PANEL_SCHEMA),
            "1d",
            FIRST + day * DAY - HOUR,
            pair,
            panel,
            np.where(resolved, np.where(rises, 1.0, -1.0), np.nan),
            np.where(resolved, FIRST + day * DAY - HOUR + 5 * DAY, -1),
        )
        self.ledger.write_panel(run, table)
        return run


def _decisions(time, pair, direction, r, resolved) -> pd.DataFrame:
    n = len(time)
    return pd.DataFrame(
        {
            "time": pd.to_datetime(time, unit="s", utc=True),
            "pair": pair,
            "direction": direction.astype(np.int8),
            "price": 100.0,
            "stop": 100.0 - 5.0 * direction,
            "target": np.nan,
            "horizon": 10,
            "clock": "1d",
            "reasons": "made up",
            "technical_direction": direction.astype(float),
            "technical_confidence": 0.5,
            "technical_percentile": 0.5,
            "unified_score": 0.5,
            "unified_confidence": 0.5,
            "threshold": 0.0,
            "ml_weight": 0.0,
            "accepted": np.arange(n) % 2 == 0,
            "rejection": np.where(np.arange(n) % 2 == 0, "", "below the threshold"),
            "outcome_r": np.where(resolved, r, np.nan),
            "outcome_exit": np.where(resolved, "exit", ""),
            "outcome_time": pd.to_datetime(np.where(resolved, time + 5 * DAY, 0), unit="s", utc=True).where(
                resolved
            ),
        }
    )


@pytest.fixture
def make_world(tmp_path):
    def make(samples: str = "signals", **sections) -> World:
        folder = tmp_path / f"user_data_{samples}"
        folder.mkdir(exist_ok=True)
        world = World(folder, samples)
        world.configure(**sections)
        return world

    return make
