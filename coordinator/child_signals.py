"""Signals that are told to this process and meant for the process that it has started."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

__all__ = ["STOPPED", "BotEnd", "bot_end", "signals_to"]

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
STOPPED: Final = tuple(128 + number for number in _SIGNALS)
"""Exit codes of a bot that was told to end."""
_PATIENCE: Final = 10.0  # seconds in which a bot that was told to end is left alone


@contextmanager
def signals_to(handle: Callable[[int], None]) -> Iterator[None]:
    """Give Ctrl-C, SIGTERM and SIGHUP to a function; only the main thread can, in others nothing is changed.

    A signal that this process ignores stays ignored: ``nohup`` and a shell's background jobs mean it.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def on_signal(number: int, _: FrameType | None) -> None:
        handle(number)

    heard = [number for number in _SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, on_signal) for number in heard}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class BotEnd:
    """Tells a bot in a process group of its own to end: in good order first, and by force at a later signal.

    Attributes
    ----------
    number : the first signal, None until one came
    """

    def __init__(self) -> None:
        self.number: int | None = None
        self._since = 0.0
        self._bot: subprocess.Popen[bytes] | subprocess.Popen[str] | None = None

    def watch(self, bot: subprocess.Popen[bytes] | subprocess.Popen[str]) -> None:
        """Whom it is for; a signal that came before goes on now."""
        self._bot = bot
        if self.number is not None:
            self._pass_on(self.number)

    def tell(self, number: int) -> None:
        """A signal has come."""
        if self.number is None:
            self.number, self._since = number, time.monotonic()
            self._pass_on(number)
        elif time.monotonic() - self._since > _PATIENCE:  # at once it would break off the bot's own end
            self._pass_on(signal.SIGKILL)

    def code(self, ended: int) -> int:
        """This process's exit code for the bot's: 128 + the signal that was told, or that the bot died of."""
        if self.number is not None:
            return 128 + self.number
        return ended if ended >= 0 else 128 - ended

    def _pass_on(self, number: int) -> None:
        if self._bot is not None and self._bot.poll() is None:
            # Freqtrade ends in good order at Ctrl-C and SIGTERM alone.
            os.killpg(self._bot.pid, signal.SIGTERM if number == signal.SIGHUP else number)


@contextmanager
def bot_end() -> Iterator[BotEnd]:
    """While it lasts, Ctrl-C, SIGTERM and SIGHUP end the bot that is watched, not this process."""
    end = BotEnd()
    with signals_to(end.tell):
        yield end
