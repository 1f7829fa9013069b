"""`quality accumulate`, `quality train` and `learning cycle` killed with kill -9 at random moments, and let go on.

    python -m benchmarks learning_kills

The real commands on a small simulated market. Each is started and killed until it has been killed so often and has
come to its end; what is then in the ledger must be what one undisturbed run leaves: the same samples, each once, the
same models with the same verdicts, one line of history a model, none without a verdict, every file as registered.
"""

from __future__ import annotations

import json
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.result import Result
from coordinator.jobs.learning.context import LearningContext
from coordinator.ledger.learning_events import learning_events
from coordinator.ledger.registry import ModelRegistry
from coordinator.sandbox.market_files import write_market
from coordinator.sandbox.spec import MarketSpec

KILLS = 50
NAME = "signal_quality"
ROOT = Path(__file__).resolve().parent.parent
SPEC = MarketSpec(
    pairs=("BTC/USDT", "ETH/USDT"),
    start=datetime(2021, 10, 1, tzinfo=UTC),
    end=datetime(2022, 12, 1, tzinfo=UTC),
    seed=11,
)


def command(folder: Path, *words: str, python: str = sys.executable) -> list[str]:
    """A command on a folder's config and ledger."""
    own = ["-c", str(folder / "config.json"), "--user-data", str(folder)]
    return [python, "-m", "coordinator", *words, *own]


def kill_until_done(
    words: list[str], kills: int, reset: Callable[[], None], rng: random.Random
) -> tuple[int, int]:
    """Start, kill at a random moment, start again; how often it was killed, and how often it came to its end.

    Parameters
    ----------
    reset : called where it has come to its end and there are kills left, so that there is something to do again
    """
    started = time.monotonic()
    _finish(words)
    whole = time.monotonic() - started
    killed = ended = 0
    while True:
        reset()
        while killed < kills:
            child = subprocess.Popen(words, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(rng.uniform(0.1, 1.0) * whole)
            if child.poll() is not None:
                break
            child.send_signal(signal.SIGKILL)
            child.wait()
            killed += 1
        _finish(words)
        ended += 1
        if killed >= kills:
            return killed, ended


def _finish(words: list[str]) -> None:
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
    if done.returncode not in (0, 1):
        raise SystemExit(f"{' '.join(words)}: {done.stderr}")


def state_of(folder: Path) -> dict[str, Any]:
    """What a ledger holds, as far as it must not depend on interruptions; raises SystemExit where it is not sound."""
    context = LearningContext.of([folder / "config.json"], folder)
    registry, problems = ModelRegistry(context.ledger), context.ledger.check()
    models = registry.models(NAME)
    problems += [f"model {m.id} is a challenger" for m in models if m.status == "challenger"]
    trainer = context.trainer(context.clocks[0])
    for model in models:
        trainer.models.load(model)
    events = learning_events(context.ledger, NAME, "trained")
    of_model = [event.model_id for event in events]
    problems += [
        f"model {m.id} stands {of_model.count(m.id)} times in the history"
        for m in models
        if of_model.count(m.id) != 1
    ]
    keys = [
        (row.time, row.pair) for run in context.ledger.runs()["id"] for row in _signals(context, int(run))
    ]
    problems += (
        [f"{len(keys) - len(set(keys))} signals are there twice"] if len(keys) > len(set(keys)) else []
    )
    if problems:
        raise SystemExit(f"{folder}: {problems}")
    succession = registry.succession(NAME)
    return {
        "signals": sorted(keys),
        "samples": len(context.samples(context.clocks[0]).rows),
        "models": [
            (m.info.metrics["trained_at"], m.info.file_hash, m.status, m.verdict.split(" model ")[0])
            for m in models
        ],
        "champions": list(succession.times),
        "history": [(event.time_until, event.sentence, event.figures) for event in events],
    }


def _signals(context: LearningContext, run: int) -> list[Any]:
    return list(context.ledger.read_decisions(run)[["time", "pair"]].itertuples(index=False))


def prepare(folder: Path) -> None:
    """A folder with the market and a config whose models train quickly."""
    (folder / "market").mkdir(parents=True)
    write_market(SPEC, folder / "market", "spot")
    config = json.loads((ROOT / "config.json").read_text())
    config["coordinator"]["quality"] |= {"trees": 40, "leaf_samples": 20, "retrain_days": 60}
    (folder / "config.json").write_text(json.dumps(config))


def run() -> list[Result]:
    """Kills of each command, each of which must leave what an undisturbed run does."""
    rng, results = random.Random(0), []
    with tempfile.TemporaryDirectory() as place:
        calm, killed = Path(place) / "calm", Path(place) / "killed"
        prepare(calm)
        shutil.copytree(calm, killed)
        stages = {
            "accumulate": ("quality", "accumulate", "--datadir", str(calm / "market")),
            "train": ("quality", "train", "--until", "20220901"),
            "cycle": ("learning", "cycle"),
        }
        for name, words in stages.items():
            before = Path(place) / f"before-{name}"
            shutil.copytree(killed, before)
            _finish(command(calm, *words))

            def reset(before: Path = before) -> None:
                shutil.rmtree(killed)
                shutil.copytree(before, killed)

            kills, ended = kill_until_done(command(killed, *words), KILLS, reset, rng)
            if state_of(killed) != state_of(calm):
                raise SystemExit(f"{name}: the ledger differs from an undisturbed run's")
            results.append(
                Result(
                    f"learning_kills.{name}",
                    kills,
                    "kills",
                    f"{ended} times to its end, ledger as undisturbed",
                )
            )
    return results
