"""The parsed "coordinator" section of config.json to validated settings, or one error that names the key."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from pydantic import ValidationError

from coordinator.errors import CoordinatorError
from coordinator.settings.all import Settings

__all__ = ["load_settings", "run_settings"]

SECTION = "the coordinator section of the Freqtrade config"


def load_settings(section: object) -> Settings:
    """Validate a "coordinator" section.

    Parameters
    ----------
    section : object
        The parsed JSON value; None means all defaults.

    Raises
    ------
    CoordinatorError
        Naming the first wrong key (dotted), the rule it breaks and the value received.

    Examples
    --------
    >>> load_settings({"decision": {"ml_weight": 0.2}}).decision.ml_weight
    0.2
    >>> load_settings({"decision": {"ml_wight": 0.2}})
    Traceback (most recent call last):
    coordinator.errors.CoordinatorError: The 'decision.ml_wight' of the coordinator section of the Freqtrade \
config must be a known key: perhaps decision.ml_weight. Got 0.2 instead.
    """
    if section is None:
        return Settings()
    if not isinstance(section, Mapping):
        raise CoordinatorError("coordinator", "the Freqtrade config", "be an object of settings", section)
    try:
        return Settings.model_validate(dict(section))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = ".".join(str(part) for part in first["loc"]) or "coordinator"
        value = _named(first["msg"], first["input"])
        unknown = first["type"] == "extra_forbidden"
        rule = f"be a known key: {_near(first['loc'])}" if unknown else _rule(first["msg"])
        raise CoordinatorError(name, SECTION, rule, value) from None


def run_settings(config: Mapping[str, Any]) -> Settings:
    """The settings of a run: its "coordinator" section, with what Freqtrade's own settings say about it.

    Parameters
    ----------
    config : Freqtrade's. Its ``fee`` (``--fee``) counts where it is set, as Freqtrade's own backtests take it too;
        else in futures ``costs.futures_fee``, in spot ``costs.fee``. Its ``max_entry_position_adjustment`` and
        ``position_adjustment_enable`` bound ``dca.most_tranches``: no plan has tranches that Freqtrade will not order.

    Examples
    --------
    >>> [run_settings(config).costs.fee for config in ({}, {"trading_mode": "futures"}, {"fee": 0.002})]
    [0.001, 0.0005, 0.002]
    >>> [run_settings({"max_entry_position_adjustment": most}).dca.most_tranches for most in (-1, 0, 1)]
    [4, 1, 2]
    """
    settings = load_settings(config.get("coordinator"))
    fee = config.get("fee")
    if fee is None:
        futures = config.get("trading_mode", "spot") == "futures"
        fee = settings.costs.futures_fee if futures else settings.costs.fee
    costs = settings.costs.model_copy(update={"fee": float(fee)})
    dca = settings.dca.model_copy(
        update={"most_tranches": _most_tranches(config, settings.dca.most_tranches)}
    )
    return settings.model_copy(update={"costs": costs, "dca": dca})


def _most_tranches(config: Mapping[str, Any], planned: int) -> int:
    """Tranches that Freqtrade will order."""
    if config.get("position_adjustment_enable") is False:
        return 1
    additions = config.get("max_entry_position_adjustment", -1)
    return planned if additions < 0 else min(planned, 1 + additions)


def _named(message: str, given: object) -> object:
    """Of several keys that must hold together, what was given of those the message names; else all that was given."""
    if not isinstance(given, Mapping):
        return given
    found: dict[str, object] = {}
    for word in re.findall(r"[a-z_][a-z0-9_.]*", message):
        value: object = given
        for key in word.split("."):
            value = value.get(key) if isinstance(value, Mapping) else None
        if value is not None:
            found[word] = value
    return found or given


def _near(path: tuple[int | str, ...]) -> str:
    """What was probably meant by an unknown key: one like it in its section, else one of that name in another."""
    *sections, last = map(str, path)
    own = _keys(sections)
    meant = [".".join([*sections, key]) for key in get_close_matches(last, own, n=1)]
    meant = meant or [f"{name}.{last}" for name in _keys([]) if last in _keys([name])]
    if meant:
        return f"perhaps {' or '.join(meant)}"
    return (
        f"{'.'.join(sections) or 'the section'} has {', '.join(own)}"
        if own
        else "docs/settings.md has them all"
    )


def _keys(sections: Sequence[str]) -> list[str]:
    """The keys of a section within sections; none where it is no section of ours."""
    model: Any = Settings
    for name in sections:
        field = getattr(model, "model_fields", {}).get(name)
        model = field and field.annotation
    return list(getattr(model, "model_fields", ()))


def _rule(message: str) -> str:
    message = message.removeprefix("Value error, ")
    if message.startswith("Input should be "):
        return "be " + message.removeprefix("Input should be ")
    return f"hold together: {message}"
