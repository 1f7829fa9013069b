"""Measures equity and exposure once a candle and decides whether the portfolio is hedged or locked.

Fed by closed candles, positions and the wallet alone: no vote, decision or model reaches it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from coordinator.portfolio.correlation import ReturnPanel
from coordinator.portfolio.correlation_cache import CorrelationCache
from coordinator.portfolio.drawdown import DrawdownTracker
from coordinator.portfolio.guard import Limit, Position, entry_limits
from coordinator.portfolio.hedge import Exposure, Hedge, Stress, net_long
from coordinator.portfolio.holdings import Holding, account_equity, value_holdings
from coordinator.portfolio.market_prices import MarketPrices
from coordinator.portfolio.state_store import StateStore
from coordinator.portfolio.stress import average_correlation, market_volatility
from coordinator.settings import Settings
from coordinator.signals.regime_gate import bitcoin_pair

__all__ = ["HEDGE", "HedgeChange", "PortfolioMonitor"]

HEDGE = "hedge"
"""Name of the hedge in the ledger's improvements and states, and the beginning of its enter_tag."""


class HedgeChange(NamedTuple):
    """The hedge was switched on or off.

    Attributes
    ----------
    pair : the hedge pair in futures, "*" in spot
    mode : "shadow" or "on"
    share : of the net long exposure hedged (futures) or of each position sold (spot); 0 when it is over
    """

    pair: str
    mode: str
    share: float


class PortfolioMonitor:
    """The portfolio's drawdown, stress and hedge, candle by candle.

    Parameters
    ----------
    prices : of all analysed pairs
    correlations : of the same pairs
    can_short : whether this is futures: a hedge pair, else locks
    stake_currency : names the hedge pair where the settings do not

    Attributes
    ----------
    pair : the hedge pair while the hedge is on in futures; None otherwise
    time : open time of the last candle taken in; -1 before the first
    equity, exposure : at its close; net long exposure without the hedge
    """

    def __init__(
        self,
        settings: Settings,
        prices: MarketPrices,
        correlations: CorrelationCache,
        candle_seconds: int,
        can_short: bool,
        stake_currency: str,
    ) -> None:
        self.settings, self._prices, self._correlations = settings, prices, correlations
        self._seconds = candle_seconds
        self._s = settings.portfolio.hedge
        self.futures = can_short
        self.enabled = self._s.mode != "off" or settings.portfolio.protection.enabled
        self._store: StateStore | None = None
        named = self._s.pair or bitcoin_pair(stake_currency, futures=True)
        self.pair = named if self.futures and self._s.mode == "on" else None
        self.reset()

    def reset(self) -> None:
        """Forget everything: another backtest begins."""
        self.time = -1
        self.equity = self.exposure = 0.0
        self.tracker, self.hedge = DrawdownTracker(self._s.peak_days), Hedge(self._s)
        self._stress: tuple[ReturnPanel, int, float, float] | None = None
        self._stored: tuple[Mapping[int, float], float] = ({}, 0.0)

    def use_store(self, store: StateStore) -> None:
        """Store the state from now on, and continue from the one stored."""
        self._store = store
        state = store.load_state(HEDGE)
        if state is not None:
            # Without the exposure of its candle the hedge would be closed at once: that candle is then looked at again.
            self.time = int(state["time"]) if "exposure" in state else -1
            self.equity, self.exposure = float(state.get("equity", 0.0)), float(state.get("exposure", 0.0))
            self.tracker.restore(state["tracker"])
            self.hedge.restore(state["hedge"])

    # --- once a candle ----------------------------------------------------------------------------------------

    def needs_update(self, time: int) -> bool:
        """Whether a candle is new and analysed. An earlier one (another backtest) resets the monitor."""
        if not self.enabled or time == self.time:
            return False
        if time < self.time and self._store is None:
            self.reset()
        return time > self.time and self._prices.last_candle() >= time

    def update(self, time: int, wallet: float, held: Iterable[Holding]) -> HedgeChange | None:
        """Update with a closed candle; the change of the hedge, None where nothing changed or it is off.

        Parameters
        ----------
        time : its open time
        wallet : total of the stake currency, without open positions in spot and without their profit in futures
        """
        valued = value_holdings(held, self._prices, time)
        equity = account_equity(wallet, valued, futures=self.futures)
        exposures = [Exposure(one.direction, value) for one, value in valued if not one.is_hedge]
        self.time, self.equity, self.exposure = time, equity, net_long(exposures)
        stress = Stress(self.tracker.update(time, equity), *self._market_stress(time))
        changed = self.hedge.step(time, stress, self.exposure)
        self._store_state(changed)
        if not changed or self._s.mode == "off":
            return None
        share = (self._s.share if self.futures else self._s.scale_out) if self.hedge.active else 0.0
        return HedgeChange(self.pair or "*", self._s.mode, share)

    def describe_change(self) -> str:
        """The last change in words."""
        word = "would be " if self._s.mode == "shadow" else ""
        what = "hedged" if self.futures else "locked for longs and scaled out"
        end = "" if self.hedge.active else "no longer "
        return (
            f"The portfolio {word}{end}{what}: {self.hedge.reason}, "
            f"equity {self.equity:.2f}, peak {self.tracker.peak:.2f}, net long exposure {self.exposure:.2f}"
        )

    def _market_stress(self, time: int) -> tuple[float, float]:
        """Volatility and average correlation, NaN where they trigger nothing; computed at most once an hour."""
        s, nan = self._s, float("nan")
        if s.volatility is None and s.correlation is None:
            return nan, nan
        panel, hour = self._prices.returns(), time // 3600
        if self._stress is None or self._stress[0] is not panel or self._stress[1] != hour:
            volatility = correlation = nan
            if s.volatility is not None:
                volatility = market_volatility(panel, time, s.window, self._seconds)
            if s.correlation is not None:
                correlation = average_correlation(panel.correlations(time, s.window))
            self._stress = panel, hour, volatility, correlation
        return self._stress[2:]

    def _store_state(self, changed: bool) -> None:
        # Every day's high counts, also below the peak: one of them is the peak when the window has moved on.
        now = self.tracker.highs, self.exposure
        if self._store is None or not (changed or self._stored != now):
            return
        self._stored = now
        self._store.store_state(HEDGE, self.time, self.state())

    def state(self) -> dict[str, Any]:
        """As JSON keeps it."""
        known = {"time": self.time, "equity": self.equity, "exposure": self.exposure}
        return {**known, "tracker": self.tracker.state(), "hedge": self.hedge.state()}

    # --- answers ----------------------------------------------------------------------------------------------

    @property
    def acting(self) -> bool:
        """Whether the hedge is on and active."""
        return self.hedge.active and self._s.mode == "on"

    @property
    def locked(self) -> bool:
        """Whether longs are locked (spot)."""
        return self.acting and not self.futures

    def target_notional(self) -> float:
        """Notional that the hedge should have; 0 where there should be none."""
        return self.hedge.target(self.exposure) if self.pair is not None and self.acting else 0.0

    def reserved_slots(self, hedge_is_open: bool) -> int:
        """Slots of max_open_trades that other entries must leave free."""
        return int(self.pair is not None and not hedge_is_open)

    def refusing_limits(self, pair: str, direction: int, time: int, held: Iterable[Position]) -> list[Limit]:
        """Correlation and sector limits that would refuse a pair's next entry."""
        s = self.settings.improvements.correlation_filter
        if self.settings.improvements.mode_of(s, pair) != "on":
            return []
        limits = entry_limits(pair, direction, held, self._correlations.of(pair, time, s), s)
        return [limit for limit in limits if limit.refuses]
