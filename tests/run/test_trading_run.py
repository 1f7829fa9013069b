"""Analyses of several pairs, decided together: order, restarts and missing predictions change nothing else."""

import pickle
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from coordinator.components.absence import LATE
from coordinator.run.entry_tags import enter_tags
from coordinator.run.learning_records import WrittenCounts, history_records
from coordinator.run.pair_analysis import analyse
from coordinator.run.predictions import with_predictions
from coordinator.run.trading_run import TradingRun
from coordinator.settings import Settings, load_settings
from coordinator.signals.candles import Candles

SETTINGS = Settings()


@pytest.fixture(scope="module")
def analyses(make_walk, make_higher):
    found = []
    for seed, pair in enumerate(("BTC/USDT", "ADA/USDT", "SOL/USDT")):
        walk = make_walk(seed, 2000)
        higher = {name: Candles.from_frame(make_higher(walk, name), name) for name in ("4h", "1d")}
        found.append(analyse(pair, Candles.from_frame(walk, "1h"), higher, SETTINGS, ml=True))
    return found


def run_of(analyses, can_short=True):
    trading_run = TradingRun(can_short)
    for analysis in analyses:
        trading_run.put(analysis)
    return trading_run


@pytest.mark.parametrize("weight", [0.0, 0.7])
def test_the_ledger_keeps_what_was_decided(analyses, weight):
    decision = {"weighting": "fixed", "ml_weight": weight, "expectancy_outcomes": 50}
    own, trading_run = load_settings({"decision": decision}), run_of(analyses)
    frame, decided = trading_run.ledger_frame(own), trading_run.decisions(own)
    names = {"unified_confidence": "confidence"}
    for column in ("threshold", "unified_confidence", "unified_score", "ml_weight", "ml_score", "ml_rank"):
        np.testing.assert_array_equal(frame[column], getattr(decided, names.get(column, column)), column)
    for column in ("accepted", "win_probability", "expected_r"):
        np.testing.assert_array_equal(frame[column], getattr(decided, column), column)
    assert set(frame["threshold"]) == {0.70}
    signals = trading_run.market.signals(own)
    for name in ("technical", "fusion"):
        for part in ("direction", "confidence"):
            np.testing.assert_array_equal(frame[f"{name}_{part}"], getattr(signals.votes[name], part))
        np.testing.assert_array_equal(frame[f"{name}_percentile"], decided.of(name))
    np.testing.assert_array_equal(frame["outcome_r"], signals.outcome_r)
    assert frame.loc[~frame["accepted"], "outcome_r"].notna().any()


def test_the_order_in_which_pairs_come_changes_nothing(analyses):
    one, two = run_of(analyses), run_of(analyses[::-1])
    pd.testing.assert_frame_equal(one.ledger_frame(SETTINGS), two.ledger_frame(SETTINGS))
    assert two.market.signals(SETTINGS).pairs == ("ADA/USDT", "BTC/USDT", "SOL/USDT")


def test_live_and_backtest_decide_the_same(analyses, make_walk, make_higher):
    """Candle by candle with pairs one after the other, as a bot does, against all at once."""
    whole = run_of(analyses).ledger_frame(SETTINGS)
    live = TradingRun(can_short=True)
    frames = [(a.pair, make_walk(seed, 2000)) for seed, a in enumerate(analyses)]
    compared = 0
    for end in range(1950, 2000):
        for pair, walk in frames:
            seen = walk.iloc[: end + 1]
            base = Candles.from_frame(seen, "1h")
            higher = {}
            for name in ("4h", "1d"):
                candles = Candles.from_frame(make_higher(seen, name), name)
                closed = candles.time + candles.seconds <= base.time[-1] + base.seconds
                higher[name] = Candles(
                    *(
                        getattr(candles, c)[closed]
                        for c in ("time", "open", "high", "low", "close", "volume")
                    ),
                    candles.seconds,
                )
            live.put(analyse(pair, base, higher, SETTINGS, ml=True))
            decided = live.ledger_frame(SETTINGS)
            mine = decided[(decided["pair"] == pair) & (decided["time"] == seen["date"].iloc[-1])]
            expected = whole[(whole["pair"] == pair) & (whole["time"] == seen["date"].iloc[-1])]
            columns = ["direction", "unified_confidence", "accepted", "reasons", "stop", "target"]
            pd.testing.assert_frame_equal(
                mine[columns].reset_index(drop=True), expected[columns].reset_index(drop=True)
            )
            compared += len(expected)
    assert compared > 15


def test_the_run_travels_to_hyperopts_workers(analyses):
    trading_run = run_of(analyses)
    copy = pickle.loads(pickle.dumps(trading_run))  # noqa: S301
    pd.testing.assert_frame_equal(copy.ledger_frame(SETTINGS), trading_run.ledger_frame(SETTINGS))


def test_of_pair_gives_a_pairs_own_rows_in_its_order(analyses):
    trading_run = run_of(analyses)
    for analysis in analyses:
        times = trading_run.market.signals(SETTINGS).time[trading_run.market.rows_of(analysis.pair, SETTINGS)]
        np.testing.assert_array_equal(times, analysis.candles.time[analysis.index])


def test_new_settings_decide_anew(analyses):
    trading_run = run_of(analyses)
    few = SETTINGS.model_copy(update={"decision": SETTINGS.decision.model_copy(update={"threshold": 0.9})})
    assert trading_run.decisions(few).accepted.sum() < trading_run.decisions(SETTINGS).accepted.sum()
    assert trading_run.decisions(SETTINGS).accepted.sum() > 0


def predictions(n, **columns):
    base = {"lstm_hold": np.full(n, 0.2), "lstm_buy": np.full(n, 0.5), "lstm_sell": np.full(n, 0.3)}
    return pd.DataFrame({**base, "do_predict": np.ones(n), **columns})


def test_the_lstms_vote(analyses):
    analysis = analyses[0]
    vote = with_predictions(analysis, predictions(2000), ["lstm"]).votes["lstm"]
    assert (vote.direction == 1).all()
    np.testing.assert_allclose(vote.confidence, 0.5)
    np.testing.assert_allclose(vote.score, 0.2)


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ({"do_predict": np.zeros(2000)}, "not usable"),
        ({"do_predict": np.full(2000, 2)}, "stale: the model has expired"),
        ({"do_predict": np.full(2000, LATE)}, "late"),
        ({name: np.zeros(2000) for name in ("lstm_hold", "lstm_buy", "lstm_sell")}, "no prediction"),
        ({"lstm_buy": np.full(2000, np.nan)}, "no prediction"),
    ],
)
def test_predictions_that_may_not_be_used_are_absent_and_say_why(analyses, columns, reason):
    analysis = with_predictions(analyses[0], predictions(2000, **columns), ["lstm"])
    vote = analysis.votes["lstm"]
    assert np.isnan(vote.direction).all()
    assert np.isnan(vote.confidence).all()
    assert set(analysis.absence_reasons["lstm"]) == {reason}


def test_history_before_the_first_prediction_is_no_absence_of_a_model(analyses):
    """A backtest's frame begins with its startup and training candles, which nobody was to predict."""
    usable = np.r_[np.zeros(1000), np.ones(500), np.zeros(500)]
    analysis = with_predictions(analyses[0], predictions(2000, do_predict=usable), ["lstm"])
    reasons, index = analysis.absence_reasons["lstm"], analysis.index
    assert set(reasons[index < 1000]) == {"before the first prediction"}
    assert set(reasons[(index >= 1000) & (index < 1500)]) == {""}
    assert set(reasons[index >= 1500]) == {"not usable"}


def test_before_the_first_model_there_are_no_columns_and_no_vote(analyses):
    nothing = with_predictions(analyses[0], pd.DataFrame({"do_predict": np.zeros(2000)}), ["lstm"])
    assert nothing.votes == analyses[0].votes
    assert set(nothing.absence_reasons["lstm"]) == {"no model yet"}


def test_a_component_that_raises_drops_out_and_is_counted(analyses, monkeypatch, make_walk, caplog):
    def broken(*_):
        raise ZeroDivisionError

    monkeypatch.setattr("coordinator.run.pair_analysis.fuse", broken)
    walk = make_walk(0, 2000)
    analysis = analyse("BTC/USDT", Candles.from_frame(walk, "1h"), {}, SETTINGS, ml=True)
    assert np.isnan(analysis.votes["fusion"].score).all()
    assert "The fusion failed" in caplog.text
    trading_run = run_of([analysis])
    drops = [drop for record in trading_run.learning_records(SETTINGS) for drop in record.drops]
    assert len(drops) == len(analysis.index)
    assert {(drop.component, drop.reason) for drop in drops} == {("fusion", "raised ZeroDivisionError")}


def test_shadow_thresholds_are_recorded_and_change_nothing(analyses):
    def mode(name):
        thresholds = SETTINGS.thresholds.model_copy(update={"mode": name, "sigmas": 0.0})
        return SETTINGS.model_copy(update={"thresholds": thresholds})

    off, shadow = run_of(analyses), run_of(analyses)
    one, two = off.decisions(mode("off")), shadow.decisions(mode("shadow"))
    np.testing.assert_array_equal(one.accepted, two.accepted)
    np.testing.assert_array_equal(one.threshold, two.threshold)
    assert not [row for record in off.learning_records(mode("off")) for row in record.improvements]
    rows = [row for record in shadow.learning_records(mode("shadow")) for row in record.improvements]
    assert len(rows) == len(shadow.market.signals(mode("shadow")))
    assert {row.mode for row in rows} == {"shadow"}
    assert {row.base for row in rows} == {0.7}
    assert len({row.adjusted for row in rows}) > 1
    now = dict.fromkeys((a.pair for a in analyses), 0.7)
    for record in shadow.learning_records(mode("shadow")):
        now.update({step.pair: step.threshold for step in record.thresholds})
        assert all(row.adjusted == now[row.pair] for row in record.improvements)


def test_a_backtests_reviews_of_the_ml_weight_are_recorded_with_their_evidence(analyses):
    """What its ledger gets: in 83 days the review of each 30, the first of which ends foundation."""
    backtest = run_of(analyses)
    backtest.decisions(SETTINGS)
    rows = [(record.time, row) for record in backtest.learning_records(SETTINGS) for row in record.weights]
    first, second = rows
    assert second[0] - first[0] == 30 * 86400
    assert [(row.phase, row.ml_weight) for _, row in rows] == [("shadow", 0.0)] * 2
    assert first[1].reason.startswith("promoted: ")
    assert {"outcomes", "p_halves", "mean_ml", "mean_baseline"} <= first[1].metrics.keys()
    later = history_records(backtest._backtest._history, WrittenCounts(reviews=1))  # as a bot writes them
    assert [(record.time, row) for record in later for row in record.weights] == [second]


def test_without_ml_votes_the_coordinator_is_the_baseline(analyses):
    alone = [replace(a, votes={"technical": a.votes["technical"]}) for a in analyses]
    failed = [
        with_predictions(
            replace(a, votes={"technical": a.votes["technical"]}),
            predictions(2000, do_predict=np.zeros(2000)),
            ["lstm"],
        )
        for a in analyses
    ]
    one, two = (run_of(each).decisions(SETTINGS) for each in (alone, failed))
    np.testing.assert_array_equal(one.confidence, two.confidence)
    np.testing.assert_array_equal(one.accepted, two.accepted)


def test_tags_are_words_and_few(analyses):
    analysis = with_predictions(analyses[0], predictions(2000), ["lstm"])
    unearned = run_of([analysis]).decisions(SETTINGS)
    tags = enter_tags(analysis, unearned, SETTINGS)
    assert {tag.split(", ")[-1] for tag in tags} == {"no ML"}  # it has no say yet
    fixed = SETTINGS.decision.model_copy(update={"weighting": "fixed", "ml_weight": 0.3})
    decisions = run_of([analysis]).decisions(SETTINGS.model_copy(update={"decision": fixed}))
    tags = enter_tags(analysis, decisions, SETTINGS)
    assert len(tags) == decisions.accepted.sum()
    assert all(len(tag) <= 255 for tag in tags)
    assert {tag.split(", ")[-1] for tag in tags} == {"ML agrees", "ML disagrees"}
    assert len(set(tags)) < 60


def test_a_tag_speaks_of_trained_models_only(analyses):
    """The indicators' fusion and the selector's tactic have a say, and are no models."""
    fixed = SETTINGS.decision.model_copy(update={"weighting": "fixed", "ml_weight": 0.3})
    settings = SETTINGS.model_copy(update={"decision": fixed})
    analysis = analyses[0]
    decisions = run_of([analysis]).decisions(settings)
    assert np.isfinite(decisions.of("fusion")[decisions.accepted]).any()
    tags = enter_tags(analysis, decisions, settings)
    assert {tag.split(", ")[-1] for tag in tags} == {"no ML"}
