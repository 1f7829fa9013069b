"""Random streams by name: each quantity has its own generator, so that adding one shifts no other."""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt
import pandas as pd

__all__ = ["ar1", "stream"]


def stream(seed: int, *names: str) -> np.random.Generator:
    """A generator that depends on the seed and the names only (SHA-256, so it is the same on every machine).

    Examples
    --------
    >>> float(stream(7, "BTC").random()) == float(stream(7, "BTC").random())
    True
    """
    digest = hashlib.sha256("\0".join(names).encode()).digest()
    return np.random.default_rng(np.random.SeedSequence([seed, int.from_bytes(digest[:16], "big")]))


def ar1(shocks: npt.NDArray[np.float64], half_life: float) -> npt.NDArray[np.float64]:
    """Stationary AR(1) of unit variance from standard normal shocks.

    Parameters
    ----------
    shocks : numpy.ndarray
        Shape (n,); the first is the starting value.
    half_life : float
        Steps after which a deviation has halved.

    Returns
    -------
    numpy.ndarray
        Shape (n,). The first k values depend on the first k shocks only.
    """
    persistence = 0.5 ** (1.0 / half_life)
    scaled = shocks * np.sqrt(1.0 - persistence**2) / (1.0 - persistence)
    if len(scaled):
        scaled[0] = shocks[0]
    recursion = pd.Series(scaled).ewm(alpha=1.0 - persistence, adjust=False).mean()
    return recursion.to_numpy(dtype=np.float64)
