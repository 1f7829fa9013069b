"""Minimise minus the deflated Sharpe ratio's score."""

from datetime import datetime
from typing import Any

from freqtrade.optimize.hyperopt import IHyperOptLoss
from pandas import DataFrame

from coordinator.reports.losses import deflated_sharpe_loss
from coordinator.settings import load_settings


class DeflatedSharpeHyperOptLoss(IHyperOptLoss):
    """By how many standard errors an epoch beats the best that as many epochs (``--epochs``) show by luck alone."""

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
        spread = load_settings(config.get("coordinator")).hyperopt.sharpe_spread
        epochs = max(1, int(config.get("epochs") or 1))
        return deflated_sharpe_loss(results, min_date, max_date, starting_balance, epochs, spread)
