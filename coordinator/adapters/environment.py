"""This process's environment variables, of which Freqtrade makes config."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

__all__ = ["replaced_environment"]


@contextmanager
def replaced_environment(variables: Mapping[str, str]) -> Iterator[None]:
    """While it lasts this process has these variables and no others."""
    before = dict(os.environ)
    os.environ.clear()
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
