"""The rules of ``coordinator.trade`` applied to an open trade: tranches, scale-outs, exits, targets."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import datetime

from coordinator.ledger.records import ImprovementRow
from coordinator.run.open_trade import OpenTrade
from coordinator.run.pair_analysis import PairAnalysis
from coordinator.settings import Settings
from coordinator.settings.exits import ExitsSettings
from coordinator.trade.entries import tranches_cancelled
from coordinator.trade.exits import EXIT_RULES, HeldPosition, exit_signals, scale_out_due
from coordinator.trade.market import MarketPath, market_path, trailing_factor
from coordinator.trade.plan import Plan
from coordinator.trade.signal_exits import SignalExits

__all__ = ["SCALE_OUT", "PositionRules", "effective_exits"]

SCALE_OUT = "scale out"
ShadowReport = Callable[[int, ImprovementRow, str], None]


def effective_exits(settings: Settings) -> ExitsSettings:
    """The exits' settings with the modes that the global switches leave."""
    exits, effective = settings.exits, settings.improvements.effective
    changed = {
        name: (rule := getattr(exits, name)).model_copy(update={"mode": effective(rule.mode)})
        for name in (*EXIT_RULES, "scale_out", "target_following")
    }
    return exits.model_copy(update=changed)


class PositionRules:
    """Questions about open trades, each cheap where the answer is no.

    Parameters
    ----------
    settings : Settings
    seconds : length of a candle
    last_closed : gives the open time of the last closed candle
    report_shadow : called with (candle time, row, log line), once per trade and rule in shadow mode that fires
    """

    def __init__(
        self,
        settings: Settings,
        seconds: int,
        last_closed: Callable[[datetime], int],
        report_shadow: ShadowReport,
    ) -> None:
        self._settings, self._exits = settings, effective_exits(settings)
        self._modes = {name: getattr(self._exits, name).mode for name in (*EXIT_RULES, "scale_out")}
        self._seconds, self._closed, self._report_shadow = seconds, last_closed, report_shadow
        # No multiplier makes the second target nearer than this: most candles need no further look.
        self._least_scale_out = self._exits.targets[1] * self._exits.multiplier_minimum * (1 - 1e-6)
        if self._modes["scale_out"] == "off":
            self._least_scale_out = math.inf
        self._paths: dict[tuple[str, str], MarketPath] = {}
        self._signal_exits: dict[tuple[str, str], SignalExits] = {}
        self._slowest = settings.clock_names[0]
        self._last: tuple[str, str, datetime | None, tuple[MarketPath, int, int] | None] = (
            "",
            "",
            None,
            None,
        )
        self._reported: set[tuple[str, datetime, str]] = set()

    def put(self, analysis: PairAnalysis, exits: SignalExits | None = None) -> None:
        """Set a pair's market on a clock.

        Parameters
        ----------
        exits : the clock's own exits, where several clocks are read: a trade leaves by those of its own
        """
        indicators = analysis.technical.indicators
        self._last = ("", "", None, None)
        if exits is not None:
            self._signal_exits[analysis.pair, analysis.clock] = exits
        self._paths[analysis.pair, analysis.clock] = market_path(
            analysis.candles,
            analysis.regime.volatility,
            indicators.volume_ratio,
            (indicators.adx, indicators.plus_di, indicators.minus_di),
            analysis.technical.direction,
            analysis.fusion.warning,
            self._exits,
        )

    def _market(self, pair: str, now: datetime, clock: str = "") -> tuple[MarketPath, int, int] | None:
        """A pair's market, the row of its last closed candle, and that candle's time; None where it is unknown.

        Freqtrade calls four callbacks for a trade at one time: the last result is cached.

        Parameters
        ----------
        clock : whose baseline is asked for; "" is the slowest
        """
        clock = clock or self._slowest
        if self._last[0] != pair or self._last[2] != now or self._last[1] != clock:
            path, time = self._paths.get((pair, clock)), self._closed(now)
            row = -1 if path is None else path.at(time)
            self._last = pair, clock, now, None if path is None or row < 0 else (path, row, time)
        return self._last[3]

    def signal_exit(self, pair: str, plan: Plan, now: datetime) -> str | None:
        """Why a trade is left by the exits of its own clock at the last closed candle, or None.

        Always None where one clock is read: there they are Freqtrade's exit signals.
        """
        exits = self._signal_exits.get((pair, plan.clock or self._slowest))
        market = None if exits is None else self._market(pair, now, plan.clock)
        if exits is None or market is None:
            return None
        leaves = exits.long if plan.direction > 0 else exits.short
        return str(exits.reason[market[1]]) if leaves.item(market[1]) else None

    def tranche_due(self, trade: OpenTrade, plan: Plan, rate: float, now: datetime) -> bool:
        """Whether the next tranche is due at a price and has not been cancelled."""
        entries = plan.entries
        if len(entries.shares) == 1 or plan.direction * (1 - rate / plan.anchor) < entries.offsets[1] - 1e-9:
            return False
        return entries.due(trade.nr_of_successful_entries, plan.anchor, rate, plan.direction) and not (
            self.cancelled(trade, plan, now)
        )

    def cancelled(self, trade: OpenTrade, plan: Plan, now: datetime) -> str | None:
        """Why a trade's tranches that wait are cancelled, or None."""
        signal, turned = plan.time or self._closed(trade.open_date_utc), False
        market = self._market(trade.pair, now, plan.clock)
        if market is not None:
            path, row, _ = market
            against = path.last_short if plan.direction > 0 else path.last_long
            turned = against.item(row) > signal
        candles = (self._closed(now) - signal) // self._seconds
        return tranches_cancelled(candles, turned, trade.nr_of_successful_exits, self._settings.dca)

    def scale_out(self, trade: OpenTrade, direction: int, rate: float, now: datetime) -> int:
        """Which scale-out is due at a price: 1, 2, or 0 for none."""
        if direction * (rate / trade.open_rate - 1.0) < self._least_scale_out:
            return 0
        market = self._market(trade.pair, now)
        if market is None:
            return 0
        path, row, time = market
        multiplier, held = path.multiplier.item(row), HeldPosition(direction, trade.open_rate, 0, 0)
        if not scale_out_due(held, rate, multiplier, self._exits):
            return 0
        if self._modes["scale_out"] == "shadow":
            self._shadow(trade, "scale_out", time, self._exits.scale_out.share)
            return 0
        done = sum(
            1
            for order in trade.orders
            if order.ft_order_side == trade.exit_side
            and not order.ft_is_open
            and (order.filled or 0) > 0
            and (order.ft_order_tag or "").startswith(SCALE_OUT)
        )
        due = scale_out_due(held._replace(scaled_out=done), rate, multiplier, self._exits)
        return done + 1 if due else 0

    def exit_reason(self, trade: OpenTrade, plan: Plan, rate: float, now: datetime) -> str | None:
        """The reason of the most confident rule that is on and fires, or None."""
        market = self._market(trade.pair, now, plan.clock)
        if market is None:
            return None
        path, row, time = market
        signal = plan.time or self._closed(trade.open_date_utc)
        held = HeldPosition(plan.direction, trade.open_rate, (time - signal) // self._seconds, 0)
        for exit_signal in exit_signals(held, rate, path, row, self._exits):
            if self._modes[exit_signal.rule] == "on":
                return exit_signal.reason
            self._shadow(trade, exit_signal.rule, time, 1.0)
        return None

    def target_factor(self, trade: OpenTrade, direction: int, now: datetime) -> float:
        """Factor of the target's distance at the last closed candle."""
        if self._exits.target_following.mode != "on":
            return 1.0
        market = self._market(trade.pair, now)
        if market is None:
            return 1.0
        factors = market[0].long_factor if direction > 0 else market[0].short_factor
        return 1.0 if factors is None else factors.item(market[1])

    def trailing_multiplier(self, trade: OpenTrade, direction: int, now: datetime) -> float:
        """Multiplier of the trailing distance at the last closed candle, by volatility and momentum where set."""
        s = self._exits
        if not (s.trailing_by_volatility or s.trailing_by_momentum):
            return 1.0
        market = self._market(trade.pair, now)
        if market is None:
            return 1.0
        path, row, _ = market
        multiplier: float = path.multiplier.item(row) if s.trailing_by_volatility else 1.0
        if s.trailing_by_momentum:
            multiplier *= trailing_factor(direction, path.momentum.item(row), s)
        return multiplier

    def _shadow(self, trade: OpenTrade, rule: str, time: int, share: float) -> None:
        key = (trade.pair, trade.open_date, rule)
        if key not in self._reported:
            self._reported.add(key)
            log_line = f"{trade.pair}: {rule.replace('_', ' ')} would close {share:.0%} (shadow mode)"
            self._report_shadow(
                time, ImprovementRow(trade.pair, f"exit_{rule}", "shadow", 0.0, share), log_line
            )
