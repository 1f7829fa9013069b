"""What a strategy loads before its first candle."""

import subprocess
import sys

HEAVY = ("torch", "lightgbm", "xgboost", "sklearn", "river", "fastapi", "plotly", "telegram")


def test_a_strategy_without_ml_loads_no_library_of_the_models():
    """Freqtrade starts many processes, in hyperopt one for each worker: each would wait seconds for nothing."""
    code = (
        f"import sys, coordinator.adapters.strategy; print([name for name in {HEAVY} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
