"""How a command that is to run in the sandbox is read and completed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

__all__ = [
    "CONFIG_OPTIONS",
    "DATADIR_OPTIONS",
    "OVERLAY_WORD",
    "URL_WORD",
    "USERDIR_OPTIONS",
    "USER_DATA",
    "complete_command",
    "default_config",
    "freqtrade_arguments",
    "is_bot",
    "option_value",
    "option_values",
]

CONFIG_OPTIONS: Final = ("--config", "-c")
DATADIR_OPTIONS: Final = ("--datadir", "-d")
USERDIR_OPTIONS: Final = ("--userdir", "--user-data-dir")
USER_DATA: Final = "user_data"
"""Freqtrade's user directory, unless another one is named."""
# In commands other than freqtrade these words stand for the overlay file and the exchange's address.
OVERLAY_WORD: Final = "{overlay}"
URL_WORD: Final = "{url}"


def option_value(command: Sequence[str], *names: str) -> str | None:
    """Value of the last of these options in a command line, as ``--name value`` or ``--name=value``.

    Examples
    --------
    >>> option_value(["freqtrade", "backtesting", "--datadir=a"], "--datadir", "-d")
    'a'
    """
    values = option_values(command, *names)
    return values[-1] if values else None


def option_values(command: Sequence[str], *names: str) -> list[str]:
    """Values of these options in a command line, in their order.

    Examples
    --------
    >>> option_values(["trade", "-c", "a", "--config=b", "-c"], "--config", "-c")
    ['a', 'b']
    """
    values = []
    for position, word in enumerate(command):
        name, equals, value = word.partition("=")
        if word in names and position + 1 < len(command):
            values.append(command[position + 1])
        elif equals and name in names and name.startswith("--"):
            values.append(value)
    return values


def complete_command(command: Sequence[str], overlay: Path, url: str, folder: Path) -> list[str]:
    """The command with the overlay handed over.

    ``freqtrade SUB ...`` gets ``--config OVERLAY`` last, so that it wins; without a config of its own it also
    gets the one Freqtrade would take: the user directory's, else ``config.json`` in ``folder``, if any.
    In any other command the words ``{overlay}`` and ``{url}`` are replaced.

    Parameters
    ----------
    command : sequence of str
        The command line.
    overlay : pathlib.Path
        The overlay config.
    url : str
        The exchange's address.
    folder : pathlib.Path
        The command's working directory.

    Examples
    --------
    >>> complete_command(["freqtrade", "list-pairs", "-c", "a.json"], Path("o.json"), "", Path("/nowhere"))
    ['freqtrade', 'list-pairs', '-c', 'a.json', '--config', 'o.json']
    """
    arguments = freqtrade_arguments(command)
    if arguments is None:
        return [word.replace(OVERLAY_WORD, str(overlay)).replace(URL_WORD, url) for word in command]
    if not arguments or arguments[0].startswith("-"):
        return list(command)
    completed = list(command)
    own = None if option_values(arguments, *CONFIG_OPTIONS) else default_config(arguments, folder)
    if own is not None:
        completed += ["--config", str(own)]
    return [*completed, "--config", str(overlay)]


def default_config(arguments: Sequence[str], folder: Path) -> Path | None:
    """The config that Freqtrade takes for a command that names none: the user directory's, else ``folder``'s.

    Parameters
    ----------
    arguments : what follows ``freqtrade``
    folder : the command's working directory

    Returns
    -------
    pathlib.Path or None
        As the command would name it, relative to ``folder`` or absolute; None where there is none.
    """
    user_data = Path(option_value(arguments, *USERDIR_OPTIONS) or USER_DATA)
    both = user_data / "config.json", Path("config.json")
    return next((config for config in both if (folder / config).is_file()), None)


def is_bot(command: Sequence[str]) -> bool:
    """Whether a command is ``freqtrade trade``, which lives in the present.

    Examples
    --------
    >>> is_bot(["freqtrade", "trade"]), is_bot(["freqtrade", "list-pairs"])
    (True, False)
    """
    arguments = freqtrade_arguments(command)
    return bool(arguments) and (arguments or [""])[0] == "trade"


def freqtrade_arguments(command: Sequence[str]) -> list[str] | None:
    """What follows ``freqtrade`` or ``python -m freqtrade``; None for other commands."""
    if command and Path(command[0]).name == "freqtrade":
        return list(command[1:])
    if (
        len(command) > 2
        and Path(command[0]).name.startswith("python")
        and list(command[1:3]) == ["-m", "freqtrade"]
    ):
        return list(command[3:])
    return None
