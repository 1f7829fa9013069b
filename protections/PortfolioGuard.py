"""Freqtrade's protection over the portfolio monitor: locks at a drawdown, and pairs that are held often enough."""

from datetime import datetime
from typing import Any

from freqtrade.plugins.protections import IProtection, ProtectionReturn

from coordinator.adapters.protection.portfolio_guard import Lock, drawdown_lock, lock_end, pair_lock


class PortfolioGuard(IProtection):
    """Asked after a trade closes; entries are held against the same limits by the strategy itself."""

    has_global_stop = True
    has_local_stop = True

    def __init__(self, config: dict[str, Any], protection_config: dict[str, Any]) -> None:
        super().__init__(config, protection_config)
        self._monitor = protection_config["monitor"]

    def short_desc(self) -> str:
        return f"{self.name} - locks entries at a drawdown, and pairs correlated with what is held"

    def global_stop(self, date_now: datetime, side: str, starting_balance: float) -> ProtectionReturn | None:
        return _locked(drawdown_lock(self._monitor, date_now))

    def stop_per_pair(
        self, pair: str, date_now: datetime, side: str, starting_balance: float
    ) -> ProtectionReturn | None:
        return _locked(pair_lock(self._monitor, pair, side, date_now))


def _locked(lock: Lock | None) -> ProtectionReturn | None:
    if lock is None:
        return None
    until, reason, side = lock
    return ProtectionReturn(lock=True, until=lock_end(until), reason=reason, lock_side=side)
