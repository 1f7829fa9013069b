"""The technical baseline with ML voting on every signal."""

from typing import Any

from pandas import DataFrame

from coordinator.adapters.analysis import PairAnalysis, with_predictions
from coordinator.adapters.freqai_frames import with_features, with_label
from coordinator.adapters.strategy import CoordinatorStrategy


class MLCoordinator(CoordinatorStrategy):
    """Everything TechnicalBaseline does, with the LSTM's and the fusion's votes blended into the confidence."""

    uses_ml = True

    def add_predictions(
        self, dataframe: DataFrame, metadata: dict[str, Any], analysis: PairAnalysis
    ) -> tuple[DataFrame, PairAnalysis]:
        if not self.config.get("freqai", {}).get("enabled", False):
            return dataframe, analysis
        dataframe = self.freqai.start(dataframe, metadata, self)
        return dataframe, with_predictions(analysis, dataframe, ("lstm",))

    def feature_engineering_standard(
        self, dataframe: DataFrame, metadata: dict[str, Any], **kwargs: Any
    ) -> DataFrame:
        return with_features(dataframe, self.timeframe)

    def set_freqai_targets(self, dataframe: DataFrame, metadata: dict[str, Any], **kwargs: Any) -> DataFrame:
        return with_label(dataframe, self.settings)
