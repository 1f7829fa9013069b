"""What each part of trade management changes on an account: one at a time and together, beside a run without any.

    python -m benchmarks.trade_study DATADIR 20210701-20240101 [--trading-mode futures] [--strategy MLCoordinator]
        [--pairs "BTC/USDT ETH/USDT"] [--only ranking,stagnation]

Every variant is a real `freqtrade backtesting` process with the shipped config and the variant's settings over it.
Printed: profit, Sharpe ratio, maximum drawdown, trades, and the difference of daily returns a year from the run
without any, with its 90 % stationary bootstrap interval. Settings and variants are the documented ones, none tuned.
"""

from __future__ import annotations

import argparse
import io
import json
import tempfile
from copy import deepcopy
from pathlib import Path
from typing import Any

from freqtrade.misc import deep_merge_dicts
from rich.console import Console

from coordinator.jobs.backtest import run_backtests
from coordinator.jobs.run_plan import plan_run, read_config
from coordinator.reports.comparison import Column, compare
from coordinator.reports.difference import annual_difference
from coordinator.reports.results import read_result

RULES = ("momentum_reversal", "low_volume", "stagnation", "scale_out", "target_following")
WITHOUT: dict[str, Any] = {
    "entries": {"ranking": "off"},
    "exits": {name: {"mode": "off"} for name in RULES},
    "dca": {"enabled": True, "expiry": 1000, "cancel_on_reversal": False},
    "sizing": {"kelly_mode": "off"},
    "improvements": {
        name: {"mode": "off"} for name in ("dynamic_reward_risk", "volatility_sizing", "correlation_filter")
    },
    "thresholds": {"mode": "off"},
    "portfolio": {"hedge": {"mode": "off"}},
}
SINGLE: dict[str, dict[str, Any]] = {
    "ranking": {"entries": {"ranking": "on"}},
    "cancelled tranches": {"dca": {"expiry": 24, "cancel_on_reversal": True}},
    "no DCA": {"dca": {"enabled": False}},
    "ATR spacing": {"dca": {"spacing_mode": "atr"}},
    "Kelly cap": {"sizing": {"kelly_mode": "on"}},
    **{name.replace("_", " "): {"exits": {name: {"mode": "on"}}} for name in RULES},
    "volatility sizing": {"improvements": {"volatility_sizing": {"mode": "on"}}},
    "dynamic reward:risk": {"improvements": {"dynamic_reward_risk": {"mode": "on"}}},
    "correlation filter": {"improvements": {"correlation_filter": {"mode": "on"}}},
    "adaptive thresholds": {"thresholds": {"mode": "on"}},
    "hedge": {"portfolio": {"hedge": {"mode": "on"}}},
}
NOT_DOCUMENTED = ("no DCA", "ATR spacing", "target following", "hedge")
"""Options of ours: measured alone, left out of "together"."""


def merged(*sections: dict[str, Any]) -> dict[str, Any]:
    """Settings over settings, key by key."""
    out: dict[str, Any] = {}
    for section in sections:
        deep_merge_dicts(deepcopy(section), out)
    return out


def variants() -> dict[str, dict[str, Any]]:
    """Name to settings over the shipped ones."""
    documented = [value for name, value in SINGLE.items() if name not in NOT_DOCUMENTED]
    return {
        "without": WITHOUT,
        **{name: merged(WITHOUT, value) for name, value in SINGLE.items()},
        "together": merged(WITHOUT, *documented),
        "shipped": {},
        "shipped and hedged": {"portfolio": {"hedge": {"mode": "on"}}},
    }


def account(arguments: argparse.Namespace, settings: dict[str, Any]) -> Column:
    """One backtest."""
    config = read_config(Path("config.json"))
    config["coordinator"] = merged(config["coordinator"], settings)
    for key in ("strategy_path", "freqaimodel_path", "hyperopt_path"):
        config[key] = str(Path(config[key]).resolve())
    user_data, pairs = Path("user_data"), arguments.pairs.split() if arguments.pairs else None
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "config.json"
        path.write_text(json.dumps(config), encoding="utf-8")
        plan = plan_run(path, Path(arguments.datadir), pairs, arguments.timerange, arguments.trading_mode)
        report = run_backtests(plan, [arguments.strategy], user_data, Console(file=io.StringIO()))
        result = read_result(user_data / "backtest_results" / f"{report.stem}.zip")
        return compare([result], plan.candles(), plan.settings.costs.fee).columns[0]


def main() -> None:
    parser = argparse.ArgumentParser(description="What each part of trade management changes.")
    parser.add_argument("datadir")
    parser.add_argument("timerange")
    parser.add_argument("--trading-mode", default="spot")
    parser.add_argument("--strategy", default="MLCoordinator")
    parser.add_argument("--pairs")
    parser.add_argument("--only", help="variants, separated by commas")
    arguments = parser.parse_args()
    chosen = variants()
    if arguments.only:
        chosen = {name: chosen[name] for name in ("without", *arguments.only.split(","))}
    print(f"{arguments.strategy}, {arguments.timerange}, {arguments.trading_mode}", flush=True)
    base: Column | None = None
    for name, settings in chosen.items():
        column = account(arguments, settings)
        base = base or column
        m, x = column.metrics, annual_difference(column.equity.daily, base.equity.daily)
        print(
            f"{name:20} profit {m.profit:+8.2%}  Sharpe {m.sharpe:+.2f}  drawdown {m.max_drawdown:6.2%}  "
            f"trades {m.trades:5}  a year {x.mean:+7.2%} [{x.low:+.2%}, {x.high:+.2%}]",
            flush=True,
        )


if __name__ == "__main__":
    main()
