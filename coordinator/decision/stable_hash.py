"""Random-looking numbers that depend on nothing but (seed, use, pair, candle), so that a rerun draws the same.

Counter-based: splitmix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014) over the
parts. Python's own ``hash`` of a string differs between processes; blake2b does not.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from coordinator.types import Floats, Times

__all__ = ["candle_hash", "text_hash", "unit_interval"]

MASK = 2**64 - 1
GOLDEN = 0x9E3779B97F4A7C15
FIRST, SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
SHIFT_30, SHIFT_27, SHIFT_31, SHIFT_11 = (np.uint64(n) for n in (30, 27, 31, 11))
STEP = np.uint64(GOLDEN)


@lru_cache(maxsize=4096)
def text_hash(text: str) -> int:
    """64 bits of blake2b of the UTF-8 text.

    Examples
    --------
    >>> hex(text_hash("BTC/USDT"))
    '0x1c0fe593a3f1b9f1'
    """
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")


def _mix(x: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    x = x + STEP
    x = (x ^ (x >> SHIFT_30)) * FIRST
    x = (x ^ (x >> SHIFT_27)) * SECOND
    return x ^ (x >> SHIFT_31)


def candle_hash(seed: int, use: str, pair: Sequence[str], time: Times) -> npt.NDArray[np.uint64]:
    """64 bits for each (pair, candle).

    Parameters
    ----------
    seed : int
    use : str
        What the number is for: different uses of one seed are independent.
    pair : sequence of str, length n
    time : ndarray of int, shape (n,)
        Seconds since the epoch.

    Returns
    -------
    ndarray of uint64, shape (n,)
    """
    key = (text_hash(use) + seed * GOLDEN) & MASK
    parts = np.array([text_hash(name) ^ key for name in pair], dtype=np.uint64)
    return _mix(_mix(parts) ^ np.asarray(time, dtype=np.int64).astype(np.uint64))


def unit_interval(bits: npt.NDArray[np.uint64]) -> Floats:
    """The first 53 bits as a float in 0 <= u < 1."""
    return (bits >> SHIFT_11).astype(np.float64) * 2.0**-53
