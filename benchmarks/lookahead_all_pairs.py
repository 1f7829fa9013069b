"""Freqtrade's lookahead-analysis, with the candles of all pairs cut at once instead of one pair left alone.

``freqtrade lookahead-analysis`` repeats a backtest for each trade with *that trade's pair only*, its candles cut at
the trade. What a strategy learns from all pairs' outcomes differs in such a run, whether it looks ahead or not. Here
every pair is analysed in the repeated backtest too, each cut at the same time: what still differs looks ahead.

The arguments are Freqtrade's: ``python -m benchmarks.lookahead_all_pairs lookahead-analysis --strategy ...``.
"""

import logging
import sys

from freqtrade.main import main
from freqtrade.optimize.analysis import lookahead_helpers
from freqtrade.optimize.analysis.base_analysis import VarHolder
from freqtrade.optimize.analysis.lookahead import LookaheadAnalysis

__all__ = ["AllPairsLookaheadAnalysis"]

logger = logging.getLogger(__name__)


class AllPairsLookaheadAnalysis(LookaheadAnalysis):
    """The analysis with every pair of the whitelist in each cut backtest."""

    def prepare_data(self, varholder: VarHolder, pairs_to_load: list[str]) -> None:
        super().prepare_data(varholder, self.local_config["pairs"])

    def analyze_indicators(self, full_vars: VarHolder, cut_vars: VarHolder, current_pair: str) -> None:
        """Say too where the first difference lies: FreqAI has no prediction for a run's very last candles."""
        super().analyze_indicators(full_vars, cut_vars, current_pair)
        cut = cut_vars.indicators[current_pair]
        different = full_vars.indicators[current_pair].loc[cut.index].compare(cut)
        if len(different):
            candles = cut.index[-1] - different.index[0]
            logger.info(
                "%s: %d rows differ, the first %d candles before the cut",
                current_pair,
                len(different),
                candles,
            )


if __name__ == "__main__":
    lookahead_helpers.LookaheadAnalysis = AllPairsLookaheadAnalysis
    main(sys.argv[1:])
