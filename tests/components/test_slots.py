"""The slots policy as a component: causal, alone as in a whole window, and without one expected R ranks."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from coordinator.components.component import ActiveModel, Window
from coordinator.components.composite import Composite
from coordinator.components.controls import control_components
from coordinator.components.factory import with_slots
from coordinator.components.market_history import MarketHistory, PairHistory
from coordinator.components.slots import SLOTS_SCHEMA, SlotsComponent, judge_slots
from coordinator.learning.artefact import decode
from coordinator.learning.slots.policy import SlotsPolicy
from coordinator.run.pair_analysis import analyse
from coordinator.run.predictions import with_predictions
from coordinator.run.trading_run import TradingRun
from coordinator.settings import load_settings
from coordinator.signals.candles import Candles

PAIRS = ("ADA/USDT", "BTC/USDT", "ETH/USDT")
HOUR, DAY, ROWS = 3600, 86400, 4800
NAN = float("nan")
SETTINGS = load_settings(
    {
        "entries": {"ranking_by": "policy"},
        "portfolio": {"max_positions": 2},
        "slots_policy": {"timesteps": 512, "rollout": 256, "batch_size": 64},
        "targets": {"horizon": 48},
    }
)


def history(frames, make_higher, **changes):
    pairs = {}
    for pair, frame in frames.items():
        higher = {name: Candles.from_frame(make_higher(frame, name), name) for name in ("4h", "1d")}
        pairs[pair] = PairHistory({"1h": Candles.from_frame(frame, "1h"), **higher})
    return MarketHistory(pairs, SETTINGS, **changes)


@pytest.fixture(scope="module")
def frames(make_walk):
    return {pair: make_walk(seed, ROWS) for seed, pair in enumerate(PAIRS, start=5)}


@pytest.fixture(scope="module")
def market(frames, make_higher):
    return history(frames, make_higher)


@pytest.fixture(scope="module")
def edges(market):
    """Begin and end of the training window, end of what is predicted, seconds."""
    start = int(market.pairs[PAIRS[0]].candles["1h"].time[0])
    return start + 40 * DAY, start + 170 * DAY, start + 190 * DAY


def train(market, edges, previous=None):
    return SlotsComponent(SETTINGS).train(Window(*edges[:2], market.pairs, market), previous)


@pytest.fixture(scope="module")
def trained(market, edges):
    return train(market, edges)


@pytest.fixture(scope="module")
def active(trained, edges):
    """Random walks teach nothing: the policy speaks whatever it is worth."""
    policy = SlotsPolicy.from_artefact(decode(trained.content))
    return ActiveModel(policy, edges[1], edges[1])


def later_scrambled(frames, after):
    """Every candle that opens at or after a time dealt anew."""
    out = {}
    for pair, frame in frames.items():
        rows = frame["date"].dt.as_unit("s").astype("int64").to_numpy() >= after
        noise = np.exp(np.random.default_rng(1).normal(0, 0.05, int(rows.sum())))
        changed = frame.copy()
        for name in ("open", "high", "low", "close"):
            changed.loc[rows, name] = changed.loc[rows, name].to_numpy() * noise
        changed["high"] = changed[["open", "high", "low", "close"]].max(axis=1)
        changed["low"] = changed[["open", "high", "low", "close"]].min(axis=1)
        out[pair] = changed
    return out


@pytest.mark.xdist_group("slots_component")
def test_what_comes_after_changes_neither_the_policy_nor_what_it_says(
    frames, make_higher, market, edges, trained, active
):
    _, end, last = edges
    assert trained.trained_until < end - 0.1 * 130 * DAY  # the newest slice judges
    blind = history(later_scrambled(frames, end), make_higher)
    assert train(blind, edges).content == trained.content
    later, component = history(later_scrambled(frames, last), make_higher), SlotsComponent(SETTINGS)
    times = np.arange(end, last, HOUR)
    for pair in PAIRS:
        said, again = (component.predict(active, pair, times, x) for x in (market, later))
        np.testing.assert_array_equal(said, again)
        on_signals = np.isin(times, market.signal_times(pair))
        assert on_signals.sum() > 5
        np.testing.assert_array_equal(np.isfinite(said).all(axis=1), on_signals)


@pytest.mark.xdist_group("slots_component")
def test_a_candle_alone_is_the_whole_window(market, edges, active):
    times, component = np.arange(edges[1], edges[2], HOUR), SlotsComponent(SETTINGS)
    whole = component.predict(active, PAIRS[0], times, market)
    for row in np.flatnonzero(np.isfinite(whole).all(axis=1))[:5]:
        alone = component.predict(active, PAIRS[0], times[row : row + 1], market)
        np.testing.assert_allclose(alone[0], whole[row], rtol=0, atol=1e-12)


@pytest.mark.xdist_group("slots_component")
def test_a_market_that_ends_at_the_candle_says_the_same(frames, make_higher, market, edges, active):
    """As a bot has it: the signal's candle is the newest of every pair."""
    component, signals = SlotsComponent(SETTINGS), market.signal_times(PAIRS[0])
    begin = market.pairs[PAIRS[0]].candles["1h"].time[0]
    for time in signals[signals >= edges[1]][[0, 9]]:
        rows = int((time - begin) // HOUR) + 1
        ended = history({pair: frame.iloc[:rows] for pair, frame in frames.items()}, make_higher)
        said, again = (component.predict(active, PAIRS[0], np.array([time]), x) for x in (market, ended))
        assert np.isfinite(said).all()
        np.testing.assert_array_equal(said, again)


@pytest.mark.xdist_group("slots_component")
def test_it_sees_the_other_signals_of_the_candle(market, edges):
    """Their number and confidence, none of the pair itself."""
    own, other = (set(market.signal_times(pair).tolist()) for pair in PAIRS[:2])
    third = set(market.signal_times(PAIRS[2]).tolist())
    component, names = SlotsComponent(SETTINGS), list(SLOTS_SCHEMA.names)
    together, alone = sorted(own & other - third)[:1], sorted(own - other - third)[:1]
    seen = component._seen(market, PAIRS[0], np.array(together + alone))
    confidence = market.technical(PAIRS[1]).signal_confidence
    row = int(np.searchsorted(market.pairs[PAIRS[1]].candles["1h"].time, together[0]))
    np.testing.assert_allclose(seen[:, names.index("others")], [np.log(2), 0], rtol=1e-6)
    np.testing.assert_allclose(seen[:, names.index("others_confidence")], [confidence[row], 0], rtol=1e-6)


@pytest.mark.xdist_group("slots_component")
def test_in_spot_no_short_competes(market, frames, make_higher):
    spot = history(frames, make_higher, can_short=False)
    both, longs = (SlotsComponent(SETTINGS)._signals(one) for one in (market, spot))
    assert set(both.seen[:, 0]) == {-1.0, 1.0}
    assert set(longs.seen[:, 0]) == {1.0}
    assert (np.diff(both.time) >= 0).all() and (both.until > both.time).all()


@pytest.mark.parametrize(
    ("new", "old", "first_come", "promoted", "words"),
    [
        (0.02, NAN, 0.01, True, "promoted"),
        (0.01, NAN, 0.02, False, "no model"),
        (NAN, NAN, NAN, False, "no model"),
        (0.0, NAN, -0.1, False, "no model"),  # it takes nothing
        (-0.01, -0.02, -0.03, False, "kept current model"),
        (0.02, 0.03, 0.01, False, "kept current model"),
        (0.03, 0.02, 0.01, True, "promoted"),
        (0.01, 0.02, 0.02, False, "no model"),
        (NAN, NAN, 0.01, False, "no model"),
    ],
)
def test_a_policy_must_beat_the_one_before_and_taking_all(new, old, first_come, promoted, words):
    verdict = judge_slots(new, old, first_come)
    assert (verdict.promoted, verdict.sentence.split(":")[0]) == (promoted, words)


@pytest.mark.xdist_group("slots_component")
def test_a_policy_that_no_longer_beats_taking_all_is_given_up(market, edges, active, monkeypatch):
    for old, stays in ((0.5, True), (-0.5, False)):
        earned = {id(active.model): old}
        monkeypatch.setattr(
            SlotsComponent,
            "_earned",
            lambda self, signals, policy, span, earned=earned: (
                0.0 if policy is None else earned.get(id(policy), -1.0)
            ),
        )
        result = train(market, edges, replace(active, trained_until=edges[0]))
        assert (result.active is not None) == stays and not result.verdict.promoted


def test_it_is_trained_where_the_settings_say_so_and_no_control_takes_its_place():
    assert with_slots(("lstm",), SETTINGS) == ("lstm", "slots")
    assert with_slots(("lstm",), load_settings({"portfolio": {"max_positions": 2}})) == ("lstm",)
    off = SETTINGS.model_copy(update={"entries": SETTINGS.entries.model_copy(update={"ranking": "off"})})
    assert with_slots(("lstm",), off) == ("lstm",)
    composite = Composite(("fusion", "slots"), SETTINGS)
    components = composite.components
    voters = composite.voters()
    assert (voters.names, list(voters.components)) == (["fusion"], ["fusion"])
    assert not [name for name in voters.columns if name.startswith("slots")]
    assert voters.voters() is voters and list(composite.components) == ["fusion", "slots"]
    assert components["slots"].columns == ("slots_take", "slots_in_use", "slots_age")
    assert list(control_components(components, "constant", 0, SETTINGS)) == ["fusion"]


@pytest.mark.xdist_group("slots_component")
def test_it_votes_on_nothing_and_reaches_the_candidates_alike_from_a_part_and_the_whole(
    frames, market, edges, active
):
    """A bot's frame ends at the candle, a backtest's goes on: the candidate's terms are the component's."""
    composite, end = SlotsComponent(SETTINGS), edges[1]
    taking = load_settings(
        {
            **{
                name: SETTINGS.model_dump(mode="json")[name]
                for name in ("portfolio", "targets", "slots_policy")
            },
            "entries": {"ranking_by": "policy"},
            "decision": {"threshold": 0.01, "require_positive_expectancy": False},
        }
    )

    def analysis_of(pair, rows):
        frame = frames[pair].iloc[:rows]
        candles = Candles.from_frame(frame, "1h")
        nothing = candles.rows(slice(0, 0))
        one = analyse(pair, candles, {"4h": nothing, "1d": nothing}, taking, ml=False)
        said = composite.predict(active, pair, candles.time, market)
        said[candles.time < end] = 0.0  # FreqAI fills with zeros
        columns = dict(zip(composite.columns, said.T, strict=True))
        predicted = pd.DataFrame({**columns, "do_predict": 1.0})
        found = with_predictions(one, predicted, ("slots",))
        assert found.votes == one.votes and "slots" not in found.trained
        missing = with_predictions(one, predicted[["do_predict"]], ("slots",))
        assert missing.slot_terms is None and set(missing.absence_reasons["slots"]) == {"no model yet"}
        return found

    whole = TradingRun(can_short=True)
    for pair in PAIRS:
        whole.put(analysis_of(pair, ROWS))
    signals, decided = whole.market.signals(taking), whole.decisions(taking)
    times = signals.time[(decided.rejection == 0) & (signals.time >= end)]
    before = signals.time[(decided.rejection == 0) & (signals.time < end)]
    assert not any(one.slot_terms for one in whole.entry_candidates(int(before[-1]), taking))
    time = int(times[3])
    rows = int((time - market.pairs[PAIRS[0]].candles["1h"].time[0]) // HOUR) + 1
    part = TradingRun(can_short=True)
    for pair in PAIRS:
        part.put(analysis_of(pair, rows))
    found, again = (one.entry_candidates(time, taking) for one in (whole, part))
    assert found and all(len(one.slot_terms) == 3 for one in found)
    assert [one.pair for one in found] == [one.pair for one in again]
    two = ([one.slot_terms for one in some] for some in (found, again))
    np.testing.assert_allclose(*two, rtol=0, atol=1e-12)
