"""The one shape every user-facing error has: which key or file, whose, the rule and the value."""

from __future__ import annotations

__all__ = ["CoordinatorError"]


class CoordinatorError(ValueError):
    """A user's mistake: bad settings, candles, files or arguments.

    Command-line tools print it as one line and exit with code 2; the Freqtrade adapters turn it into
    Freqtrade's ``OperationalException``. Bugs in this library never raise it.

    Parameters
    ----------
    name : str
        The key, column, option or file that is wrong.
    owner : str
        What it belongs to, e.g. ``"config.json, section coordinator"``.
    rule : str
        What it must be, completing "must ...", e.g. ``"be at most 0.7"``.
    value : object
        What was received.

    Examples
    --------
    >>> print(CoordinatorError("ml_weight", "coordinator.decision", "be at most 0.7", 0.9))
    The 'ml_weight' of coordinator.decision must be at most 0.7. Got 0.9 instead.
    """

    def __init__(self, name: str, owner: str, rule: str, value: object) -> None:
        self.name, self.owner, self.rule, self.value = name, owner, rule, value
        super().__init__(f"The '{name}' of {owner} must {rule}. Got {value!r} instead.")
