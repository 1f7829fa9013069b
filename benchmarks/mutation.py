"""A mutation check of the pure rooms: do the tests that cover a line notice that it has been changed?

    python -m pip install mutmut==3.8.1 pytest-cov  # for this alone; no part of the pack
    python -m benchmarks.mutation ~/mutation [--count 400] [--seed 17] [--budget 10]

Mutants are made by mutmut's operators, of decorated functions, constants and defaults too, and drawn uniformly. Left
out are the texts of errors, ``__all__`` and names of type variables, beside what mutmut leaves out itself (docstrings,
annotations). The folder gets a clone of HEAD, one run of the fast tests with coverage by test, and a line a mutant in
``mutants.jsonl``; begun again, the check goes on. Each mutant is a fork of a process that has the heavy libraries
loaded, and gets the tests that cover its statement, fastest first, as many as take ``--budget`` seconds; what runs at
import gets those of its file. Read the survivors: some are no other program, and a test that is slower or reads a
constant alone may know more. About two seconds of CPU for one that is killed.
"""

from __future__ import annotations

import argparse
import ast
import collections
import contextlib
import importlib
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

ROOMS = ("decision", "trade", "portfolio", "signals")
SLOW = (
    *("e2e", "live", "frequi", "optimize", "scenarios", "install", "docs", "operation", "sandbox", "parity"),
    *("test_house.py", "test_docs.py", "test_coverage_doc.py", "evaluation/test_command.py", "reports/page"),
    *("jobs/test_kills.py", "ledger/test_bot_on_postgresql.py"),
)
HEAVY = (
    *("torch", "talib", "pandas", "pyarrow", "scipy.stats", "sklearn.ensemble", "lightgbm", "xgboost"),
    *("plotly.express", "sqlalchemy.orm", "alembic.command", "fastapi.testclient", "freqtrade.strategy"),
    *("hypothesis.extra.pandas", "hypothesis.internal.conjecture.engine", "freqtrade.optimize.backtesting"),
)
Covered, Seconds, Mutant = dict[str, dict[int, set[str]]], dict[str, float], dict[str, Any]


def mutants(tree: Path) -> list[Mutant]:
    """All mutants: file, operator, first and last line, before, after, and what gives the whole code."""
    import libcst as cst
    import libcst.matchers as m
    from libcst.metadata import MetadataWrapper, PositionProvider
    from mutmut.mutation.file_mutation import MutationVisitor
    from mutmut.mutation.mutators import mutation_operators
    from mutmut.mutation.pragma_handling import IgnoredCode

    exported = m.Assign(targets=[m.AssignTarget(target=m.Name("__all__"))])
    nameless = m.Raise() | exported | m.Call(func=m.Name("TypeVar"))

    class Visitor(MutationVisitor):
        def _skip_node_and_children(self, node: cst.CSTNode) -> bool:
            if isinstance(node, cst.FunctionDef) and node.decorators:
                return False  # mutmut cannot put its switch there; here the file itself is rewritten
            return m.matches(node, nameless) or super()._skip_node_and_children(node)

        def _create_mutations(self, node: cst.CSTNode) -> None:
            where, blank = self.get_metadata(PositionProvider, node), cst.Module([])
            for kind, operator in self._operators:
                for new in operator(node) if isinstance(node, kind) else ():
                    texts = {"before": blank.code_for_node(node), "after": blank.code_for_node(new)}
                    lines = {"line": where.start.line, "end": where.end.line, "operator": operator.__name__}
                    found.append({"file": name, **lines, **texts, "code": (wrapper, node, new)})

    found: list[Mutant] = []
    for path in (path for room in ROOMS for path in sorted((tree / "coordinator" / room).rglob("*.py"))):
        name, wrapper = str(path.relative_to(tree)), MetadataWrapper(cst.parse_module(path.read_text()))
        wrapper.visit(Visitor(mutation_operators, IgnoredCode(set(), set(), set())))
    return found


def cover(folder: Path) -> tuple[Covered, Seconds]:
    """Tests by file and line, and the seconds that each takes; from one run of the fast tests."""
    from coverage.numbits import numbits_to_nums

    base, report = folder / "coverage.sqlite", folder / "junit.xml"
    if not report.is_file():
        rooms = "".join(f"    */coordinator/{room}/*\n" for room in ROOMS)
        head = f"[run]\ndata_file = {base}\ncore = ctrace\ninclude =\n"
        (folder / "coveragerc").write_text(head + rooms)
        options = ["--cov", f"--cov-config={folder / 'coveragerc'}", "--cov-context=test", "--cov-report="]
        slow = [f"--ignore=tests/{name}" for name in SLOW]
        pytest = [sys.executable, "-m", "pytest", f"--junitxml={report}"]
        subprocess.run([*pytest, *options, *slow], check=True)
    seconds = {}
    for case in ElementTree.parse(report).getroot().iter("testcase"):
        seconds[f"{case.get('classname')}.{case.get('name')}"] = float(case.get("time", 0))
    known = sqlite3.connect(base)
    files = {i: path.split("/tree/")[-1] for i, path in known.execute("select id, path from file")}
    tests = {i: name.rpartition("|")[0] for i, name in known.execute("select id, context from context")}
    covered: Covered = {}
    for file, test, lines in known.execute("select file_id, context_id, numbits from line_bits"):
        for line in numbits_to_nums(lines) if tests[test] else ():
            covered.setdefault(files[file], {}).setdefault(line, set()).add(tests[test])
    return covered, seconds


def tests_of(mutant: Mutant, source: str, covered: Covered, seconds: Seconds, budget: float) -> list[str]:
    """Those that cover the mutant's statement, or its file where it runs at import; fastest first."""
    within, inside = (0, 10**9), False
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef):
            inside |= node.body[0].lineno <= mutant["line"] <= (node.end_lineno or 0)
        if isinstance(node, ast.stmt) and node.lineno <= mutant["line"] and mutant["end"] <= node.end_lineno:
            last = mutant["end"] if hasattr(node, "body") else node.end_lineno
            within = max(within, (node.lineno, last))
    lines = covered.get(mutant["file"], {})
    near = [names for line, names in lines.items() if not inside or within[0] <= line <= within[1]]

    def cost(test: str) -> float:
        path, _, name = test.partition("::")
        return seconds.get(f"{path[:-3].replace('/', '.')}.{name}", 1.0)

    chosen, total = [], 0.0
    for test in sorted(set().union(*near), key=lambda test: (cost(test), test)):
        total += cost(test)
        if total > budget or len(chosen) == 400:
            break
        chosen.append(test)
    return chosen


def outcome(path: Path, code: str, tests: list[str], log: Path, limit: float) -> str:
    """Run some tests over a mutated file in a fork: "killed", "timeout", "survived"; "unclear" if tests are gone."""
    original, times = path.read_text(), path.stat()
    path.write_text(code)
    os.utime(path, (times.st_atime, times.st_mtime + 7777))  # not the original's bytecode
    begun = time.monotonic()
    child = os.fork()
    if not child:
        os.setsid()
        for stream in (1, 2):
            os.dup2(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC * (stream == 1)), stream)
        import pytest

        os._exit(int(pytest.main(["-x", "-q", "-p", "no:cacheprovider", "-p", "no:cov", *tests])))
    try:
        while not (ended := os.waitpid(child, os.WNOHANG))[0] and time.monotonic() - begun < limit:
            time.sleep(0.02)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)
        path.write_text(original)
        os.utime(path, (times.st_atime, times.st_mtime))
    if not ended[0]:
        os.waitpid(child, 0)
        return "timeout"
    return {0: "survived", 4: "unclear", 5: "unclear"}.get(os.waitstatus_to_exitcode(ended[1]), "killed")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    for name, value in (("count", 400), ("seed", 17), ("budget", 10.0)):
        parser.add_argument(f"--{name}", type=type(value), default=value)
    given = parser.parse_args()
    folder = given.folder.resolve()
    tree, results = folder / "tree", folder / "mutants.jsonl"
    if not tree.is_dir():
        subprocess.run(["git", "clone", "--quiet", Path(__file__).parent.parent, tree], check=True)
    os.environ.update(PYTHONPATH=str(tree), OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
    os.chdir(tree)
    sys.path.insert(0, str(tree))
    covered, seconds = cover(folder)
    for name in HEAVY:
        importlib.import_module(name)
    every = mutants(tree)
    rows = [json.loads(line) for line in results.read_text().splitlines()] if results.is_file() else []
    done = {row["number"] for row in rows}
    for number in random.Random(given.seed).sample(range(len(every)), given.count):
        if number in done:
            continue
        mutant, path = every[number], tree / every[number]["file"]
        wrapper, node, new = mutant.pop("code")
        tests = tests_of(mutant, path.read_text(), covered, seconds, given.budget)
        code = wrapper.module.deep_replace(node, new).code
        limit = 60 + 6 * given.budget
        state = outcome(path, code, tests, folder / "last.log", limit) if tests else "survived"
        rows.append({"number": number, "state": state, "tests": len(tests), **mutant})
        with results.open("a") as file:
            file.write(json.dumps(rows[-1]) + "\n")
        print(state, mutant["file"], mutant["line"], mutant["before"], "->", mutant["after"], flush=True)
    counts = collections.Counter((row["file"].split("/")[1], row["state"]) for row in rows)
    print(len(every), "mutants;", *(f"{room} {state}: {n}" for (room, state), n in sorted(counts.items())))


if __name__ == "__main__":
    main()
