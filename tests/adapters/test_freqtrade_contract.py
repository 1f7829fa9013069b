"""What we rely on in Freqtrade 2026.9, so that an upgrade that changes it is seen at once."""

import inspect
import re
from copy import deepcopy

import freqtrade
import pytest
from freqtrade.enums import ExitCheckTuple, ExitType
from freqtrade.freqai.freqai_interface import IFreqaiModel
from freqtrade.optimize.backtesting import Backtesting
from freqtrade.persistence import LocalTrade
from freqtrade.strategy import IStrategy
from freqtrade.strategy.strategy_wrapper import strategy_safe_wrapper


def parameters(function):
    return list(inspect.signature(function).parameters)


def test_version():
    assert freqtrade.__version__ == "2026.9"


def test_what_fast_callbacks_override():
    assert parameters(IStrategy._adjust_trade_position_internal)[1:4] == [
        "trade",
        "current_time",
        "current_rate",
    ]
    assert parameters(IStrategy.ft_stoploss_adjust)[1:8] == [
        "current_rate",
        "trade",
        "current_time",
        "current_profit",
        "force_stoploss",
        "low",
        "high",
    ]
    assert parameters(IStrategy.min_roi_reached_entry) == ["self", "trade", "trade_dur", "current_time"]
    assert parameters(IStrategy.should_exit)[:4] == ["self", "trade", "rate", "current_time"]


@pytest.mark.parametrize(
    ("caller", "called"),
    [
        (IStrategy.ft_stoploss_reached, "self.ft_stoploss_adjust("),
        (IStrategy.min_roi_reached, "self.min_roi_reached_entry("),
        (Backtesting._get_close_rate_for_roi, "self.strategy.min_roi_reached_entry("),
        (Backtesting._check_adjust_trade_for_candle, "self.strategy._adjust_trade_position_internal("),
        (Backtesting._check_trade_exit, "self.strategy.should_exit("),
        (IFreqaiModel.start_backtesting, "self._append_null_backtesting_predictions("),
    ],
)
def test_freqtrade_calls_what_we_override(caller, called):
    """Renamed, our overrides would be dead: slower in one case, silent failures in the last."""
    assert called in inspect.getsource(caller)


def test_what_starting_a_strategy_does():
    """Our ``ft_bot_start`` does the same three things."""
    source = inspect.getsource(IStrategy.ft_bot_start)
    calls = re.findall(r"^        (self\.\w+|strategy_safe_wrapper)\(", source, re.M)
    assert calls == ["self.load_freqAI_model", "strategy_safe_wrapper", "self.ft_load_hyper_params"]


def test_exit_reasons_are_free_text():
    assert ExitCheckTuple(ExitType.ROI, "target reached").exit_reason == "target reached"
    assert ExitCheckTuple(ExitType.ROI).exit_reason == "roi"


def test_freqtrade_copies_the_trade_before_callbacks():
    """The cost that fast_callbacks avoid; gone, they may go too."""
    seen = []

    class Strategy:
        def callback(self, trade):
            seen.append(trade)

    trade = LocalTrade(pair="BTC/USDT", open_rate=1.0, exchange="binance")
    strategy_safe_wrapper(Strategy().callback)(trade=trade)
    assert seen[0] is not trade
    assert deepcopy(trade) is not trade


def test_all_windows_train_on_labels_cut_at_their_end():
    """Purging by truncation: FreqAI cuts the frame at the training window's end before it asks for labels."""
    source = inspect.getsource(IFreqaiModel.start_backtesting)
    cut = source.index('dataframe_base_train = dataframe.loc[dataframe["date"] < tr_train.stopdt, :]')
    assert cut < source.index("dataframe_base_train = strategy.set_freqai_targets(")
