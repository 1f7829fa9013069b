"""The technical baseline with ML voting on every signal."""

import logging
from typing import Any

from pandas import DataFrame

from coordinator.adapters.errors import StoredModelsError
from coordinator.adapters.freqai.frames import with_feature, with_label
from coordinator.adapters.strategy import CoordinatorStrategy
from coordinator.run.pair_analysis import PairAnalysis
from coordinator.run.predictions import with_predictions, without_component

logger = logging.getLogger(__name__)


class MLCoordinator(CoordinatorStrategy):
    """Everything TechnicalBaseline does, with the trained components' votes blended into the confidence."""

    uses_ml = True

    def add_predictions(
        self, dataframe: DataFrame, metadata: dict[str, Any], analyses: list[PairAnalysis]
    ) -> tuple[DataFrame, list[PairAnalysis]]:
        if not self.config.get("freqai", {}).get("enabled", False):
            return dataframe, analyses
        components = getattr(self.freqai, "components", ())
        try:
            predicted = self.freqai.start(dataframe, metadata, self)
            if components:
                self.recorder.follow_models(metadata["pair"], predicted, self.freqai)
            return predicted, [with_predictions(one, predicted, components) for one in analyses]
        except StoredModelsError:
            raise
        except Exception as error:
            if not self.is_bot and self.settings.learning.on_failure == "stop":
                logger.error(
                    '%s: FreqAI raised; "learning.on_failure": "baseline" trades on', metadata["pair"]
                )
                raise
            logger.exception("%s: FreqAI raised; the baseline trades on without ML", metadata["pair"])
            for component in set(components) - {"fusion"}:  # the indicators' fusion needs no model
                reason = f"FreqAI raised {type(error).__name__}"
                analyses = [without_component(one, component, reason) for one in analyses]
            return dataframe, analyses

    def request_retraining(self) -> None:
        if hasattr(self.freqai, "request_retraining"):
            self.freqai.request_retraining()

    def feature_engineering_standard(
        self, dataframe: DataFrame, metadata: dict[str, Any], **kwargs: Any
    ) -> DataFrame:
        return with_feature(dataframe)

    def set_freqai_targets(self, dataframe: DataFrame, metadata: dict[str, Any], **kwargs: Any) -> DataFrame:
        return with_label(dataframe, self.settings)
