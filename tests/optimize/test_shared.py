"""One study, several processes: on PostgreSQL, and two real searches of the command."""

import json
import time

import optuna
import pytest
from optuna.trial import TrialState

from coordinator.jobs.optimize.storage import open_storage
from tests.ledger.postgres_server import NoPostgresError, PostgresServer
from tests.optimize.test_kills import check_whole

pytestmark = pytest.mark.xdist_group("postgres")


@pytest.fixture(scope="module")
def postgres():
    try:
        server = PostgresServer()
    except NoPostgresError as why:
        pytest.skip(f"no PostgreSQL: {why}")
    yield server
    server.stop()


def plain(url):
    """As users write it."""
    return url.replace("postgresql+psycopg://", "postgresql://")


def test_searches_on_postgresql_share_a_study_and_one_takes_over_from_a_killed_one(postgres, start_made_up):
    url, trials = plain(postgres.create("made_up")), 40
    searches = start_made_up(url, url, url, trials=trials)
    time.sleep(0.3)
    assert searches[0].kill()
    for search in searches[1:]:
        search.end()
    study = optuna.load_study(study_name="s", storage=open_storage(url, None))
    check_whole(study, trials)
    tried = [t for t in study.trials if t.state in (TrialState.COMPLETE, TrialState.PRUNED)]
    assert len({t.user_attrs["owner"]["pid"] for t in tried}) >= 2


def test_two_commands_on_postgresql_make_the_trials_together(postgres, start_command, tmp_path):
    url = plain(postgres.create("commands"))
    arguments = ("--quick", "--trials", "10", "--workers", "1", "--storage", url, "--study", "both", "--json")
    children = [start_command(tmp_path / str(i), *arguments) for i in range(2)]
    answers = [child.communicate(timeout=120) for child in children]
    assert [child.returncode for child in children] == [0, 0], answers
    documents = [json.loads(out) for out, _ in answers]
    study = optuna.load_study(study_name="both", storage=open_storage(url, None))
    tried = [t for t in study.trials if t.state in (TrialState.COMPLETE, TrialState.PRUNED)]
    assert len(tried) == 10
    assert len({json.dumps(t.params) for t in tried}) == 10
    assert len({t.user_attrs["owner"]["pid"] for t in tried}) == 2
    first, second = (
        document["best"] | {"holdout": document["holdout_figures"]["best"]} for document in documents
    )
    assert first == second
    assert len(study.user_attrs["holdout"]) in (1, 2)  # both may look at once; the figures are the same
