"""``freqtrade backtesting --enable-dynamic-pairlist``: only pairs in the list at a candle compete for slots."""

from coordinator.reports.results import read_result

SECOND_AND_THIRD = [{"method": "StaticPairList"}, {"method": "OffsetFilter", "offset": 1, "number_assets": 2}]


def entries(freqtrade, folder, *arguments):
    """Pair and time of each entry, one slot for all."""
    changes = {"freqai": {"enabled": False}, "pairlists": SECOND_AND_THIRD, "max_open_trades": 1}
    command = ["backtesting", "--strategy", "TechnicalBaseline", "--timerange", "20221001-20230601"]
    done = freqtrade(*command, "--cache", "none", *arguments, user_data=folder, changes=changes)
    (result,) = map(read_result, (folder / "backtest_results").glob("*.zip"))
    return done.stdout + done.stderr, list(
        zip(result.trades["pair"], result.trades["open_date"], strict=True)
    )


def test_a_pair_outside_the_list_is_analysed_and_takes_no_slot(freqtrade, tmp_path_factory):
    """BTC is loaded and decided on with the others, as Freqtrade loads the whole first list; the filter drops it."""
    said, dynamic = entries(freqtrade, tmp_path_factory.mktemp("dynamic"), "--enable-dynamic-pairlist")
    _, static = entries(freqtrade, tmp_path_factory.mktemp("static"))
    assert "BTC/USDT" in said
    assert {pair for pair, _ in dynamic} == {"ETH/USDT", "SOL/USDT"}
    assert len(dynamic) > 20
    assert dynamic == static


def test_lists_that_freqtrade_cannot_backtest_end_with_its_own_line(freqtrade, tmp_path):
    lists = [{"method": "VolumePairList", "number_assets": 2}, {"method": "AgeFilter", "min_days_listed": 30}]
    changes = {"freqai": {"enabled": False}, "pairlists": lists}
    command = ["backtesting", "--strategy", "TechnicalBaseline", "--timerange", "20230401-20230601"]
    done = freqtrade(*command, "--enable-dynamic-pairlist", user_data=tmp_path, changes=changes, check=False)
    said = done.stdout + done.stderr
    assert "Pairlist Handlers VolumePairList, AgeFilter do not support backtesting." in said
    assert "Traceback" not in said
