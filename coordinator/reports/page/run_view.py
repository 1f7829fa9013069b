"""What the page shows of one run: its rows and histories, from its ledger alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd

from coordinator.ledger.learning_events import LearningEvent, learning_events
from coordinator.ledger.store import Ledger
from coordinator.reports.page.sentences.sentence import blocks
from coordinator.reports.rolling.portfolio import CORRELATION, portfolio_correlation
from coordinator.reports.rolling.run_data import NEVER, RunData, load_run
from coordinator.reports.rolling.summary import WINDOW_DAYS, RollingView, stored_correlation, view_rolling
from coordinator.types import SECONDS_PER_DAY, Bools, Floats

__all__ = ["RunView", "last_live_run", "read_run"]


@dataclass(frozen=True)
class RunView:
    """A run as the page shows it.

    Attributes
    ----------
    ledger : str
        The database's name.
    live : bool
        Whether a bot wrote it.
    started : pandas.Timestamp
        UTC.
    run : RunData
        All of it, a backtest's fast start included.
    rolling : RollingView or None
        None where the run knows nothing yet.
    weights, vote_weights, drops : pandas.DataFrame
        As ``Ledger.history``.
    events : tuple of LearningEvent
        What was done with the models of its ledger, the oldest first.
    since : pandas.Timestamp
        UTC: decisions before it are not the run's own (a fast start's); the first decision where it has none.
    """

    ledger: str
    live: bool
    started: pd.Timestamp
    run: RunData
    rolling: RollingView | None
    weights: pd.DataFrame
    vote_weights: pd.DataFrame
    drops: pd.DataFrame
    events: tuple[LearningEvent, ...]
    since: pd.Timestamp

    @cached_property
    def own(self) -> Bools:
        """Which of ``run.decisions`` belong to the time that is shown."""
        return (self.run.decisions["time"] >= self.since).to_numpy()

    @cached_property
    def frame(self) -> pd.DataFrame:
        """The decisions of the time that is shown, numbered from 0."""
        return self.run.decisions[self.own].reset_index(drop=True)

    @cached_property
    def won(self) -> pd.Series:
        """Which of ``frame`` were won, the target or with targets off a profit."""
        return pd.Series(self.run.won[self.own])

    @cached_property
    def has_ml(self) -> bool:
        """Whether a trained component ever voted."""
        return bool(self.run.decisions["ml_score"].notna().any())

    def arm(self, column: str, gate: Floats) -> pd.DataFrame:
        """The virtual trades of one side's gate, by when their outcome was known.

        Parameters
        ----------
        column : "ml_rank" or "technical_percentile"
        gate : ndarray of shape (n,), over ``run.decisions``

        Returns
        -------
        pandas.DataFrame
            at (UTC, when known), r, risked (share of the account), block (the week it was decided in).
        """
        run = self.run
        rank = run.decisions[column].to_numpy(dtype=np.float64)
        taken = (rank >= gate) & run.could_be_taken & (run.resolved_at != NEVER) & self.own
        at = pd.to_datetime(run.resolved_at[taken], unit="s", utc=True)
        r = run.decisions["outcome_r"].to_numpy()[taken]
        weeks = blocks(run.decisions["time"])[taken].to_numpy()
        frame = pd.DataFrame({"at": at, "r": r, "risked": run.risk[taken], "block": weeks})
        return frame.sort_values("at", kind="stable", ignore_index=True)

    @property
    def end(self) -> pd.Timestamp:
        """The end of the last day of which the run knows anything, UTC; its start where it knows nothing."""
        if not len(self.run.days):
            return self.started
        return pd.Timestamp(int(self.run.days[-1] + 1) * SECONDS_PER_DAY, unit="s", tz="UTC")


def read_run(
    ledger: Ledger,
    run_id: int | None = None,
    candles: Mapping[str, pd.DataFrame] | None = None,
    since: pd.Timestamp | None = None,
    *,
    store: bool = False,
) -> RunView:
    """Read a run for the page, the last started one unless named.

    Parameters
    ----------
    candles : mapping of pair to pandas.DataFrame, optional
        date (UTC, open) and close: then the portfolio's correlation is worked out, else it is what was stored.
    since : pandas.Timestamp, optional
        UTC; where the time that is shown begins.
    store : bool
        Write all metrics into the ledger (needs candles); otherwise nothing is written.

    Raises
    ------
    CoordinatorError
        If there is no such run.
    """
    run = load_run(ledger, run_id)
    row = ledger.runs().set_index("id").loc[run.run_id].to_dict()
    begin = 0 if since is None else int(since.timestamp())
    rolling = None
    if len(run.days):
        rolling = view_rolling(ledger, run.run_id, candles if store else None, begin)
    if rolling is not None and not store:
        if candles:
            more = portfolio_correlation(run, candles, WINDOW_DAYS)
        else:
            more = stored_correlation(run, ledger.metrics(run.run_id, CORRELATION))
        shown = len(rolling.ends)
        series = {key: values[len(values) - shown :] for key, values in more.items()}
        rolling = replace(rolling, series={**rolling.series, **series})
    started = pd.Timestamp(row["started_at"])
    first = pd.Timestamp(run.decisions["time"].min()) if len(run.decisions) else started
    names = dict.fromkeys(model.info.name for model in run.models)
    events = [event for name in names for event in learning_events(ledger, name)]
    return RunView(
        ledger=ledger.database.name,
        live=row["kind"] == "live",
        started=started,
        run=run,
        rolling=rolling,
        weights=ledger.history(run.run_id, "weights"),
        vote_weights=ledger.history(run.run_id, "vote_weights"),
        drops=ledger.history(run.run_id, "drops"),
        events=tuple(sorted(events, key=lambda event: event.at)),
        since=first if since is None else since,
    )


def last_live_run(ledger: Ledger) -> int | None:
    """The last started run of a bot; None where the ledger holds none."""
    runs = ledger.runs()
    live = runs[runs["kind"] == "live"]
    return int(live["id"].iloc[-1]) if len(live) else None
