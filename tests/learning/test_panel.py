"""The panel's rows: labels by hand, times at which they are known."""

import numpy as np
import pytest

from coordinator.learning.panel import forward_return, panel_rows
from coordinator.learning.retraining import retrain
from coordinator.settings import load_settings
from coordinator.settings.quality import QualitySettings
from coordinator.signals.candles import Candles
from coordinator.signals.panel_features import PANEL_SCHEMA, PanelPair, panel_features

DAY = 86400


@pytest.fixture(scope="module")
def clocks(make_walk, make_higher):
    out = {}
    for seed, pair in enumerate(("BTC/USDT", "AAA/USDT")):
        hourly = make_walk(30 + seed, 24 * 500)
        out[pair] = PanelPair(
            Candles.from_frame(make_higher(hourly, "1d"), "1d"), Candles.from_frame(hourly, "1h")
        )
    return out


def rows_of(clocks, horizon=10):
    features = panel_features(clocks, "BTC/USDT")
    return panel_rows({pair: parts.clock for pair, parts in clocks.items()}, features, horizon, 3600)


def test_the_label_is_the_price_ahead_in_its_own_volatility(clocks):
    candles = clocks["AAA/USDT"].clock
    price = np.log(candles.close)
    label = forward_return(candles, 10)
    sigma = np.diff(price)[170:200].std()
    assert label[200] == pytest.approx(np.clip((price[210] - price[200]) / (sigma * 10**0.5), -3, 3))
    assert np.isnan(label[-10:]).all()
    assert np.isfinite(label[31:-10]).all()
    assert np.isnan(forward_return(candles.rows(slice(0, 5)), 10)).all()


def test_rows_are_known_when_their_last_day_has_closed(clocks):
    rows = rows_of(clocks)
    assert rows.schema is PANEL_SCHEMA
    assert ((rows.time + 3600) % DAY == 0).all()
    known = rows.outcome_time >= 0
    assert (rows.outcome_time[known] == rows.time[known] + 10 * DAY).all()
    assert np.isnan(rows.r[~known]).all()
    assert (~known).sum() == 2 * 10
    until = int(rows.time.min()) + 100 * DAY
    seen = rows.known_before(until)
    assert (rows.outcome_time[seen] < until).all()
    assert np.isfinite(rows.x[:, PANEL_SCHEMA.names.index("return_90")]).all()


def test_what_comes_after_changes_no_label_that_was_known(clocks):
    cut = 300
    early = {
        pair: PanelPair(parts.clock.rows(slice(0, cut)), parts.base.rows(slice(0, cut * 24)))
        for pair, parts in clocks.items()
    }
    whole, part = rows_of(clocks), rows_of(early)
    for row in np.flatnonzero(part.outcome_time >= 0):
        same = (whole.time == part.time[row]) & (whole.x[:, 0] == part.x[row, 0])
        assert whole.r[same][0] == part.r[row]


def test_a_quality_model_learns_from_them(clocks):
    settings = QualitySettings(samples="panel", minimum_samples=50, leaf_samples=20)
    rows = rows_of(clocks)
    found = retrain(rows, settings, int(rows.time.max()) - 5 * DAY)
    assert found.challenger is not None
    assert found.challenger.schema.hash == PANEL_SCHEMA.hash
    assert found.trained_until < int(rows.time.max()) - 15 * DAY


def test_a_panel_has_no_targets_to_label():
    with pytest.raises(Exception, match='label must be "profit"'):
        load_settings({"quality": {"samples": "panel", "label": "target"}})
