"""What happened: profit, the deepest fall, signals, where the profit came from."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from coordinator.reports.comparison import HOLD, Column
from coordinator.reports.page.bot import BotAccount
from coordinator.reports.page.sentences.sentence import Sentence, day, listed, signed_r
from coordinator.reports.texts import money, percent

__all__ = ["account_sentence", "bot_sentence", "fall_sentence", "pairs_sentence", "signals_sentence"]

SHALLOW = 0.01


def account_sentence(columns: Sequence[Column]) -> Sentence:
    """Profit and trades of each strategy, and of buy and hold. Good or bad is said of none: see :func:`difference`."""
    parts = []
    for column in columns:
        made = percent(column.metrics.profit, sign=True)
        if column.name == HOLD:
            parts.append(f"buy and hold {made}")
        elif column.metrics.trades == 0:
            parts.append(f"{column.name} made no trades")
        else:
            trades = f"{column.metrics.trades:,} trade{'s' if column.metrics.trades > 1 else ''}"
            parts.append(f"{column.name} made {made} in {trades}")
    return Sentence(listed(parts) + ".")


def fall_sentence(name: str, daily: pd.Series) -> Sentence | None:
    """The deepest fall of an account, from when to when, and whether it was made good; None below one percent."""
    fall = 1 - daily / daily.cummax()
    deepest = float(fall.max())
    if not deepest >= SHALLOW:
        return None
    at = int(np.argmax(fall.to_numpy()))
    bottom, top = fall.index[at], daily.index[int(np.argmax(daily.to_numpy()[: at + 1]))]
    later = daily[bottom:]
    again = later[later >= daily[top]]
    end = f"made good by {day(again.index[0])}" if len(again) else "not made good since"
    return Sentence(
        f"The deepest fall of {name} was {percent(deepest)}, from {day(top)} to {day(bottom)}, {end}."
    )


def bot_sentence(account: BotAccount) -> Sentence:
    """What a bot's closed trades made, and what is open."""
    if account.closed == 0:
        waiting = f"; {account.open} {'is' if account.open == 1 else 'are'} open" if account.open else ""
        return Sentence(f"The bot has closed no trade yet{waiting}.")
    share = f" ({percent(account.ratio, sign=True)} of {account.base_text})" if account.base > 0 else ""
    won = percent(account.won / account.closed)
    return Sentence(
        f"The bot closed {account.closed:,} trade{'s' if account.closed > 1 else ''}, {won} of them with a profit, and "
        f"made {money(account.profit, sign=True)}{share} after fees; "
        f"{account.open or 'none'} {'are' if account.open > 1 else 'is'} open."
    )


def signals_sentence(frame: pd.DataFrame) -> Sentence:
    """How many signals were decided and taken, and what both kinds came to in R."""
    if frame.empty:
        return Sentence("No signal was decided on.")
    taken = frame["accepted"]
    text = f"{len(frame):,} signals were decided on and {int(taken.sum()):,} accepted"
    means = [float(frame.loc[part, "outcome_r"].mean()) for part in (taken, ~taken)]
    if all(mean == mean for mean in means):
        text += f"; as virtual trades the accepted made {signed_r(means[0])} each, the rejected {signed_r(means[1])}"
    return Sentence(text + ".")


def pairs_sentence(profits: pd.Series, currency: str) -> Sentence | None:
    """The pairs that made most and least; None with fewer than two traded.

    Parameters
    ----------
    profits : pandas.Series
        Stake currency by pair.
    """
    if len(profits) < 2:
        return None
    unit = f" {currency}" if currency else ""
    ranked = profits.sort_values(kind="stable")
    least, most = float(ranked.iloc[0]), float(ranked.iloc[-1])
    return Sentence(
        f"Best pair {ranked.index[-1]} ({money(most, sign=True, currency=currency)}{unit}), worst {ranked.index[0]} "
        f"({money(least, sign=True, currency=currency)}{unit})."
    )
