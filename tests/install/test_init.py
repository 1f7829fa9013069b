"""`coordinator init`: what it writes, what it leaves, what it refuses."""

from __future__ import annotations

import hashlib
import json
import os
import pty
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from coordinator.cli import app
from coordinator.errors import CoordinatorError
from coordinator.jobs.install import FileState, carry_out, plan_install
from coordinator.jobs.install.contents import OVERLAY, shipped_contents
from coordinator.jobs.install.manifest import MANIFEST
from coordinator.jobs.install.notes import config_notes
from coordinator.settings import load_settings

STRATEGY, LOSS, MODEL = "strategies/A.py", "hyperopts/Loss.py", "freqaimodels/Model.py"
FIRST = {STRATEGY: b"a 1", LOSS: b"loss 1", MODEL: b"model 1", OVERLAY: b"{}"}


def install(user_data: Path, contents: dict[str, bytes], *, force: bool = False) -> list[Path]:
    return carry_out(plan_install(user_data, contents, force=force))


def states(user_data: Path, contents: dict[str, bytes]) -> dict[str, FileState]:
    return {file.name: file.state for file in plan_install(user_data, contents).files}


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_everything_that_ships_is_there_once_and_nothing_of_the_users_own():
    contents = shipped_contents()
    for name in ("strategies/MLCoordinator.py", "freqaimodels/CoordinatorClassifier.py", OVERLAY):
        assert name in contents
    assert "protections/PortfolioGuard.py" in contents
    assert "hyperopts/ExpectancyRHyperOptLoss.py" in contents
    overlay = json.loads(contents[OVERLAY])
    assert (overlay["strategy"], overlay["freqaimodel"]) == ("MLCoordinator", "CoordinatorClassifier")
    assert overlay["freqai"]["enabled"] is True
    load_settings(overlay["coordinator"])
    users = {
        "exchange",
        "stake_amount",
        "stake_currency",
        "dry_run",
        "dry_run_wallet",
        "pairlists",
        "max_open_trades",
    }
    users |= {"api_server", "telegram", "trading_mode", "margin_mode", "user_data_dir", "strategy_path"}
    assert not users & set(overlay)


def test_a_first_run_writes_files_and_manifest_and_a_second_changes_nothing(user_data):
    assert set(states(user_data, FIRST).values()) == {FileState.NEW}
    install(user_data, FIRST)
    assert {name: (user_data / name).read_bytes() for name in FIRST} == FIRST
    manifest = json.loads((user_data / MANIFEST).read_text())
    assert manifest["files"] == {name: hashlib.sha256(text).hexdigest() for name, text in FIRST.items()}
    before = {path: path.stat().st_mtime_ns for path in user_data.rglob("*")}
    plan = plan_install(user_data, FIRST)
    assert plan.is_current
    assert carry_out(plan) == []
    assert {path: path.stat().st_mtime_ns for path in user_data.rglob("*")} == before


def test_a_newer_version_updates_what_is_as_it_was_written(user_data):
    install(user_data, FIRST)
    newer = {**FIRST, STRATEGY: b"a 2"}
    assert states(user_data, newer)[STRATEGY] is FileState.UPDATE
    install(user_data, newer)
    assert (user_data / STRATEGY).read_bytes() == b"a 2"
    assert plan_install(user_data, newer).is_current


def test_an_edited_file_is_kept_over_versions_until_forced(user_data):
    install(user_data, FIRST)
    (user_data / STRATEGY).write_bytes(b"mine")
    assert states(user_data, FIRST)[STRATEGY] is FileState.EDITED
    assert plan_install(user_data, FIRST).is_current  # nothing newer to take
    for version in (b"a 2", b"a 3"):
        newer = {**FIRST, STRATEGY: version}
        assert states(user_data, newer)[STRATEGY] is FileState.CONFLICT
        install(user_data, newer)
        assert (user_data / STRATEGY).read_bytes() == b"mine"
        assert not plan_install(user_data, newer).is_current
    copies = install(user_data, newer, force=True)
    assert [copy.read_bytes() for copy in copies] == [b"mine"]
    assert copies[0].suffix != ".py"
    assert (user_data / STRATEGY).read_bytes() == b"a 3"
    assert plan_install(user_data, newer).is_current


def test_two_forced_copies_do_not_meet(user_data):
    install(user_data, FIRST)
    found = []
    for mine in (b"mine 1", b"mine 2"):
        (user_data / LOSS).write_bytes(mine)
        found += install(user_data, FIRST, force=True)
    assert [copy.read_bytes() for copy in found] == [b"mine 1", b"mine 2"]


def test_a_file_of_the_same_name_that_was_there_before_is_kept(user_data):
    (user_data / STRATEGY).write_bytes(b"the user's own A")
    assert states(user_data, FIRST)[STRATEGY] is FileState.FOREIGN
    install(user_data, FIRST)
    install(user_data, FIRST)
    assert (user_data / STRATEGY).read_bytes() == b"the user's own A"
    assert not plan_install(user_data, FIRST).is_current


def test_what_no_longer_ships_goes_only_as_it_was_written(user_data):
    install(user_data, FIRST)
    (user_data / LOSS).write_bytes(b"mine")
    (user_data / "strategies/Mine.py").write_bytes(b"another strategy")
    newer = {name: text for name, text in FIRST.items() if name not in {LOSS, MODEL}}
    assert states(user_data, newer)[MODEL] is FileState.REMOVE
    assert states(user_data, newer)[LOSS] is FileState.LEFT
    install(user_data, newer)
    assert not (user_data / MODEL).exists()
    assert (user_data / LOSS).read_bytes() == b"mine"
    (copy,) = install(user_data, newer, force=True)
    assert not (user_data / LOSS).exists()
    assert copy.read_bytes() == b"mine"
    assert (user_data / "strategies/Mine.py").read_bytes() == b"another strategy"


def test_a_run_that_ended_before_its_manifest_is_completed(user_data):
    for name in (STRATEGY, LOSS):
        (user_data / name).write_bytes(FIRST[name])
    install(user_data, FIRST)
    newer = {name: text + b" newer" for name, text in FIRST.items()}
    assert set(states(user_data, newer).values()) == {FileState.UPDATE}


def test_a_linked_file_is_no_longer_linked_after_an_update_and_its_origin_is_untouched(user_data, tmp_path):
    origin = tmp_path / "A.py"
    origin.write_bytes(b"a 1")
    (user_data / STRATEGY).symlink_to(origin)
    install(user_data, FIRST)
    install(user_data, {**FIRST, STRATEGY: b"a 2"})
    assert origin.read_bytes() == b"a 1"
    assert (user_data / STRATEGY).read_bytes() == b"a 2"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda u: shutil.rmtree(u), "`freqtrade create-userdir --userdir"),
        (lambda u: shutil.rmtree(u / "strategies"), "which has no strategies"),
        (lambda u: (u / STRATEGY).mkdir(), "The 'A.py' of coordinator init must be a file, not a directory"),
        (
            lambda u: (shutil.rmtree(u / "hyperopts"), (u / "hyperopts").touch()),
            "The 'hyperopts' of coordinator init must be a directory",
        ),
        (lambda u: (u / STRATEGY).symlink_to(u / "nowhere"), "not a dangling link"),
        (lambda u: (u / MANIFEST).write_text("{"), "must be readable JSON"),
        (lambda u: (u / MANIFEST).mkdir(), "must be readable JSON"),
        (lambda u: (u / MANIFEST).write_text("[]"), 'must hold "files"'),
        (
            lambda u: (u / MANIFEST).write_text(json.dumps({"files": {"../secret.py": "0" * 64}})),
            "must name only files of the pack",
        ),
        (
            lambda u: (u / MANIFEST).write_text(json.dumps({"files": {STRATEGY: "zz"}})),
            "must name only files of the pack",
        ),
    ],
)
def test_what_stands_in_the_way_is_said_in_a_line_before_anything_is_written(user_data, make, message):
    make(user_data)
    before = tree(user_data)
    with pytest.raises(CoordinatorError) as caught:
        install(user_data, FIRST)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert tree(user_data) == before


def test_a_folder_that_takes_no_files_is_said(user_data):
    shutil.rmtree(user_data / "hyperopts")
    (user_data / "hyperopts").symlink_to("/proc/self")  # takes files from nobody, root included
    with pytest.raises(CoordinatorError, match=r"The 'Loss\.py' of coordinator init must be"):
        install(user_data, FIRST)


def typed(*arguments, code=0):
    """What the command prints where there is no terminal."""
    done = CliRunner().invoke(app, ["init", *map(str, arguments)])
    assert done.exit_code == code, done.output
    return done.output


def test_without_a_terminal_it_only_shows_and_says_what_to_type(user_data):
    before = tree(user_data)
    done = typed(user_data)
    assert "strategies/MLCoordinator.py" in done
    assert f"coordinator init {user_data} --yes" in done
    assert tree(user_data) == before
    assert "not everything is current" in typed("--check", user_data, code=1)
    assert "files written" in typed(user_data, "--yes")
    assert "everything is current" in typed("--check", user_data)
    own = user_data / "my own.json"
    own.write_text('{"stoploss": -0.1}')
    noted = 'your config: "stoploss": -0.1 goes over what the strategies say'
    assert noted in typed("--check", user_data, "-c", own)
    assert f"-c '{own}' " in typed(user_data, "-c", own)
    own.unlink()
    written = tree(user_data)
    assert "nothing to write" in typed(user_data)
    (user_data / OVERLAY).write_text("{}")
    done = typed(user_data)
    assert "1 kept as they are; --force" in done
    assert "third file" in done
    assert "--yes --force" in typed(user_data, "--force")
    assert (user_data / OVERLAY).read_text() == "{}"
    assert f"copy of yours: {user_data / OVERLAY}.backup1" in typed(user_data, "--yes", "--force")
    assert tree(user_data) == {**written, f"{OVERLAY}.backup1": b"{}"}


@pytest.mark.parametrize(("answer", "written"), [(b"n\n", False), (b"y\n", True)])
def test_at_a_terminal_it_asks(user_data, answer, written):
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "coordinator", "init", str(user_data)]
    with subprocess.Popen(command, stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as child:
        os.write(ours, answer)
        output, _ = child.communicate(timeout=120)
    os.close(ours)
    os.close(theirs)
    assert child.returncode == 0
    assert b"Write " in output
    assert (user_data / "strategies/MLCoordinator.py").exists() is written


def test_mistakes_are_one_line_and_exit_code_2(tmp_path, coordinator):
    done = coordinator("init", tmp_path / "nowhere", code=2)
    assert done.stderr.startswith("error: The 'USER_DATA' of coordinator init must be an existing")
    assert len(done.stderr.splitlines()) == 1


def test_what_acts_beside_the_strategies_is_named():
    config = {"minimal_roi": {"0": 0.1}, "order_time_in_force": {}, "freqai": {}, "trading_mode": "futures"}
    notes = "\n".join(config_notes(config))
    for word in ('"minimal_roi"', '"order_time_in_force"', '"freqai"', '"margin_mode"'):
        assert word in notes
    assert config_notes({"stake_currency": "USDT", "trading_mode": "spot"}) == []
