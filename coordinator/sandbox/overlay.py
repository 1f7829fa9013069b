"""The Freqtrade config that turns its Binance exchange towards the sandbox."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

__all__ = ["API_PATHS", "STREAM_PATHS", "environment_below", "overlay_config"]

_PREFIX: Final = "FREQTRADE__"

# Every API that ccxt 4.5's binance knows, so that no request can leave for the real exchange.
API_PATHS: Final = {
    "public": "/api/v3",
    "private": "/api/v3",
    "v1": "/api/v1",
    "sapi": "/sapi/v1",
    "sapiV2": "/sapi/v2",
    "sapiV3": "/sapi/v3",
    "sapiV4": "/sapi/v4",
    "fapiPublic": "/fapi/v1",
    "fapiPublicV2": "/fapi/v2",
    "fapiPublicV3": "/fapi/v3",
    "fapiPrivate": "/fapi/v1",
    "fapiPrivateV2": "/fapi/v2",
    "fapiPrivateV3": "/fapi/v3",
    "fapiData": "/futures/data",
    "dapiPublic": "/dapi/v1",
    "dapiPrivate": "/dapi/v1",
    "dapiPrivateV2": "/dapi/v2",
    "dapiData": "/futures/data",
    "eapiPublic": "/eapi/v1",
    "eapiPrivate": "/eapi/v1",
    "papi": "/papi/v1",
    "papiV2": "/papi/v2",
}


STREAM_PATHS: Final = {
    "spot": "/stream/ws",  # ccxt takes a stream for spot by this word in its address
    "margin": "/stream/ws",
    "linear": "/fws",
    "inverse": "/fws",
    "stock": "/ws",
    "option": "/fws",
    "optionMarket": "/fws",
    "optionPrivate": "/fws",
    "papi": "/fws",
}


def overlay_config(
    base_url: str, *, simulated_clock: bool = False, streams: bool = False, live: bool = False
) -> dict[str, Any]:
    """Config to pass last: Binance and its streams at ``base_url``, dry-run unless the bot trades there.

    Requests are not spaced out, and the end of connections is not waited for: the exchange is this machine's own.

    Parameters
    ----------
    base_url : str
        The exchange's address.
    simulated_clock : bool
        Whether the command lives in another time, of which a request is not to take long.
    streams : bool
        Whether a bot gets its candles over websocket (``exchange.enable_ws``).
    live : bool
        Whether the bot orders at the exchange.

    Examples
    --------
    >>> overlay_config("http://127.0.0.1:8080")["exchange"]["ccxt_config"]["urls"]["api"]["public"]
    'http://127.0.0.1:8080/api/v3'
    """
    api: dict[str, Any] = {name: base_url + path for name, path in API_PATHS.items()}
    stream_url = "ws" + base_url.removeprefix("http")
    api["ws"] = {name: stream_url + path for name, path in STREAM_PATHS.items()}
    ccxt_config: dict[str, Any] = {"urls": {"api": api}, "enableRateLimit": False, "timeout_on_exit": 0}
    if simulated_clock:
        ccxt_config["timeout"] = 3000
    exchange = {
        "name": "binance",
        "enable_ws": streams,
        "ccxt_config": ccxt_config,
        "ccxt_async_config": ccxt_config,
    }
    return {"dry_run": not live, "exchange": exchange}


def environment_below(overlay: Mapping[str, Any], environment: Mapping[str, str]) -> dict[str, str]:
    """The environment of a freqtrade process, without its variables for what an overlay says.

    ``FREQTRADE__SECTION__KEY`` goes over every config file: an exchange named there would be asked instead of the
    sandbox.

    Parameters
    ----------
    overlay : the config that is to have the last word
    environment : e.g. ``os.environ``

    Examples
    --------
    >>> overlay = {"dry_run": True, "exchange": {"name": "binance"}}
    >>> variables = {"FREQTRADE__EXCHANGE__NAME": "kraken", "FREQTRADE__EXCHANGE__KEY": "k", "HOME": "/root"}
    >>> environment_below(overlay, variables)
    {'FREQTRADE__EXCHANGE__KEY': 'k', 'HOME': '/root'}
    """

    def decided(path: list[str]) -> bool:
        found: Any = overlay
        for part in path:
            if not isinstance(found, Mapping):
                return True
            if part not in found:
                return False
            found = found[part]
        return True

    return {
        name: value
        for name, value in environment.items()
        if not name.startswith(_PREFIX) or not decided(name.removeprefix(_PREFIX).lower().split("__"))
    }
