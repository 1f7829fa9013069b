"""Which pairs a run is about: a bot's whitelist, at a webserver the config's pairs that have candles."""

from types import SimpleNamespace

from freqtrade.data.history import get_datahandler
from freqtrade.enums import CandleType, RunMode

from coordinator.adapters.pairs import traded_pairs


def test_a_webserver_has_the_configs_pairs_with_candles_of_its_timeframe_and_market(walk, tmp_path):
    handler = get_datahandler(tmp_path, "feather")
    for pair, timeframe in (("BTC/USDT", "1h"), ("ETH/USDT", "4h"), ("ADA/USDT", "1h"), ("SOL/USDT", "1h")):
        handler.ohlcv_store(pair, timeframe, walk.head(50), CandleType.SPOT)
    (tmp_path / "futures").mkdir()
    handler.ohlcv_store("LTC/USDT:USDT", "1h", walk.head(50), CandleType.FUTURES)
    named = ["BTC/USDT", "ETH/USDT", "ADA/USDT", "XRP/USDT"]
    config = {"runmode": RunMode.WEBSERVER, "datadir": tmp_path, "timeframe": "1h"}
    config |= {"candle_type_def": CandleType.SPOT, "exchange": {"pair_whitelist": named}}
    assert traded_pairs(config, None) == ["BTC/USDT", "ADA/USDT"]
    futures = {"trading_mode": "futures", "candle_type_def": CandleType.FUTURES}
    of_futures = {"exchange": {"pair_whitelist": ["LTC/USDT:USDT", "BTC/USDT:USDT"]}}
    assert traded_pairs(config | futures | of_futures, None) == ["LTC/USDT:USDT"]


def test_elsewhere_it_is_the_whitelist_as_it_is_now():
    provider = SimpleNamespace(current_whitelist=lambda: ["ETH/USDT", "BTC/USDT"])
    assert traded_pairs({"runmode": RunMode.DRY_RUN}, provider) == ["ETH/USDT", "BTC/USDT"]
