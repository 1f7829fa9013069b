"""``--cache day``: Freqtrade shows an earlier result of the same config and strategy file; ours must count, too."""

from freqtrade.optimize.backtest_caching import get_strategy_run_id
from freqtrade.resolvers import StrategyResolver

from coordinator.adapters.strategy import entries


def run_id(root, **changes):
    config = {
        "strategy": "TechnicalBaseline",
        "strategy_path": str(root / "strategies"),
        "user_data_dir": root / "user_data",
        "trading_mode": "spot",
        "stake_currency": "USDT",
        "dry_run": True,
        "exchange": {"name": "binance"},
        **changes,
    }
    return get_strategy_run_id(StrategyResolver.load_strategy(config))


def test_the_packs_settings_and_its_version_are_part_of_what_is_cached(pytestconfig, monkeypatch):
    root = pytestconfig.rootpath
    first = run_id(root)
    assert run_id(root) == first
    assert run_id(root, coordinator={"sizing": {"risk_per_trade": 0.005}}) != first
    ids = set()
    for version in ("0.1.0", "0.1.1", "0.2.0", "1.0.0"):
        monkeypatch.setattr(entries, "__version__", version)
        ids.add(run_id(root))
    assert len(ids) == 4
