"""Each tutorial does what it says: applied to a copy of the tree as printed, its check prints what it shows."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TUTORIALS = sorted((ROOT / "docs" / "tutorials").glob("*.md"))
PARTS = ("coordinator", "strategies", "freqai_models", "hyperopts", "protections")
BLOCK = re.compile(r'^```(\w+)(?: title="([^"]+)")?\n(.*?)^```', re.MULTILINE | re.DOTALL)
MOST_LINES = 60


def apply_diff(text, folder):
    """A unified diff whose hunks are found by their lines, as a person finds them, each in one place."""
    for file, hunks in re.findall(r"^\+\+\+ b/(\S+)\n((?:[ @+-].*\n)+?)(?=--- |\Z)", text, re.MULTILINE):
        content = (folder / file).read_text()
        for hunk in re.split(r"^@@.*\n", hunks, flags=re.MULTILINE)[1:]:
            lines = hunk.splitlines(keepends=True)
            old, new = ("".join(line[1:] for line in lines if line[0] in signs) for signs in (" -", " +"))
            assert content.count(old) == 1, f"{file} has {content.count(old)} times:\n{old}"
            content = content.replace(old, new)
        (folder / file).write_text(content)


def applied(page, folder):
    """The tree with a tutorial's files and diffs in it; the checks that it shows, as (command, output)."""
    for part in PARTS:
        shutil.copytree(ROOT / part, folder / part)  # compiled files, too: they fit by time and size
    shutil.copy(ROOT / "config.json", folder)
    checks = []
    for language, title, text in BLOCK.findall(page.read_text()):
        if language == "diff":
            apply_diff(text, folder)
        elif language == "text":
            checks.append((title, text))
        else:
            assert language == "python" and title, f"a block of {page.name} does not name its file"
            (folder / title).write_text(text)
    return checks


@pytest.mark.parametrize("page", TUTORIALS, ids=lambda page: page.stem)
def test_a_tutorial_works_as_printed(page, tmp_path):
    ((command, printed),) = applied(page, tmp_path)
    program, *arguments = command.split()
    assert program == "python"
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == printed


def test_tutorials_are_short_and_all_here():
    assert [page.stem for page in TUTORIALS] == [
        *("component", "exit", "hyperopt-loss", "model", "protection", "tactic")
    ]
    assert [page.name for page in TUTORIALS if len(page.read_text().splitlines()) >= MOST_LINES] == []
