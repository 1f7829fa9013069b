"""Why a pair was entered or not: its last signal's votes, verdict and prices, and the open trade's."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd
from pydantic import BaseModel, ConfigDict

from coordinator.ledger.schema import COMPONENTS
from coordinator.run.explanation import SIDES
from coordinator.status.base import View, iso, known, unknown_pair
from coordinator.status.facts import TradeFacts
from coordinator.status.source import Source

__all__ = ["Adjustment", "OpenTrade", "SignalView", "Vote", "Why", "read_why"]

NO_SIGNAL = "no signal of this pair yet, and no open trade"


class Vote(BaseModel):
    """A component's vote. ``weight``: its share of the unified score; ``contribution``: weight x percentile."""

    model_config = ConfigDict(frozen=True)

    component: str
    direction: str
    confidence: float | None
    percentile: float | None
    weight: float | None
    contribution: float | None


class Adjustment(BaseModel):
    """What an improvement did to a number of the signal, or in shadow mode would have done."""

    model_config = ConfigDict(frozen=True)

    name: str
    mode: str
    base: float | None
    adjusted: float | None


class SignalView(BaseModel):
    """A signal and its decision; prices in the quote currency, confidences and probabilities 0..1."""

    model_config = ConfigDict(frozen=True)

    at: str | None
    clock: str | None = None
    direction: str
    reasons: str = ""
    confidence: float | None
    threshold: float | None
    ml_weight: float | None
    phase: str | None = None
    win_probability: float | None
    expected_r: float | None
    tactic: str | None = None
    votes: list[Vote]
    absent: dict[str, str] = {}
    accepted: bool
    verdict: str
    entry_refused: str = ""
    price: float | None = None
    stop: float | None = None
    target: float | None = None
    size: float | None = None
    adjustments: list[Adjustment] = []
    outcome_r: float | None = None
    outcome: str = ""


class OpenTrade(BaseModel):
    """The pair's open trade: where stop and target stand now, its stake, and what it was entered on."""

    model_config = ConfigDict(frozen=True)

    opened: str
    direction: str
    entry: float
    stake: float
    stop: float | None
    target: float | None
    tranches: str
    tag: str
    hedge: bool
    entered_on: SignalView | None


class Why(View):
    """The pair's open trade, if any, and its last signal."""

    pair: str
    currency: str = ""
    trade: OpenTrade | None = None
    signal: SignalView | None = None


def read_why(source: Source, pair: str) -> Why:
    """The view.

    Raises
    ------
    UnknownPairError
        If neither the bot nor the ledger knows the pair.
    """
    facts = source.facts
    if facts is not None and (pair in facts.signals or any(t.pair == pair for t in facts.trades)):
        trade = next((t for t in facts.trades if t.pair == pair), None)
        view = Why(
            pair=pair,
            currency=facts.currency,
            trade=None if trade is None else _trade(source, trade),
            signal=_signal_of_bot(source, pair),
        )
    else:
        view = Why(pair=pair, signal=_signal_of_ledger(source, pair))
        if view.signal is None and pair not in source.pairs():
            raise unknown_pair(pair, source.pairs())
    return view if view.trade or view.signal else view.model_copy(update={"note": NO_SIGNAL})


def _trade(source: Source, trade: TradeFacts) -> OpenTrade:
    entered, row = trade.entered_on, None
    if entered is not None:
        row = _row_at(source, trade.pair, entered["signal"])
    return OpenTrade(
        opened=f"{trade.opened:%Y-%m-%dT%H:%M:%SZ}",
        direction=SIDES[trade.direction],
        entry=trade.entry,
        stake=trade.stake,
        stop=trade.stop,
        target=trade.target,
        tranches=trade.tranches,
        tag=trade.tag,
        hedge=trade.is_hedge,
        entered_on=None if entered is None else _described(entered, **({} if row is None else _of_row(row))),
    )


def _described(said: Mapping[str, Any], **further: Any) -> SignalView:
    """``explanation.describe`` as a view."""
    votes = [
        Vote(
            component=name,
            direction=SIDES.get(int(vote["direction"] or 0), "hold"),
            confidence=vote["confidence"],
            percentile=vote["percentile"],
            weight=vote.get("share"),  # trades of older versions have none
            contribution=_product(vote.get("share"), vote["percentile"]),
        )
        for name, vote in said["votes"].items()
    ]
    return SignalView(
        **{
            "at": f"{said['signal'].replace(' ', 'T')}:00Z",
            "direction": SIDES[int(said["direction"])],
            "confidence": said["unified confidence"],
            "threshold": said["threshold"],
            "ml_weight": said["ML weight"],
            "phase": said["phase"],
            "win_probability": said["win probability"],
            "expected_r": said["expected R"],
            "tactic": said["tactic"],
            "votes": votes,
            "accepted": said["verdict"] == "accepted",
            "verdict": said["verdict"],
            **further,
        }
    )


def _row_at(source: Source, pair: str, signal: str) -> Mapping[str, Any] | None:
    """The ledger's row of the signal that a trade was entered on."""
    run = source.run()
    if run is None:
        return None
    frame = run.decisions
    own = frame[(frame["pair"] == pair) & (frame["time"] == pd.Timestamp(signal, tz="UTC"))]
    return None if own.empty else {str(name): value for name, value in own.iloc[-1].items()}


def _product(one: float | None, two: float | None) -> float | None:
    return None if one is None or two is None else round(one * two, 4)


def _of_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """What a row of the ledger says beside the decision."""
    return {
        "clock": str(row["clock"]),
        "reasons": str(row["reasons"]),
        **{name: known(row[name]) for name in ("price", "stop", "target", "outcome_r")},
        "outcome": str(row["outcome_exit"] or ""),
    }


def _signal_of_bot(source: Source, pair: str) -> SignalView | None:
    facts = source.facts
    if facts is None or pair not in facts.signals:
        return None
    row, improved = facts.signals[pair], facts.improvements.get(pair, {})
    refused = facts.refusals.get(pair)
    size = improved.get("volatility_sizing")
    return _described(
        facts.descriptions[pair],
        **_of_row(row),
        absent={name: pairs[pair] for name, pairs in facts.absences.items() if pair in pairs},
        entry_refused=refused[1] if refused is not None and refused[0] == row["time"] else "",
        adjustments=[
            Adjustment(name=name, mode=mode, base=base, adjusted=adjusted)
            for name, (mode, base, adjusted) in improved.items()
        ],
        size=None if size is None or size[0] != "on" else size[2],
    )


def _signal_of_ledger(source: Source, pair: str) -> SignalView | None:
    """Without a bot: what the ledger keeps, which is not how much each component's vote weighed."""
    run = source.run()
    own = None if run is None else run.decisions[run.decisions["pair"] == pair]
    if run is None or own is None or not len(own):
        return None
    row = {str(name): value for name, value in own.iloc[-1].items()}
    votes = [
        Vote(
            component=name,
            direction=SIDES.get(int(row[f"{name}_direction"]), "hold"),
            confidence=known(row[f"{name}_confidence"]),
            percentile=known(row[f"{name}_percentile"]),
            weight=None,
            contribution=None,
        )
        for name in COMPONENTS
        if not math.isnan(row[f"{name}_direction"])
    ]
    asked = run.improvements
    asked = asked[(asked["pair"] == pair) & (asked["time"] == row["time"])]
    return SignalView(
        at=iso(row["time"].timestamp()),
        direction=SIDES[int(row["direction"])],
        confidence=known(row["unified_confidence"]),
        votes=votes,
        accepted=bool(row["accepted"]),
        verdict=str(row["rejection"]) or "accepted",
        phase=str(row["phase"]) or None,
        tactic=str(row["tactic"]) or None,
        adjustments=[
            Adjustment(name=name, mode=mode, base=known(base), adjusted=known(adjusted))
            for name, mode, base, adjusted in zip(
                asked["name"], asked["mode"], asked["base"], asked["adjusted"], strict=True
            )
        ],
        **{name: known(row[name]) for name in ("threshold", "ml_weight", "win_probability", "expected_r")},
        **_of_row(row),
    )
