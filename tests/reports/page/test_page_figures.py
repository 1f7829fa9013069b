"""Figures of the page by hand: correlations, accounts, sides, phases, thresholds, effects, drift."""

from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest

from coordinator.decision.voting import COMPONENTS
from coordinator.ledger.learning_events import LearningEvent
from coordinator.reports.page.figures import accounts, decisions, models, portfolio
from coordinator.reports.page.run_view import read_run
from coordinator.reports.page.theme import figure, has_data, plain
from coordinator.reports.rolling.comparison import with_and_without_table
from coordinator.reports.rolling.table import MetricTable

START = pd.Timestamp("2024-01-01", tz="UTC")
NAN = float("nan")


def closes(returns) -> pd.DataFrame:
    close = 100 * np.cumprod(np.concatenate(([1.0], 1 + np.asarray(returns))))
    return pd.DataFrame(
        {"date": pd.date_range(START, periods=len(close), freq="D", tz="UTC"), "close": close}
    )


def test_correlations_are_of_daily_returns():
    wave = np.tile([0.01, -0.02, 0.03], 10)
    candles = {"A": closes(wave), "B": closes(-wave), "C": closes(wave[:5]), "D": closes(np.zeros(30))}
    matrix = portfolio.correlation_matrix(candles, START + pd.Timedelta(days=31))
    assert list(matrix) == ["A", "B"]  # C has too few days, D never moves
    assert matrix.loc["A", "B"] == pytest.approx(-1.0)
    few = {"E": closes(wave[:20]), "F": closes(wave[:19])}  # twenty returns are enough
    assert list(portfolio.correlation_matrix({**candles, **few}, START + pd.Timedelta(days=31))) == [
        "A",
        "B",
        "E",
    ]
    drawn = portfolio.correlation_figure(matrix).data[0]
    assert [list(row) for row in drawn.z] == [[1.0, -1.0], [-1.0, 1.0]]
    assert portfolio.correlation_matrix({"A": candles["A"]}, START).empty


def test_correlations_end_where_the_time_does():
    wave, other = np.tile([0.01, -0.02], 30), np.tile([0.01, -0.02], 30)
    other[30:] *= -1
    candles = {"A": closes(wave), "B": closes(other)}
    assert portfolio.correlation_matrix(candles, START + pd.Timedelta(days=30)).loc[
        "A", "B"
    ] == pytest.approx(1.0)
    assert portfolio.correlation_matrix(candles, START + pd.Timedelta(days=61)).loc["A", "B"] < 0.1
    wave, other = np.tile([0.01, -0.02], 100), np.tile([0.01, -0.02], 100)
    other[-90:] *= -1
    candles = {"A": closes(wave), "B": closes(other)}
    found = portfolio.correlation_matrix(candles, START + pd.Timedelta(days=201)).loc["A", "B"]
    assert found == pytest.approx(-1.0, abs=1e-3)  # of ninety days


def test_sectors_are_drawn_in_percent_of_what_is_open(bot_ledger):
    drawn = portfolio.sector_figure(read_run(bot_ledger()).rolling)
    assert [line.name for line in drawn.data] == ["layer1", "payments"]
    assert set(np.sum([line.y for line in drawn.data], axis=0)) == {0.0, 100.0}


def test_accounts_and_months():
    index = pd.DatetimeIndex(["2024-01-01", "2024-01-31", "2024-02-15", "2024-02-29"], tz="UTC")
    daily = {"A": pd.Series([50.0, 55.0, 44.0, 66.0], index=index)}
    assert accounts.accounts_figure(daily).data[0].y == (100.0, 110.0, 88.0, 132.0)
    assert accounts.drawdown_figure(daily).data[0].y == (0.0, 0.0, -20.0, 0.0)
    assert accounts.monthly_figure(daily).data[0].y == (10.0, 20.0)


def test_virtual_trades_are_added_up_by_day():
    at = pd.DatetimeIndex(["2024-01-02 05:00", "2024-01-02 07:00", "2024-01-04 00:00"], tz="UTC")
    arm = pd.DataFrame({"at": at, "r": [2.0, -1.0, 3.0], "risked": 0.01})
    line = accounts.virtual_figure({"ML": arm}, START, START + pd.Timedelta(days=5)).data[0]
    assert line.y == (0.0, 1.0, 4.0, 4.0)
    assert [pd.Timestamp(x).day for x in line.x] == [1, 3, 4, 6]


def test_the_weight_is_of_its_reviews_and_names_the_phases():
    weights = pd.DataFrame(
        {
            "time": pd.date_range(START, periods=3, freq="30D", tz="UTC"),
            "phase": ["shadow", "pilot", "pilot"],
            "ml_weight": [0.0, 0.1, 0.2],
        }
    )
    drawn = decisions.weight_figure(pd.DataFrame(), weights, START + pd.Timedelta(days=90))
    assert drawn.data[0].y == (0.0, 10.0, 20.0, 20.0)
    assert [note.text for note in drawn.layout.annotations] == ["shadow", "pilot"]
    assert len(drawn.layout.shapes) == 1  # every second phase is shaded


def test_reliability_by_bins():
    p = pd.Series([0.2] * 50 + [0.6] * 50 + [NAN] * 5)
    won = pd.Series([True] * 10 + [False] * 40 + [True] * 40 + [False] * 10 + [True] * 5)
    line = decisions.reliability_figure(p, won).data[1]
    assert line.x == pytest.approx((20.0, 60.0))
    assert line.y == pytest.approx((20.0, 80.0))
    assert line.error_y.array[0] == pytest.approx(200 * np.sqrt(0.2 * 0.8 / 50), rel=1e-3)
    assert not has_data(decisions.reliability_figure(p[-5:], won[-5:]))


def test_confidences_are_counted_in_twenty_bins():
    frame = pd.DataFrame({f"{name}_confidence": NAN for name in COMPONENTS}, index=range(4))
    frame["lstm_confidence"] = [0.02, 0.62, 0.64, NAN]
    (line,) = decisions.confidence_figure(frame, "confidence").data
    counted = {round(x, 3): n for x, n in zip(line.x, line.y, strict=True) if n}
    assert (line.name, len(line.x), counted) == ("lstm", 20, {0.025: 1, 0.625: 2})


def test_effects_are_drawn_of_those_that_are_known():
    head = ("Improvement", "Mode", "Side", "Outcomes", "Mean R")
    rows = [
        ("a_b", ["on", "without", 3, 0.5]),
        ("a_b", ["on", "with", 2, 0.75]),
        ("c", ["off", "", NAN, NAN]),
    ]
    drawn = portfolio.effects_figure(
        MetricTable("", head, ("text", "text", "count", "number"), rows), "Mean R"
    )
    assert [(bar.name, bar.x, bar.y) for bar in drawn.data] == [
        ("without", ("a b (on)",), (0.5,)),
        ("with", ("a b (on)",), (0.75,)),
    ]


def test_drift_checks_over_time():
    at = datetime(2024, 5, 1, tzinfo=UTC)
    events = [
        LearningEvent(
            "quality",
            "drift",
            at,
            "x",
            time_until=86400 * i,
            figures={"share": share, "drifted": share > 0.1},
        )
        for i, share in enumerate((0.05, 0.3))
    ]
    drawn = models.drift_figure([*events, LearningEvent("quality", "trained", at, "y")]).data[0]
    assert drawn.y == (5.0, 30.0)
    assert tuple(drawn.marker.symbol) == ("circle", "triangle-up")


def test_what_has_data():
    fig = figure()
    assert not has_data(fig)
    fig.add_scatter(x=[1], y=[None])
    assert not has_data(fig)
    fig.add_scatter(x=[1], y=[0.0])
    assert has_data(fig)
    assert plain([1.234567, NAN, float("inf")]) == [1.2346, None, None]


def test_a_side_takes_what_its_own_gate_takes(bot_ledger):
    view = read_run(bot_ledger())
    ml = view.arm("ml_rank", view.run.gate)
    assert len(ml) == 38  # every other one of the 76 outcomes
    assert (ml["r"] > 1).all()
    assert (ml["risked"] == 0.01).all()
    baseline = view.arm("technical_percentile", view.run.baseline_gate)
    assert len(baseline) == 76
    later = read_run(bot_ledger(), since=view.since + pd.Timedelta(days=10))
    assert len(later.frame) == 40
    assert len(later.arm("technical_percentile", later.run.baseline_gate)) == 36


def test_the_size_of_an_improvements_effect(bot_ledger):
    run = read_run(bot_ledger()).run
    until = int(run.days[-1] + 1) * 86400
    rows = {(name, cells[1]): cells for name, cells in with_and_without_table(run, until, len(run.days)).rows}
    taken = run.decisions[run.decisions["accepted"] & run.decisions["outcome_r"].notna()]["outcome_r"]
    assert rows["volatility_sizing", "without"][3] == pytest.approx(taken.mean())
    assert rows["volatility_sizing", "with"][3] == pytest.approx(0.8 * taken.mean())
