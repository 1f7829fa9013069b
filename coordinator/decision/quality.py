"""What a signal-quality model may do to the technical confidence (spec 002, prediction modes).

The model brings a confidence that a signal succeeds; where it is absent the technical confidence stands.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from coordinator.types import Bools, Floats

__all__ = ["PredictionMode", "apply_quality"]

PredictionMode = Literal["score_enhancement", "filter", "replace"]


def apply_quality(
    technical: Floats, quality: Floats, mode: PredictionMode, *, weight: float = 0.3, threshold: float = 0.5
) -> tuple[Floats, Bools]:
    """Technical confidence after the model's say, and which signals it removes.

    Parameters
    ----------
    technical : ndarray of shape (n,)
        0..1.
    quality : ndarray of shape (n,)
        0..1 on the same scale; NaN where the model is absent.
    mode : str
        ``score_enhancement``: (1 - weight) x technical + weight x quality, the documented 70/30.
        ``filter``: the technical confidence stands, signals whose quality is below ``threshold`` are removed.
        ``replace``: the quality alone.
    weight : float
        Say of the model in ``score_enhancement``, 0..1.
    threshold : float
        Lowest quality that passes ``filter``, 0..1.

    Returns
    -------
    confidence : ndarray of float, removed : ndarray of bool, both of shape (n,)

    Examples
    --------
    >>> technical, quality = np.array([0.8, 0.8]), np.array([0.4, np.nan])
    >>> apply_quality(technical, quality, "score_enhancement")[0].round(2)
    array([0.68, 0.8 ])
    >>> apply_quality(technical, quality, "filter")
    (array([0.8, 0.8]), array([ True, False]))
    >>> apply_quality(technical, quality, "replace")[0]
    array([0.4, 0.8])
    """
    present = np.isfinite(quality)
    nothing = np.zeros(len(technical), dtype=bool)
    if mode == "filter":
        return technical, present & (np.where(present, quality, 1.0) < threshold)
    say = weight if mode == "score_enhancement" else 1.0
    blended = (1.0 - say) * technical + say * np.where(present, quality, 0.0)
    return np.where(present, blended, technical), nothing
