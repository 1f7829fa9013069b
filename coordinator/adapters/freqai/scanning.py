"""FreqAI's training thread: it trains only where there are candles, and ends within seconds when the bot does."""

from __future__ import annotations

import ctypes
import logging
import threading
from typing import Any, Final

import pandas as pd
from freqtrade.configuration import TimeRange
from freqtrade.freqai.data_kitchen import FreqaiDataKitchen
from freqtrade.freqai.freqai_interface import IFreqaiModel

__all__ = ["GRACE_SECONDS", "ScanningModel", "TrainingStopped", "end_threads"]

logger = logging.getLogger(__name__)

GRACE_SECONDS: Final = 2.0
_STOP_SECONDS: Final = 5.0


class ScanningModel(IFreqaiModel):
    """A FreqAI model whose thread starts no training without candles, and ends with its bot."""

    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__(config=config)
        self._told_outdated: set[str] = set()

    def start_scanning(self, *args: Any, **kwargs: Any) -> None:
        """As in Freqtrade, in a thread that does not keep a process alive whose bot has ended."""
        scanning = threading.Thread(target=self._start_scanning, args=args, kwargs=kwargs, daemon=True)
        self._threads.append(scanning)
        scanning.start()

    def shutdown(self) -> None:
        """End within seconds, also while models train; ``wait_for_training_iteration_on_reload`` waits for them."""
        self._stop_event.set()
        if not self.freqai_info.get("wait_for_training_iteration_on_reload", False):
            end_threads(self._threads)
            self._threads.clear()
        super().shutdown()

    def fit(self, data_dictionary: dict[str, Any], dk: FreqaiDataKitchen, **kwargs: Any) -> Any:
        """FreqAI asks for this method; ``train`` does without it."""
        raise NotImplementedError

    def extract_data_and_train_model(
        self,
        new_trained_timerange: TimeRange,
        pair: str,
        strategy: Any,
        dk: FreqaiDataKitchen,
        data_load_timerange: TimeRange,
    ) -> None:
        """As in Freqtrade, where the window has candles; otherwise the log says once why nothing is trained."""
        candles = self.dd.historic_data.get(pair, {}).get(self.config["timeframe"])
        newest = None if candles is None or candles.empty else candles["date"].iloc[-1]
        begin = pd.Timestamp(new_trained_timerange.startts, unit="s", tz="UTC")
        if newest is not None and newest >= begin:
            self._told_outdated.discard(pair)
            super().extract_data_and_train_model(
                new_trained_timerange, pair, strategy, dk, data_load_timerange
            )
        elif pair not in self._told_outdated:
            self._told_outdated.add(pair)
            logger.error(
                "%s cannot be trained on: its newest candle is of %s, the training window begins on %s. Where the "
                "exchange's candles have ended (the sandbox's do), `coordinator demo` lives in their time",
                pair,
                "never" if newest is None else f"{newest:%Y-%m-%d %H:%M}",
                f"{begin:%Y-%m-%d}",
            )


class TrainingStopped(SystemExit):
    """Raised inside a training whose bot ends; no ``except Exception`` of a training holds it up."""


def end_threads(threads: list[threading.Thread], grace: float = GRACE_SECONDS) -> bool:
    """Wait a moment for threads that have been told to stop, then raise ``TrainingStopped`` in those that train on.

    What a training has written stays whole: files are written aside and renamed, the ledger's rows in a transaction.
    Work in compiled code goes on until it returns.

    Parameters
    ----------
    threads : list of threading.Thread
    grace : float
        Seconds to wait before.

    Returns
    -------
    bool
        Whether all have ended.
    """
    for thread in threads:
        thread.join(timeout=grace)
        if thread.is_alive() and thread.ident is not None:
            logger.info("The bot ends: its training is broken off, and done again when it starts next")
            stopped = ctypes.py_object(TrainingStopped)
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), stopped)
            thread.join(timeout=_STOP_SECONDS)
    return not any(thread.is_alive() for thread in threads)
