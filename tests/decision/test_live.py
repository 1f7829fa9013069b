"""A bot's fold between days: what it keeps where there is nothing left to learn."""

import json
from dataclasses import fields, replace

import numpy as np

from coordinator.decision.fold import Fold
from coordinator.decision.live import LiveFold
from coordinator.settings import Settings

HOUR, DAY = 3600, 86400


def test_a_restart_with_nothing_open_decides_as_the_backtest(tables):
    """Each trade is over an hour after its signal, and no signal comes in a day's last two hours."""
    table = tables(8, n=400, days=40)
    table = table.rows(table.time % DAY < 22 * HOUR)
    table = replace(
        table,
        outcome_r=np.nan_to_num(table.outcome_r, nan=-1.1),
        outcome_exit=np.maximum(table.outcome_exit, 1),
        outcome_time=table.time + HOUR,
        outcome_state=np.maximum(table.outcome_state, 0),
    )
    whole, live, restarts = Fold(Settings()).run(table), LiveFold(Settings()), 0
    for now in np.unique(table.time).tolist():
        part = table.rows((table.time <= now) & (table.time > now - 20 * DAY))
        decided = live.decide(part, now)
        rows = np.flatnonzero(table.time == now)
        for f in fields(whole):
            last = getattr(decided, f.name)[part.time == now]
            np.testing.assert_array_equal(last, getattr(whole, f.name)[rows], err_msg=f.name)
        state = live.state()
        if state is not None and not state["open"]["signals"]["time"]:
            stored = json.dumps(state, allow_nan=False)
            live = LiveFold(Settings())
            live.restore(json.loads(stored))
            restarts += 1
    assert restarts > 100
