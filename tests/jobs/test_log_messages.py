"""What a Freqtrade process said, put together again from the lines that its log was broken into."""

from coordinator.jobs.log_messages import messages

LOG = """\
2026-11-30 04:28:03,100 - freqtrade.main - INFO - Starting
2026-11-30 04:28:03,204 - coordinator.run.position_sizing - WARNING - THE WALLET IS TOO SMALL: it holds 19.8 USDT,
and the exchange takes 5.5 or more. This is said
once.
backtest ━━━━━━━━━━━━━━━━━━━━━━ 4/4 100% • 0:00:00
2026-11-30 04:28:04,000 - freqtrade.main - INFO - nothing of THE WALLET IS TOO SMALL
2026-11-30 04:28:05,000 - x - WARNING - THE WALLET IS TOO SMALL: twice
"""


def test_messages_are_whole_and_by_their_beginning(tmp_path):
    log = tmp_path / "freqtrade.log"
    log.write_text(LOG)
    assert messages(log, "THE WALLET IS TOO SMALL") == [
        "THE WALLET IS TOO SMALL: it holds 19.8 USDT, and the exchange takes 5.5 or more. This is said once.",
        "THE WALLET IS TOO SMALL: twice",
    ]
    assert messages(log, "NOTHING") == []
