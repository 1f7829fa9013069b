"""In which of Freqtrade's modes a bot trades."""

from __future__ import annotations

from freqtrade.enums import RunMode

__all__ = ["MODES_WITH_TRADES"]

MODES_WITH_TRADES = (RunMode.DRY_RUN, RunMode.LIVE)
