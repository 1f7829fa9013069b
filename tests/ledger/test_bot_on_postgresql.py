"""A whole bot with both its databases on PostgreSQL, killed once on the way."""

import json
import signal
import time
from datetime import UTC, datetime

import pytest
from sqlalchemy import create_engine, text

from coordinator.jobs.bot.process import started_bot
from coordinator.jobs.bot.workspace import AFTER_CLOSE, BotWorkspace
from coordinator.jobs.run_plan import plan_run
from coordinator.ledger.store import Ledger
from coordinator.sandbox.market_files import write_market
from coordinator.sandbox.replay_spec import ReplaySpec
from coordinator.sandbox.spec import MarketSpec

pytestmark = pytest.mark.xdist_group("postgres")
MARKET = MarketSpec(
    pairs=("BTC/USDT", "ETH/USDT"),
    start=datetime(2023, 1, 15, tzinfo=UTC),
    end=datetime(2023, 3, 5, tzinfo=UTC),
    seed=11,
)
KILLED_FROM = datetime(2023, 3, 1, 8, tzinfo=UTC)


@pytest.mark.usefixtures("warm_commands")
def test_a_bot_lives_on_postgresql_and_goes_on_after_kill_9(postgres, pytestconfig, tmp_path):
    root, ledger_url, trades_url = pytestconfig.rootpath, postgres.create("bot"), postgres.create("trades")
    config = json.loads((root / "config.json").read_text())
    for name in ("strategy_path", "freqaimodel_path", "hyperopt_path"):
        config[name] = str(root / config[name])
    config["freqai"]["enabled"] = False
    config["coordinator"] = {
        "baseline": {"clock": "1h"},
        "regime": {"gate": "off"},
        "decision": {"require_positive_expectancy": False},
        "dca": {"enabled": True},
        "ledger": {"url": ledger_url},
    }
    path = tmp_path / "config.json"
    path.write_text(json.dumps(config))
    write_market(MARKET, tmp_path / "market", "spot")
    pairs, days = list(MARKET.pairs), "20230301-20230303"
    plan = plan_run(path, tmp_path / "market", pairs, days, "spot", trains=False)
    workspace = BotWorkspace(tmp_path / "bot")
    workspace.folder.mkdir()
    start = plan.start + AFTER_CLOSE
    workspace.prepare(plan, start, {"db_url": trades_url, "internals": {"process_throttle_secs": 1800}})
    spec = ReplaySpec(datadir=plan.datadir, start=start, end=plan.end, clock_file=workspace.clock_file)

    with started_bot(workspace, plan, spec, "TechnicalBaseline") as child:
        while (workspace.stopped_at() or start) < KILLED_FROM and child.poll() is None:
            time.sleep(0.01)
        child.send_signal(signal.SIGKILL)
        child.wait()
    stopped = workspace.stopped_at()
    assert stopped is not None
    assert KILLED_FROM <= stopped < plan.end
    onward = spec.model_copy(update={"start": stopped})
    with started_bot(workspace, plan, onward, "TechnicalBaseline") as child:
        said = child.communicate()[0]
    assert child.returncode == 0, said[-3000:]
    assert "Traceback" not in said

    ledger = Ledger(ledger_url)
    assert ledger.check() == []
    assert len(ledger.runs()) == 1  # the restarted bot is the same run
    decided = ledger.read_decisions()
    assert decided["time"].min() < stopped < decided["time"].max()
    with create_engine(trades_url).connect() as connection:
        traded = connection.execute(text("select count(*) from trades")).scalar_one()
    recorded = ledger.trades(int(ledger.runs()["id"].iloc[0]))
    # Freqtrade forgets an entry that was never filled.
    assert traded == (recorded["exit_reason"] != "entry not filled").sum() > 0
    assert not list(workspace.folder.rglob("*.sqlite*"))
