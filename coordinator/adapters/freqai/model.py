"""FreqAI's side of the composite model: windows, pooling, latency, and no silent failures."""

from __future__ import annotations

import logging
import time
from collections import deque
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from datasieve.pipeline import Pipeline
from freqtrade.exceptions import OperationalException
from freqtrade.freqai.data_kitchen import FreqaiDataKitchen
from pandas import DataFrame

from coordinator.adapters.errors import as_operational
from coordinator.adapters.freqai.failed_trainings import FailedTrainings, remembered
from coordinator.adapters.freqai.failures import HELP, WAY_OUT, failed_windows, training_failed
from coordinator.adapters.freqai.frames import LABEL, most_likely_class
from coordinator.adapters.freqai.history_replay import HistoryReplay
from coordinator.adapters.freqai.market_source import MarketSource
from coordinator.adapters.freqai.registry import follow_registry, registry_composite
from coordinator.adapters.freqai.scanning import ScanningModel
from coordinator.adapters.freqai.stored_models import StoredModels, with_own_folder
from coordinator.adapters.pairs import traded_pairs
from coordinator.components.absence import FAILED, LATE
from coordinator.components.component import TrainingResult, Window
from coordinator.components.composite import CompositeModel
from coordinator.components.factory import with_slots
from coordinator.components.market_history import BASE, MarketHistory
from coordinator.components.model_files import ModelFiles, ModelVerdict
from coordinator.errors import CoordinatorError
from coordinator.settings import run_settings
from coordinator.signals.candles import open_seconds
from coordinator.types import SECONDS_PER_DAY

__all__ = ["CompositeFreqaiModel"]

logger = logging.getLogger(__name__)

POOLED = ""  # the key of the models of all pairs


class CompositeFreqaiModel(ScanningModel):
    """Trains the enabled components once per window for all pairs, and returns every component's columns.

    With ``learning.pooled`` off each pair has its own networks and fusion models; signal quality is always one model
    for all pairs. What fails ends a backtest with an error; with ``learning.on_failure`` "baseline", and live always,
    the component is absent until the next training works. ``only`` names the components of a subclass; None is the
    setting ``learning.components``.
    """

    only: ClassVar[tuple[str, ...] | None] = None

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(config=with_own_folder(kwargs["config"]))
        with as_operational():
            settings = run_settings(self.config)
            names = with_slots(self.only or settings.learning.components, settings)
            if "selector" in names and settings.selector.enabled:
                rule = "be false where a trained selector votes: there is one selector"
                raise CoordinatorError("selector.enabled", type(self).__name__, rule, True)
            # What is missing from the registry is said before anything is trained.
            self.composite = registry_composite(names, settings, self.config)
            name = type(self).__name__
            self._stored = StoredModels(self.full_path, name, self.config, settings, self.dd)
        self.settings = settings.learning
        self.files = ModelFiles(self.full_path / "coordinator")
        self.CONV_WIDTH = self.settings.sequence_length  # rows FreqAI hands over for one live prediction
        self._source = MarketSource(self.config, settings)
        own = self.settings, self.freqai_info, self.files.folder
        self.history = HistoryReplay(self.composite, self._source, *own)
        self._strategy: Any = None
        self._asked = ""  # the pair that predictions are for
        self._market: MarketHistory | None = None  # a backtest's, whole
        self._newest: MarketHistory | None = None  # a bot's, of the current candle
        self._trained: dict[str, list[CompositeModel]] = {}
        self.failed_trainings = FailedTrainings(maxlen=20)  # a bot's
        self._outdated: set[str] = set()  # keys of models that are to be trained anew whatever their age
        self._milliseconds: deque[float] = deque(maxlen=10_000)
        self._late_logged = False
        self._failure = ""  # of the last training that raised

    # --- read by the strategy ---------------------------------------------------------------------------------

    @property
    def components(self) -> tuple[str, ...]:
        """Names of the components that this model trains."""
        return tuple(self.composite.names)

    @property
    def component_columns(self) -> dict[str, tuple[str, ...]]:
        """Columns of each component, of quality on each clock, in the frame that ``start`` returns."""
        return {name: component.columns for name, component in self.composite.components.items()}

    @property
    def verdicts(self) -> list[ModelVerdict]:
        """What became of every training, oldest first; those of stored predictions included."""
        return self.files.verdicts

    @property
    def health(self) -> dict[str, float]:
        """Number of predictions of one candle, and their latency in milliseconds, median and 99th percentile."""
        if not self._milliseconds:
            return {"predictions": 0.0}
        p50, p99 = np.percentile(self._milliseconds, (50, 99))
        return {
            "predictions": float(len(self._milliseconds)),
            "latency_p50_ms": float(p50),
            "latency_p99_ms": float(p99),
        }

    @property
    def tolerant(self) -> bool:
        """Whether a component that fails is absent, and does not end the run."""
        return self.live or self.settings.on_failure == "baseline"

    def start(self, dataframe: DataFrame, metadata: dict[str, Any], strategy: Any) -> DataFrame:
        """As in Freqtrade; the strategy is kept, as its data provider has the other pairs' candles."""
        self._strategy, self._asked = strategy, metadata["pair"]
        return super().start(dataframe, metadata, strategy)

    # --- training ---------------------------------------------------------------------------------------------

    def train(
        self, unfiltered_df: DataFrame, pair: str, dk: FreqaiDataKitchen, **kwargs: Any
    ) -> CompositeModel:
        """The model of the window, trained at the first pair that asks for it."""
        dk.data_dictionary = {
            "train_features": unfiltered_df[dk.training_features_list],
            "train_labels": unfiltered_df[[LABEL]],
            "train_dates": unfiltered_df["date"],
        }
        # FreqAI looks each column up live; in a backtest they would only be two more columns for each.
        names = (LABEL, *self.composite.columns) if self.live else ()
        dk.data["labels_mean"] = dict.fromkeys(names, 0.0)
        dk.data["labels_std"] = dict.fromkeys(names, 0.0)
        dk.feature_pipeline = dk.label_pipeline = Pipeline([])
        key = POOLED if self.settings.pooled else pair
        if self.live:
            seconds = open_seconds(unfiltered_df)
            end = int(seconds[-1]) + self.base_tf_seconds
            # FreqAI's window of a bot lacks the seconds that its hour is old.
            begin = end - int(self.freqai_info["train_period_days"]) * SECONDS_PER_DAY
            return self._train_live(key, begin, end, pair)
        windows = [(int(timerange.startts), int(timerange.stopts)) for timerange in dk.training_timeranges]
        position = windows.index((int(self.training_timerange.startts), int(self.training_timerange.stopts)))
        models = self._trained.setdefault(key, [])
        for begin, end in windows[len(models) : position + 1]:  # champions follow each other in time
            previous = models[-1] if models else None
            try:
                models.append(self._fit_window(key, begin, end, previous, self._whole_market()))
            except Exception as error:  # FreqAI catches it, and says only that it raised
                self._failure = str(error)
                raise
        return models[position]

    def _train_live(self, key: str, begin: int, end: int, pair: str) -> CompositeModel:
        """A pooled model serves all pairs that ask within half the retraining period."""
        models = self._trained.setdefault(key, [])
        fresh = self.freqai_info.get("live_retrain_hours", 0) * 1800
        young = models and (end == models[-1].end or 0 <= end - models[-1].end < fresh)
        if young and key not in self._outdated:
            return models[-1]
        stored = models[-1] if models else self.dd.model_dictionary.get(pair)  # after a restart
        previous = stored if isinstance(stored, CompositeModel) else None
        with remembered(self.failed_trainings, end):
            market = self._source.full_history(self._pairs(), self._strategy.dp, self.dd.historic_data)
            model = self._fit_window(key, begin, end, previous, market)
        models[:] = [model]
        self._outdated.discard(key)
        return model

    def request_retraining(self) -> None:
        """Have FreqAI train every pair's models anew: their last training is made to look old enough to be due."""
        due = int(time.time()) - int(self.freqai_info.get("live_retrain_hours", 0) * 3600) - 1
        for about in self.dd.pair_dict.values():
            about["trained_timestamp"] = min(about["trained_timestamp"], due)
        self._outdated = set(self._trained)
        logger.warning("All models are trained anew, as soon as FreqAI gets to them")

    def _fit_window(
        self, key: str, begin: int, end: int, previous: CompositeModel | None, market: MarketHistory
    ) -> CompositeModel:
        pairs = {key: market.pairs[key]} if key else market.pairs
        started = time.perf_counter()
        window = Window(begin, end, pairs, market)

        def on_trained(name: str, result: TrainingResult) -> None:
            owner = f"{name} {key}" if key and not name.startswith("quality") else name
            if self.live:  # how quickly the models answered since the bot began
                result = replace(result, details={**result.details, **self.health})
            verdict = self.files.write(owner, end, result)
            logger.info("%s: %s", owner, verdict.sentence)

        model = self.composite.train(window, previous, on_trained, tolerant=self.tolerant)
        logger.info(
            "Trained %s on the window to %s for %s in %.1f s",
            ", ".join(self.components),
            np.datetime64(end, "s"),
            key or f"all {len(pairs)} pairs",
            time.perf_counter() - started,
        )
        return model

    # --- prediction -------------------------------------------------------------------------------------------

    def predict(
        self, unfiltered_df: DataFrame, dk: FreqaiDataKitchen, **kwargs: Any
    ) -> tuple[DataFrame, npt.NDArray[np.int_]]:
        """Every component's columns for every row, and FreqAI's do_predict.

        Absent components are NaN, with the reason in ``<component>_absence``. Live, a single candle's prediction that
        takes longer than ``learning.latency_limit_ms`` marks the candle as late. The features have been computed
        before, as a strategy's indicators are: the time is the models' own.
        """
        dk.find_features(unfiltered_df)
        times = open_seconds(unfiltered_df)
        single = self.live and not kwargs.get("first", True)
        wanted = times[-1:] if single else times  # FreqAI keeps the last row only
        market = self._market_of(dk.pair, int(times[-1])) if len(times) else self._whole_market()
        self.composite.prepare(dk.pair, wanted, market, tolerant=self.tolerant)
        started = time.perf_counter()
        columns = self.composite.predict(self.model, dk.pair, wanted, market, tolerant=self.tolerant)
        milliseconds = (time.perf_counter() - started) * 1000
        frame = DataFrame(columns, columns=self.composite.columns)
        frame.insert(0, LABEL, most_likely_class(frame, self.components))
        dk.do_predict = np.full(len(wanted), self._do_predict(milliseconds, single), dtype=np.int_)
        dk.DI_values = np.zeros(len(wanted))
        return frame, dk.do_predict

    def _do_predict(self, milliseconds: float, single: bool) -> int:
        if not single:
            return 1
        self._milliseconds.append(milliseconds)
        if milliseconds <= self.settings.latency_limit_ms:
            self._late_logged = False
            return 1
        if not self._late_logged:
            self._late_logged = True
            limits = milliseconds, self.settings.latency_limit_ms
            logger.warning("A prediction took %.1f ms (limit %.1f): ML is late and absent", *limits)
        return LATE

    def _pairs(self) -> list[str]:
        pairs = traded_pairs(self.config, self._strategy.dp)
        return pairs if self.live or self._asked in ("", *pairs) else [*pairs, self._asked]

    def _whole_market(self) -> MarketHistory:
        """A backtest's candles; every training cuts them at the end of its window."""
        if self._market is None:
            # The fast start may have read the same candles; a chart's pair need not be among them.
            read, pairs = self.history.market, self._pairs()
            if read is None or not read.pairs.keys() >= set(pairs):
                read = self._source.full_history(pairs, self._strategy.dp, {})
            self._market = read
        return self._market

    def _market_of(self, pair: str, last: int) -> MarketHistory:
        """The market as far as it is known at a candle; a bot's is read anew with each candle."""
        if not self.live:
            return self._whole_market()
        history = None if self._newest is None else self._newest.pairs.get(pair)
        if self._newest is None or history is None or int(history.candles[BASE].time[-1]) != last:
            self._newest = self._source.latest_candles(self._pairs(), self._strategy.dp)
        return self._newest

    # --- failures in a backtest -------------------------------------------------------------------------------

    def start_backtesting(
        self, dataframe: DataFrame, metadata: dict[str, Any], dk: FreqaiDataKitchen, strategy: Any
    ) -> FreqaiDataKitchen:
        """As in Freqtrade; then it is said what failed, in this run or in the one whose predictions are reused."""
        self._stored.check_market(traded_pairs(self.config, strategy.dp), self._whole_market())
        # Champions follow each other from the first window on: those of another first one are others.
        dk.backtest_predictions_folder += f"/from_{dk.training_timeranges[0].startts}"
        dk = super().start_backtesting(dataframe, metadata, dk, strategy)
        if self.composite.from_registry:
            follow_registry(self.composite, dk.return_dataframe, dk.pair, self._whole_market(), self.tolerant)
        if failures := failed_windows(dk.return_dataframe, dk.backtesting_timeranges, self.components):
            if not self.tolerant:
                raise OperationalException(
                    f"The stored predictions of {dk.pair} are of a run in which {failures}: give this one another "
                    f"freqai.identifier. {WAY_OUT}"
                )
            logger.warning(
                "%s: ML IS ABSENT in part, and the rest trades on: %s. The errors are in the log of the run that "
                "trained. %s Then give the next run another freqai.identifier: predictions are reused.",
                dk.pair,
                failures,
                HELP,
            )
        return dk

    def _append_null_backtesting_predictions(
        self, dk: FreqaiDataKitchen, dataframe_backtest: DataFrame
    ) -> None:
        """Freqtrade fills a failed window with zeros and stores them; a backtest built on that would be a lie.

        Ours ends with an error, or has no predictions and every component's absence in the window.
        """
        if not self.tolerant:
            days, market = int(self.freqai_info["train_period_days"]), self._whole_market()
            raise OperationalException(
                training_failed(dk.pair, self._failure, market, days, self.training_timerange)
            )
        n = len(dataframe_backtest)
        frame = DataFrame(np.nan, index=range(n), columns=[LABEL, *self.composite.columns])
        frame[[f"{name}_absence" for name in self.components]] = float(FAILED)
        dk.DI_values = np.zeros(n)
        append = dk.get_predictions_to_append(frame, np.zeros(n, dtype=np.int_), dataframe_backtest)
        dk.append_predictions(append)
        dk.save_backtesting_prediction(append)
