"""What a model folder says about its content, and what counts as another one."""

from dataclasses import replace

import numpy as np
import pytest

from coordinator.components.fingerprint import FINGERPRINT, CandleRecord, Fingerprint, candle_digest

MADE_WITH = {"trading_mode": "spot", "coordinator.quality.trees": 10, "clocks": ["1d"]}


def changed(candles, column="close", row=5):
    values = getattr(candles, column).copy()
    values[row] *= 1.001
    return replace(candles, **{column: values})


@pytest.mark.parametrize(
    ("now", "words"),
    [
        (lambda c: c, ""),
        (lambda c: c.rows(slice(0, 999)), ""),  # as stored, without the last, which need not be whole
        (lambda c: changed(c, "high", 999), ""),  # so it may have become another
        (lambda c: c.rows(slice(1, 1000)), "began on 2023-01-01 00:00 (now 2023-01-01 01:00)"),
        (lambda c: c.rows(slice(0, 900)), "ended on 2023-02-11 14:00 (now 2023-02-07 11:00)"),
        (lambda c: changed(c), "had other prices or volumes"),
        (lambda c: changed(c, "volume", 998), "had other prices or volumes"),
        (lambda c: c.rows(slice(0, 0)), "were 999 (now 0)"),
    ],
)
def test_candles_are_the_same_or_newer_ones_or_it_is_said_what_differs(candles, now, words):
    thousand = candles.rows(slice(0, 1000))
    stored = CandleRecord.of(thousand)
    said = stored.difference(now(thousand))
    assert words in said
    assert bool(words) == bool(said)
    assert stored.difference(candles) == ""  # 2,000 newer ones


def test_candles_that_were_missing_and_those_that_came_are_told(candles):
    stored = CandleRecord.of(candles.rows(slice(0, 1)))
    assert stored.difference(candles.rows(slice(0, 0))) == ""
    assert stored.difference(candles) == f"were 0 (now {len(candles)})"
    gap = CandleRecord.of(candles.rows(slice(0, 1000)))
    keep = np.r_[0:10, 11 : len(candles)]
    holed = replace(
        candles, **{name: getattr(candles, name)[keep] for name in ("time", "open", "high", "low")}
    )
    assert gap.difference(holed) == "were 999 up to 2023-02-11 14:00 (now 998)"


def test_the_digest_knows_what_opens_before_the_moment_alone(candles):
    end = int(candles.time[500])
    own = candle_digest(candles, end)
    assert candle_digest(changed(candles, row=500), end) == own
    assert candle_digest(changed(candles, row=499), end) != own


def test_a_file_says_the_same_again_and_what_cannot_be_read_says_nothing(tmp_path, candles):
    assert Fingerprint.read(tmp_path) is None
    stored = Fingerprint(MADE_WITH).with_candles({"BTC/USDT 1h": candles})
    stored.write(tmp_path)
    assert Fingerprint.read(tmp_path) == stored
    assert not list(tmp_path.glob("*.part"))
    for broken in ("", "[1]", '{"made_with": {}}', '{"made_with": {}, "candles": {"a": {"first": 1}}}'):
        (tmp_path / FINGERPRINT).write_text(broken)
        assert Fingerprint.read(tmp_path) is None


def test_differences_name_key_and_both_values(candles):
    stored, beginnings = Fingerprint(MADE_WITH), ("coordinator.",)
    assert stored.differences(MADE_WITH, beginnings, {}) == []
    newer = {**MADE_WITH, "coordinator.quality.new": 1}  # a setting that the next version brought
    assert stored.differences(newer, beginnings, {"coordinator.quality.new": 1}) == []
    assert stored.differences(newer, beginnings, {"coordinator.quality.new": 0}) == [
        "coordinator.quality.new 0 (now 1)"  # and that is set to something else now
    ]
    assert stored.differences(newer, beginnings, {}) == []
    other = {"trading_mode": "futures", "coordinator.quality.trees": 20, "stake_currency": "EUR"}
    assert stored.differences(other, beginnings, {}) == [
        'clocks ["1d"] (now null)',
        "coordinator.quality.trees 10 (now 20)",
        'stake_currency null (now "EUR")',
        'trading_mode "spot" (now "futures")',
    ]


def test_the_order_of_the_pairs_does_not_matter_and_one_more_does(candles):
    both = {"ETH/USDT 1h": candles, "BTC/USDT 1h": candles}
    stored = Fingerprint(MADE_WITH).with_candles(both)
    assert stored.candle_differences(dict(reversed(both.items()))) == []
    words = stored.candle_differences({**both, "SOL/USDT 1h": candles})
    assert words == ["pairs BTC/USDT, ETH/USDT (now BTC/USDT, ETH/USDT, SOL/USDT)"]
    words = stored.candle_differences({**both, "ETH/USDT 1h": changed(candles)})
    assert words[0].startswith("candles of ETH/USDT 1h that had other prices or volumes between 2023")
    assert len(words) == 1
