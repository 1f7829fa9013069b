"""What in a user's own config would act beside our strategies although it was meant for another."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from coordinator.adapters.configuration import read_config
from coordinator.errors import CoordinatorError

__all__ = ["config_notes", "own_config"]

_OVERRIDES: Final = (
    *("minimal_roi", "stoploss", "trailing_stop_positive", "trailing_stop_positive_offset"),
    *("order_time_in_force", "max_entry_position_adjustment", "startup_candle_count"),
)
"""Keys that Freqtrade puts over the strategy's and that an overlay cannot take back."""


def own_config(user_data: Path, configs: list[Path] | None) -> tuple[list[Path], dict[str, Any], str | None]:
    """The user's own config: files, content, and why it was not read.

    Parameters
    ----------
    configs : those that were named; else ``config.json`` of the user directory, if it is there and can be read
    """
    paths = configs or [path for path in (user_data / "config.json",) if path.is_file()]
    try:
        return paths, read_config(paths), None
    except CoordinatorError as error:
        if configs:
            raise
        return paths, {}, str(error)


def config_notes(config: dict[str, Any]) -> list[str]:
    """A line for each key that changes what the strategies do.

    Examples
    --------
    >>> config_notes({"stake_currency": "USDT", "stoploss": -0.1})
    ['"stoploss": -0.1 goes over what the strategies say: remove it for them']
    >>> config_notes({"freqai": {"enabled": True}, "coordinator": {}})[0]
    '"freqai" is merged below the overlay\\'s: keys that only yours has stay in force'
    """
    notes = [
        f'"{key}": {json.dumps(config[key])} goes over what the strategies say: remove it for them'
        for key in _OVERRIDES
        if key in config
    ]
    notes += [
        f'"{key}" is merged below the overlay\'s: keys that only yours has stay in force'
        for key in ("freqai", "coordinator")
        if key in config
    ]
    if config.get("trading_mode") == "futures" and config.get("margin_mode") != "isolated":
        notes.append('"margin_mode" is not "isolated", the only one that was tried in futures')
    return notes
