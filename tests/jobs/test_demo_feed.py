"""What a demo shows of Freqtrade's log."""

import pytest

from coordinator.jobs.demo.feed import feed_line

STAMP = "2023-03-05 09:30:01,000 - "
FILLED = (
    "{'trade_id': 3, 'type': entry_fill, 'buy_tag': 'breakout', 'enter_tag': 'breakout', 'exchange': 'Binance', "
    "'pair': 'XRP/USDT', 'leverage': 1.0, 'direction': 'Long', 'limit': 1.9827, 'open_rate': 1.9827, 'stake_amount': "
    "584.70, 'stake_currency': 'USDT', 'fiat_currency': ''}"
)
CASES = {
    STAMP
    + "coordinator.run.live.candle_log - INFO - Candle to 09:00: 8 pairs, no signal": "03-05 09:30  Candle to",
    STAMP + "freqtrade.rpc.rpc_manager - INFO - Sending rpc message: " + FILLED: (
        "03-05 09:30  OPENED long XRP/USDT: 584.70 USDT at 1.9827 (breakout)"
    ),
    STAMP
    + "coordinator.run.decision_recorder - INFO - XRP/USDT 2023-03-05 08:00: long signal, breakout": "XRP/USDT 2023",
    STAMP + "coordinator.run.decision_recorder - INFO -   accepted": "accepted",
    STAMP + "coordinator.run.decision_recorder - INFO -   6. signal quality: absent": None,
    STAMP + "freqtrade.worker - INFO - Bot heartbeat. PID=1": None,
    STAMP + "freqtrade.exchange - WARNING - Async code raised an exception": "warning: Async code",
    STAMP + "freqtrade.freqai - WARNING - No model ready for BTC/USDT, returning null values": None,
    "Traceback (most recent call last):": None,
    "": None,
    STAMP
    + "freqtrade.rpc.rpc_manager - INFO - Sending rpc message: {'type': status, 'status': 'running'}": None,
}


@pytest.mark.parametrize("line", CASES)
def test_a_line_is_told_or_not(line):
    told = feed_line(line)
    assert told is None if CASES[line] is None else CASES[line] in (told or "")


def test_a_message_without_its_figures_is_told_all_the_same():
    told = feed_line(
        STAMP + "freqtrade.rpc.rpc_manager - INFO - Sending rpc message: {'type': exit_fill, 'pair': 'A/B'}"
    )
    assert told is not None
    assert "CLOSED" in told
    assert "A/B" in told
