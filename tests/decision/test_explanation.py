from dataclasses import replace

import numpy as np
import pytest

from coordinator.decision.fold import Fold
from coordinator.decision.voting import Votes
from coordinator.run.explanation import describe, entry_reason, explain
from coordinator.settings import Settings
from coordinator.signals.tactics import TACTICS
from coordinator.trade.entries import AT_ONCE
from coordinator.trade.plan import Plan


def test_the_documented_block(tables):
    decision = Settings().decision.model_copy(update={"weighting": "fixed", "ml_weight": 0.7})
    table = tables(1, n=2000, days=300, absent=0.0)
    out = Fold(Settings().model_copy(update={"decision": decision})).run(table)
    row = int(np.flatnonzero(out.accepted)[-1])
    lines = explain(table, out, row, "breakout (RSI)")
    assert lines[0].endswith("signal, breakout (RSI)")
    assert [line.strip()[:2] for line in lines[1:7]] == ["1.", "2.", "3.", "4.", "5.", "6."]
    assert f"unified confidence {out.confidence[row]:.0%}, threshold {out.threshold[row]:.0%} (" in lines[7]
    assert "ML weight 70%" in lines[7]
    assert f"win probability {out.win_probability[row]:.0%}" in lines[8]
    assert lines[-1].strip() == "accepted"
    assert "attention: absent" in lines[5]
    assert "signal quality: absent" in lines[6]
    assert lines[1].endswith("; say 30%")
    side = {1: "long", -1: "short", 0: "hold"}
    for line, name, title in (
        (lines[1], "technical", "technical analysis"),
        (lines[2], "lstm", "deep learning"),
        (lines[3], "fusion", "multi-timeframe fusion"),
    ):
        vote = table.votes[name]
        said = f"{title}: {side[int(vote.direction[row])]}, confidence {vote.confidence[row]:.0%}, "
        assert said in line
    chosen, tactic = out.selector_votes(table), TACTICS[int(out.tactic[row])].replace("_", " ")
    said = f"{side[int(chosen.direction[row])]}, confidence {chosen.confidence[row]:.0%}, "
    assert f"tactic selector ({tactic}): {said}" in lines[4]
    assert f" {side[int(table.direction[row])]} signal, " in lines[0]
    told = describe(table, out, row)  # what a trade keeps
    assert told["tactic"] == TACTICS[int(out.tactic[row])]
    votes = {name: (vote["direction"], vote["confidence"]) for name, vote in told["votes"].items()}
    own = {name: table.votes[name] for name in ("technical", "lstm", "fusion")} | {"selector": chosen}
    assert votes == {n: (v.direction[row], round(float(v.confidence[row]), 4)) for n, v in own.items()}
    before, after = f"confidence {out.confidence[row]:.0%}", f"win probability {out.win_probability[row]:.0%}"
    assert f"calibrated: {before} -> {after}, expected {out.expected_r[row]:+.2f} R" in lines[8]


def test_a_rejection_says_why_and_absent_components_are_named(tables):
    table = tables(2)
    table = replace(table, votes={**table.votes, "lstm": Votes.absent(len(table))})
    out = Fold(Settings()).run(table)
    row = int(np.flatnonzero(out.rejection == 1)[0])
    text = "\n".join(explain(table, out, row, "momentum"))
    assert "rejected: confidence below the threshold" in text
    assert "deep learning: absent" in text
    assert "phase foundation" in text


@pytest.mark.parametrize(
    ("side", "levels"),
    [(1, "stop 98 (-2.0%); target 105 (+5.0%)"), (-1, "stop 102 (+2.0%); target 95 (-5.0%)")],
)
def test_a_trades_sentence_says_the_side_the_gate_and_where_it_ends(side, levels):
    plan = Plan(side, 0.8, 0.02, 0.05, AT_ONCE, anchor=100.0)
    votes = {
        "technical": {"percentile": 0.8, "share": 0.7},
        "lstm": {"percentile": 0.9, "share": 0.3},
        "fusion": {"percentile": 0.1, "share": 0.0},
    }
    decision = {"direction": side, "reasons": "breakout", "unified confidence": 0.8, "threshold": 0.7}
    decision |= {"ML weight": 0.3, "phase": "expansion", "votes": votes}
    name = {1: "long", -1: "short"}[side]
    said = f"{name}: breakout; confidence 80%, gate 70%; ML 30% (phase expansion): lstm 90%; {levels}; 20 candles"
    assert entry_reason(decision, plan, "20 candles") == said
    by_hand = entry_reason(decision, plan, "20 candles", by_hand=True)
    assert by_hand == f"entered by hand on a signal's candle, by its plan; {said}"
