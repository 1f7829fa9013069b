"""The candle files of a data directory as an exchange's memory: symbols, series, precisions."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from coordinator.candles.check import open_times
from coordinator.candles.files import (
    FUNDING_TIMEFRAME,
    Kind,
    TradingMode,
    candle_path,
    list_pairs,
    list_timeframes,
    read_candles,
    read_funding,
    told_repair,
)
from coordinator.candles.timeframes import grid_offset_milliseconds, timeframe_milliseconds
from coordinator.errors import CoordinatorError
from coordinator.sandbox.binance_errors import BinanceError
from coordinator.sandbox.series import Series

__all__ = ["INTERVALS", "CandleStore", "Listing", "check_market_is_open"]

INTERVALS: Final = tuple("1s 1m 3m 5m 15m 30m 1h 2h 4h 6h 8h 12h 1d 3d 1w".split())  # noqa: SIM905
logger = logging.getLogger(__name__)

_MAX_DIGITS: Final = 8
_SILENT: Final = 2 * 3_600_000  # milliseconds


@dataclass(frozen=True)
class Listing:
    """One tradable pair and its candles, read when first asked for.

    Attributes
    ----------
    datadir : pathlib.Path
        Where its files lie.
    pair : str
        E.g. ``"BTC/USDT"`` or ``"BTC/USDT:USDT"``.
    trading_mode : str
        ``"spot"`` or ``"futures"``.
    """

    datadir: Path
    pair: str
    trading_mode: TradingMode

    @property
    def base(self) -> str:
        """Base currency."""
        return self.pair.split("/")[0]

    @property
    def quote(self) -> str:
        """Quote currency."""
        return self.pair.split("/")[1].split(":")[0]

    @property
    def symbol(self) -> str:
        """Binance's name, e.g. BTCUSDT."""
        return self.base + self.quote

    @cached_property
    def is_sound(self) -> bool:
        """Whether all its candle files can be served; where not, a warning has said why, once."""
        try:
            for timeframe in self._timeframes:
                self.series(timeframe)
            if self.trading_mode == "futures" and self._has("mark"):
                self.series(FUNDING_TIMEFRAME, "mark")
            if self.trading_mode == "futures" and self._has("funding_rate"):
                _ = self.funding
        except CoordinatorError as error:
            logger.warning(
                "%s is not served: %s %s", self.pair, error, told_repair([self.pair], self.trading_mode)
            )
            return False
        return True

    @cached_property
    def finest(self) -> Series:
        """The shortest timeframe on disk, from which prices of the moment are taken."""
        return self._from_file(min(self._timeframes, key=timeframe_milliseconds))

    @cached_property
    def price_digits(self) -> int:
        """Decimals of the finest price ever quoted: a coarser tick would round old candles away."""
        return _digits(self.finest.values[:, :4])

    @cached_property
    def amount_digits(self) -> int:
        """Decimals of the traded amounts."""
        return _digits(self.finest.values[:, 4])

    @cached_property
    def funding(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
        """Settlement times in milliseconds and rates; raises CoordinatorError if the file is absent."""
        frame = read_funding(self.datadir, self.pair)
        return open_times(frame), frame["funding_rate"].to_numpy(dtype=np.float64)

    def series(self, interval: str, kind: Kind = "futures") -> Series:
        """Candles of an interval: its own file, else made of the shortest timeframe on disk.

        An interval shorter than any file, or that none divides, has no candles.
        """
        known: dict[tuple[str, Kind], Series] = self._series
        if (interval, kind) not in known:
            known[interval, kind] = self._make(interval, kind)
        return known[interval, kind]

    def candles_at(self, interval: str, now: int, kind: Kind = "futures") -> Series:
        """Candles as of ``now`` (milliseconds); the running one is made of the shortest timeframe."""
        series = self.series(interval, kind)
        parts = self.series(FUNDING_TIMEFRAME, kind) if kind == "mark" else self.finest
        if series.step <= parts.step or not len(series.times):
            return series.at(now)
        closed = series.closed_at(now)
        offset = grid_offset_milliseconds(interval)
        bucket = (now - offset) // series.step * series.step + offset
        so_far = parts.at(now)
        inside = so_far.between(bucket, now)
        if inside.start == inside.stop:
            return Series(interval, series.times[:closed], series.values[:closed])
        running = Series(parts.timeframe, so_far.times[inside], so_far.values[inside]).resample(interval)
        times = np.concatenate((series.times[:closed], running.times))
        return Series(interval, times, np.vstack((series.values[:closed], running.values)))

    @cached_property
    def _series(self) -> dict[tuple[str, Kind], Series]:
        return {}

    @cached_property
    def _timeframes(self) -> list[str]:
        timeframes = list_timeframes(self.datadir, self.pair, self.trading_mode)
        return [name for name in timeframes if name in INTERVALS]

    def _has(self, kind: Kind) -> bool:
        return candle_path(self.datadir, self.pair, FUNDING_TIMEFRAME, self.trading_mode, kind).is_file()

    def _make(self, interval: str, kind: Kind) -> Series:
        if kind == "mark":
            source = Series.from_frame(
                read_candles(self.datadir, self.pair, FUNDING_TIMEFRAME, "futures", "mark"), FUNDING_TIMEFRAME
            )
        elif interval in self._timeframes:
            return self._from_file(interval)
        else:
            source = self.finest
        if interval == source.timeframe:
            return source
        if timeframe_milliseconds(interval) % source.step:
            return Series(interval, source.times[:0], source.values[:0])
        return source.resample(interval)

    def _from_file(self, timeframe: str) -> Series:
        frame = read_candles(self.datadir, self.pair, timeframe, self.trading_mode)
        return Series.from_frame(frame, timeframe)


class CandleStore:
    """Every pair of a data directory, spot and futures.

    Parameters
    ----------
    datadir : pathlib.Path
        A Freqtrade data directory, e.g. ``user_data/data/binance``.

    Raises
    ------
    CoordinatorError
        If it is absent or holds no candles at all.
    """

    def __init__(self, datadir: Path) -> None:
        self.datadir = datadir
        self._listings: dict[TradingMode, dict[str, Listing]] = {"spot": {}, "futures": {}}
        list_pairs(datadir, "spot")
        modes: list[TradingMode] = ["spot", "futures"] if (datadir / "futures").is_dir() else ["spot"]
        for mode in modes:
            for pair in list_pairs(datadir, mode):
                listing = Listing(datadir, pair, mode)
                if any(name in INTERVALS for name in list_timeframes(datadir, pair, mode)):
                    self._listings[mode][listing.symbol] = listing
        if not any(self._listings.values()):
            rule = "hold Freqtrade candle files (feather); coordinator data simulate makes some"
            raise CoordinatorError("datadir", "the sandbox exchange", rule, str(datadir))

    def listings(self, trading_mode: TradingMode) -> list[Listing]:
        """The pairs of a trading mode whose files are sound, sorted by pair."""
        return [listing for listing in self._listings[trading_mode].values() if listing.is_sound]

    def listing(self, symbol: str, trading_mode: TradingMode) -> Listing:
        """One pair by Binance's name, sound or not; BinanceError -1121 if there is none."""
        listing = self._listings[trading_mode].get(symbol)
        if listing is None:
            raise BinanceError(-1121, "Invalid symbol.")
        return listing


def check_market_is_open(datadir: Path, now: datetime) -> None:
    """Refuse to let a bot trade on candles that have ended: it would wait for the next one for ever.

    Raises
    ------
    CoordinatorError
        If no pair has a candle of the last two hours, or none has sound files.
    """
    store, modes = CandleStore(datadir), ("spot", "futures")
    listings = [entry for mode in modes for entry in store.listings(mode)]  # type: ignore[arg-type]
    if not listings:
        rule = "hold the sound candles of one pair at least (`coordinator data check` says what is wrong)"
        raise CoordinatorError("datadir", "the sandbox exchange", rule, str(datadir))
    newest = max(int(entry.finest.times[-1]) + entry.finest.step for entry in listings)
    if now.timestamp() * 1000 - newest > _SILENT:
        ended = datetime.fromtimestamp(newest / 1000, tz=UTC)
        rule = (
            f"have candles of the present for a bot (they end {ended:%Y-%m-%d %H:%M} UTC): run `coordinator demo`, or "
            "give --start 2023-06-01 and --speed 3600 before the `--`"
        )
        raise CoordinatorError("datadir", "the sandbox exchange", rule, str(datadir))


def _digits(values: npt.NDArray[np.float64]) -> int:
    """Fewest decimals that write all values exactly (to floating-point error), at most eight."""
    for digits in range(_MAX_DIGITS):
        if np.all(np.abs(np.round(values, digits) - values) <= 1e-12 + 1e-11 * np.abs(values)):
            return digits
    return _MAX_DIGITS
