"""Learning commands killed with kill -9; `python -m benchmarks learning_kills` does it fifty times to each."""

import json
import random
import shutil

from benchmarks.learning_kills import command, kill_until_done, state_of
from tests.jobs.conftest import DAY, FIRST


def test_a_killed_training_leaves_what_an_undisturbed_one_does(warm_python, make_world):
    world = make_world()
    world.collect(0, 500)
    calm, killed, before = (world.folder.with_name(name) for name in ("calm", "killed", "before"))
    for folder in (calm, killed, before):
        shutil.copytree(world.folder, folder)

    def reset():
        shutil.rmtree(killed)
        shutil.copytree(before, killed)

    words = ("quality", "train", "--until", "20210401")
    assert FIRST + 456 * DAY == 1617235200  # 2021-04-01
    kill_until_done(command(calm, *words, python=warm_python), 0, lambda: None, random.Random(0))
    kills, _ = kill_until_done(command(killed, *words, python=warm_python), 2, reset, random.Random(1))
    assert kills == 2
    wanted, found = state_of(calm), state_of(killed)
    assert len(wanted["models"]) == 6
    assert json.dumps(found, default=str) == json.dumps(wanted, default=str)
