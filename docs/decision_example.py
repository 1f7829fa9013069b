"""Writes docs/how-a-decision-is-made.md: `python docs/decision_example.py DATADIR`. A test keeps it current.

One signal of real candles, decided by the library and ordered by Freqtrade's own backtest, put into sentences.
"""

from __future__ import annotations

import json
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from coordinator.adapters.backtesting.backtester import Backtester
from coordinator.candles.files import read_candles
from coordinator.run.explanation import entry_reason
from coordinator.run.pair_analysis import PairAnalysis, analyse
from coordinator.settings import Settings, load_settings
from coordinator.signals.candles import Candles, timeframe_seconds
from coordinator.signals.technical import TRIGGER_SHARE, VOTE_WEIGHTS
from coordinator.trade.entries import AT_ONCE
from coordinator.trade.plan import Plan

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "how-a-decision-is-made.md"
TEMPLATE = ROOT / "docs" / "how-a-decision-is-made.template"
PAIR, CANDLE = "LINK/USDT", pd.Timestamp("2023-12-08 12:00", tz="UTC")
PAIRS = ["BTC/USDT", "ETH/USDT", "SOL/USDT", PAIR]
START, END = datetime(2023, 10, 1, tzinfo=UTC), datetime(2024, 1, 1, tzinfo=UTC)
SECTION = {
    "learning": {"components": ["quality"]},
    "selector": {"enabled": False},
    "decision": {"weighting": "fixed", "ml_weight": 0.3, "weight_fusion": 0.0},
}
"""Over the shipped config: a say of 30 % for signal quality, the one component that trains in a second."""


def make(datadir: Path) -> str:
    """The page, its numbers from candles of ``datadir``."""
    config = _config()
    settings = load_settings(config["coordinator"])
    with tempfile.TemporaryDirectory() as folder:
        backtester = Backtester(config, "MLCoordinator", datadir, Path(folder))
        run = backtester.run(START, END, {"coordinator": config["coordinator"]})
    assert run.decisions is not None
    trades = pd.DataFrame(run.stats["trades"])
    numbers = {
        **_technical(_analysis(datadir, settings), settings),
        **_decision(run.decisions, settings),
        **_order(trades, run.decisions, run.stats["starting_balance"], config["tradable_balance_ratio"]),
        **_learned(run.decisions, settings),
    }
    return TEMPLATE.read_text(encoding="utf-8").format(**numbers)


def _config() -> dict[str, Any]:
    config: dict[str, Any] = json.loads((ROOT / "config.json").read_text(encoding="utf-8"))
    for key in ("strategy_path", "freqaimodel_path", "hyperopt_path"):
        config[key] = str(ROOT / config[key])
    config["exchange"]["pair_whitelist"] = PAIRS
    section = config["coordinator"]
    for key, values in SECTION.items():
        section[key] = {**section.get(key, {}), **values}
    return config


def _analysis(datadir: Path, settings: Settings) -> PairAnalysis:
    """What the library makes of the pair's candles alone, up to the signal's."""
    frames = {name: read_candles(datadir, PAIR, name, "spot") for name in ("1h", "4h", "1d")}
    closed = {
        name: frame[frame["date"] + timedelta(seconds=timeframe_seconds(name)) <= CANDLE + timedelta(hours=1)]
        for name, frame in frames.items()
    }
    candles = {name: Candles.from_frame(frame, name) for name, frame in closed.items()}
    ungated = settings.model_copy(update={"regime": settings.regime.model_copy(update={"gate": "off"})})
    return analyse(PAIR, candles["1h"], candles, ungated, ml=True)


def _technical(analysis: PairAnalysis, settings: Settings) -> dict[str, Any]:
    technical, candles = analysis.technical, analysis.candles
    ind, row, s = technical.indicators, len(candles) - 1, settings.baseline
    votes = dict(zip(VOTE_WEIGHTS, technical.votes[:, row], strict=True))
    agreement = 0.5 + 0.5 * technical.score[row]
    trigger = technical.tactics["breakout"].confidence[row]
    assert technical.signal[row] == 1
    assert np.isclose(
        technical.signal_confidence[row], (1 - TRIGGER_SHARE) * agreement + TRIGGER_SHARE * trigger
    )
    return {
        "pair": PAIR,
        "close": candles.close[row],
        "before": candles.close[row - 1],
        "fast_high": ind.fast_high[row],
        "level": ind.fast_high[row] * (1 + s.fast_clearance),
        "slow_level": ind.slow_high[row] * (1 + s.slow_clearance),
        "slow_high": ind.slow_high[row],
        "trend_ma": ind.trend_ma[row],
        "rsi": ind.rsi[row],
        "adx": ind.adx[row],
        "plus_di": ind.plus_di[row],
        "minus_di": ind.minus_di[row],
        "volume_ratio": ind.volume_ratio[row],
        "atr": ind.atr[row],
        "votes": ", ".join(f"{name} {vote:+.2f}" for name, vote in votes.items()),
        "sum": " ".join(f"{VOTE_WEIGHTS[name] * vote:+.3f}" for name, vote in votes.items() if vote),
        "score": technical.score[row],
        "agreement": agreement,
        "trigger": trigger,
        "technical": technical.signal_confidence[row],
        "stop_distance": 100 * analysis.stop_distance[-1],
        "atr_multiple": settings.stops.atr_multiple,
    }


def _at(decisions: pd.DataFrame) -> pd.Series:
    return decisions[(decisions["pair"] == PAIR) & (decisions["time"] == CANDLE)].iloc[0]


def _decision(decisions: pd.DataFrame, settings: Settings) -> dict[str, Any]:
    signal, decision = _at(decisions), settings.decision
    weight, gate = decision.ml_weight, decision.threshold
    assert signal["accepted"]
    assert np.isclose(
        signal["unified_score"],
        (1 - weight) * signal["technical_percentile"] + weight * signal["quality_percentile"],
    )
    assert np.isclose(signal["threshold"], gate * weight / 0.7)
    spoken = decisions.loc[decisions["quality_confidence"].notna() & (decisions["time"] >= START), "time"]
    plan = Plan(
        1,
        signal["unified_confidence"],
        1 - signal["stop"] / signal["price"],
        float("inf"),
        AT_ONCE,
        anchor=signal["price"],
        clock="1d",
    )
    said = {
        "reasons": signal["reasons"],
        "direction": 1,
        "unified confidence": signal["unified_confidence"],
        "threshold": signal["threshold"],
        "ML weight": signal["ml_weight"],
        "phase": None,
        "votes": {"quality": {"percentile": signal["quality_percentile"], "share": weight}},
    }
    return {
        "why": entry_reason(said, plan, f"time limit of {settings.targets.horizon} candles"),
        "technical_percentile": signal["technical_percentile"],
        "technical_rank": 100 * signal["technical_percentile"],
        "quality_rank": 100 * signal["quality_percentile"],
        "trained": f"{spoken.min():%-d %B}",
        "quality": signal["quality_confidence"],
        "quality_percentile": signal["quality_percentile"],
        "window": decision.percentile_window,
        "weight": weight,
        "percent": 100 * weight,
        "rest": 1 - weight,
        "gate": gate,
        "unified_score": signal["unified_score"],
        "confidence": signal["unified_confidence"],
        "threshold": signal["threshold"],
        "win_probability": 100 * signal["win_probability"],
        "expected_r": signal["expected_r"],
        "stop": signal["stop"],
        "outcome_r": signal["outcome_r"],
    }


def _order(trades: pd.DataFrame, decisions: pd.DataFrame, balance: float, ratio: float) -> dict[str, Any]:
    opened = CANDLE + timedelta(hours=1)
    trade = trades[(trades["pair"] == PAIR) & (trades["open_date"] == opened)].iloc[0]
    held = trades[(trades["open_date"] < opened) & (trades["close_date"] > opened)]
    closed = trades.loc[trades["close_date"] <= opened, "profit_abs"].sum()
    signal = _at(decisions)
    distance = 1 - signal["stop"] / signal["price"]
    funds = (balance + closed) * ratio
    assert np.isclose(trade["stake_amount"], 0.01 * funds / distance, rtol=1e-3)
    risk = trade["stake_amount"] * (1 - signal["stop"] / trade["open_rate"])
    return {
        "held": len(held),
        "balance": balance,
        "closed": closed,
        "ratio": ratio,
        "funds": funds,
        "risk": 0.01 * funds,
        "stake": trade["stake_amount"],
        "amount": trade["amount"],
        "open_rate": trade["open_rate"],
        "tag": trade["enter_tag"],
        "high": trade["max_rate"],
        "close_rate": trade["close_rate"],
        "close_date": f"{trade['close_date']:%d %B at %H:%M}",
        "exit_reason": trade["exit_reason"],
        "loss": -trade["profit_abs"],
        "account_r": trade["profit_abs"] / risk,
    }


def _learned(decisions: pd.DataFrame, settings: Settings) -> dict[str, Any]:
    """What the calibrator said of the same bin of confidence before and after the day of the outcome."""
    signal, bins = _at(decisions), settings.calibration.bins
    day = signal["outcome_time"].floor("D")
    own = (decisions["unified_confidence"] * bins).astype(int) == int(signal["unified_confidence"] * bins)
    before = decisions[own & (decisions["time"] < day + timedelta(days=1))].iloc[-1]
    after = decisions[own & (decisions["time"] >= day + timedelta(days=1))].iloc[0]
    known = decisions["outcome_time"] >= before["time"].floor("D")
    known &= decisions["outcome_time"] + timedelta(hours=1) <= after["time"].floor("D")
    bin_ = int(signal["unified_confidence"] * bins)
    return {
        "bin_low": bin_ / bins,
        "bin_high": (bin_ + 1) / bins,
        "resolved": int(known.sum()),
        "resolved_r": decisions.loc[known, "outcome_r"].mean(),
        "before_day": f"{before['time']:%d}",
        "after_day": f"{after['time']:%d %B}",
        "before_p": 100 * before["win_probability"],
        "before_r": before["expected_r"],
        "after_p": 100 * after["win_probability"],
        "after_r": after["expected_r"],
    }


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python docs/decision_example.py DATADIR   (Binance spot candles of 2020 to 2023)")
    PAGE.write_text(make(Path(sys.argv[1])), encoding="utf-8")
