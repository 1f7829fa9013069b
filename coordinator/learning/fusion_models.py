"""Fusion of models: one per timeframe, each a view with direction and confidence, joined by the documented formula."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from coordinator.errors import CoordinatorError
from coordinator.learning.blocks import Block, label_ends
from coordinator.learning.labels import direction_labels
from coordinator.learning.timeframe_model import TimeframeModel
from coordinator.settings.learning import LearningSettings
from coordinator.settings.networks import FusionModelSettings
from coordinator.settings.signals import FusionSettings
from coordinator.signals.candles import Candles
from coordinator.signals.feature_schema import FeatureSchema
from coordinator.signals.feature_table import Table, feature_table
from coordinator.signals.features import FEATURES, FEATURES_VERSION
from coordinator.signals.fusion import TIMEFRAMES, Fusion, TimeframeView, join_views
from coordinator.whole_file import write_whole

__all__ = ["FusionModels"]

FORMAT = 1


class FusionModels:
    """The 1h, 4h and 1d models.

    Parameters
    ----------
    settings : FusionModelSettings
    fusion : FusionSettings
        Weights and shares of the formula that joins the views.

    Attributes
    ----------
    models_ : dict of timeframe to TimeframeModel
    """

    def __init__(self, settings: FusionModelSettings, fusion: FusionSettings) -> None:
        self.settings, self.fusion = settings, fusion

    def fit(
        self,
        pairs: Sequence[Mapping[str, Candles]],
        begin: int,
        end: int,
        tables: Sequence[Mapping[str, Table]] | None = None,
    ) -> FusionModels:
        """Fit each timeframe's model on all pairs' candles.

        Parameters
        ----------
        pairs : sequence of mapping of "1h", "4h", "1d" to candles
        begin, end : int
            Seconds. Rows of [begin, end) train whose label needs no candle that closes after ``end``.
        tables : sequence of mapping of timeframe to features, optional
            ``feature_table`` of the same candles, if it is at hand.

        Raises
        ------
        CoordinatorError
            If a timeframe has too few rows.
        """
        schema = FeatureSchema(FEATURES, FEATURES_VERSION)
        self.models_ = {}
        for timeframe in TIMEFRAMES:
            blocks = []
            for number, pair in enumerate(pairs):
                table = tables[number][timeframe] if tables else feature_table(pair[timeframe])
                blocks.append(self.block(pair[timeframe], table, begin, end))
            self.models_[timeframe] = TimeframeModel(self.settings).fit(
                [block for block in blocks if len(block.labels)], schema
            )
        return self

    def join(
        self, base: Candles, candles: Mapping[str, Candles], tables: Mapping[str, Table] | None = None
    ) -> Fusion:
        """Fuse the models' views of one pair on its base candles; only closed candles are used."""
        views = {}
        for timeframe in TIMEFRAMES:
            table = tables[timeframe] if tables else feature_table(candles[timeframe])
            views[timeframe] = TimeframeView(candles[timeframe], *self.models_[timeframe].view(table))
        return join_views(base, views, self.fusion)

    def encode(self) -> bytes:
        """The models as JSON, the trees in it as LightGBM's text; equal models give equal bytes."""
        models = {name: model.to_json() for name, model in self.models_.items()}
        document = {"format": FORMAT, "fusion": self.fusion.model_dump(mode="json"), "models": models}
        return json.dumps(document, sort_keys=True).encode()

    def write(self, path: Path) -> str:
        """Write the file, whole or not at all; returns its SHA-256."""
        data = self.encode()
        write_whole(path, data)
        return hashlib.sha256(data).hexdigest()

    @classmethod
    def decode(cls, data: bytes, owner: str = "a file of fusion models") -> FusionModels:
        """Inverse of ``encode``.

        Raises
        ------
        CoordinatorError
            If the bytes are no such file.
        """
        try:
            document = json.loads(data)
            version = document["format"]
            fusion = FusionSettings.model_validate(document["fusion"])
            parts = {timeframe: document["models"][timeframe] for timeframe in TIMEFRAMES}
        except (ValueError, KeyError, TypeError) as error:
            raise CoordinatorError("content", owner, "be a file of fusion models", repr(error)) from error
        if version != FORMAT:
            raise CoordinatorError("format", owner, f"be {FORMAT}", version)
        models = {name: TimeframeModel.from_json(part, f"{owner}, {name}") for name, part in parts.items()}
        self = cls(models[TIMEFRAMES[0]].settings, fusion)
        self.models_ = models
        return self

    def block(self, candles: Candles, table: Table, begin: int, end: int) -> Block:
        """Training rows of one timeframe's candles: those of [begin, end) whose label needs no later candle."""
        labelling = LearningSettings(
            label_horizon=self.settings.label_horizon, label_sigmas=self.settings.label_sigmas
        )
        labels = direction_labels(candles, labelling)
        ends = label_ends(candles.time, self.settings.label_horizon)
        rows = (candles.time >= begin) & (ends + candles.seconds <= end)
        return Block(table[rows], labels[rows], candles.time[rows], label_end=ends[rows])
