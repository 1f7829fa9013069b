"""What a bot knows that its ledger does not, copied once a candle in the bot's own thread.

Views are read in other threads (Telegram's, the API server's): they get these frozen facts and never the bot's objects.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

import numpy as np

from coordinator.decision.live import LiveFold
from coordinator.portfolio.monitor import PortfolioMonitor
from coordinator.run.decision_recorder import DecisionRecorder
from coordinator.run.entry_guard import EntryGuard
from coordinator.run.explanation import describe
from coordinator.run.trading_run import TradingRun
from coordinator.settings import Settings
from coordinator.signals.clock import pair_of
from coordinator.status.base import known
from coordinator.types import SECONDS_PER_DAY

__all__ = ["Correlations", "Facts", "TradeFacts", "gather_facts"]


@dataclass(frozen=True)
class TradeFacts:
    """An open trade: prices, stake in the stake currency, and what it was entered on (``explanation.describe``)."""

    pair: str
    direction: int
    opened: datetime
    entry: float
    stake: float
    stop: float | None
    target: float | None
    tranches: str
    tag: str
    is_hedge: bool
    entered_on: Mapping[str, Any] | None


@dataclass(frozen=True)
class Correlations:
    """Of the analysed pairs over the last ``window`` candles: matrix of shape (n_pairs, n_pairs), None if unknown."""

    pairs: tuple[str, ...]
    matrix: tuple[tuple[float | None, ...], ...]
    window: int


@dataclass(frozen=True)
class Facts:
    """A bot at a moment.

    Attributes
    ----------
    at : when they were copied
    candle : open time of the newest closed candle, seconds since the epoch
    newest : the same of each pair
    pairs : the whitelist
    learners : what was learned, as ``decision.learners.Learners.state`` has it, as far as a view shows it
    signals : of each pair the last signal's row as the ledger stores it
    descriptions : of the same signals ``explanation.describe``
    improvements : of each pair's last signal by name: mode, value without and with the improvement
    absences : of each component the pairs at whose last signal it did not vote, and why
    trust : greatest change that each improvement is trusted with, share of its base
    hedge : of the portfolio's monitor
    trades, equity, currency : the account's
    """

    at: datetime
    candle: int
    pairs: tuple[str, ...] = ()
    newest: Mapping[str, int] = field(default_factory=dict)
    learners: Mapping[str, Any] | None = None
    signals: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    descriptions: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    improvements: Mapping[str, Mapping[str, tuple[str, float | None, float | None]]] = field(
        default_factory=dict
    )
    absences: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    correlations: Correlations | None = None
    refusals: Mapping[str, tuple[int, str]] = field(default_factory=dict)
    checked: int = 0
    refused: Mapping[str, int] = field(default_factory=dict)
    trust: Mapping[str, float] = field(default_factory=dict)
    hedge: Mapping[str, Any] = field(default_factory=dict)
    failed_trainings: Sequence[tuple[int, str]] = ()
    trades: tuple[TradeFacts, ...] = ()
    equity: float | None = None
    currency: str = ""


def gather_facts(
    at: datetime,
    run: TradingRun,
    fold: LiveFold,
    settings: Settings,
    recorder: DecisionRecorder,
    guard: EntryGuard,
    monitor: PortfolioMonitor,
    **account: Any,
) -> Facts:
    """Copy what a run holds in memory; nothing is decided or learned by it.

    Parameters
    ----------
    run : all of whose signals are decided (``TradingRun.is_decided``)
    account : ``pairs``, ``trades``, ``equity``, ``currency`` and ``failed_trainings`` of :class:`Facts`
    """
    market = run.market
    newest = {a.pair: int(a.candles.time[-1]) for a in market.analyses.values() if len(a.candles)}
    signals, descriptions, improvements = _last_signals(run, settings)
    absences: dict[str, dict[str, str]] = {}
    for analysis in market.analyses.values():
        for component, reasons in analysis.absence_reasons.items():
            if len(reasons) and str(reasons[-1]):
                absences.setdefault(component, {})[analysis.pair] = str(reasons[-1])
    trust = run.improvements.trust
    return Facts(
        at=at,
        candle=market.last_candle(),
        newest=newest,
        learners=_learned(fold),
        signals=signals,
        descriptions=descriptions,
        improvements=improvements,
        absences=absences,
        correlations=_correlations(run, settings),
        refusals=dict(recorder.refusals),
        checked=guard.checked,
        refused=dict(guard.refused),
        trust={} if trust is None else {name: one.range_ for name, one in trust.trusts.items()},
        hedge=_hedge(monitor),
        **account,
    )


def _last_signals(
    run: TradingRun, settings: Settings
) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    table, decided = run.market.signals(settings), run.decisions(settings)
    names = [pair_of(name) for name in table.pairs]
    last = {
        names[code]: row for row, code in enumerate(table.pair.tolist())
    }  # in time order: the last one stays
    frame = run.ledger_frame(settings, list(last.values()))
    rows = {
        pair: {**frame.iloc[i].to_dict(), "time": int(table.time[row])}
        for i, (pair, row) in enumerate(last.items())
    }
    described = {pair: describe(table, decided, row) for pair, row in last.items()}
    improved = run.all_improvements(settings)
    improvements = {
        pair: {
            name: (value.mode, known(float(value.base[row])), known(float(value.adjusted[row])))
            for name, value in improved.items()
            if np.isfinite(value.adjusted[row])
        }
        for pair, row in last.items()
    }
    return rows, described, improvements


def _learned(fold: LiveFold) -> dict[str, Any]:
    learners = fold.fold.learners
    manager = learners.manager
    pairs = learners.thresholds.pairs_.items()
    return {
        "manager": {
            "phase": manager.phase,
            "weight": manager.weight_,
            "next_review": manager.next_review_,
            "phase_outcomes": manager.phase_outcomes_,
            "losing_run": manager.losing_run_,
            "changed": manager.changed_,
            "reviews": [asdict(review) for review in manager.reviews_],
            "arms": {name: asdict(arm) for name, arm in manager.arms_.items()},
        },
        "vote_weights": learners.vote_weights.state(),
        "thresholds": {"pairs": [{"pair": name, "threshold": one.threshold} for name, one in pairs]},
    }


def _correlations(run: TradingRun, settings: Settings) -> Correlations | None:
    window = settings.improvements.correlation_filter.window
    panel = run.market.returns()
    if len(panel.pairs) < 2:
        return None
    matrix = panel.correlations(run.market.last_candle(), window).tolist()
    return Correlations(panel.pairs, tuple(tuple(known(value) for value in row) for row in matrix), window)


def _hedge(monitor: PortfolioMonitor) -> dict[str, Any]:
    mode = monitor.settings.portfolio.hedge.mode
    if not monitor.enabled or monitor.time < 0:
        return {"mode": mode}
    return {
        "mode": mode,
        "active": monitor.hedge.active,
        "since": monitor.hedge.since,
        "reason": monitor.hedge.reason,
        "drawdown": known(monitor.tracker.drawdown),
        "peak": known(monitor.tracker.peak),
        "equity": known(monitor.equity),
        "words": monitor.describe_change() if monitor.hedge.since else "",
        "day": monitor.time // SECONDS_PER_DAY,
    }
