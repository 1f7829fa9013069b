"""What the README says can be run, can be run."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.main import get_command

from coordinator.cli import app

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text()


def commands(group, prefix=()):
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*prefix, name))
        else:
            yield " ".join((*prefix, name))


@pytest.mark.parametrize("command", sorted(commands(get_command(app))))
def test_every_command_is_in_the_readme_and_has_help(command):
    assert f"coordinator {command}" in README
    done = subprocess.run(
        [sys.executable, "-m", "coordinator", *command.split(), "--help"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_the_readme_names_no_command_that_is_not_there():
    known = set(commands(get_command(app)))
    for words in re.findall(r"`coordinator ((?:[a-z]+(?:-[a-z]+)* ?)+)", README):
        words = words.strip()
        assert words in known or words.split()[0] + " " + words.split()[-1] in known, words


def test_make_targets_and_folders_of_the_readme_exist():
    makefile = (ROOT / "Makefile").read_text()
    for target in set(re.findall(r"\bmake ([a-z-]+)", README)):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
    for path in re.findall(r"`((?:strategies|freqai_models|docs|tests)/[\w./]+)`", README):
        assert list(ROOT.glob(f"{path}*")), path
