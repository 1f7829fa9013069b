"""What README and docs say can be run, can be run; links lead somewhere; what is made from the code is current."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from freqtrade.commands.arguments import Arguments
from typer.main import get_command
from typer.testing import CliRunner

from coordinator.cli import app

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(DOCS.rglob("*.md"))]
MOST_LINES = 110


def leaves(group, prefix=()):
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from leaves(command, (*prefix, name))
        else:
            yield " ".join((*prefix, name)), command


def commands(group):
    return [name for name, _ in leaves(group)]


def pages():
    return pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


@pytest.mark.parametrize("command", sorted(commands(get_command(app))))
def test_every_command_has_help(command):
    result = CliRunner().invoke(app, [*command.split(), "--help"])
    assert result.exit_code == 0, result.output


def test_the_command_itself_starts():
    done = subprocess.run([sys.executable, "-m", "coordinator", "--help"], capture_output=True, text=True)
    assert done.returncode == 0 and "evaluate" in done.stdout, done.stderr


@pages()
def test_no_page_names_a_command_that_is_not_there(page):
    known = set(commands(get_command(app)))
    groups = {name.split()[0] for name in known}
    for words in re.findall(r"`coordinator ((?:[a-z]+(?:-[a-z]+)* ?)+)", page.read_text()):
        first, _, rest = words.strip().partition(" ")
        second = rest.split(" ")[0]
        assert first in known or f"{first} {second}" in known or (first in groups and not second), words


@pytest.fixture(scope="module")
def known_options():
    """Options of each command of both programs, by (program, command)."""
    parser = Arguments([])
    parser._build_subcommands()
    found = {}
    for name, command in leaves(get_command(app)):
        found["coordinator", name] = {
            "--help",
            *(o for p in command.params for o in (*p.opts, *p.secondary_opts)),
        }
    for name, command in parser.parser._subparsers._group_actions[0].choices.items():
        found["freqtrade", name] = {o for action in command._actions for o in action.option_strings}
    return found


def shown(text):
    """Every line of a code block, and all inline code."""
    blocks = r"^```\w*.*\n((?:.*\n)*?)^```"
    for block in re.findall(blocks, text, re.MULTILINE):
        yield from block.replace("\\\n", " ").splitlines()
    yield from re.findall(r"`([^`\n]+)`", re.sub(blocks, "", text, flags=re.MULTILINE))


@pages()
def test_no_page_names_an_option_that_is_not_there(page, known_options):
    for line in shown(page.read_text()):
        for part in re.split(r"(?:^|\s)(?=(?:coordinator|freqtrade) [a-z])| -- |&&|[;#|>]", line):
            program, *words = part.split() or [""]
            names = [" ".join(words[:n]) for n in (2, 1)]
            name = next((name for name in names if (program, name) in known_options), None)
            given = {word for word in words if re.match(r"--?[a-zA-Z]", word)} if name else set()
            unknown = {word.partition("=")[0] for word in given} - known_options.get((program, name), set())
            assert not unknown, line


@pages()
def test_make_targets_and_paths_exist(page):
    makefile, text = (ROOT / "Makefile").read_text(), page.read_text()
    blocks = "\n".join(re.findall(r"^```\n(.*?)^```", text, re.M | re.S))
    for name in {*re.findall(r"`make ([a-z-]+)`", text), *re.findall(r"^make ([a-z-]+)", blocks, re.M)}:
        assert re.search(rf"^{name}:", makefile, re.MULTILINE), name
    folders = "strategies|freqai_models|docs|tests|coordinator|hyperopts|protections|benchmarks|deploy"
    for path in re.findall(rf"`((?:{folders})/[\w./-]+)`", text):
        assert list(ROOT.glob(f"{path.rstrip('/')}*")), path


@pages()
def test_links_lead_to_pages_and_headings(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, heading = target.partition("#")
        file = (page.parent / name).resolve() if name else page
        assert file.exists(), f"{target} of {page.name}"
        if heading:
            found = {slug(line) for line in file.read_text().splitlines() if line.startswith("#")}
            assert heading in found, f"{target} of {page.name}"


def slug(line):
    text = re.sub(r"[^\w\- ]", "", line.lstrip("# ").lower())
    return text.replace(" ", "-")


def test_every_page_is_in_the_sites_navigation():
    class Loader(yaml.SafeLoader):
        """mkdocs.yml names Python objects, which are only strings here."""

    Loader.add_multi_constructor("tag:yaml.org,2002:python/", lambda loader, suffix, node: suffix)
    site = yaml.load((ROOT / "mkdocs.yml").read_text(), Loader)

    def named(part):
        for entry in part:
            for value in entry.values():
                yield from named(value) if isinstance(value, list) else [value]

    assert sorted(named(site["nav"])) == sorted(str(page.relative_to(DOCS)) for page in DOCS.rglob("*.md"))


def test_settings_and_commands_are_those_of_the_code():
    spec = importlib.util.spec_from_file_location("reference", DOCS / "reference.py")
    reference = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(reference)
    for name, make in reference.PAGES.items():
        assert (DOCS / name).read_text() == make(), f"type: python docs/reference.py ({name} is not current)"


def test_the_readme_is_short():
    assert len((ROOT / "README.md").read_text().splitlines()) <= MOST_LINES
