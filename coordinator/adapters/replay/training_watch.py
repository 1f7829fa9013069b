"""Whether FreqAI has something to train now, so that a simulated clock can wait for it."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Any

from freqtrade.freqai.freqai_interface import IFreqaiModel

__all__ = ["TrainingWatch"]


class TrainingWatch:
    """Knows every FreqAI model that scans for trainings, from entering to leaving a ``with`` block.

    A training takes real seconds, in which a clock that went on would let hours pass without a model. A pair whose
    training has been tried at the present moment is not due again, whether or not it worked.
    """

    def __init__(self) -> None:
        self._scanning: list[tuple[IFreqaiModel, Any]] = []
        self._tried: dict[tuple[int, str], float] = {}
        self._scan = IFreqaiModel._start_scanning
        self._train = IFreqaiModel.extract_data_and_train_model

    def __enter__(self) -> TrainingWatch:
        """Follow the models that begin to scan from now on."""
        watch = self

        def scan(model: IFreqaiModel, strategy: Any) -> None:
            watch._scanning.append((model, strategy))
            watch._scan(model, strategy)

        def train(model: IFreqaiModel, timerange: Any, pair: str, *others: Any) -> None:
            try:
                watch._train(model, timerange, pair, *others)
            finally:
                watch._tried[id(model), pair] = time.time()

        IFreqaiModel._start_scanning = scan
        IFreqaiModel.extract_data_and_train_model = train
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Follow no more."""
        IFreqaiModel._start_scanning = self._scan
        IFreqaiModel.extract_data_and_train_model = self._train

    def training(self) -> bool:
        """Whether a training is due at the present moment and has not been tried at it."""
        return any(self._due(model, strategy) for model, strategy in self._scanning)

    def _due(self, model: IFreqaiModel, strategy: Any) -> bool:
        if model._stop_event.is_set() or not any(thread.is_alive() for thread in model._threads):
            return False
        now, hours = time.time(), model.freqai_info.get("live_retrain_hours", 0)
        queued = set(model.train_queue)  # FreqAI drops a pair for good that has left the whitelist
        for pair in queued.intersection(strategy.dp.current_whitelist()):
            trained = model.dd.pair_dict.get(pair, {}).get("trained_timestamp", 0)
            due = not trained or now - trained > hours * 3600
            if due and self._tried.get((id(model), pair)) != now:
                return True
        return False
