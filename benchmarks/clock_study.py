"""Whether the baseline and the model on their clock earn it: neighbours, starts, fees, controls, the ledger's R.

    python -m benchmarks.clock_study DATADIR 20210701-20240101 [--trading-mode futures] [--strategies TechnicalBaseline]
        [--parts account,starts,fees,neighbours,controls,random,ledger] [--seeds 100] [--trials 200]
        [--quality-mode replace]

Every line is a real `freqtrade backtesting` process with the shipped config, the quality mode and the line's changes
over it. Neighbours and controls of the model say something only where it acts: with another mode than "vote", or where
it has earned a say.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.accounts import Account, account, merged
from coordinator.adapters.configuration import read_config
from coordinator.reports.deflated_sharpe import deflated_sharpe
from coordinator.reports.difference import annual_difference
from coordinator.reports.metrics import max_drawdown, sharpe
from coordinator.settings import run_settings

STRATEGIES = str((Path(__file__).parent / "strategies").resolve())
STARTS, WEEK = 12, timedelta(days=7)
BASELINE = {
    "baseline.fast_channel": int,
    "baseline.exit_channel": int,
    "baseline.slow_channel": int,
    "baseline.trend_ma": (20, 100),
    "baseline.fast_clearance": float,
    "baseline.slow_clearance": float,
    "baseline.adx_period": int,
    "baseline.adx_trend": float,
    "baseline.momentum_period": int,
    "baseline.momentum_sigmas": float,
    "baseline.ema_fast": int,
    "baseline.ema_slow": int,
    "regime.gate_average": int,
    "stops.atr_multiple": float,
    "targets.horizon": int,
    "sizing.risk_per_trade": float,
    "portfolio.max_positions": int,
}
MODEL = {
    "decision.threshold": float,
    "decision.percentile_window": int,
    "quality.panel_horizon": int,
    "quality.trees": int,
    "quality.leaves": int,
    "quality.l2": float,
    "quality.retrain_days": int,
}
"""What is moved by a quarter either way: its type, or the neighbours there are."""


def at(settings: Any, path: str) -> Any:
    """A setting by its dotted name."""
    section, name = path.split(".")
    return getattr(getattr(settings, section), name)


def neighbours(settings: Any, names: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Each setting three quarters and five quarters as large."""
    out = []
    for path, kind in names.items():
        section, name = path.split(".")
        base = at(settings, path)
        if base is None:
            continue
        moved = (
            kind
            if isinstance(kind, tuple)
            else [kind(round(base * f, 6)) if kind is float else round(base * f) for f in (0.75, 1.25)]
        )
        out += [(f"{path} {base} -> {value}", {section: {name: value}}) for value in moved]
    return out


class Study:
    """One market, timerange and strategy."""

    def __init__(self, arguments: argparse.Namespace, strategy: str) -> None:
        self.a, self.strategy = arguments, strategy
        config = read_config(Path("config.json"))
        self.settings = run_settings({**config, "trading_mode": arguments.trading_mode})
        mode = arguments.quality_mode
        self.mode = {"decision": {"quality_mode": mode}} if mode else {}
        self.shipped = self.run()
        self.ratios: list[float] = []

    def run(self, settings: dict[str, Any] | None = None, **more: Any) -> Account:
        more = {"strategy": self.strategy, "timerange": self.a.timerange, **more}
        return account(
            self.a.datadir,
            more.pop("timerange"),
            more.pop("strategy"),
            merged(self.mode, settings or {}),
            trading_mode=self.a.trading_mode,
            user_data=Path(self.a.user_data),
            **more,
        )

    def told(self, name: str, settings: dict[str, Any] | None = None, **more: Any) -> Account | None:
        """Run and print a line; a setting out of its bounds is said, too."""
        try:
            found = self.run(settings, **more)
        except Exception as error:
            print(f"  {name:46} {str(error).splitlines()[0]}", flush=True)
            return None
        self.ratios.append(found.column.metrics.sharpe)
        print(f"  {name:46} {found.line()}", flush=True)
        return found

    # --- parts ------------------------------------------------------------------------------------------------

    def account(self) -> None:
        s, daily = self.shipped, self.shipped.column.equity.daily
        exposure = exposed(s)
        held = s.hold.equity.daily.pct_change().fillna(0.0) * exposure
        scaled = 1000 * (1 + held).cumprod()
        chance = deflated_sharpe(daily, self.a.trials, self.a.spread)
        flat = pd.Series(1.0, daily.index)
        year = annual_difference(daily, flat)
        print(f"  {'shipped':46} {s.line()}")
        print(
            f"  a year {year.mean:+.2%} [{year.low:+.2%}, {year.high:+.2%}] (90 %); deflated Sharpe ratio {chance:.3f} "
            f"({self.a.trials} trials, spread {self.a.spread})"
        )
        print(
            f"  buy and hold at the same average exposure ({exposure:.0%}): profit {scaled.iloc[-1] / 1000 - 1:+.2%}  "
            f"Sharpe {sharpe(scaled):+.2f}  drawdown {max_drawdown(scaled):.2%}",
            flush=True,
        )

    def starts(self) -> None:
        begin, end = self.a.timerange.split("-")
        first = datetime.strptime(begin, "%Y%m%d")
        profits = []
        for week in range(STARTS):
            day = first + week * WEEK
            found = self.told(f"begun {day:%Y-%m-%d}", timerange=f"{day:%Y%m%d}-{end}")
            profits += [found.column.metrics.profit] if found else []
        print(
            f"  {sum(p > 0 for p in profits)} of {len(profits)} profitable, worst {min(profits):+.2%}",
            flush=True,
        )

    def fees(self) -> None:
        twice = 2 * self.settings.costs.fee
        found = self.told(f"fee {twice:.3%} a side", config={"fee": twice})
        if found:
            lost = 1 - found.column.metrics.profit / self.shipped.column.metrics.profit
            print(f"  twice the fee takes {lost:.1%} of the profit", flush=True)

    def neighbours(self) -> None:
        names = {**BASELINE, **(MODEL if self.strategy == "MLCoordinator" else {})}
        self.ratios = []
        for name, settings in neighbours(self.settings, names):
            self.told(name, settings)
        ratios = np.array(self.ratios)
        print(
            f"  Sharpe ratios {ratios.min():.2f} to {ratios.max():.2f}, mean {ratios.mean():.2f}, "
            f"standard deviation {ratios.std(ddof=1):.2f}",
            flush=True,
        )

    def controls(self) -> None:
        if self.strategy != "MLCoordinator":
            return
        over = {"strategy_path": STRATEGIES, "freqai": {"enabled": False}}
        self.told(
            "a constant in the model's place",
            strategy="ControlQuality",
            config=merged(over, {"control": {"kind": "constant"}}),
        )
        self.ratios = []
        for seed in range(self.a.noise):
            self.told(
                f"noise {seed} in the model's place",
                strategy="ControlQuality",
                config=merged(over, {"control": {"kind": "noise", "seed": seed}}),
            )
        above = np.mean(np.array(self.ratios) >= self.shipped.column.metrics.sharpe)
        mean, n = np.mean(self.ratios), len(self.ratios)
        print(f"  noise reaches our Sharpe ratio in {above:.0%} of {n} seeds; mean {mean:.2f}", flush=True)

    def random(self) -> None:
        """Random entries with the same exits, as exposed as we are on average."""
        begin = f"{datetime.strptime(self.a.timerange.split('-')[0], '%Y%m%d'):%Y-%m-%d}"
        trades = self.shipped.result.trades["pair"].value_counts()
        factor, wanted = 1.0, exposed(self.shipped)

        def run(seed: int) -> Account:
            signals = {pair: round(n * factor) for pair, n in trades.items()}
            asked = {"seed": seed, "signals": signals, "from": begin}
            changes = {
                "regime": {"gate": "off"},
                "baseline": {"rearm": "off"},
                "decision": {"threshold": 0.0},
            }
            over = {"strategy_path": STRATEGIES, "random_entries": asked, "freqai": {"enabled": False}}
            return self.run(changes, strategy="RandomEntries", config=over)

        for seed in (1000, 1001, 1002):
            factor *= wanted / max(exposed(run(seed)), 1e-9)
        found = [run(seed) for seed in range(self.a.seeds)]
        ratios = np.array([one.column.metrics.sharpe for one in found])
        profits = np.array([one.column.metrics.profit for one in found])
        ours, low = self.shipped.column.metrics, np.quantile(ratios, (0.05, 0.5, 0.95))
        exposure = np.mean([exposed(one) for one in found])
        print(f"  random entries, {len(found)} seeds, exposure {exposure:.0%} (ours {wanted:.0%})")
        print(f"  their Sharpe ratio {low[0]:+.2f} / {low[1]:+.2f} / {low[2]:+.2f} (5 / 50 / 95 %)")
        print(f"  their profit {np.median(profits):+.2%} (median)")
        above = (ratios < ours.sharpe).mean(), (profits < ours.profit).mean()
        print(f"  ours is above {above[0]:.0%} of them in Sharpe ratio, {above[1]:.0%} in profit", flush=True)

    def ledger(self) -> None:
        d = self.shipped.decisions()
        d = d[(d["time"] >= self.shipped.result.start) & d["outcome_r"].notna()]
        for name, rows in (("all", d), ("accepted", d[d["accepted"]]), ("rejected", d[~d["accepted"]])):
            r = rows["outcome_r"]
            error = r.std() / max(len(r), 1) ** 0.5
            print(f"  mean R of {name:9} {r.mean():+.3f} (standard error {error:.3f}, {len(r)} signals)")
        print(f"  {explained(self.shipped, d)}", flush=True)


def exposed(account: Account) -> float:
    """Average value of open positions at their cost, share of the account."""
    trades, result = account.result.trades, account.result
    if trades.empty:
        return 0.0
    equity = account.column.equity.daily
    value = (trades["amount"] * trades["open_rate"]).to_numpy()
    closed = trades["close_date"].fillna(result.end)
    seconds = (closed - trades["open_date"]).dt.total_seconds().to_numpy()
    at_open = equity.reindex(trades["open_date"].dt.floor("D"), method="nearest").to_numpy()
    return float((value / at_open * seconds).sum() / (result.end - result.start).total_seconds())


def explained(account: Account, decisions: pd.DataFrame) -> str:
    """The account's profit beside what the ledger's virtual R of the signals that got a slot make of its risks."""
    trades, equity = account.result.trades, account.column.equity.daily
    keyed = decisions.set_index(["pair", "time"])
    before = trades["open_date"] - account.result.timeframe
    total, found = 0.0, 0
    for pair, time, amount, rate in zip(
        trades["pair"], before, trades["amount"], trades["open_rate"], strict=True
    ):
        if (pair, time) not in keyed.index:
            continue
        row = keyed.loc[(pair, time)]
        risk = amount * rate * abs(row["price"] - row["stop"]) / row["price"]
        total, found = total + risk * row["outcome_r"], found + 1
    real, start = float(trades["profit_abs"].sum()), equity.iloc[0]
    return (
        f"{found} of {len(trades)} trades have a resolved virtual trade; their R times risk is {total:+,.0f}, the "
        f"account of {start:,.0f} made {real:+,.0f}: {total / real - 1:+.1%}"
    )


PARTS: dict[str, Callable[[Study], None]] = {
    name: getattr(Study, name)
    for name in ("account", "ledger", "fees", "starts", "neighbours", "controls", "random")
}


def main() -> None:
    parser = argparse.ArgumentParser(description="Whether baseline and model earn it on their clock.")
    parser.add_argument("datadir")
    parser.add_argument("timerange")
    parser.add_argument("--trading-mode", default="spot")
    parser.add_argument("--strategies", default="TechnicalBaseline,MLCoordinator")
    parser.add_argument("--parts", default=",".join(PARTS))
    parser.add_argument("--seeds", type=int, default=100, help="random entries")
    parser.add_argument("--noise", type=int, default=20, help="seeds of noise in the model's place")
    parser.add_argument(
        "--trials", type=int, default=300, help="variants tried, for the deflated Sharpe ratio"
    )
    parser.add_argument(
        "--spread", type=float, default=0.3, help="standard deviation of their Sharpe ratios a year"
    )
    parser.add_argument("--quality-mode", help="instead of the shipped one")
    parser.add_argument("--user-data", default="user_data", help="two studies at once need two")
    arguments = parser.parse_args()
    for strategy in arguments.strategies.split(","):
        print(f"{strategy}, {arguments.timerange}, {arguments.trading_mode}", flush=True)
        study = Study(arguments, strategy)
        for part in arguments.parts.split(","):
            print(f" {part}", flush=True)
            PARTS[part](study)


if __name__ == "__main__":
    main()
