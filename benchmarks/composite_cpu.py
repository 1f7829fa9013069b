"""CPU of a whole FreqAI backtest with CoordinatorClassifier beside SampleStrategy, and the latency of one prediction.

Two simulated pairs, two months, the shipped config, candles on disk, nothing stored: trainings included (two windows,
as 61 days are one more than `backtest_period_days`). Latency: every component, trained on 180 days of these pairs
whether it won or not, asked for one candle of one pair on one core, features left out and included.
"""

import json
import time
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from benchmarks.baseline_cpu import NOTHING_KEPT
from benchmarks.freqtrade_runs import bench
from benchmarks.result import Result
from coordinator.candles.files import read_candles
from coordinator.components.component import DAY, ActiveModel, TrainingResult, Window
from coordinator.components.composite import Composite, CompositeModel
from coordinator.components.market_history import BASE, MarketHistory, PairHistory
from coordinator.jobs.simulated import simulated_datadir
from coordinator.learning.artefact import decode
from coordinator.learning.classifier import SequenceClassifier
from coordinator.learning.fusion_models import FusionModels
from coordinator.learning.quality_models.registry import model_class
from coordinator.learning.retraining import Champion
from coordinator.sandbox.spec import MarketSpec
from coordinator.settings import Settings, run_settings
from coordinator.signals.candles import Candles
from coordinator.signals.fusion import TIMEFRAMES

PAIRS = ("BTC/USDT", "ETH/USDT")
TIMERANGE = "20231101-20240101"
SEEN = 999  # candles of a bot's frame
ASKED = 300


def run() -> list[Result]:
    datadir = simulated_datadir(Path("user_data"), "spot", MarketSpec())
    ours, reference = _processes()
    alone, with_features = _latency(datadir)
    return [
        Result(
            "composite_cpu_ratio",
            ours / reference,
            "x",
            f"{ours:.1f} s of CPU, SampleStrategy {reference:.1f} s; aim < 10",
        ),
        Result(
            "predict_p99_ms",
            float(np.percentile(alone, 99)),
            "ms",
            f"median {np.median(alone):.2f}; aim <= 10",
        ),
        Result(
            "predict_with_features_p99_ms",
            float(np.percentile(with_features, 99)),
            "ms",
            f"median {np.median(with_features):.2f}; two pairs, {SEEN} candles each, features from scratch",
        ),
    ]


def _processes() -> tuple[float, float]:
    spent = []
    for strategy, learns in (("MLCoordinator", True), ("SampleStrategy", False)):
        freqai = {} if learns else {"freqai": {"enabled": False}}
        with bench(freqai, PAIRS, MarketSpec()) as place:  # each with a user_data of its own
            spent.append(place.cpu_seconds("backtesting", strategy, TIMERANGE, *NOTHING_KEPT))
    return spent[0], spent[1]


def _latency(datadir: Path) -> tuple[list[float], list[float]]:
    """Milliseconds of each prediction: the models alone, and with the features of the frames."""
    settings = run_settings(json.loads(Path("config.json").read_text()))
    frames = {
        (p, t): Candles.from_frame(read_candles(datadir, p, t, "spot"), t) for p in PAIRS for t in TIMEFRAMES
    }
    market = _market(frames, 2**40, settings)
    end = int(datetime(2023, 11, 1, tzinfo=UTC).timestamp())
    composite = Composite(settings.learning.components, settings)
    trained: dict[str, TrainingResult] = {}
    window = Window(end - 180 * DAY, end, market.pairs, market)
    composite.train(window, None, trained.__setitem__, tolerant=False)
    model = CompositeModel(
        end, {n: ActiveModel(_model(n, t, settings), end, end) for n, t in trained.items()}
    )
    signals = market.signal_times(PAIRS[0])
    alone, with_features = [], []
    for now in signals[signals >= end][:ASKED]:  # a signal's candle is the dearest
        recent = _market(frames, int(now), settings)
        times = np.array([now])
        began = time.perf_counter()
        composite.prepare(PAIRS[0], times, recent, tolerant=False)
        prepared = time.perf_counter()
        said = composite.predict(model, PAIRS[0], times, recent, tolerant=False)
        done = time.perf_counter()
        assert all(np.isfinite(x).all() for x in said.values())
        alone.append((done - prepared) * 1000)
        with_features.append((done - began) * 1000)
    return alone, with_features


def _market(frames: dict[tuple[str, str], Candles], now: int, settings: Settings) -> MarketHistory:
    """What is known at the close of the candle that opens at ``now``; a bot sees the last candles only."""
    pairs = {}
    for pair in PAIRS:
        closed = now + frames[pair, BASE].seconds
        seen = {}
        for timeframe in TIMEFRAMES:
            x = frames[pair, timeframe]
            last = int(np.searchsorted(x.time + x.seconds, closed, side="right"))
            seen[timeframe] = x.rows(slice(max(0, last - SEEN) if now < 2**40 else 0, last))
        pairs[pair] = PairHistory(seen)
    return MarketHistory(pairs, settings)


def _model(name: str, trained: TrainingResult, settings: Settings) -> object:
    """The model of a challenger's file, whether it was promoted or not."""
    if name == "fusion":
        return FusionModels.decode(trained.content)
    if name == "quality":
        return Champion(model_class(trained.kind).from_bytes(trained.content, settings.quality), 0)
    return SequenceClassifier.from_artefact(decode(trained.content))
