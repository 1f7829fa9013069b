"""Minimise minus the profit, with a penalty that grows once the drawdown exceeds a bound."""

from typing import Any

from freqtrade.optimize.hyperopt import IHyperOptLoss
from pandas import DataFrame

from coordinator.reports.losses import drawdown_bounded_loss
from coordinator.settings import load_settings


class DrawdownBoundedProfitHyperOptLoss(IHyperOptLoss):
    """Drawdown up to ``hyperopt.drawdown_bound`` costs nothing, twice as much the whole balance."""

    @staticmethod
    def hyperopt_loss_function(
        *, results: DataFrame, config: dict[str, Any], starting_balance: float, **kwargs: Any
    ) -> float:
        bound = load_settings(config.get("coordinator")).hyperopt.drawdown_bound
        return drawdown_bounded_loss(results, starting_balance, bound)
