"""Fast start's side of FreqAI: the history in the data directory, and what the models would have said on it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pandas import DataFrame

from coordinator.adapters.freqai.market_source import MarketSource
from coordinator.components.composite import Composite
from coordinator.components.fingerprint import candle_digest
from coordinator.components.market_history import BASE, MarketHistory
from coordinator.components.prediction_store import PredictionStore
from coordinator.components.replay import replay_models
from coordinator.settings.learning import LearningSettings
from coordinator.signals.candles import Candles, timeframe_seconds
from coordinator.types import SECONDS_PER_DAY

__all__ = ["HistoryReplay"]


class HistoryReplay:
    """Trains the composite walk-forward on the candles before a run.

    Parameters
    ----------
    composite, source : the model's
    settings : LearningSettings
    freqai : the "freqai" section
    folder : where predictions are stored, beside the identifier's models

    Attributes
    ----------
    market : all candles there are, with what was computed from them, for the backtest that follows; None for a bot,
        which reads newer ones
    """

    def __init__(
        self,
        composite: Composite,
        source: MarketSource,
        settings: LearningSettings,
        freqai: Mapping[str, Any],
        folder: Path,
    ) -> None:
        self._composite, self._source, self._settings = composite, source, settings
        self._freqai, self._folder = freqai, folder
        self.market: MarketHistory | None = None

    def replay(
        self, pairs: Sequence[str], dp: Any, until: int | None
    ) -> tuple[MarketHistory, dict[str, DataFrame], int] | None:
        """All candles there are, and predictions of the ``learning.fast_start_days`` before a run.

        Trained walk-forward, stored beside the identifier's models and taken from there, as FreqAI does with a
        backtest's predictions.

        Parameters
        ----------
        until : where the run begins, seconds; None is where the stored candles of all pairs end

        Returns
        -------
        The market, the predictions by pair (``components.replay``) and ``until``; None where no candle is left to
        predict after the first training.
        """
        market = self._source.full_history(pairs, dp, {})
        self.market = None if until is None else market
        times = {pair: history.candles[BASE].time for pair, history in market.pairs.items()}
        if not times:
            return None
        train = int(self._freqai["train_period_days"])
        end = (
            min(int(time[-1]) for time in times.values()) + timeframe_seconds(BASE)
            if until is None
            else until
        )
        first = min(int(time[0]) for time in times.values()) + train * SECONDS_PER_DAY
        begin = max(first, end - self._settings.fast_start_days * SECONDS_PER_DAY)
        if begin >= end:
            return None
        composite = self._composite.voters()  # a say is earned by votes
        candles = {pair: candle_digest(history.candles[BASE], end) for pair, history in market.pairs.items()}
        digest = hashlib.sha256(f"{sorted(candles.items())} {composite.digest}".encode()).hexdigest()
        name = f"history-{begin}-{end}-{digest[:16]}"
        store = PredictionStore(self._folder / name, composite.columns)
        predictions = store.read(times)
        if predictions is None:
            groups = [list(times)] if self._settings.pooled else [[pair] for pair in times]
            step = int(self._freqai["backtest_period_days"])
            predictions = replay_models(composite, market, groups, begin, end, train, step)
            store.write(predictions)
        return market, predictions, end

    def candles_of(self, pair: str, dp: Any) -> Mapping[str, Candles]:
        """All candles there are of any pair, by timeframe; none where it has no base candles."""
        history = self._source.full_history([pair], dp, {}).pairs.get(pair)
        return {} if history is None else history.candles
