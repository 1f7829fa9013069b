"""A user directory as Freqtrade makes it, a config as its `new-config` writes it, and the commands as typed."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from freqtrade.configuration.deploy_config import deploy_new_config
from freqtrade.configuration.directory_operations import create_userdata_dir

Done = subprocess.CompletedProcess
ANSWERS = {
    "max_open_trades": 3,
    "stake_currency": "USDT",
    "stake_amount": 250,
    "fiat_display_currency": "EUR",
    "timeframe": "5m",
    "dry_run": True,
    "trading_mode": "spot",
    "margin_mode": "",
    "exchange_name": "binance",
    "exchange_key": "my-key",
    "exchange_secret": "my-secret",
    "telegram": False,
    "api_server": False,
    "api_server_jwt_key": "0123456789abcdef0123456789abcdef",
    "api_server_ws_token": "0123456789abcdef",
    "api_server_username": "me",
    "api_server_password": "mine",
}
"""What a user answered who has traded something else so far."""


@pytest.fixture
def user_data(tmp_path: Path) -> Path:
    """`freqtrade create-userdir --userdir ...`"""
    return create_userdata_dir(str(tmp_path / "user_data"), create_dir=True)


@pytest.fixture
def own_config(user_data: Path) -> Path:
    """`freqtrade new-config`, with two pairs and settings of another strategy added by hand."""
    path = user_data / "config.json"
    deploy_new_config(path, dict(ANSWERS))
    config: dict[str, Any] = json.loads(path.read_text())
    config["exchange"] |= {"pair_whitelist": ["BTC/USDT", "ETH/USDT"], "pair_blacklist": []}
    config |= {"pairlists": [{"method": "StaticPairList"}], "position_adjustment_enable": False}
    path.write_text(json.dumps(config))
    return path


@pytest.fixture
def coordinator(warm_python: str) -> Callable[..., Done[str]]:
    """Runs `coordinator ...` without a terminal."""

    def run(*arguments: str | Path, code: int = 0) -> Done[str]:
        command = [warm_python, "-m", "coordinator", *map(str, arguments)]
        done = subprocess.run(
            command, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=120, check=False
        )
        assert done.returncode == code, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done

    return run
