"""Carries out what the portfolio monitor decides: the hedge pair in futures, locks and scale-out in spot."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from freqtrade.enums import RunMode
from freqtrade.persistence import PairLocks, Trade

from coordinator.adapters.run_modes import MODES_WITH_TRADES
from coordinator.errors import CoordinatorError
from coordinator.ledger.records import ImprovementRow
from coordinator.portfolio.correlation_cache import CorrelationCache
from coordinator.portfolio.hedge import rebalance
from coordinator.portfolio.holdings import Holding, account_equity, value_holdings
from coordinator.portfolio.market_prices import MarketPrices
from coordinator.portfolio.monitor import HEDGE, PortfolioMonitor
from coordinator.portfolio.state_store import StateStore
from coordinator.run.entry_guard import EntryCheck
from coordinator.settings import Settings
from coordinator.trade.exits import leaves_no_dust

__all__ = ["SCALE_OUT_TAG", "Hedging"]

logger = logging.getLogger(__name__)

SCALE_OUT_TAG = "drawdown scale-out"
LOCKED = f"{HEDGE}: longs are locked"
Change = tuple[float, str]


class Hedging:
    """The strategy's side of the hedge; every method is cheap where the hedge is off.

    Parameters
    ----------
    config : Freqtrade's
    last_closed : gives the open time of the last closed candle

    Raises
    ------
    CoordinatorError
        If there is no slot left beside the hedge's.
    """

    def __init__(
        self,
        config: dict[str, Any],
        settings: Settings,
        prices: MarketPrices,
        correlations: CorrelationCache,
        candle_seconds: int,
        last_closed: Callable[[datetime], int],
    ) -> None:
        self._config, self._s, self._last_closed = config, settings.portfolio.hedge, last_closed
        futures = config.get("trading_mode", "spot") == "futures"
        currency = config.get("stake_currency", "USDT")
        self._prices = prices
        self.monitor = PortfolioMonitor(settings, prices, correlations, candle_seconds, futures, currency)
        self.on = self._s.mode == "on"
        self._seconds = candle_seconds
        self._lock: Any = None
        self._minimum = 0.0
        if self.monitor.pair is not None and 0 < config.get("max_open_trades", float("inf")) < 2:
            rule = "be at least 2 where the portfolio is hedged in futures: one slot is the hedge's"
            raise CoordinatorError("max_open_trades", "the config", rule, config["max_open_trades"])

    def use_store(self, store: StateStore) -> None:
        """A bot's monitor continues from the state stored last, and stores it from now on."""
        self.monitor.use_store(store)
        if self.monitor.time >= 0:
            logger.info("The portfolio's peak of %.2f is remembered", self.monitor.tracker.peak)

    def check_pair(self, whitelist: list[str]) -> None:
        """Say where the hedge can never be opened: its pair is not traded."""
        if self.monitor.pair is not None and self.monitor.pair not in whitelist:
            logger.warning(
                "portfolio.hedge.pair: %s is not in the whitelist, so the portfolio cannot be hedged",
                self.monitor.pair,
            )

    # --- once per candle ---------------------------------------------------------------------------------------

    def update(self, now: datetime, wallets: Any) -> tuple[int, EntryCheck] | None:
        """Update the monitor once a candle; the candle's time and what to record where the hedge changed."""
        time = self._last_closed(now)
        if wallets is None or not self.monitor.needs_update(time):
            return None
        trades = Trade.get_open_trades()
        change = self.monitor.update(time, self._wallet(wallets), self._held(trades))
        if self.on:
            self._lock_longs(now)
            for trade in trades:
                if trade.enter_tag == HEDGE and trade.pair == self.monitor.pair:
                    trade.enter_tag = f"{HEDGE}: {self.monitor.hedge.reason}"
        if change is None:
            return None
        if self._config.get("runmode") != RunMode.HYPEROPT:
            logger.info("%s: %s", datetime.fromtimestamp(time, tz=UTC), self.monitor.describe_change())
        return time, EntryCheck(rows=(ImprovementRow(change.pair, HEDGE, change.mode, 0.0, change.share),))

    def equity(self, wallets: Any) -> float:
        """Of the account, open positions at the newest closes, stake currency; whether or not it is hedged."""
        prices = self._prices
        valued = value_holdings(self._held(Trade.get_open_trades()), prices, prices.last_candle())
        return account_equity(self._wallet(wallets), valued, futures=self.monitor.futures)

    def _wallet(self, wallets: Any) -> float:
        return float(wallets.get_total(self._config["stake_currency"]))

    def _held(self, trades: Iterable[Trade]) -> list[Holding]:
        return [self._holding(trade) for trade in trades if trade.amount and trade.nr_of_successful_entries]

    def _holding(self, trade: Trade) -> Holding:
        side = -1 if trade.is_short else 1
        return Holding(trade.pair, side, trade.amount, trade.open_rate, self.is_hedge(trade))

    def _lock_longs(self, now: datetime) -> None:
        """One lock from the beginning to the longest that it may last, released early on recovery."""
        is_bot = self._config.get("runmode") in MODES_WITH_TRADES
        if not self.monitor.locked:
            if self._lock is not None:
                if is_bot:
                    PairLocks.unlock_reason(self._lock.reason, now)
                else:
                    self._lock.active = False  # unlock_reason asks the wall clock in backtests
                self._lock = None
        elif self._lock is None or self._lock.lock_end_time.replace(tzinfo=UTC) <= now:
            held = PairLocks.get_pair_locks("*", now, "long")
            existing = [lock for lock in held if str(lock.reason).startswith(LOCKED)]
            until, reason = now + timedelta(days=self._s.peak_days), self._lock_reason()
            self._lock = (
                existing[0] if existing else PairLocks.lock_pair("*", until, reason, now=now, side="long")
            )

    def _lock_reason(self) -> str:
        """Which limit locks longs, with its figures and what ends it."""
        s, why = self._s, self.monitor.hedge.reason
        limits = (
            ("drawdown", s.drawdown, s.release),
            ("volatility", s.volatility, s.release),
            ("average correlation", s.correlation, s.correlation_release),
        )
        figures = [
            f" (limit {100 * limit:.4g} %, released below {100 * limit * release:.4g} %)"
            for name, limit, release in limits
            if why.startswith(name) and limit is not None
        ]
        return f"{LOCKED}, {why}{''.join(figures)}"

    # --- entries ----------------------------------------------------------------------------------------------

    def is_hedge(self, trade: Trade) -> bool:
        """Whether a trade is the hedge."""
        pair = self.monitor.pair
        if pair is None or trade.pair != pair:
            return False
        return bool(trade.is_short) and str(trade.enter_tag).startswith(HEDGE)

    def entry_columns(self, pair: str, columns: dict[str, Any]) -> dict[str, Any]:
        """The hedge pair signals an entry at every candle, refused below unless needed, and nothing of its own."""
        if pair != self.monitor.pair:
            return columns
        n = len(columns["enter_long"])
        tags = np.full(n, HEDGE, dtype=object)
        never, always = np.zeros(n, dtype=np.int64), np.ones(n, dtype=np.int64)
        return columns | {"enter_long": never, "enter_short": always, "enter_tag": tags}

    def exit_columns(self, pair: str, columns: dict[str, Any]) -> dict[str, Any]:
        """An exit signal on the hedge pair would cancel the entry on the same candle."""
        if pair != self.monitor.pair:
            return columns
        n = len(columns["exit_long"])
        never, tags = np.zeros(n, dtype=np.int64), np.full(n, None, dtype=object)
        return columns | {"exit_long": never, "exit_short": never, "exit_tag": tags}

    def reserved_slots(self) -> int:
        """Slots that other entries must leave free for the hedge."""
        if self.monitor.pair is None:
            return 0
        return self.monitor.reserved_slots(any(self.is_hedge(trade) for trade in Trade.get_open_trades()))

    def refusal(self, pair: str, side: str, max_open_trades: float) -> str | None:
        """Why an entry may not be made, or None; on the hedge pair only the hedge is let through."""
        if not self.on:
            return None
        if pair == self.monitor.pair:
            wanted = side == "short" and self.monitor.target_notional() > 0
            return None if wanted else "the pair is the hedge's, which is not needed"
        if self.monitor.locked and side == "long":
            return f"longs are locked: {self.monitor.hedge.reason}"
        if max_open_trades > 0 and len(Trade.get_open_trades()) + self.reserved_slots() >= max_open_trades:
            return "the last slot is the hedge's"
        return None

    def stake(
        self, pair: str, side: str, leverage: float, minimum: float | None, maximum: float
    ) -> float | None:
        """Stake of the hedge, 0 for none; None where the entry is another's."""
        if pair != self.monitor.pair:
            return None
        self._minimum = minimum or 0.0
        wanted = self.monitor.target_notional() / leverage if side == "short" else 0.0
        stake = min(wanted, maximum)
        return stake if stake >= self._minimum else 0.0

    # --- open trades ------------------------------------------------------------------------------------------

    def owns_adjustment(self, trade: Trade) -> bool:
        """Whether the trade's adjustments are this class's: the hedge's always, a long's while longs are locked."""
        return self.on and (self.monitor.locked or self.is_hedge(trade))

    def adjustment(self, trade: Trade, rate: float, minimum: float, maximum: float) -> Change | None:
        """Stake to add (positive) or take away (negative), and its tag; for trades that it owns.

        Nothing that is below ``minimum`` (stake currency) or leaves less than it.
        """
        if not self.is_hedge(trade):
            return self._scale_out(trade, rate, minimum)
        notional, leverage = trade.amount * rate, trade.leverage or 1.0
        change = rebalance(notional, self.monitor.target_notional(), self._s.tolerance, minimum * leverage)
        if change > 0:
            stake = min(change / leverage, maximum)
            return (stake, f"{HEDGE} enlarged") if stake >= max(minimum, 1e-9) else None
        return (change / notional * trade.stake_amount, f"{HEDGE} reduced") if change < 0 else None

    def _scale_out(self, trade: Trade, rate: float, minimum: float) -> Change | None:
        """Once per activation, of positions that were open by then."""
        share, since = self._s.scale_out, self.monitor.hedge.since
        activated = datetime.fromtimestamp(since, tz=UTC)
        if not share or trade.open_date_utc.timestamp() > since + 2 * self._seconds:
            return None
        for order in trade.orders:
            if (
                order.ft_order_tag == SCALE_OUT_TAG
                and order.order_date_utc >= activated
                and order.safe_filled
            ):
                return None
        if not leaves_no_dust(trade.amount * rate, share, minimum):
            return None
        return -share * trade.stake_amount, SCALE_OUT_TAG

    def exit_reason(self, trade: Trade) -> str | None:
        """Why the hedge is closed, or None."""
        target = self.monitor.target_notional()
        if not self.monitor.hedge.active:
            return f"hedge closed: {self.monitor.hedge.reason}"
        return (
            "hedge closed: no net long exposure"
            if target <= self._minimum * (trade.leverage or 1.0)
            else None
        )
