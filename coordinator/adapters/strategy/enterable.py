"""Which pairs Freqtrade can enter at a candle: only they compete for free slots."""

from __future__ import annotations

from typing import Any

import pandas as pd

from coordinator.adapters.pairs import traded_pairs

__all__ = ["EnterablePairs"]


class EnterablePairs:
    """A backtest's pairs while they have candles behind the startup that Freqtrade cuts off; a bot's whitelist.

    With ``--enable-dynamic-pairlist`` a backtest's whitelist changes, too.

    Parameters
    ----------
    config : Freqtrade's
    is_bot : whether pairs are those of a running bot

    Attributes
    ----------
    startup : rows at the beginning that Freqtrade cuts off; None until a backtest has told
    """

    def __init__(self, config: dict[str, Any], *, is_bot: bool) -> None:
        self._config, self._is_bot = config, is_bot
        self._spans: dict[str, tuple[int, int]] = {}
        self.startup: int | None = None

    def put(self, pair: str, dates: pd.Series) -> None:
        """Keep from when to when a backtest can enter a pair: nothing to do while no startup is known (a bot).

        Parameters
        ----------
        dates : open times of its rows, ascending
        """
        if self.startup is not None and len(dates) > self.startup:
            # A signal of the last candle has no candle to be entered on.
            begin, end = dates.iloc[self.startup], dates.iloc[-1]
            self._spans[pair] = int(begin.timestamp()), int(end.timestamp())
        elif self.startup is not None:
            self._spans[pair] = 0, 0

    def has(self, pair: str, time: int, dp: Any) -> bool:
        """Whether a signal of a pair at a candle can be entered.

        Parameters
        ----------
        time : open time of the last closed candle
        dp : Freqtrade's data provider
        """
        changing = self._is_bot or self._config.get("enable_dynamic_pairlist")
        if changing and pair not in traded_pairs(self._config, dp):
            return False
        begin, end = self._spans.get(pair, (time, time + 1))
        return begin <= time < end
