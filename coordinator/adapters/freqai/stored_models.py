"""Whose models and predictions a FreqAI identifier's folder holds: no run takes over those of another."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from freqtrade.enums import RunMode

from coordinator.adapters.errors import StoredModelsError
from coordinator.adapters.run_modes import MODES_WITH_TRADES
from coordinator.components.fingerprint import Fingerprint, flat, shortened
from coordinator.components.market_history import MarketHistory
from coordinator.errors import CoordinatorError
from coordinator.settings import Settings
from coordinator.settings.predictions import prediction_settings
from coordinator.signals.features import FEATURES_VERSION
from coordinator.signals.panel_features import PANEL_SCHEMA
from coordinator.signals.signal_features import SIGNAL_SCHEMA

if TYPE_CHECKING:
    from freqtrade.freqai.data_drawer import FreqaiDataDrawer

__all__ = ["StoredModels", "with_own_folder"]

logger = logging.getLogger(__name__)

_FREQAI_ASIDE: Final = (
    *("identifier", "enabled", "live_retrain_hours", "expiration_hours", "purge_old_models"),
    *("save_backtest_models", "activate_tensorboard", "write_metrics_to_disk"),
    "wait_for_training_iteration_on_reload",
)
_LEARNING_ASIDE: Final = ("on_failure", "fast_start_days", "latency_limit_ms", "device", "threads")
"""Keys of the two sections that change no prediction: when is trained, how long it lasts, what a failure does."""
_OURS: Final = "coordinator"  # folder of verdicts, model files and the fast start's predictions
_SETTINGS, _FREQAI = "coordinator.", "freqai."
_MAY_COME: Final = (_SETTINGS, _FREQAI)
"""Keys of these may be on one side only: a new version has new settings, and not every mode fills in defaults.

A setting that the folder does not know yet was as it is by default.
"""


class StoredModels:
    """Compares a run with the fingerprint in its model folder, and refuses to go on where they differ.

    FreqAI knows a stored prediction by pair, end of training and number of candles alone, and a bot's model by its
    pair: another model's, market's or setting's under the same identifier would be taken for the run's. So:

    - Every run must agree with the folder in model class, exchange, trading mode, stake currency, timeframe, versions
      of the features, the "freqai" section and the settings that predictions depend on, but for keys that change no
      prediction.
    - A backtest (hyperopt, chart and analysis alike) must agree in pairs and candles, too, as one model learns from
      all pairs. Newer candles are no difference: a longer timerange goes on from what is stored.
    - A bot's pairs and candles change by themselves (volume pair lists, each new candle), and are not compared.
    - A webserver's chart of another market than its config's has a folder of its own (:func:`with_own_folder`).
    - Where nothing is stored yet there is nothing to mistake: the fingerprint is written anew.
    - What no fingerprint tells about is not taken over in a backtest; a bot goes on with models that this pack has
      trained, as an older version of it wrote none, and says so.

    Parameters
    ----------
    folder : the identifier's
    model : name of the model class
    config : Freqtrade's
    settings : Settings
    drawer : what FreqAI has read from the folder

    Raises
    ------
    StoredModelsError
        Where the folder's models and predictions were made with something else.
    """

    def __init__(
        self,
        folder: Path,
        model: str,
        config: Mapping[str, Any],
        settings: Settings,
        drawer: FreqaiDataDrawer,
    ) -> None:
        self._folder, self._identifier = folder, config["freqai"].get("identifier")
        self._market_known = False
        made_with, found = _made_with(model, config, settings), Fingerprint.read(folder)
        bot = config.get("runmode") in MODES_WITH_TRADES
        holds = self._predictions() or self._history() or bool(drawer.historic_predictions)
        holds |= any(about["model_filename"] for about in drawer.pair_dict.values())
        if not holds:
            if found is not None and found.differences(made_with, _MAY_COME, _defaults()):
                # Verdicts of a run that ended before it stored anything else.
                shutil.rmtree(folder / _OURS, ignore_errors=True)
            found = Fingerprint(made_with)
        elif found is None and not (bot and (folder / _OURS).is_dir()):
            raise self._refusal("nothing in it says what it was made of")
        elif found is None:
            logger.warning("%s has no fingerprint yet: this bot goes on with the models in it", folder)
            found = Fingerprint(made_with)
        elif words := found.differences(made_with, _MAY_COME, _defaults()):
            raise self._refusal(f"what it holds was made with {shortened(words)}")
        self._fingerprint = Fingerprint(made_with, found.candles)
        self._fingerprint.write(folder)

    def check_market(self, pairs: Iterable[str], market: MarketHistory) -> None:
        """Compare a backtest's pairs and candles, once.

        Raises
        ------
        StoredModelsError
            Where the stored predictions are of others.
        """
        if self._market_known:
            return
        series = {
            f"{pair} {timeframe}": candles
            for pair in pairs
            if pair in market.pairs
            for timeframe, candles in market.pairs[pair].candles.items()
        }
        if self._predictions():
            if self._fingerprint.candles is None:
                raise self._refusal("nothing in it says of which candles its predictions are")
            if words := self._fingerprint.candle_differences(series):
                raise self._refusal(f"its predictions are of {shortened(words)}")
        self._fingerprint = self._fingerprint.with_candles(series)
        self._fingerprint.write(self._folder)
        self._market_known = True

    def _predictions(self) -> bool:
        return any(self._folder.glob("backtesting_predictions/**/*.feather"))

    def _history(self) -> bool:
        return any(self._folder.glob(f"{_OURS}/history-*/*.feather"))

    def _refusal(self, why: str) -> StoredModelsError:
        rule = f"be another one, or its folder be deleted (rm -r {self._folder}): {why}"
        return StoredModelsError(
            str(CoordinatorError("freqai.identifier", "the Freqtrade config", rule, self._identifier))
        )


def with_own_folder(config: dict[str, Any]) -> dict[str, Any]:
    """Freqtrade's config, in which a chart of another market than the config's has an identifier of its own.

    FreqUI asks a webserver for a chart of any exchange and trading mode, and cannot name an identifier with it.
    """
    if config.get("runmode") != RunMode.WEBSERVER:
        return config
    asked, own = _market(config), _market(config.get("original_config") or config)
    others = [here for here, there in zip(asked, own, strict=True) if here != there]
    if others:
        identifier = "-".join((str(config["freqai"].get("identifier")), *others))
        config["freqai"] = {**config["freqai"], "identifier": identifier}
    return config


def _market(config: Mapping[str, Any]) -> tuple[str, str]:
    return str((config.get("exchange") or {}).get("name")), str(config.get("trading_mode") or "spot")


def _defaults() -> dict[str, Any]:
    return _sections(Settings())


def _sections(settings: Settings) -> dict[str, Any]:
    sections = prediction_settings(settings)
    sections["learning"] = {k: v for k, v in sections["learning"].items() if k not in _LEARNING_ASIDE}
    return flat(sections, _SETTINGS)


def _made_with(model: str, config: Mapping[str, Any], settings: Settings) -> dict[str, Any]:
    freqai = {name: value for name, value in config["freqai"].items() if name not in _FREQAI_ASIDE}
    exchange, trading_mode = _market(config)
    return {
        "freqaimodel": model,
        "exchange": exchange,
        "trading_mode": trading_mode,
        "stake_currency": config.get("stake_currency"),
        "timeframe": config.get("timeframe"),
        "clocks": list(settings.clock_names),
        "features": [FEATURES_VERSION, SIGNAL_SCHEMA.hash, PANEL_SCHEMA.hash],
        **flat(freqai, _FREQAI),
        **_sections(settings),
    }
