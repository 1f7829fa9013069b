"""Minimise minus the Calmar ratio, with a floor on the number of trades."""

from datetime import datetime
from typing import Any

from freqtrade.optimize.hyperopt import IHyperOptLoss
from pandas import DataFrame

from coordinator.reports.losses import calmar_floor_loss
from coordinator.settings import load_settings


class CalmarFloorHyperOptLoss(IHyperOptLoss):
    """With fewer trades than ``hyperopt.least_trades`` any epoch is worse than with more."""

    @staticmethod
    def hyperopt_loss_function(
        *,
        results: DataFrame,
        min_date: datetime,
        max_date: datetime,
        config: dict[str, Any],
        starting_balance: float,
        **kwargs: Any,
    ) -> float:
        floor = load_settings(config.get("coordinator")).hyperopt.least_trades
        return calmar_floor_loss(results, min_date, max_date, starting_balance, floor)
