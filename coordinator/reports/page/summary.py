"""The summary on top of the page: which sentences, in which order."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from coordinator.reports.comparison import HOLD
from coordinator.reports.page.data import PageData
from coordinator.reports.page.run_view import RunView
from coordinator.reports.page.sentences import happened, look_at, worth
from coordinator.reports.page.sentences.sentence import Sentence, known
from coordinator.reports.rolling.health import newest_models

__all__ = ["Summary", "arms_of", "resolved", "summary_of"]

Summary = Sequence[tuple[str, Sequence[Sentence]]]


def summary_of(data: PageData) -> Summary:
    """Headings with their sentences: what happened, is ML worth it, what to look at. Each has at least one."""
    return (
        ("What happened", _happened(data)),
        ("Is ML worth it?", _worth(data)),
        ("What to look at", _look_at(data)),
    )


def resolved(run: RunView) -> tuple[pd.Series, pd.Series]:
    """Win probability and whether it was won, of the signals whose outcome is known."""
    known_ones = run.frame["outcome_r"].notna()
    return run.frame["win_probability"][known_ones], run.won[known_ones]


def _happened(data: PageData) -> list[Sentence]:
    run = data.main
    out: list[Sentence | None] = []
    if data.comparison is not None:
        out.append(happened.account_sentence(data.comparison.columns))
        profits = data.results[0].trades.groupby("pair")["profit_abs"].sum()
        currency = data.comparison.currency
    else:
        assert data.account is not None
        out.append(happened.bot_sentence(data.account))
        trades = run.run.trades if run is not None else pd.DataFrame({"pair": [], "profit": []})
        profits, currency = trades.dropna(subset=["profit"]).groupby("pair")["profit"].sum(), ""
    own = {name: daily for name, daily in data.accounts.items() if name != HOLD}
    name, daily = next(iter(own.items()), ("", pd.Series(dtype=float)))
    if len(daily):
        out.append(happened.fall_sentence(name, daily))
    if run is not None:
        out.append(happened.signals_sentence(run.frame))
    out.append(happened.pairs_sentence(profits, currency))
    return known(out)


def _worth(data: PageData) -> list[Sentence]:
    run = data.main
    out: list[Sentence | None] = []
    if data.comparison is not None:
        out.append(worth.difference_sentence(data.comparison.columns))
    if run is None:
        return [*known(out), Sentence("There is no ledger of these runs, so ML's part in them is unknown.")]
    if run.frame.empty:
        return [*known(out), Sentence("There is no signal yet to judge ML by.")]
    out.append(worth.say_sentence(run.frame, run.weights))
    out.append(worth.halves_sentence(run.frame))
    if run.has_ml:
        ml, baseline = (arm.set_index("block")["r"] for arm in arms_of(run).values())
        out.append(worth.virtual_sentence(ml, baseline))
    return known(out)


def arms_of(run: RunView) -> dict[str, pd.DataFrame]:
    """The virtual trades of each side's own gate, as :meth:`RunView.arm`."""
    return {
        "ML": run.arm("ml_rank", run.run.gate),
        "baseline": run.arm("technical_percentile", run.run.baseline_gate),
    }


def _look_at(data: PageData) -> list[Sentence]:
    out: list[Sentence | None] = []
    if data.comparison is not None:
        out += [
            look_at.few_trades_sentence(data.comparison.columns),
            look_at.cost_sentence(data.comparison.columns),
        ]
    out += [
        look_at.drawdown_sentence(name, daily)
        for name, daily in list(data.accounts.items())[:1]
        if name != HOLD
    ]
    run = data.main
    if run is not None:
        out += _of_run(run)
    said = known(out)
    return said or [look_at.all_well()]


def _of_run(run: RunView) -> list[Sentence | None]:
    improved = run.run.improved[run.run.improved["time"] >= run.since]
    drops = run.drops[run.drops["time"] >= run.since]
    until = int(run.end.timestamp())
    newest = newest_models(run.run.models, until)
    out: list[Sentence | None] = [
        look_at.calibration_sentence(*resolved(run)),
        look_at.drift_sentence(run.events),
        look_at.input_drift_sentence(newest),
        look_at.models_sentence(run.run.models),
        look_at.absence_sentence(drops, len(run.frame)),
    ]
    if run.rolling is not None:
        out += look_at.skill_sentences(run.frame, run.end - pd.Timedelta(days=run.rolling.report.days))
        out.append(look_at.targets_sentence(run.rolling.report))
    return [
        *out,
        look_at.refusals_sentence(improved),
        look_at.slippage_sentence(run.run.trades),
        look_at.latency_sentence(newest),
        look_at.trust_sentence(improved),
    ]
