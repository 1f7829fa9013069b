"""Reading Freqtrade's zips."""

import json
from zipfile import ZipFile

import pandas as pd
import pytest

from coordinator.errors import CoordinatorError
from coordinator.reports.results import latest_results, read_result


def test_trades_and_orders(make_zip):
    result = read_result(make_zip("S"))
    assert (result.strategy, result.stake_currency, result.starting_balance) == ("S", "USDT", 10000.0)
    assert result.start == pd.Timestamp("2024-01-01", tz="UTC")
    assert result.end == pd.Timestamp("2024-01-03 12:00", tz="UTC")
    assert result.timeframe == pd.Timedelta(hours=12)
    assert "trades" not in result.stats
    # Sorted by closing, so the short comes first; its missing tag is an empty text.
    assert result.trades["is_short"].tolist() == [True, False]
    assert result.trades["enter_tag"].tolist()[1] == ""
    assert str(result.trades["close_date"].dt.tz) == "UTC"
    assert result.orders["amount"].tolist() == [10, -5, 10, -5, 5, -15]
    assert result.orders["trade"].tolist() == [1, 0, 1, 1, 0, 1]
    assert result.orders["fee"].tolist() == pytest.approx([1, 1, 1.1, 0.6, 0.95, 1.5])


def test_orders_that_never_filled_are_left_out(make_zip):
    from_file = read_result(make_zip("S")).orders
    records = json.loads(ZipFile(make_zip("S")).read("backtest-result-S-1700000000.json"))["strategy"]["S"]
    records["trades"][0]["orders"].insert(
        1, records["trades"][0]["orders"][0] | {"order_filled_timestamp": None}
    )
    pd.testing.assert_frame_equal(read_result(make_zip("S", trades=records["trades"])).orders, from_file)


def test_the_fee_is_what_trades_paid_else_the_configs(make_zip):
    assert read_result(make_zip("S")).fee == 0.001
    assert read_result(make_zip("S", trades=[])).fee == 0.002


def test_no_trades(make_zip):
    result = read_result(make_zip("S", trades=[]))
    assert len(result.trades) == len(result.orders) == 0
    assert "profit_abs" in result.trades
    assert result.wallet is None


def test_moments_at_which_a_held_pair_is_not_quoted_are_left_out(make_zip):
    day = pd.Timestamp("2024-01-02", tz="UTC")
    hours = [day + pd.Timedelta(hours=12 * i) for i in range(3)]
    rows = [(hours[0], "USDT", 9000.0), (hours[0], "BTC", 1000.0), (hours[0], "ETH", 500.0)]
    rows += [(hours[1], "USDT", 9000.0), (hours[1], "BTC", 1100.0)]  # no candle of ETH
    rows += [(hours[2], "USDT", 9500.0), (hours[2], "BTC", 1200.0), (hours[2], "ETH", 500.0)]
    wallet = pd.DataFrame(rows, columns=["date", "currency", "total_quote"])
    result = read_result(make_zip("S", wallet=wallet))
    assert result.wallet.to_dict() == {hours[0]: 10500.0, hours[2]: 11200.0}


def test_a_zip_of_several_strategies_wants_a_name(make_zip):
    path = make_zip("A", "B")
    assert read_result(path, "B").strategy == "B"
    with pytest.raises(CoordinatorError, match="be named, one of A, B"):
        read_result(path)
    with pytest.raises(CoordinatorError, match="be named, one of A, B"):
        read_result(path, "C")


def test_the_newest_result_of_each_strategy(make_zip, tmp_path):
    make_zip("A", begin=100)
    new = make_zip("A", begin=300)
    make_zip("A", begin=200)
    other = make_zip("B", begin=50)
    assert [result.path for result in latest_results(tmp_path)] == [new, other]
    assert [result.path for result in latest_results(tmp_path, ["B", "A"])] == [other, new]
    with pytest.raises(CoordinatorError, match="hold a backtest result of C"):
        latest_results(tmp_path, ["A", "C"])
    new.unlink()
    assert latest_results(tmp_path, ["A"])[0].run_begin.timestamp() == 200


def test_an_empty_folder_has_no_results(tmp_path):
    with pytest.raises(CoordinatorError, match="of any strategy"):
        latest_results(tmp_path)


def test_what_is_no_result_is_one_error(tmp_path, make_zip):
    missing = tmp_path / "no.zip"
    text = tmp_path / "text.zip"
    text.write_text("text")
    other = tmp_path / "other.zip"
    with ZipFile(other, "w") as archive:
        archive.writestr("file.txt", "text")
    for path in (missing, text, other):
        with pytest.raises(CoordinatorError, match="be a backtest result of Freqtrade") as error:
            read_result(path)
        assert str(path) in str(error.value)
    with pytest.raises(CoordinatorError, match=r"form of Freqtrade 2026\.9"):
        read_result(make_zip("S", timeframe=None))
