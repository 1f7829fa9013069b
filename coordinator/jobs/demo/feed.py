"""What of a bot's log a demo shows: candles, decisions, orders, trainings and whatever goes wrong."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["feed_line"]

_LINE: Final = re.compile(
    r"^(?P<day>\d{4}-\d\d-\d\d) (?P<time>\d\d:\d\d):\d\d,\d+ - (?P<logger>[\w.]+) - (?P<level>[A-Z]+) - (?P<text>.*)$"
)
_MESSAGE: Final = re.compile(
    r"'type': (?:<RPCMessageType\.\w+: )?'?(?P<type>entry_fill|exit_fill|entry_cancel|exit_cancel)"
)
_FIELD: Final = re.compile(r"'(?P<name>\w+)': (?P<value>'[^']*'|-?[\d.]+(?:e-?\d+)?)")
_TOLD: Final = {
    "coordinator.run.live.candle_log": re.compile(r".*"),
    "coordinator.run.decision_recorder": re.compile(
        r"\S+/\S+ .* signal.*|  (accepted|rejected).*|  unified.*"
    ),
    "coordinator.adapters.freqai.model": re.compile(r"Trained .*"),
    "coordinator.adapters.strategy.fast_start": re.compile(r"ML earned .*"),
}
_NOISE: Final = ("No model ready", "is absent (no model", "Not running a", "SECURITY WARNING")


def feed_line(line: str) -> str | None:
    """A line for the reader of a demo from a line of Freqtrade's log; None where it is of no interest.

    Examples
    --------
    >>> feed_line("2023-03-05 09:00:01,000 - coordinator.run.live.candle_log - INFO - 8 pairs")
    '03-05 09:00  8 pairs'
    >>> feed_line("2023-03-05 09:00:01,000 - freqtrade.worker - INFO - Bot heartbeat.") is None
    True
    """
    match = _LINE.match(line)
    if match is None:
        return None
    when, text = f"{match['day'][5:]} {match['time']}", match["text"]
    if match["level"] in ("WARNING", "ERROR", "CRITICAL"):
        return None if any(part in text for part in _NOISE) else f"{when}  {match['level'].lower()}: {text}"
    message = _MESSAGE.search(text) if match["logger"] == "freqtrade.rpc.rpc_manager" else None
    if message is not None:
        return f"{when}  {_order(message['type'], text)}"
    told = _TOLD.get(match["logger"])
    return f"{when}  {text}" if told is not None and told.match(text) else None


def _order(kind: str, text: str) -> str:
    """An order in words, from the message that Freqtrade sends to Telegram and the like."""
    fields = {match["name"]: match["value"].strip("'") for match in _FIELD.finditer(text)}

    def number(name: str) -> float:
        return float(fields.get(name) or "nan")

    side, pair = fields.get("direction", "").lower(), fields.get("pair", "")
    if kind == "entry_fill":
        words = (
            f"{number('stake_amount'):,.2f} {fields.get('stake_currency', '')} at {number('open_rate'):.6g}"
        )
        return f"OPENED {side} {pair}: {words} ({fields.get('enter_tag', '')})"
    if kind == "exit_fill":
        profit = f"{number('profit_ratio'):+.2%}"
        return (
            f"CLOSED {side} {pair} at {number('close_rate'):.6g}: {profit} ({fields.get('exit_reason', '')})"
        )
    return f"{kind.replace('_', ' ')} {pair}: {fields.get('reason', '')}"
