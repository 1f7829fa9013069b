"""Two backtests in one user directory run one after the other: what is new there is each one's own."""

import pytest
from filelock import FileLock, Timeout

import coordinator.jobs.backtest as module


def test_no_other_backtest_runs_in_the_directory_meanwhile(monkeypatch, tmp_path):
    def alone(plan, strategy, overlay, user_data, progress):
        with pytest.raises(Timeout), FileLock(user_data / "coordinator-backtest.lock", timeout=0):
            pass
        return "ran"

    monkeypatch.setattr(module, "_backtest_alone", alone)
    for _ in range(2):  # and the lock is free again
        assert module._backtest(None, "S", None, tmp_path, None) == "ran"
