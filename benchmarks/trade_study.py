"""What each part of signals and trade management changes on an account, one at a time, beside the shipped config.

    python -m benchmarks.trade_study DATADIR 20210701-20240101 [--trading-mode futures] [--strategy MLCoordinator]
        [--pairs "BTC/USDT ETH/USDT"] [--only "4h clock,DCA"]

Every variant is a real `freqtrade backtesting` process with the shipped config and the variant's settings over it.
Printed: profit, Sharpe ratio, maximum drawdown, trades, and the difference of daily returns a year from the shipped
config, with its 90 % stationary bootstrap interval. The variants are documented values or switches, none tuned.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from benchmarks.accounts import account
from coordinator.reports.difference import annual_difference

RULES = ("momentum_reversal", "low_volume", "stagnation", "scale_out")
ALL_TRIGGERS = ["baseline_turn", "trend_following", "mean_reversion", "breakout", "momentum"]
TARGETS = {"targets": {"enabled": True}}
VARIANTS: dict[str, dict[str, Any]] = {
    "every trigger": {"baseline": {"triggers": ALL_TRIGGERS}},
    **{f"trigger {name} only": {"baseline": {"triggers": [name]}} for name in ALL_TRIGGERS},
    "re-arming": {"baseline": {"rearm": "on"}},
    "no regime gate": {"regime": {"gate": "off"}},
    "earned risk": {"sizing": {"earned": {"mode": "on"}}},
    "volatility target 20 %": {"sizing": {"volatility_target": {"mode": "on", "annual": 0.2}}},
    "risk 1.5 %": {"sizing": {"risk_per_trade": 0.015, "max_open_risk": 0.18}},
    "4h clock": {"baseline": {"clock": "4h"}, "targets": {"horizon": 120}},
    "1h clock": {"baseline": {"clock": "1h"}, "targets": {"horizon": 480}},
    "stop below support": {"stops": {"basis": "support"}},
    "exit at the baseline's turn": {"exits": {"baseline_turn": True}},
    "exit at the exit MA": {"exits": {"moving_average": True}},
    "no channel exit": {"exits": {"channel": False}},
    "time limit 10 days": {"targets": {"horizon": 10}},
    "trailing stop": {"stops": {"trailing_start": 0.01}},
    "target 2.5 R": TARGETS,
    "target, dynamic": {**TARGETS, "improvements": {"dynamic_reward_risk": {"mode": "on"}}},
    "target, following": {**TARGETS, "exits": {"target_following": {"mode": "on"}}},
    "DCA": {"dca": {"enabled": True}},
    "DCA, ATR spacing": {"dca": {"enabled": True, "spacing_mode": "atr"}},
    "Kelly cap": {"sizing": {"kelly_mode": "on"}},
    **{name.replace("_", " "): {"exits": {name: {"mode": "on"}}} for name in RULES},
    "no ranking": {"entries": {"ranking": "off"}},
    "volatility sizing": {"improvements": {"volatility_sizing": {"mode": "on"}}},
    "correlation filter": {"improvements": {"correlation_filter": {"mode": "on"}}},
    "adaptive thresholds": {"thresholds": {"mode": "on"}},
    "hedge": {"portfolio": {"hedge": {"mode": "on"}}},
}


def main() -> None:
    parser = argparse.ArgumentParser(description="What each part of signals and trade management changes.")
    parser.add_argument("datadir")
    parser.add_argument("timerange")
    parser.add_argument("--trading-mode", default="spot")
    parser.add_argument("--strategy", default="TechnicalBaseline")
    parser.add_argument("--pairs")
    parser.add_argument("--only", help="variants, separated by commas")
    parser.add_argument("--user-data", default="user_data", help="two studies at once need two")
    a = parser.parse_args()
    names = a.only.split(",") if a.only else list(VARIANTS)
    shared: dict[str, Any] = {
        "trading_mode": a.trading_mode,
        "pairs": a.pairs.split() if a.pairs else None,
        "user_data": Path(a.user_data),
    }
    print(f"{a.strategy}, {a.timerange}, {a.trading_mode}", flush=True)
    base = account(a.datadir, a.timerange, a.strategy, **shared)
    print(f"{'shipped':28} {base.line()}", flush=True)
    for name in names:
        found = account(a.datadir, a.timerange, a.strategy, VARIANTS[name], **shared)
        x = annual_difference(found.column.equity.daily, base.column.equity.daily)
        year = f"a year {x.mean:+7.2%} [{x.low:+.2%}, {x.high:+.2%}]"
        print(f"{name:28} {found.line()}  {year}", flush=True)


if __name__ == "__main__":
    main()
