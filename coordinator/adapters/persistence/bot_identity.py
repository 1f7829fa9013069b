"""Which bot this is: its name, its mode, and the Freqtrade database that holds its trades."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any, Final, cast

from freqtrade.persistence import KeyValueStore, Trade
from freqtrade.persistence.key_value_store import KeyStoreKeys

__all__ = ["bot_identity"]

_KEY: Final = cast("KeyStoreKeys", "coordinator_bot")


def bot_identity(config: Mapping[str, Any]) -> str:
    """Name of a bot in the ledger.

    Two bots with one ledger and the same name (Freqtrade's default is one name for all) have databases of their own. A
    mark is written into Freqtrade's database, which moves with it to another folder, machine or server.

    Parameters
    ----------
    config : Freqtrade's

    Returns
    -------
    str
        "<bot_name> <runmode> <mark>"; a database in memory has no mark, as it ends with its bot.
    """
    name = f"{config.get('bot_name', 'freqtrade')} {config.get('runmode', '')}"
    if not Trade.session.get_bind().engine.url.database:
        return name
    mark = KeyValueStore.get_string_value(_KEY)
    if mark is None:
        mark = uuid.uuid4().hex[:12]
        KeyValueStore.store_value(_KEY, mark)
    return f"{name} {mark}"
