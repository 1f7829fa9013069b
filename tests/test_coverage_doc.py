"""``docs/coverage.md`` names files, functions and tests that exist, and leaves no line without a state."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
DOCUMENT = ROOT / "docs" / "coverage.md"
HEAD = ["What the document asks", "Built in", "Held by"]
# Fewest lines per document: what was written down is not to be lost.
LINES = {"000": 60, "001": 85, "002": 60, "003": 65, "004": 90}
PLANNED = re.compile(r"planned \((issue \d+|later)\)(: .+)?")
NOT_BUILT = re.compile(r"not built: .+")
PATHS = re.compile(r"`[^`]+`(, `[^`]+`)*")


def rows(text: str) -> list[tuple[str, list[str]]]:
    """(document, cells) of every line of every table, heads left out."""
    found, document = [], ""
    for line in text.splitlines():
        if line.startswith("## "):
            document = line.split()[1]
        if line.startswith("|"):
            cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
            if cells != HEAD and set("".join(cells)) - {"-"}:
                found.append((document, cells))
    return found


def missing(reference: str) -> str | None:
    """What is wrong with a path, or ``path::name``, or None."""
    name, _, symbol = reference.partition("::")
    path = ROOT / name
    if not path.exists():
        return f"{name} does not exist"
    if symbol and not re.search(
        rf"^\s*(async def|def|class) {re.escape(symbol)}\b", path.read_text("utf-8"), re.M
    ):
        return f"{symbol} is not in {name}"
    return None


def problem(cells: list[str]) -> str | None:
    """What is wrong with a line, or None."""
    if len(cells) != 3 or not cells[0]:
        return "not three cells"
    _, built, held = cells
    for reference in re.findall(r"`([^`]+)`", f"{built} {held}"):
        if wrong := missing(reference):
            return wrong
    if PLANNED.fullmatch(built) or NOT_BUILT.fullmatch(built):
        return None
    if not PATHS.fullmatch(built) or not PATHS.fullmatch(held):
        return "neither paths in both columns nor a plan nor a reason"
    if not all(reference.startswith("tests/") for reference in re.findall(r"`([^`]+)`", held)):
        return "held by something that is no test"
    return None


TABLE = rows(DOCUMENT.read_text("utf-8"))


def test_every_line_is_true():
    problems = [f"{document}: {cells}: {wrong}" for document, cells in TABLE if (wrong := problem(cells))]
    assert not problems, "\n".join(problems)


def test_no_line_stands_twice():
    lines = [(document, cells[0]) for document, cells in TABLE]
    assert [line for line in set(lines) if lines.count(line) > 1] == []


@pytest.mark.parametrize("document", LINES)
def test_every_document_is_covered(document):
    assert sum(name == document for name, _ in TABLE) >= LINES[document]


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ("| a | `docs/nothing.md` | `tests/test_coverage_doc.py` |", "docs/nothing.md does not exist"),
        ("| a | `tests/test_coverage_doc.py::nothing` | – |", "nothing is not in"),
        ("| a | `docs/coverage.md` | – |", "neither paths"),
        ("| a | `docs/coverage.md` | `docs/coverage.md` |", "no test"),
        ("| a | soon | – |", "neither paths"),
        ("| a | planned (some day) | – |", "neither paths"),
        ("| a | not built: | – |", "neither paths"),
        ("| a | planned (issue 2): `no/file.py` | – |", "no/file.py does not exist"),
        ("| a | planned (later) |", "not three cells"),
        ("| a \\| b | planned (issue 12) | – |", None),
        ("| a | not built: too much | – |", None),
        ("| a | `docs/coverage.md` | `tests/test_coverage_doc.py::rows` |", None),
    ],
)
def test_the_check_finds_what_is_wrong(line, wrong):
    ((_, cells),) = rows(line)
    found = problem(cells)
    assert found is None if wrong is None else wrong in str(found)
