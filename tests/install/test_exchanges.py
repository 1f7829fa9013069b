"""What the exchange pages say of Freqtrade, asked of Freqtrade's own classes; no request leaves the machine."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from freqtrade.configuration.config_validation import validate_config_schema
from freqtrade.enums import CandleType, MarginMode, RunMode, TradingMode
from freqtrade.exceptions import ConfigurationError, OperationalException
from freqtrade.exchange import Exchange
from freqtrade.resolvers import ExchangeResolver, StrategyResolver

from coordinator.jobs.install.contents import overlay_config
from coordinator.settings import run_settings

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = json.loads((ROOT / "config.json").read_text())
BLOCK = re.compile(r"```json\n(.*?)```", re.DOTALL)
BLOCKS = [
    pytest.param(name, json.loads(text), id=f"{name}-{number}")
    for name in ("binance", "kraken", "okx")
    for number, text in enumerate(BLOCK.findall((ROOT / "docs" / f"exchange-{name}.md").read_text()))
]
TREND_DAYS = 20  # baseline.fast_channel of the shipped clock, and the longest memory of a trend


def exchange(name: str, mode: str, margin: str = "", **more: Any) -> Exchange:
    config: dict[str, Any] = {
        "exchange": {"name": name, "pair_whitelist": []},
        "trading_mode": mode,
        "margin_mode": margin,
        **{"stake_currency": "USDT", "dry_run": True, "timeframe": "1h", "runmode": RunMode.DRY_RUN},
        **more,
    }
    return ExchangeResolver.load_exchange(config, validate=False)


def merged(page: dict[str, Any]) -> dict[str, Any]:
    """A user's config with the overlay below the page's block, as `-c coordinator.json -c page.json` makes it."""
    config: dict[str, Any] = {
        **{key: SHIPPED[key] for key in ("entry_pricing", "exit_pricing", "stake_amount", "max_open_trades")},
        **{"dry_run": True, "dry_run_wallet": 1000, "runmode": RunMode.DRY_RUN},
        **{"pairlists": [{"method": "StaticPairList"}], "datadir": Path(), "user_data_dir": Path()},
    }
    for over in (overlay_config(SHIPPED), page):
        for key, value in over.items():
            old = config.get(key)
            both = isinstance(old, dict) and isinstance(value, dict)
            config[key] = {**old, **value} if both else value
            if key == "coordinator" and both:
                config[key] = {name: {**old.get(name, {}), **value.get(name, {})} for name in {*old, *value}}
    return json.loads(json.dumps(config, default=str)) | {"runmode": RunMode.DRY_RUN}


@pytest.mark.parametrize(("name", "page"), BLOCKS)
def test_a_pages_config_is_valid_and_lets_its_strategy_start(name, page):
    config = merged(page)
    settings = run_settings(config)
    assert page["exchange"]["name"] == name
    futures, stake = page["trading_mode"] == "futures", page["stake_currency"]
    ending = f"/{stake}:{stake}" if futures else f"/{stake}"
    assert all(pair.endswith(ending) for pair in page["exchange"]["pair_whitelist"])
    there = exchange(name, page["trading_mode"], page["margin_mode"])
    there.validate_trading_mode_and_margin_mode(TradingMode(page["trading_mode"]), there.margin_mode)
    config |= {"strategy_path": str(ROOT / "strategies"), "user_data_dir": ROOT / "user_data"}
    strategy = StrategyResolver.load_strategy(config)
    validate_config_schema({**config, "user_data_dir": str(config["user_data_dir"])})
    calls = there.validate_required_startup_candles(strategy.startup_candle_count, "1h")
    assert calls == {"binance": 2 if futures else 1, "okx": 4, "kraken": 1}[name]
    there.validate_freqai(config)
    there.validate_ordertypes(strategy.order_types)
    hours = settings.time_limit / 3600 + 24 * TREND_DAYS
    assert hours <= strategy.startup_candle_count


def test_as_shipped_kraken_is_refused_by_freqtrade():
    kraken = exchange("kraken", "spot")
    with pytest.raises(ConfigurationError, match=r"requires 960 candles .* more than \(719 candles\)"):
        kraken.validate_required_startup_candles(960, "1h")
    with pytest.raises(ConfigurationError, match="Can't use freqAI"):
        kraken.validate_freqai({"freqai": {"enabled": True}})
    kraken.validate_freqai({"freqai": {"enabled": True, "override_exchange_checks": True}})
    assert kraken.validate_required_startup_candles(719, "1h") == 1
    futures = exchange("krakenfutures", "futures", "isolated")
    assert futures.validate_required_startup_candles(960, "1h") == 1


@pytest.mark.parametrize(
    ("name", "mode", "limit", "fees", "stops", "blocks", "streams", "in_force"),
    [
        ("binance", "spot", 1000, (0.001, 0.001), {"limit"}, True, True, {"GTC", "FOK", "IOC", "PO"}),
        (
            "binance",
            "futures",
            499,
            (0.0002, 0.0005),
            {"market", "limit"},
            False,
            False,
            {"GTC", "FOK", "IOC", "PO"},
        ),
        ("kraken", "spot", 720, (0.0016, 0.0026), {"market", "limit"}, True, False, {"GTC", "IOC", "PO"}),
        ("krakenfutures", "futures", 2000, None, {"market", "limit"}, True, False, {"GTC"}),
        ("okx", "spot", 300, (0.001, 0.0015), {"market", "limit"}, True, True, {"GTC"}),
        ("okx", "futures", 300, (0.0002, 0.0005), {"market", "limit"}, False, True, {"GTC"}),
    ],
)
def test_the_pages_tables(name, mode, limit, fees, stops, blocks, streams, in_force):
    there = exchange(name, mode, "isolated" if mode == "futures" else "")
    kind = CandleType.get_default(TradingMode(mode))
    assert {there.ohlcv_candle_limit(timeframe, kind) for timeframe in ("1h", "4h", "1d")} == {limit}
    assert there.get_option("stoploss_on_exchange") is True
    assert set(there.get_option("stoploss_order_types")) == stops
    assert there.get_option("stoploss_blocks_assets") is blocks
    assert there.get_option("ws_enabled") is streams
    assert set(there.get_option("order_time_in_force")) == in_force
    if fees is not None:
        known = there._api.fees
        table = known["trading"] if mode == "spot" else known.get("swap") or known["linear"]["trading"]
        assert (table["maker"], table["taker"]) == fees


@pytest.mark.parametrize(
    ("name", "margin"),
    [("kraken", MarginMode.ISOLATED), ("okx", MarginMode.CROSS), ("myokx", MarginMode.ISOLATED)],
)
def test_futures_that_the_pages_rule_out(name, margin):
    with pytest.raises(OperationalException, match="Freqtrade does not support"):
        exchange(name, "spot").validate_trading_mode_and_margin_mode(TradingMode.FUTURES, margin)


def test_a_market_stop_becomes_a_limit_on_binance_spot_alone():
    assert exchange("binance", "spot")._get_stop_order_type("market")[1] == "limit"
    for name, mode, margin in (
        ("binance", "futures", "isolated"),
        ("kraken", "spot", ""),
        ("okx", "spot", ""),
    ):
        assert exchange(name, mode, margin)._get_stop_order_type("market")[1] == "market"
