"""Minimise minus the mean R of a trade."""

from typing import Any

from freqtrade.optimize.hyperopt import IHyperOptLoss
from pandas import DataFrame

from coordinator.reports.losses import expectancy_loss


class ExpectancyRHyperOptLoss(IHyperOptLoss):
    """Profit after costs in units of what the trade would have lost at its initial stop, mean over the trades."""

    @staticmethod
    def hyperopt_loss_function(*, results: DataFrame, **kwargs: Any) -> float:
        return expectancy_loss(results)
