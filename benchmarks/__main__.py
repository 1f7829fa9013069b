"""Run every benchmark, or those named: `make benchmark`, `python -m benchmarks baseline_cpu`."""

import importlib
import json
import sys
from pathlib import Path

BENCHMARKS = (
    "baseline_cpu",
    "decision_fold",
    "hyperopt_epoch",
    "quality_walk_forward",
    "network_training",
    "composite_cpu",
    "callback_cost",
)


def main() -> None:
    results = {}
    folder = Path(__file__).parent
    for name in sys.argv[1:]:
        if not folder.joinpath(*name.split(".")).with_suffix(".py").is_file():
            known = sorted(path.stem for path in folder.glob("[a-z]*.py"))
            sys.exit(f"error: a benchmark must be one of {', '.join(known)}. Got {name!r} instead.")
    for name in sys.argv[1:] or BENCHMARKS:
        for result in importlib.import_module(f"benchmarks.{name}").run():
            print(f"{result.name} {result.value:.4g} {result.unit} ({result.reference})", flush=True)
            results[result.name] = result.value
    path = Path(__file__).parent / "results.json"
    known = json.loads(path.read_text()) if path.is_file() else {}
    path.write_text(json.dumps({**known, **results}, indent=2) + "\n")


main()
