"""Why a pair was entered or not, as text for a phone."""

from __future__ import annotations

import math

from coordinator.status.phone import fields, join_parts, percent, plain, table, wrap
from coordinator.status.why import OpenTrade, SignalView, Why

__all__ = ["why_text"]


def why_text(view: Why) -> str:
    """For a phone."""
    parts = [view.pair, wrap(view.note)]
    trade = view.trade
    if trade is not None:
        parts.append(
            fields(
                [
                    (
                        "Open hedge" if trade.hedge else f"Open {trade.direction}",
                        trade.opened[5:16].replace("T", " "),
                    ),
                    ("Entry", _price(trade.entry)),
                    ("Stop now", _price(trade.stop)),
                    ("Target now", _price(trade.target)),
                    ("Stake", f"{trade.stake:,.2f} {view.currency}"),
                    ("Tranches", trade.tranches),
                    *([("Tag", trade.tag)] if trade.tag else []),
                ]
            )
        )
        if trade.entered_on is not None:
            parts.append("Entered on\n" + _signal_text(trade.entered_on))
        elif not trade.hedge:
            parts.append(wrap("entered without a signal of ours, by hand perhaps"))
    if view.signal is not None and (trade is None or not _same(trade, view.signal)):
        parts.append("Last signal\n" + _signal_text(view.signal))
    return join_parts(*parts)


def _same(trade: OpenTrade, signal: SignalView) -> bool:
    return trade.entered_on is not None and trade.entered_on.at == signal.at


def _signal_text(signal: SignalView) -> str:
    verdict = "accepted" if signal.accepted else f"not taken: {signal.verdict}"
    head = [
        (f"{signal.direction} {signal.clock or ''}".strip(), str(signal.at)[5:16].replace("T", " ")),
        ("Confidence", f"{percent(signal.confidence)} (gate {percent(signal.threshold)})"),
        ("ML weight", percent(signal.ml_weight) + (f" {signal.phase}" if signal.phase else "")),
        ("Win probability", percent(signal.win_probability)),
        ("Expected R", plain(signal.expected_r)),
    ]
    prices = [("Price", signal.price), ("Stop", signal.stop), ("Target", signal.target)]
    head += [(name, _price(value)) for name, value in prices if value is not None]
    head += [("Size", f"x {signal.size:.2f}")] if signal.size is not None else []
    outcome = [("Virtual trade", f"{plain(signal.outcome_r)} R {signal.outcome}")]
    votes = [
        (
            one.component,
            one.direction,
            percent(one.percentile),
            percent(one.weight),
            plain(one.contribution),
        )
        for one in signal.votes
    ]
    absent = [wrap(f"{name} absent: {reason}") for name, reason in signal.absent.items()]
    adjusted = [
        wrap(f"{one.name.replace('_', ' ')} ({one.mode}): {plain(one.base)} to {plain(one.adjusted)}")
        for one in signal.adjustments
    ]
    refused = f"entry refused: {signal.entry_refused}" if signal.entry_refused else ""
    parts = [wrap(verdict), wrap(refused), wrap(signal.reasons), fields(head)]
    parts += [table(("Vote", "Side", "Rank", "Wgt", "Adds"), votes), *absent, *adjusted]
    parts += [fields(outcome)] if signal.outcome_r is not None else []
    return "\n".join(part for part in parts if part)


def _price(value: float | None) -> str:
    """A price with as many digits as it needs: 5 that count."""
    if value is None:
        return "–"
    digits = max(0, 4 - math.floor(math.log10(abs(value)))) if value else 0
    return f"{value:,.{min(digits, 8)}f}"
