"""A bot's trades beside a backtest's: matched by signal, each difference with its cause."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from coordinator.jobs.traded import AT_LIMIT

__all__ = ["CancelledEntry", "Circumstances", "TradeComparison", "TradeMatch", "compare_trades"]

HOUR = pd.Timedelta(hours=1)
SAME_PRICE = 1e-9  # relative
TRAILING = "trailing_stop_loss"
STOPS = ("stop_loss", TRAILING, "stoploss_on_exchange")


@dataclass(frozen=True)
class CancelledEntry:
    """An entry order of the bot that was not filled in time."""

    time: pd.Timestamp
    pair: str


@dataclass(frozen=True)
class TradeMatch:
    """A trade of one or both runs.

    Attributes
    ----------
    time, pair : the signal's candle and pair
    backtest, bot : columns of ``Ledger.trades``; None where the run has no such trade
    causes : why they differ, in words; empty where they do not
    explained : whether every difference has a cause
    """

    time: pd.Timestamp
    pair: str
    backtest: Mapping[str, object] | None
    bot: Mapping[str, object] | None
    causes: tuple[str, ...]
    explained: bool = True


@dataclass(frozen=True)
class TradeComparison:
    """All trades of two runs.

    Attributes
    ----------
    matches : in time order
    """

    matches: tuple[TradeMatch, ...]

    @property
    def unexplained(self) -> list[TradeMatch]:
        """Trades that differ for no known reason."""
        return [match for match in self.matches if not match.explained]

    def sentences(self) -> list[str]:
        """What the comparison says, in words."""
        both = [match for match in self.matches if match.backtest is not None and match.bot is not None]
        alike = sum(not match.causes for match in both)
        said = [
            f"Trades: {len(both)} matched, {alike} of them the same to the price; "
            f"{sum(m.bot is None for m in self.matches)} only in the backtest, "
            f"{sum(m.backtest is None for m in self.matches)} only in the bot; {len(self.unexplained)} unexplained"
        ]
        for match in self.matches:
            who = "only in the bot: " if match.backtest is None else ""
            who = "only in the backtest: " if match.bot is None else who
            if match.causes:
                said.append(f"  {match.time:%m-%d %H:%M} {match.pair}: {who}{'; '.join(match.causes)}")
        return said


@dataclass(frozen=True)
class Circumstances:
    """What two runs lived through.

    Attributes
    ----------
    candles : pair to its hourly candles
    cancelled : entry orders of the bot that were not filled in time
    slots : positions there may be at once
    end : when both ended
    """

    candles: Mapping[str, pd.DataFrame]
    cancelled: Sequence[CancelledEntry]
    slots: float
    end: pd.Timestamp


def compare_trades(backtest: pd.DataFrame, bot: pd.DataFrame, lived: Circumstances) -> TradeComparison:
    """Match two runs' trades (``Ledger.trades``) by their signals and say why they differ."""
    sides = [_by_signal(frame) for frame in (backtest, bot)]
    explain = _Explainer(backtest, bot, lived)
    matches = []
    for key in sorted(sides[0].keys() | sides[1].keys()):
        left, right = (side.get(key) for side in sides)
        time, pair = key
        if left is not None and right is not None and pd.isna(_number(right["filled_price"])):
            causes, right = explain.not_filled(time, pair), None  # an entry that became no trade
        elif left is not None and right is not None:
            causes = explain.both(left, right)
        elif left is not None:
            causes = explain.only_backtest(time, pair)
        else:
            causes = explain.only_bot(time, pair, right or {})
        texts = tuple(text for text, _ in causes)
        matches.append(TradeMatch(time, pair, left, right, texts, all(known for _, known in causes)))
    return TradeComparison(tuple(matches))


def _by_signal(frame: pd.DataFrame) -> dict[tuple[pd.Timestamp, str], dict[str, object]]:
    rows: list[dict[Any, Any]] = frame.to_dict("records")
    return {(row["time"], row["pair"]): row for row in rows}


Causes = list[tuple[str, bool]]


class _Explainer:
    """Finds the causes of differences; a cause is (words, whether it explains)."""

    def __init__(self, backtest: pd.DataFrame, bot: pd.DataFrame, lived: Circumstances) -> None:
        self._backtest, self._bot = backtest, bot
        self._slots, self._end, self._cancelled = lived.slots, lived.end, lived.cancelled
        self._candles = {pair: frame.set_index("date") for pair, frame in lived.candles.items()}

    # --- trades of both ---------------------------------------------------------------------------------------

    def both(self, left: Mapping[str, object], right: Mapping[str, object]) -> Causes:
        causes = self._entry(left, right)
        return causes + self._exit(left, right, moved=bool(causes))

    def _entry(self, left: Mapping[str, object], right: Mapping[str, object]) -> Causes:
        a, b = _number(left["filled_price"]), _number(right["filled_price"])
        if abs(b / a - 1) <= SAME_PRICE:
            return []
        waited = _moment(right["opened_at"]) - _moment(left["opened_at"])
        orders = self._orders(str(left["pair"]), _moment(left["time"]))
        where = f"entered {b / a - 1:+.3%} from the candle's open"
        if orders or waited > pd.Timedelta(minutes=1):
            minutes = waited.total_seconds() / 60
            return [
                (
                    f"{where}, {minutes:.0f} minutes later, after {orders} limit orders that were not filled",
                    True,
                )
            ]
        inside = self._inside(str(left["pair"]), _moment(right["opened_at"]), b)
        return [(f"{where}: a limit order at the book's price, the backtest fills at the open", inside)]

    def _exit(self, left: Mapping[str, object], right: Mapping[str, object], *, moved: bool) -> Causes:
        closed = [_moment(side["closed_at"]) for side in (left, right)]
        if pd.isna(closed[1]):
            if left["exit_reason"] == "force_exit":
                return []  # the backtest closes what is open at its end
            return [
                (f"still open, the backtest left at {closed[0]:%m-%d %H:%M} ({left['exit_reason']})", False)
            ]
        reasons = str(left["exit_reason"]), str(right["exit_reason"])
        a, b = _number(left["exit_price"]), _number(right["exit_price"])
        same_candle = abs(closed[1].floor("h") - closed[0].floor("h")) <= HOUR
        stopped = set(reasons) <= set(STOPS)
        if same_candle and (stopped or reasons[0] == reasons[1]):
            if abs(b / a - 1) <= SAME_PRICE:
                return []
            inside = self._inside(str(left["pair"]), closed[1], b)
            if stopped:
                how = "the bot's stop is met at its next look, the backtest's at the stop itself"
            else:
                how = "an order at the book's price, the backtest fills at the candle's open"
            return [(f"left {b / a - 1:+.3%} from the backtest's price ({reasons[0]}): {how}", inside)]
        if reasons[0] == "force_exit":
            return [
                (f"left with {reasons[1]}, where the backtest has its end", closed[1] >= self._end - 2 * HOUR)
            ]
        when = f"{closed[0]:%m-%d %H:%M} {reasons[0]} / {closed[1]:%m-%d %H:%M} {reasons[1]}"
        if reasons == (TRAILING, TRAILING) and closed[0] < closed[1]:
            how = "the backtest's stop trails the candle's extreme, the bot's what it saw at its looks"
            return [(f"left at {when} (backtest / bot): {how}", True)]
        if moved:
            return [
                (
                    f"left at {when} (backtest / bot): stop and time limit follow the entry, which differs",
                    _follows_entry(left, right),
                )
            ]
        # Within one candle the order of its prices decides what is met first.
        return [(f"left at {when} (backtest / bot)", same_candle)]

    # --- trades of one ----------------------------------------------------------------------------------------

    def not_filled(self, time: pd.Timestamp, pair: str) -> Causes:
        orders = self._orders(pair, time)
        return [(f"the bot's {orders} limit orders were not filled within the hour", orders > 0)]

    def only_backtest(self, time: pd.Timestamp, pair: str) -> Causes:
        if self._orders(pair, time):
            return self.not_filled(time, pair)
        entered = time + HOUR
        held = self._held(self._bot, entered)
        if pair in held:
            return [("the bot still held the pair, as it entered or left it later", True)]
        if len(held) >= self._slots:
            return [(f"the bot's {len(held)} slots were taken, as it left others later", True)]
        return [("the bot did not enter", False)]

    def only_bot(self, time: pd.Timestamp, pair: str, right: Mapping[str, object]) -> Causes:
        if time < min(frame.index[0] for frame in self._candles.values()):
            return [("its signal is of the hour before the backtest begins", True)]
        held = self._held(self._backtest, time + HOUR)
        if pair in held:
            return [("the backtest still held the pair", True)]
        if len(held) >= self._slots:
            return [(f"the backtest's {len(held)} slots were taken", True)]
        opened = _moment(right["opened_at"])
        if opened >= self._end - HOUR:
            return [("the backtest enters nothing on its last candle", True)]
        return [("the backtest did not enter", False)]

    def _orders(self, pair: str, signal: pd.Timestamp) -> int:
        """Entry orders on a signal that were not filled: a signal lives until the next candle closes."""
        begin = signal + HOUR
        return sum(order.pair == pair and begin <= order.time <= begin + HOUR for order in self._cancelled)

    @staticmethod
    def _held(frame: pd.DataFrame, at: pd.Timestamp) -> set[str]:
        if not len(frame):
            return set()
        still = frame["closed_at"].isna() | (frame["closed_at"] > at)
        return set(frame.loc[(frame["opened_at"] < at) & still, "pair"])

    def _inside(self, pair: str, moment: pd.Timestamp, price: float) -> bool:
        """Whether a price lies within what the market showed around a moment, the book's spread included."""
        frame = self._candles[pair]
        hour = moment.floor("h")
        rows = frame.loc[(frame.index >= hour - HOUR) & (frame.index <= hour)]
        spread = 5e-4
        return bool(len(rows)) and bool(
            rows["low"].min() * (1 - spread) <= price <= rows["high"].max() * (1 + spread)
        )


def _follows_entry(left: Mapping[str, object], right: Mapping[str, object]) -> bool:
    """Whether two ends of a trade lie apart as its two entries do.

    A stop or target that is met by one run alone belongs to the entry that put it nearer to the market; other ends are
    as many candles apart as the entries.
    """
    earlier, later = sorted((left, right), key=lambda side: _moment(side["closed_at"]))
    lead = _number(earlier["filled_price"]) - _number(later["filled_price"])
    lead *= _number(earlier["direction"])
    if earlier["exit_reason"] in STOPS:
        return lead > 0
    if earlier["exit_reason"] in AT_LIMIT:
        return lead < 0
    opened = abs(_moment(earlier["opened_at"]) - _moment(later["opened_at"]))
    return _moment(later["closed_at"]) - _moment(earlier["closed_at"]) <= opened + HOUR


def _number(value: object) -> float:
    return float("nan") if value is None else float(value)  # type: ignore[arg-type]


def _moment(value: object) -> pd.Timestamp:
    return pd.Timestamp(value)  # type: ignore[arg-type]
