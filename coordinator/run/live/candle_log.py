"""One line of a bot's log for each candle: that it lives, and how it stands."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from datetime import UTC, datetime
from typing import NamedTuple

from coordinator.run.trading_run import TradingRun
from coordinator.settings import Settings

__all__ = ["Account", "CandleLog"]

logger = logging.getLogger(__name__)


class Account(NamedTuple):
    """Open positions, how many there may be, and the equity with them in the stake currency."""

    positions: int
    slots: float
    equity: float
    currency: str


class CandleLog:
    """Logs each candle once, when the next look at the market finds all pairs analysed.

    Parameters
    ----------
    run : TradingRun
    """

    def __init__(self, run: TradingRun) -> None:
        self._run, self._logged = run, 0

    def log(self, settings: Settings, account: Callable[[], Account]) -> None:
        """Log the newest candle unless that has been done.

        Parameters
        ----------
        account : asked once a candle
        """
        time = self._run.market.last_candle()
        if time <= self._logged:
            return
        self._logged = time
        signals, decided = self._run.market.signals(settings), self._run.decisions(settings)
        pairs = {analysis.pair for analysis in self._run.market.analyses.values()}
        here = signals.time == time
        closed = datetime.fromtimestamp(time + signals.candle_seconds, tz=UTC)
        found, taken = int(here.sum()), int(decided.accepted[here].sum())
        said = f"{found} signal{'s' * (found > 1)}, {taken} accepted" if found else "no signal"
        now = account()
        logger.info(
            "Candle to %s: %d pairs, %s; %d of %s positions open, equity %s %s",
            f"{closed:%H:%M}",
            len(pairs),
            said,
            now.positions,
            f"{now.slots:.0f}" if now.slots < math.inf else "any number of",
            f"{now.equity:,.2f}",
            now.currency,
        )
