"""Freqtrade's config as Freqtrade itself reads it, for every command that starts or prepares a run."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path
from typing import Any, Final

from freqtrade.configuration.config_secrets import sanitize_config
from freqtrade.configuration.environment_vars import environment_vars_to_dict
from freqtrade.configuration.load_config import load_config_file, load_from_files
from freqtrade.exceptions import OperationalException
from freqtrade.misc import deep_merge_dicts

from coordinator.errors import CoordinatorError
from coordinator.sandbox.child_command import (
    CONFIG_OPTIONS,
    DATADIR_OPTIONS,
    USER_DATA,
    USERDIR_OPTIONS,
    default_config,
    option_value,
    option_values,
)

__all__ = ["command_config", "command_folders", "read_config", "user_folder", "with_changes"]

_OWNER: Final = "this run"
_PARSE_ERROR: Final = re.compile(r"Parse error at offset (\d+): (.*)")
_OF_THE_FILES: Final = ("add_config_files", "config_files")
_SECRET: Final = re.compile(
    r'("[^"]*(?:key|secret|password|token|uid|url|chat)[^"]*"\s*:\s*)"[^"]*"?', re.IGNORECASE
)
_DEEPEST: Final = 5  # Freqtrade's, above which it says that there is a loop
_OBJECTS: Final = ("exchange", "freqai", "coordinator")


def read_config(paths: Path | Sequence[Path]) -> dict[str, Any]:
    """Freqtrade configs as Freqtrade merges them.

    Comments and trailing commas are allowed, a later file goes over an earlier one, a file over its
    ``add_config_files``, and ``FREQTRADE__SECTION__KEY`` of the environment over all. Keys and passwords that
    Freqtrade knows as such are left out: nothing that reads a config here signs in anywhere.

    Raises
    ------
    CoordinatorError
        Where a file is absent or cannot be read, with the file, the line and what is wrong there.
    """
    files = [paths] if isinstance(paths, Path) else list(paths)
    for path in files:
        if not path.is_file():
            raise CoordinatorError("--config", _OWNER, "be an existing file", str(path))
    with _in_one_line(files):
        merged = load_from_files([str(path) for path in files]) if files else {}
        merged = deep_merge_dicts(environment_vars_to_dict(), merged)
        config: dict[str, Any] = sanitize_config(merged)
    for name in _OBJECTS:
        if not isinstance(config.get(name, {}), dict):
            raise CoordinatorError(name, "the Freqtrade config", "be a JSON object", config[name])
    return {name: value for name, value in config.items() if name not in _OF_THE_FILES}


def with_changes(config: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """A config, or a section of one, with changes over it, key by key as Freqtrade merges its files.

    Examples
    --------
    >>> with_changes({"quality": {"trees": 10, "leaves": 4}}, {"quality": {"trees": 20}})
    {'quality': {'trees': 20, 'leaves': 4}}
    """
    changed: dict[str, Any] = deepcopy(dict(config))
    deep_merge_dicts(deepcopy(dict(changes)), changed)
    return changed


def command_config(arguments: Sequence[str]) -> dict[str, Any]:
    """Config of a freqtrade command: of the files that it names, else of the one that Freqtrade takes.

    Parameters
    ----------
    arguments : what follows ``freqtrade``

    Raises
    ------
    CoordinatorError
        If it cannot be read.
    """
    named = [Path(name) for name in option_values(arguments, *CONFIG_OPTIONS)]
    default = default_config(arguments, Path())
    return read_config(named or ([] if default is None else [default]))


def user_folder(arguments: Sequence[str], config: Mapping[str, Any]) -> Path:
    """User directory of a freqtrade command: the option's, else its config's, else ``user_data``."""
    return Path(option_value(arguments, *USERDIR_OPTIONS) or config.get("user_data_dir") or USER_DATA)


def command_folders(arguments: Sequence[str]) -> tuple[Path, Path]:
    """User directory and candles of a freqtrade command, where Freqtrade would look for them.

    The options ``--userdir`` and ``--datadir`` go first, then the config's ``user_data_dir``; candles lie in the
    folder of its exchange. Like Freqtrade's, this ignores a ``datadir`` in the config.

    Parameters
    ----------
    arguments : what follows ``freqtrade``

    Raises
    ------
    CoordinatorError
        If its config cannot be read.
    """
    datadir = option_value(arguments, *DATADIR_OPTIONS)
    config = command_config(arguments)
    folder = user_folder(arguments, config)
    exchange = str((config.get("exchange") or {}).get("name") or "binance").lower()
    return folder, Path(datadir) if datadir else folder / "data" / exchange


@contextmanager
def _in_one_line(files: Sequence[Path]) -> Iterator[None]:
    """Whatever is wrong with the files is a user's mistake, and said in one line."""
    try:
        yield
    except OperationalException as error:
        for path in files:
            _find_syntax_error(path)
        raise CoordinatorError("--config", _OWNER, "be readable", _said(files, error)) from None
    except (OSError, UnicodeDecodeError) as error:
        raise CoordinatorError("--config", _OWNER, "be a readable UTF-8 file", _said(files, error)) from None
    except (AttributeError, TypeError) as error:  # Freqtrade merges what is no object with one
        rule = "hold a JSON object, and sections of one kind in every file"
        raise CoordinatorError("--config", _OWNER, rule, _said(files, error)) from None


def _find_syntax_error(path: Path, level: int = 0) -> None:
    """Raise for the first file that is no JSON, the added ones included; Freqtrade does not name it."""
    try:
        config = load_config_file(str(path))
    except OperationalException as error:
        match = _PARSE_ERROR.search(str(error.__context__))
        if match is None:
            return
        offset, what = int(match[1]), match[2].strip().rstrip(".")
        before = path.read_bytes()[:offset]
        line = before.count(b"\n") + 1
        text = path.read_text(encoding="utf-8", errors="replace").split("\n")[line - 1].strip()
        segment = _SECRET.sub(r'\1"..."', text) or "the file's end"
        rule = f"be JSON, comments and trailing commas allowed ({what})"
        raise CoordinatorError(f"line {line}", str(path), rule, segment[:120]) from None
    for other in config.get("add_config_files", ()) if isinstance(config, dict) else ():
        added = path.resolve().parent / str(other)
        if added.is_file() and level < _DEEPEST:
            _find_syntax_error(added, level + 1)


def _said(files: Sequence[Path], error: Exception) -> str:
    return f"{', '.join(map(str, files))}: {' '.join(str(error).split())}"
