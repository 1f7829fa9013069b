"""Decisions: ML's weight and phases, thresholds, reliability, R by what was decided, components, confidence."""

from __future__ import annotations

from html import escape
from itertools import pairwise

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from coordinator.learning.reliability import reliability
from coordinator.ledger.schema import COMPONENTS
from coordinator.reports.page.sentences.sentence import blocks, mean_with_spread
from coordinator.reports.page.theme import DOWN, GREY, SERIES, SOFT, add_line, figure, hline, plain
from coordinator.reports.rolling.summary import RollingView
from coordinator.reports.rolling.targets import ACCOUNT, ML

__all__ = [
    "accuracy_figure",
    "auc_figure",
    "confidence_figure",
    "error_rate_figure",
    "outcome_figure",
    "r_distribution_figure",
    "reliability_figure",
    "threshold_figure",
    "vote_weight_figure",
    "weight_figure",
]

REASONS_SHOWN = 6
R_RANGE = (-2.0, 6.0)
BINS = 12
LEAST_IN_BIN = 5


def weight_figure(frame: pd.DataFrame, weights: pd.DataFrame, end: pd.Timestamp) -> go.Figure:
    """ML's weight over time, from its reviews, else the largest of each day's signals; phases are named below.

    Parameters
    ----------
    frame : decisions
    weights : ``Ledger.history(run, "weights")``
    end : until when the last weight holds, UTC
    """
    fig = figure("ML weight, %")
    if weights.empty:
        daily = frame.groupby(frame["time"].dt.floor("D"))["ml_weight"].max()
        add_line(fig, daily.index, 100 * daily, "ML weight", SERIES[0], shape="hv")
    else:
        # At least an hour: a bot's first review may be its only one.
        times = [*weights["time"], max(end, weights["time"].iloc[-1] + pd.Timedelta(hours=1))]
        values = [*(100 * weights["ml_weight"].fillna(0.0)), 100 * weights["ml_weight"].fillna(0.0).iloc[-1]]
        add_line(fig, times, values, "ML weight", SERIES[0], shape="hv", width=2.2)
        changed = (weights["phase"] != weights["phase"].shift()).to_numpy().nonzero()[0].tolist()
        for i, (first, last) in enumerate(pairwise([*changed, len(times) - 1])):
            if i % 2:
                fig.add_vrect(x0=times[first], x1=times[last], fillcolor=SOFT, line_width=0, layer="below")
            fig.add_annotation(
                x=times[first],
                y=1,
                yref="paper",
                text=escape(str(weights["phase"].iloc[first])),
                showarrow=False,
                xanchor="left",
                yanchor="top",
                textangle=0 if times[last] - times[first] > (times[-1] - times[0]) / 10 else 90,
            )
    fig.update_yaxes(range=[-1.5, max(12.0, 1.3 * max([0.0, *(v for v in fig.data[0].y if v)]))])
    return fig.update_layout(showlegend=False)


def threshold_figure(view: RollingView) -> go.Figure:
    """Each pair's threshold at the end of every day; one line where all have the same."""
    fig = figure("threshold")
    of = {
        s: v for (arm, metric, s), v in view.series.items() if (arm, metric) == (ACCOUNT, "threshold") and s
    }
    if not of:
        return fig
    values = np.array(list(of.values()))
    highest, lowest = np.fmax.reduce(values), np.fmin.reduce(values)
    if np.array_equal(highest, lowest, equal_nan=True):
        add_line(fig, view.ends, highest, "all pairs", SERIES[0], shape="hv")
    else:
        for i, (pair, own) in enumerate(of.items()):
            add_line(fig, view.ends, own, pair, SERIES[i % len(SERIES)], shape="hv")
    return fig.update_yaxes(range=[-0.02, 1.02])


def error_rate_figure(view: RollingView) -> go.Figure:
    """False positives and negatives of the threshold over the window, percent."""
    fig = figure("% of the window's outcomes")
    for metric, name, colour in (
        ("false_positives", "taken, but lost", SERIES[1]),
        ("false_negatives", "left, but would have gained", SERIES[0]),
    ):
        values = view.series.get((ACCOUNT, metric, ""))
        if values is not None and np.isfinite(values).any():
            add_line(fig, view.ends, 100 * values, name, colour)
    return fig


def reliability_figure(probability: pd.Series, won: pd.Series) -> go.Figure:
    """Calibrated win probability against the share that was won, with two standard errors.

    Parameters
    ----------
    probability, won : pandas.Series
        Of resolved signals; NaN where there was no probability.
    """
    fig = figure("won, %", hover="closest")
    has = probability.notna()
    p, y = probability[has].to_numpy(dtype=float), won[has].to_numpy(dtype=bool)
    if not len(p):
        return fig
    # Probabilities lie close together: bins of equal width over what there is.
    low, high = float(p.min()), float(p.max())
    bins = reliability((p - low) / max(high - low, 1e-9), y, BINS)
    shown = bins.count >= LEAST_IN_BIN
    predicted, observed, n = (
        low + bins.predicted[shown] * (high - low),
        bins.observed[shown],
        bins.count[shown],
    )
    if not shown.any():
        return fig
    spread = 200 * np.sqrt(np.maximum(observed * (1 - observed), 0.25 / n) / n)
    edge = [100 * float(predicted.min()), 100 * float(predicted.max())]
    fig.add_scatter(x=edge, y=edge, mode="lines", line={"color": GREY, "dash": "dot"}, name="perfect")
    fig.add_scatter(
        x=plain(100 * predicted),
        y=plain(100 * observed),
        error_y={"array": plain(spread), "color": SERIES[0], "thickness": 1},
        mode="lines+markers",
        line={"color": SERIES[0]},
        name="signals",
        text=[f"{count:,} signals" for count in n],
        hovertemplate="%{x:.1f} predicted, %{y:.1f} won, %{text}<extra></extra>",
    )
    return fig.update_xaxes(title="win probability, %")


def outcome_figure(frame: pd.DataFrame) -> go.Figure:
    """Mean R of accepted and rejected signals and of the most frequent reasons, with two standard errors."""
    fig = figure(hover="closest")
    known = frame[frame["outcome_r"].notna()]
    groups = {"accepted": known["accepted"], "rejected": ~known["accepted"]}
    reasons = known.loc[~known["accepted"], "rejection"].replace("", "no reason given")
    groups |= {
        f"  {reason}": (known["rejection"].replace("", "no reason given") == reason) & ~known["accepted"]
        for reason in reasons.value_counts().index[:REASONS_SHOWN]
    }
    rows = [(name, known[part]) for name, part in groups.items() if part.any()]
    for name, part in rows[::-1]:
        mean, error = mean_with_spread(part.set_index(blocks(part["time"]))["outcome_r"])
        fig.add_scatter(
            x=plain([mean]),
            y=[escape(name)],
            error_x={"array": plain([2 * error]), "thickness": 1.4},
            mode="markers",
            marker={"size": 10, "color": SERIES[0] if name == "accepted" else SERIES[1]},
            hovertemplate=f"%{{x:.3f}} R, {len(part):,} outcomes<extra></extra>",
            name=escape(name.strip()),
        )
    fig.add_vline(x=0, line={"color": GREY, "width": 1, "dash": "dot"})
    return fig.update_layout(showlegend=False).update_xaxes(title="mean R, two standard errors")


def r_distribution_figure(frame: pd.DataFrame) -> go.Figure:
    """Share of outcomes by R, of accepted and rejected signals; the ends hold all beyond them."""
    fig = figure("% of outcomes")
    known = frame[frame["outcome_r"].notna()]
    edges = np.linspace(*R_RANGE, 33)
    for name, part, colour in (
        ("accepted", known["accepted"], SERIES[0]),
        ("rejected", ~known["accepted"], SERIES[1]),
    ):
        r = known.loc[part, "outcome_r"].clip(*R_RANGE).to_numpy()
        if len(r):
            count, _ = np.histogram(r, edges)
            middle = (edges[:-1] + edges[1:]) / 2
            add_line(fig, middle, 100 * count / len(r), f"{name}, {len(r):,}", colour, shape="hvh")
    return fig.update_xaxes(title="R").update_yaxes(rangemode="tozero")


def accuracy_figure(frame: pd.DataFrame) -> go.Figure:
    """How often each component's yes or no was right (percentile of a half and R > 0), with two standard errors."""
    fig = figure(hover="closest")
    known = frame[frame["outcome_r"].notna()]
    won = (known["outcome_r"] > 0).to_numpy()
    columns = {name: f"{name}_percentile" for name in COMPONENTS} | {"vote": "ml_rank"}
    for name, column in reversed(columns.items()):
        score = known[column]
        has = score.notna().to_numpy()
        if not has.any():
            continue
        right = (score.to_numpy()[has] >= 0.5) == won[has]
        share = pd.Series(right.astype(float), index=blocks(known.loc[has, "time"]))
        mean, error = mean_with_spread(share)
        fig.add_scatter(
            x=plain([100 * mean]),
            y=[name],
            error_x={"array": plain([200 * error]), "thickness": 1.4},
            mode="markers",
            marker={"size": 10, "color": SERIES[0]},
            hovertemplate=f"%{{x:.1f}} %, {len(right):,} outcomes<extra></extra>",
            name=name,
        )
    if fig.data:
        fig.add_vline(x=50, line={"color": DOWN, "width": 1, "dash": "dash"})
    return fig.update_layout(showlegend=False).update_xaxes(title="right, %")


def auc_figure(view: RollingView) -> go.Figure:
    """How well each component's percentile told gains from losses, over the window."""
    fig = figure("AUC")
    for name, colour in zip(COMPONENTS, SERIES, strict=False):
        values = view.series.get((ML, "auc", name))
        if values is not None and np.isfinite(values).any():
            add_line(fig, view.ends, values, name, colour, width=1.5)
    if fig.data:
        hline(fig, 0.5, "no skill", GREY)
    return fig


def vote_weight_figure(vote_weights: pd.DataFrame) -> go.Figure:
    """Each component's part of ML's vote over time, percent."""
    fig = figure("% of ML's vote")
    for name, colour in zip(COMPONENTS, SERIES, strict=False):
        own = vote_weights[vote_weights["component"] == name]
        if len(own):
            daily = own.groupby(own["time"].dt.floor("D"))["weight"].last()
            add_line(fig, daily.index, 100 * daily, name, colour, shape="hv")
    return fig.update_yaxes(rangemode="tozero")


def confidence_figure(frame: pd.DataFrame, part: str) -> go.Figure:
    """Distribution of every component's confidence or percentile (``part``), twenty bins of 0..1."""
    fig = figure("signals")
    edges = np.linspace(0, 1, 21)
    for name, colour in zip(COMPONENTS, SERIES, strict=False):
        values = frame[f"{name}_{part}"].dropna().to_numpy()
        if len(values):
            count, _ = np.histogram(values, edges)
            add_line(fig, (edges[:-1] + edges[1:]) / 2, count, name, colour, shape="hvh")
    return fig.update_xaxes(title=part, range=[0, 1]).update_yaxes(rangemode="tozero")
