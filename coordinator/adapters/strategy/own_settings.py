"""What a user's own Freqtrade settings do beside the plans of trades: obeyed, told, or refused by name.

Settings that Freqtrade itself carries out (order types, unfilledtimeout, fees, stake, slots, prices) need nothing here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from freqtrade.strategy import IStrategy

from coordinator.errors import CoordinatorError
from coordinator.settings import Settings

__all__ = ["check_own_settings", "check_timeframe"]

_CONFIG: Final = "the Freqtrade config"


def check_own_settings(
    strategy: IStrategy, settings: Settings, *, leverage: float, hedged: bool
) -> list[str]:
    """Refuse what would make the plans void; what acts beside them, in words.

    Parameters
    ----------
    strategy : with its attributes as Freqtrade's resolver leaves them
    leverage : of the positions, at most
    hedged : whether the portfolio's hedge is on

    Returns
    -------
    list of str
        One sentence for each setting with an effect.

    Raises
    ------
    CoordinatorError
        Where a setting cannot be carried out.
    """
    _refuse(strategy, hedged)
    told = []
    if strategy.minimal_roi:
        told.append(f"minimal_roi {strategy.minimal_roi} closes trades before their plan's exits")
    if strategy.trailing_stop:
        told.append("trailing_stop moves stops beside the plan's own")
    widest = max(settings.on_clock(name).stops.hard_limit for name in settings.clock_names)
    if abs(strategy.stoploss) / leverage < widest:
        told.append(
            f"stoploss {strategy.stoploss:g} is {abs(strategy.stoploss) / leverage:.2%} of the price at leverage "
            f"{leverage:g}: planned stops beyond it (up to {widest:.0%}) are never reached"
        )
    if not strategy.use_exit_signal:
        told.append("use_exit_signal false: trades leave by stop, target and roi alone, without a time limit")
    elif strategy.exit_profit_only:
        told.append(
            f"exit_profit_only: exit signals close trades above a profit of {strategy.exit_profit_offset:g} only"
        )
    least = type(strategy).startup_candle_count
    if strategy.startup_candle_count < least:
        told.append(
            f"startup_candle_count {strategy.startup_candle_count}: signals are read from {least} candles, the first "
            "ones will differ from a longer run's"
        )
    if not strategy.position_adjustment_enable:
        told.append("position_adjustment_enable false: positions are entered at once and never scaled out")
    return told


def check_timeframe(config: Mapping[str, Any], timeframe: str) -> None:
    """Refuse another timeframe than the one that decisions are taken on.

    Models, percentiles, volatility and label horizons count hourly candles; slower or faster trading is the clock's
    matter (DESIGN.md, section 4.0).

    Raises
    ------
    CoordinatorError
        Where the config or ``--timeframe`` asks for another.
    """
    asked = config.get("timeframe") or timeframe
    if asked != timeframe:
        rule = (
            f"be {timeframe}: decisions are taken at every hourly close; the candles the baseline reads are set by "
            "coordinator.baseline.clock (1h, 4h or 1d)"
        )
        raise CoordinatorError("timeframe", _CONFIG, rule, asked)


def _refuse(strategy: IStrategy, hedged: bool) -> None:
    rules: list[tuple[str, bool, str]] = [
        (
            "use_custom_stoploss",
            bool(strategy.use_custom_stoploss),
            "be true: the planned stop sizes each trade",
        ),
        (
            "process_only_new_candles",
            bool(strategy.process_only_new_candles),
            "be true: each candle is decided once",
        ),
        (
            "use_exit_signal",
            bool(strategy.use_exit_signal) or not hedged,
            "be true where portfolio.hedge.mode is on: the hedge is closed by an exit",
        ),
        (
            "position_adjustment_enable",
            strategy.position_adjustment_enable or not hedged,
            "be true where portfolio.hedge.mode is on: the hedge is rebalanced, and spot positions scaled out",
        ),
    ]
    for name, kept, rule in rules:
        if not kept:
            value: Any = getattr(strategy, name)
            raise CoordinatorError(name, _CONFIG, rule, value)
