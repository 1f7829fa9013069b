"""Which pairs a run is about, in every mode of Freqtrade."""

from __future__ import annotations

from typing import Any

from freqtrade.data.history import get_datahandler
from freqtrade.enums import RunMode
from freqtrade.plugins.pairlist.pairlist_helpers import expand_pairlist

__all__ = ["traded_pairs"]


def traded_pairs(config: dict[str, Any], dp: Any) -> list[str]:
    """The whitelist; in webserver mode, which has no pair lists, the config's pairs that have candle files.

    Parameters
    ----------
    config : Freqtrade's
    dp : its data provider
    """
    if config.get("runmode") != RunMode.WEBSERVER:
        return list(dp.current_whitelist())
    handler = get_datahandler(config["datadir"], config.get("dataformat_ohlcv", "feather"))
    mode = config.get("trading_mode", "spot")
    stored = {
        pair
        for pair, timeframe, kind in handler.ohlcv_get_available_data(config["datadir"], mode)
        if timeframe == config["timeframe"] and kind == config["candle_type_def"]
    }
    return [
        pair
        for pair in expand_pairlist(config["exchange"]["pair_whitelist"], sorted(stored))
        if pair in stored
    ]
