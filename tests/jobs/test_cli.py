"""How the command ends where something goes wrong."""

import errno
import os

import pytest

import coordinator.cli as module
from coordinator.errors import CoordinatorError


@pytest.mark.parametrize(
    ("error", "lines"),
    [
        (CoordinatorError("a", "b", "be c", 1), ["error: The 'a' of b must be c. Got 1 instead."]),
        (
            OSError(errno.EROFS, os.strerror(errno.EROFS), "/data/x"),
            ["error: Read-only file system: /data/x"],
        ),
        (OSError("no space"), ["error: no space"]),
    ],
    ids=["mistake", "file", "other"],
)
def test_what_a_user_can_mend_is_one_line_and_code_2(monkeypatch, capsys, error, lines):
    def fail():
        raise error

    monkeypatch.setattr(module, "app", fail)
    with pytest.raises(SystemExit) as end:
        module.main()
    assert end.value.code == 2
    assert capsys.readouterr().err.splitlines() == lines


def test_a_defect_is_a_traceback_and_no_nothing_to_do(monkeypatch, capsys):
    monkeypatch.setattr(module, "app", lambda: 1 / 0)
    with pytest.raises(SystemExit) as end:
        module.main()
    assert end.value.code == 2  # 1 says that there is nothing to do
    assert "ZeroDivisionError" in capsys.readouterr().err
