"""``docs/coverage.md`` names files, functions and tests that exist and can fail, and gives each line one state."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
DOCUMENT = ROOT / "docs" / "coverage.md"
HEAD = ["What the document asks", "Built in", "Held by"]
# Fewest lines per document: what was written down is not to be lost.
LINES = {"000": 60, "001": 85, "002": 60, "003": 65, "004": 90}
# Issues that are still open: a line may wait for no other.
OPEN_ISSUES = (17,)
PLANNED = re.compile(r"planned \((issue \d+|later)\)(: .+)?")
# What a line that is done does not say of itself.
UNDONE = re.compile(r"\b(yet|planned in|so far|issue \d+)\b")
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


@cache
def functions(path: Path) -> dict[str, ast.FunctionDef]:
    """The functions of a test file by name."""
    nodes = ast.parse(path.read_text("utf-8")).body
    return {node.name: node for node in nodes if isinstance(node, ast.FunctionDef)}


def judges(node: ast.AST, helpers: dict[str, ast.FunctionDef]) -> bool:
    """Whether something is asserted whatever else holds, here or in a helper: not only within an ``if``."""
    if isinstance(node, ast.Assert):
        return True
    if isinstance(node, ast.Call):
        name = ast.unparse(node.func).rpartition(".")[2]
        if name.startswith(("assert_", "check")) or name == "raises":
            return True
        others = {other: helper for other, helper in helpers.items() if other != name}
        if name in helpers and judges(helpers[name], others):
            return True
    if isinstance(node, ast.If):
        return all(any(judges(part, helpers) for part in branch) for branch in (node.body, node.orelse))
    return any(judges(part, helpers) for part in ast.iter_child_nodes(node))


def unable_to_fail(reference: str) -> str | None:
    """Why a test holds nothing, or None: it is never run, or asserts nothing."""
    name, _, symbol = reference.partition("::")
    tests = [node for test, node in functions(ROOT / name).items() if test.startswith("test_")]
    if symbol and not symbol.startswith("test_"):
        return f"{symbol} is no test"
    for test in [node for node in tests if symbol in ("", node.name)]:
        marks = [ast.unparse(mark) for mark in test.decorator_list]
        first = next((ast.unparse(part) for part in test.body if not is_docstring(part)), "")
        if any(re.match(r"pytest\.mark\.(skip|xfail)\b", mark) for mark in marks) or re.match(
            r"pytest\.skip", first
        ):
            return f"{test.name} is skipped"
        if not judges(test, functions(ROOT / name)):
            return f"{test.name} asserts nothing, or only where a condition holds"
    return None if tests else f"{name} has no test"


def is_docstring(node: ast.stmt) -> bool:
    """Whether a statement is a text alone."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def problem(cells: list[str]) -> str | None:
    """What is wrong with a line, or None."""
    if len(cells) != 3 or not cells[0]:
        return "not three cells"
    text, built, held = cells
    for reference in re.findall(r"`([^`]+)`", f"{built} {held}"):
        if wrong := missing(reference):
            return wrong
    if PLANNED.fullmatch(built):
        closed = [issue for issue in re.findall(r"issue (\d+)", built) if int(issue) not in OPEN_ISSUES]
        return f"issue {closed[0]} is closed" if closed else None
    if NOT_BUILT.fullmatch(built):
        return None
    if not PATHS.fullmatch(built) or not PATHS.fullmatch(held):
        return "neither paths in both columns nor a plan nor a reason"
    references = re.findall(r"`([^`]+)`", held)
    if not all(reference.startswith("tests/") for reference in references):
        return "held by something that is no test"
    if built.startswith("`tests/"):
        return "built in a test"
    if said := UNDONE.search(text):
        return f"done, and says {said[0]!r}"
    return next((wrong for reference in references if (wrong := unable_to_fail(reference))), None)


TABLE = rows(DOCUMENT.read_text("utf-8"))


def test_every_line_is_true():
    problems = [f"{document}: {cells}: {wrong}" for document, cells in TABLE if (wrong := problem(cells))]
    assert not problems, "\n".join(problems)


def test_no_line_stands_twice():
    lines = [(document, cells[0]) for document, cells in TABLE]
    assert [line for line in set(lines) if lines.count(line) > 1] == []


def test_no_feature_is_both_done_and_planned():
    """By what stands before the parentheses, within a document."""
    states: dict[tuple[str, str], set[bool]] = {}
    for document, (text, built, _) in TABLE:
        waits = bool(PLANNED.fullmatch(built) or NOT_BUILT.fullmatch(built))
        states.setdefault((document, text.partition("(")[0].strip().lower()), set()).add(waits)
    assert [feature for feature, found in states.items() if len(found) > 1] == []


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
        ("| a | planned (issue 12) | – |", "issue 12 is closed"),
        ("| a \\| b | planned (issue 17) | – |", None),
        (
            "| a (planned in issue 4) | `docs/coverage.md` | `tests/test_coverage_doc.py` |",
            "says 'planned in'",
        ),
        ("| a (no test holds it yet) | `docs/coverage.md` | `tests/test_coverage_doc.py` |", "says 'yet'"),
        ("| a | `tests/test_house.py` | `tests/test_coverage_doc.py` |", "built in a test"),
        ("| a | `docs/coverage.md` | `tests/test_coverage_doc.py::rows` |", "rows is no test"),
        ("| a | not built: too much | – |", None),
        ("| a | `docs/coverage.md` | `tests/test_coverage_doc.py::test_no_line_stands_twice` |", None),
    ],
)
def test_the_check_finds_what_is_wrong(line, wrong):
    ((_, cells),) = rows(line)
    found = problem(cells)
    assert found is None if wrong is None else wrong in str(found)


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ("def test_a():\n    assert x", None),
        ("def test_a():\n    for y in x:\n        assert y", None),
        ("def test_a():\n    helper(x)\n\ndef helper(x):\n    assert x", None),
        ("def test_a():\n    helper(x)\n\ndef helper(x):\n    print(x)", "asserts nothing, or only where"),
        ("def test_a():\n    np.testing.assert_array_equal(x, y)", None),
        ("def test_a():\n    with pytest.raises(ValueError):\n        f()", None),
        ("def test_a():\n    if x:\n        assert y\n    else:\n        assert z", None),
        ("def test_a():\n    if x:\n        assert y", "asserts nothing, or only where"),
        ("def test_a():\n    f()", "asserts nothing, or only where"),
        ("@pytest.mark.skip(reason='x')\ndef test_a():\n    assert x", "is skipped"),
        ("def test_a():\n    'why'\n    pytest.skip('x')\n    assert x", "is skipped"),
        ("def other():\n    assert x", "has no test"),
    ],
)
def test_a_test_that_cannot_fail_is_found(body, wrong, tmp_path):
    path = tmp_path / "test_x.py"
    path.write_text(body)
    found = unable_to_fail(str(path))
    assert found is None if wrong is None else wrong in str(found)
