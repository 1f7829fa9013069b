"""Why a component of the composite does not vote, as codes in its predictions and as text."""

from __future__ import annotations

__all__ = ["ABSENCE_REASONS", "BEFORE", "FAILED", "LATE", "NO_MODEL", "TRAINED_ON", "UNUSABLE_PREDICTIONS"]

NO_MODEL, FAILED, TRAINED_ON = 1, 2, 3
ABSENCE_REASONS = {
    NO_MODEL: "no model: none was good enough",
    FAILED: "raised an exception",
    TRAINED_ON: "the model was trained on this candle",
}
"""Values of a model's columns ``<component>_absence``, in words; 0 is none."""

LATE = 3  # our own value of FreqAI's do_predict
BEFORE = "before the first prediction"
"""A signal of the history that a backtest or a bot begins with: FreqAI fills those rows, no model was asked."""
UNUSABLE_PREDICTIONS = {0: "not usable", 2: "stale: the model has expired", LATE: "late"}
"""Values of FreqAI's ``do_predict`` that keep every component from voting, in words; a component's own reason goes
before them."""
