"""kill -9 in the middle of ledger writes loses nothing and doubles nothing (``ledger_crash.py`` says how).

``LEDGER_CRASH_KILLS=200 pytest -s tests/scenarios/test_ledger_crash.py`` kills 200 times and prints the result.
"""

import importlib.util
import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
KILLS = int(os.environ.get("LEDGER_CRASH_KILLS", "16"))


@pytest.fixture
def urls(request, tmp_path):
    """Two empty databases."""
    if request.param == "sqlite":
        yield [f"sqlite:///{tmp_path / name}" for name in ("killed.sqlite", "undisturbed.sqlite")]
        return
    path = ROOT / "tests" / "ledger" / "postgres_server.py"
    spec = importlib.util.spec_from_file_location("postgres_server", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    try:
        server = module.PostgresServer(fsync=True)
    except module.NoPostgresError as why:
        pytest.skip(f"no PostgreSQL: {why}")
    try:
        yield [server.create(name) for name in ("killed", "undisturbed")]
    finally:
        server.stop()


@pytest.mark.parametrize("urls", ["sqlite", "postgresql"], indirect=True)
def test_a_killed_writer_leaves_a_sound_ledger_that_is_continued(warm_python, urls):
    command = [warm_python, "-m", "tests.scenarios.ledger_crash", *urls, str(KILLS), "7"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60 + 3 * KILLS)
    assert done.returncode == 0, done.stderr[-3000:]
    print(f"\n{done.stdout.strip()}")  # noqa: T201
    found = re.match(r"(\d+) kills, (\d+) inside a write", done.stdout)
    assert int(found[1]) == KILLS
    assert int(found[2]) >= KILLS // 5  # else the kills would show little
