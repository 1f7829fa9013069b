"""What a user directory gets: Freqtrade's files as they ship, and an overlay over the user's own config."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from coordinator.shipped import shipped_folder

__all__ = ["FOLDERS", "OVERLAY", "overlay_config", "shipped_contents"]

FOLDERS: Final = {
    "strategies": "strategies",
    "freqai_models": "freqaimodels",
    "hyperopts": "hyperopts",
    "protections": "protections",
}
"""The pack's folders, and Freqtrade's names for them in a user directory."""
OVERLAY: Final = "coordinator.json"
_SHIPPED_KEYS: Final = ("strategy", "freqaimodel", "order_types")
_SECTIONS: Final = ("freqai", "coordinator")
_STRATEGYS_OWN: Final = {
    "timeframe": "1h",
    "process_only_new_candles": True,
    "position_adjustment_enable": True,
    "use_exit_signal": True,
    "exit_profit_only": False,
    "ignore_roi_if_entry_signal": False,
    "trailing_stop": False,
}
"""What the strategies rely on and a user's config may have for another strategy: there it goes over the strategy's."""


def overlay_config(shipped: dict[str, Any]) -> dict[str, Any]:
    """The config that goes over a user's own: nothing of exchange, pairs, stake, server or secrets.

    Examples
    --------
    >>> shipped = {"strategy": "S", "freqaimodel": "M", "order_types": {}, "freqai": {}, "coordinator": {}}
    >>> overlay_config({**shipped, "stake_amount": 5})  # doctest: +ELLIPSIS
    {'strategy': 'S', 'freqaimodel': 'M', 'order_types': {}, 'timeframe': '1h', ..., 'freqai': {}, 'coordinator': {}}
    """
    return {
        **{key: shipped[key] for key in _SHIPPED_KEYS},
        **_STRATEGYS_OWN,
        **{key: shipped[key] for key in _SECTIONS},
    }


def shipped_contents(folder: Path | None = None) -> dict[str, bytes]:
    """Each file by its place in the user directory, e.g. ``strategies/MLCoordinator.py``.

    Parameters
    ----------
    folder : where the pack's files are; default: those of this installation
    """
    source = folder or shipped_folder()
    contents = {
        f"{there}/{path.name}": path.read_bytes()
        for here, there in FOLDERS.items()
        for path in sorted((source / here).glob("*.py"))
    }
    config = json.loads((source / "config.json").read_text(encoding="utf-8"))
    contents[OVERLAY] = (json.dumps(overlay_config(config), indent=2) + "\n").encode()
    return contents
