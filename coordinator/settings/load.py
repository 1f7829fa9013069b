"""The parsed "coordinator" section of config.json to validated settings, or one error that names the key."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import ValidationError

from coordinator.errors import CoordinatorError
from coordinator.settings.all import Settings

__all__ = ["load_settings"]

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
config must be a known key. Got 0.2 instead.
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
        raise CoordinatorError(name, SECTION, _rule(first["type"], first["msg"]), first["input"]) from None


def _rule(kind: str, message: str) -> str:
    if kind == "extra_forbidden":
        return "be a known key"
    message = message.removeprefix("Value error, ")
    if message.startswith("Input should be "):
        return "be " + message.removeprefix("Input should be ")
    return f"hold together: {message}"
