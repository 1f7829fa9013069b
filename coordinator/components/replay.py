"""The models' predictions over a stretch of history: trained walk-forward, as a backtest trains them."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from coordinator.components.absence import NO_MODEL
from coordinator.components.component import DAY, TrainingResult, Window
from coordinator.components.composite import Composite, CompositeModel
from coordinator.components.market_history import BASE, MarketHistory

__all__ = ["replay_models"]

logger = logging.getLogger(__name__)


def replay_models(
    composite: Composite,
    market: MarketHistory,
    groups: Sequence[Sequence[str]],
    begin: int,
    until: int,
    train_days: int,
    step_days: int,
) -> dict[str, pd.DataFrame]:
    """Train at the start of each step on what was known then, and predict the step.

    A component that fails in a training or a prediction is absent for it, whatever ``learning.on_failure`` says: the
    run that follows has its own trainings to stop at.

    Parameters
    ----------
    groups : pairs that share a model
    begin, until : predicted are candles of [begin, until), seconds since the epoch
    train_days, step_days : FreqAI's ``train_period_days`` and ``backtest_period_days``

    Returns
    -------
    mapping of pair to its base candles' ``date``, every column of the composite and ``do_predict``; absent (NaN, with
    the reason) before ``begin``
    """
    frames = {pair: _without_models(composite, market, pair) for group in groups for pair in group}
    for group in groups:
        pairs = {pair: market.pairs[pair] for pair in group}
        previous: CompositeModel | None = None
        steps = list(_steps(begin, until, step_days * DAY))
        for number, (start, end) in enumerate(steps, start=1):
            day = np.datetime64(start, "s").astype("datetime64[D]")
            logger.info("Fast start: window %d of %d, trained to %s", number, len(steps), day)
            window = Window(start - train_days * DAY, start, pairs, market)
            previous = composite.train(window, previous, _log, tolerant=True)
            for pair in group:
                _predict(composite, previous, pair, market, frames[pair], start, end)
    return frames


def _steps(begin: int, until: int, step: int) -> Iterator[tuple[int, int]]:
    """Steps of equal length that end at ``until``, the first one cut at ``begin``."""
    count = -(-(until - begin) // step)
    for i in range(count, 0, -1):
        yield max(begin, until - i * step), until - (i - 1) * step


def _without_models(composite: Composite, market: MarketHistory, pair: str) -> pd.DataFrame:
    times = market.pairs[pair].candles[BASE].time
    columns: Mapping[str, float] = {
        name: float(NO_MODEL) if name.endswith("_absence") else np.nan for name in composite.columns
    }
    frame = pd.DataFrame(columns, index=np.arange(len(times)), columns=composite.columns, dtype=np.float64)
    return frame.assign(date=pd.to_datetime(times, unit="s", utc=True), do_predict=1.0)


def _predict(
    composite: Composite,
    model: CompositeModel,
    pair: str,
    market: MarketHistory,
    frame: pd.DataFrame,
    start: int,
    end: int,
) -> None:
    times = market.pairs[pair].candles[BASE].time
    first, last = np.searchsorted(times, (start, end)).tolist()
    if first == last:
        return
    predicted = composite.predict(model, pair, times[first:last], market, tolerant=True)
    for name, values in predicted.items():
        frame.loc[first : last - 1, name] = values


def _log(name: str, result: TrainingResult) -> None:
    logger.debug("Fast start, %s: %s", name, result.verdict.sentence)
