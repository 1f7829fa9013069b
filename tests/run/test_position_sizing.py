"""Sizes beside a volatility target: on, in shadow mode and off."""

import numpy as np
import pytest

from coordinator.portfolio.correlation import ReturnPanel
from coordinator.run.entry_plans import make_plan
from coordinator.run.position_sizing import Funds, PositionSizing
from coordinator.settings import load_settings

HOURS, LAST = 800, 799 * 3600
PAIRS = ("BTC/USDT", "ETH/USDT")


class Market:
    """Two pairs that move together by 1 % an hour."""

    def returns(self):
        steps = np.where(np.arange(HOURS) % 2 == 0, 1.01, 1 / 1.01).cumprod()
        return ReturnPanel.from_closes({pair: (np.arange(HOURS) * 3600, steps) for pair in PAIRS})


def sized(mode, held, equity=10_000.0, annual=1.0):
    asked, noted = [], []
    settings = load_settings(
        {"sizing": {"volatility_target": {"mode": mode, "annual": annual}}, "dca": {"enabled": False}}
    )
    sizing = PositionSizing(Market(), lambda time, row, line: noted.append((time, row, line)), "USDT")
    plan = make_plan(settings, 1, 0.8, 0.02, 0.05, 100.0)

    def notionals():
        asked.append(True)
        return held

    funds = Funds(equity, 1e9, 10.0, 1.0, 0.0, notionals)
    stakes = {sizing.stake("BTC/USDT", plan, LAST, funds, settings.sizing)[0] for _ in range(2)}
    assert len(stakes) == 1
    return stakes.pop(), noted, asked


def test_what_is_held_leaves_less_room():
    full, noted, asked = sized("off", {})
    assert (full, noted, asked) == (5000.0, [], [])  # 1 % at a stop of 2 %
    daily = 24**0.5 * np.log(1.01)
    room = 1.0 / 365**0.5 / daily * 10_000  # notional at which the target is met
    assert 5000 < room < 11_000
    stake, noted, _ = sized("on", {})
    assert stake == 5000.0
    stake, noted, _ = sized("on", {"ETH/USDT": room - 3000})
    assert stake == pytest.approx(3000, rel=0.01)
    assert len(noted) == 1
    assert noted[0][1].adjusted == pytest.approx(0.6, rel=0.01)
    assert sized("on", {"ETH/USDT": room + 100})[0] == 0.0
    assert sized("on", {"ETH/USDT": -5000.0})[0] == 5000.0


def test_shadow_mode_records_and_changes_nothing():
    stake, noted, _ = sized("shadow", {"ETH/USDT": 20_000.0})
    assert stake == 5000.0
    assert [(time, row.pair, row.name, row.mode, row.adjusted) for time, row, _ in noted] == [
        (LAST, "BTC/USDT", "volatility_target", "shadow", 0.0)
    ]
    assert "0% of the planned size" in noted[0][2]


def small(limit, equity, open_risk=0.0, signals=3):
    """Refusals of some signals in a wallet, at an exchange that takes 10 or more."""
    settings = load_settings({"dca": {"enabled": False}})
    sizing = PositionSizing(Market(), lambda *row: None, "USDT")
    plan = make_plan(settings, 1, 0.8, 0.02, 0.05, 100.0)
    funds = Funds(equity, limit, 10.0, 1.0, open_risk, dict)
    return {sizing.stake("BTC/USDT", plan, LAST + i, funds, settings.sizing).refusal for i in range(signals)}


def test_a_wallet_too_small_for_any_trade_says_so_once_with_what_to_set(caplog):
    assert small(1e9, 18.0) == {"the planned stake is below the exchange's minimum"}
    (said,) = [record.getMessage() for record in caplog.records]
    assert said.startswith(
        "THE WALLET IS TOO SMALL: it holds 18 USDT, 1.00% of it at a stop 2.0% away is a stake of 9"
    )
    assert "takes 10 or more (BTC/USDT)" in said
    assert "Have 20.2 USDT or more" in said  # 1 % at a stop of 2 % is half the wallet
    assert "raise coordinator.sizing.risk_per_trade" in said
    assert small(1e9, 20.2) == {""}
    caplog.clear()
    assert small(5.0, 40.0) == {"the planned stake is below the exchange's minimum"}
    (said,) = [record.getMessage() for record in caplog.records]
    assert "stake_amount and max_open_trades leave a stake of 5" in said
    assert "lower max_open_trades" in said


def test_a_wallet_that_open_trades_have_used_is_not_called_too_small(caplog):
    assert small(5.0, 40.0, open_risk=0.01) == {"the planned stake is below the exchange's minimum"}
    assert not caplog.records
