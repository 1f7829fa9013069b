"""Fast start: the signals of before a run, with what the models would have said, so that ML's say is earned on them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import pandas as pd

from coordinator.components.market_history import BASE, MarketHistory
from coordinator.decision.fold import Fold
from coordinator.decision.history import SignalHistory
from coordinator.ledger.records import CandleRecord, WeightRow
from coordinator.run.pair_analysis import PairAnalysis, analyse_clocks
from coordinator.run.predictions import with_predictions
from coordinator.run.signal_table import build_signal_table
from coordinator.settings import Settings
from coordinator.signals.candles import Candles

__all__ = ["replay_signals", "summarise_history"]


def summarise_history(before: SignalHistory, settings: Settings, *, can_short: bool) -> CandleRecord:
    """What became of ML's say in a history, for log and ledger: a row of the weight history just before its end."""
    fold, table = Fold(settings, can_short=can_short), before.table
    fold.run(table)
    manager, pairs = fold.learners.manager, len(set(table.pair_names()))
    span = f"{_day(int(table.time[0]))} to {_day(int(table.time[-1]))}"
    reason = f"fast start: {len(table)} signals of {pairs} pairs from {span} replayed"
    row = WeightRow(manager.phase, manager.weight_, reason, {"outcomes": manager.phase_outcomes_})
    return CandleRecord(
        before.until - 1, weights=(row,)
    )  # never at the time of a review, which is a day's start


def replay_signals(
    market: MarketHistory,
    predictions: Mapping[str, pd.DataFrame],
    gate: Mapping[str, Candles],
    settings: Settings,
    components: Sequence[str],
    until: int,
) -> SignalHistory | None:
    """The signals of before ``until``; None where there is none.

    Parameters
    ----------
    predictions : of each pair's candles (``components.replay``)
    gate : candles of the regime gate's reference pair by timeframe, as ``analyse_clocks`` takes them
    """
    analyses: dict[str, PairAnalysis] = {}
    for pair, predicted in predictions.items():
        candles = market.pairs[pair].candles
        for one in analyse_clocks(pair, candles[BASE], candles, settings, True, gate):
            analyses[one.series] = with_predictions(one, predicted, components)
    if not analyses:
        return None
    table = build_signal_table(analyses, settings)
    table = table.rows(table.time < until)
    return SignalHistory(table, until) if len(table) else None


def _day(time: int) -> str:
    return f"{datetime.fromtimestamp(time, tz=UTC):%Y-%m-%d}"
