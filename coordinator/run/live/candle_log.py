"""One line of a bot's log for each candle: that it lives, and how it stands."""

from __future__ import annotations

import logging
import math
from datetime import UTC, datetime

from coordinator.run.trading_run import TradingRun
from coordinator.settings import Settings

__all__ = ["CandleLog"]

logger = logging.getLogger(__name__)


class CandleLog:
    """Logs each candle once, when the next look at the market finds all pairs analysed.

    Parameters
    ----------
    run : TradingRun
    """

    def __init__(self, run: TradingRun) -> None:
        self._run, self._logged = run, 0

    def log(self, settings: Settings, positions: int, slots: float, equity: float, currency: str) -> None:
        """Log the newest candle unless that has been done.

        Parameters
        ----------
        positions, slots : open ones, and how many there may be
        equity : of the account, open positions included, stake currency
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
        logger.info(
            "Candle to %s: %d pairs, %s; %d of %s positions open, equity %s %s",
            f"{closed:%H:%M}",
            len(pairs),
            said,
            positions,
            f"{slots:.0f}" if slots < math.inf else "any number of",
            f"{equity:,.2f}",
            currency,
        )
