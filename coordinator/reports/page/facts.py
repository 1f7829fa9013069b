"""The head of the page: what was run, on what, and where the figures come from."""

from __future__ import annotations

import pandas as pd

from coordinator.reports.page.data import PageData
from coordinator.reports.texts import money, percent

__all__ = ["facts_of", "title_of"]


def title_of(data: PageData) -> str:
    """The page's name."""
    return "Backtest report" if data.comparison is not None else "Bot report"


def facts_of(data: PageData) -> list[tuple[str, str]]:
    """Names with their values, of backtests from the first result, of a bot from its ledger."""
    facts: list[tuple[str, str]] = []
    if data.results:
        first = data.results[0]
        facts += [
            ("Strategies", ", ".join(result.strategy for result in data.results)),
            (
                "Time",
                f"{first.start:%Y-%m-%d} to {first.end + first.timeframe:%Y-%m-%d} UTC, {first.stats['timeframe']}",
            ),
            ("Market", f"{first.trading_mode}, {len(first.pairs)} pairs: {', '.join(first.pairs)}"),
            (
                "Balance",
                f"{money(first.starting_balance, currency=first.stake_currency)} {first.stake_currency}",
            ),
            ("Fee", "unknown" if first.fee is None else f"{percent(first.fee)} a side"),
        ]
    run = data.main
    if run is None:
        return facts
    if not data.results:
        pairs = sorted(set(run.run.decisions["pair"]) | set(run.run.trades["pair"]))
        facts += [
            ("Bot", f"{run.run.strategy}, run {run.run.run_id}"),
            ("Time", f"{run.since:%Y-%m-%d} to {_last(run.run.decisions, run.end):%Y-%m-%d %H:%M} UTC"),
            ("Pairs", ", ".join(pairs) or "none yet"),
        ]
    if run.has_ml and len(run.weights):
        weight = float(run.weights["ml_weight"].fillna(0.0).iloc[-1])
        facts.append(("ML at the end", f"phase {run.weights['phase'].iloc[-1]}, weight {percent(weight)}"))
    facts.append(("Ledger", ", ".join(dict.fromkeys(view.ledger.rsplit("/", 1)[-1] for view in data.runs))))
    return facts


def _last(decisions: pd.DataFrame, end: pd.Timestamp) -> pd.Timestamp:
    return decisions["time"].max() if len(decisions) else end
