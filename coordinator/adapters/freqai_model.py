"""FreqAI's side of a sequence classifier: train, predict with history, and no silent failures."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from datasieve.pipeline import Pipeline
from freqtrade.exceptions import OperationalException
from freqtrade.freqai.data_kitchen import FreqaiDataKitchen
from freqtrade.freqai.freqai_interface import IFreqaiModel
from pandas import DataFrame

from coordinator.adapters.errors import as_operational
from coordinator.adapters.freqai_frames import LABEL, with_features
from coordinator.learning.classifier import SequenceClassifier
from coordinator.learning.labels import CLASSES
from coordinator.settings import load_settings

__all__ = ["SequenceFreqaiModel"]

logger = logging.getLogger(__name__)


class SequenceFreqaiModel(IFreqaiModel):
    """Trains a ``SequenceClassifier`` per pair and window and returns its class probabilities.

    Columns of the prediction frame: the label (the likeliest class) and ``<component>_hold``, ``_buy``, ``_sell``.
    A failed training ends a backtest with an error; live it leaves the component absent until the next one works.
    """

    component = "lstm"

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(config=kwargs["config"])
        with as_operational():
            self.settings = load_settings(self.config.get("coordinator")).learning
        self.CONV_WIDTH = self.settings.sequence_length  # rows FreqAI hands over for one live prediction
        self._candles: DataFrame | None = None
        self._history: DataFrame | None = None

    @property
    def columns(self) -> list[str]:
        """Names of the probability columns, in the order of ``CLASSES``."""
        return [f"{self.component}_{name}" for name in ("hold", "buy", "sell")]

    def start(self, dataframe: DataFrame, metadata: dict[str, Any], strategy: Any) -> DataFrame:
        """As in Freqtrade; the whole frame is kept so that a window's first rows have their history."""
        self._candles, self._history = dataframe, None
        try:
            return super().start(dataframe, metadata, strategy)
        finally:
            self._candles = self._history = None

    def train(self, unfiltered_df: DataFrame, pair: str, dk: FreqaiDataKitchen, **kwargs: Any) -> Any:
        """Fit on one window; the label's horizon is purged because its rows have no label."""
        features = unfiltered_df[dk.training_features_list]
        dk.data_dictionary = {
            "train_features": features,
            "train_labels": unfiltered_df[[LABEL]],
            "train_dates": unfiltered_df["date"],
        }
        dk.data["labels_mean"] = dict.fromkeys((LABEL, *self.columns), 0.0)
        dk.data["labels_std"] = dict.fromkeys((LABEL, *self.columns), 0.0)
        dk.feature_pipeline = dk.label_pipeline = Pipeline([])
        model = self.fit({"features": features, "labels": unfiltered_df[LABEL]}, dk)
        logger.info(
            "%s: %d rows, best epoch %d of %d, validation loss %.4f (uniform: %.4f)",
            pair,
            len(features),
            model.best_epoch_ + 1,
            len(model.validation_loss_),
            min(model.validation_loss_),
            np.log(len(CLASSES)),
        )
        return model

    def fit(
        self, data_dictionary: dict[str, Any], dk: FreqaiDataKitchen, **kwargs: Any
    ) -> SequenceClassifier:
        """Fit the classifier; subclasses choose its network."""
        features, labels = data_dictionary["features"], data_dictionary["labels"]
        return SequenceClassifier(self.settings).fit(
            features.to_numpy(dtype=np.float64), labels.to_numpy(dtype=np.float64)
        )

    def predict(
        self, unfiltered_df: DataFrame, dk: FreqaiDataKitchen, **kwargs: Any
    ) -> tuple[DataFrame, npt.NDArray[np.int_]]:
        """Class probabilities of every row, and 1 where they may be used."""
        dk.find_features(unfiltered_df)
        history = self._rows_before(unfiltered_df, dk)
        frame = pd.concat((history, unfiltered_df[dk.training_features_list]))
        probabilities, usable = self.model.predict_proba(frame.to_numpy(dtype=np.float64))
        probabilities, usable = probabilities[len(history) :], usable[len(history) :]
        probabilities = np.nan_to_num(probabilities)
        predictions = DataFrame(probabilities, columns=self.columns)
        predictions.insert(0, LABEL, np.array(CLASSES, dtype=float)[probabilities.argmax(axis=1)])
        dk.do_predict = usable.astype(np.int_)
        dk.DI_values = np.zeros(len(predictions))
        return predictions, dk.do_predict

    def _rows_before(self, frame: DataFrame, dk: FreqaiDataKitchen) -> DataFrame:
        """Features of the candles just before a backtest window; live frames bring their own."""
        needed = self.settings.sequence_length - 1
        nothing = frame.iloc[:0][dk.training_features_list]
        if self.live or self._candles is None or frame.empty:
            return nothing
        if self._history is None:
            candles = self._candles[["date", "open", "high", "low", "close", "volume"]]
            self._history = with_features(candles, self.config["timeframe"])
        before = self._history["date"].searchsorted(frame["date"].iloc[0])
        return self._history.iloc[max(0, before - needed) : before][dk.training_features_list]

    def _append_null_backtesting_predictions(
        self, dk: FreqaiDataKitchen, dataframe_backtest: DataFrame
    ) -> None:
        """Freqtrade fills a failed window with zeros and stores them; a backtest built on that would be a lie."""
        raise OperationalException(
            f"Training of {dk.pair} failed (see the log above), so the backtest cannot go on. "
            "More candles before the timerange or a shorter train_period_days may help."
        )
