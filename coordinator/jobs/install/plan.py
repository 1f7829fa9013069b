"""What `coordinator init` would do to each file, found without writing anything."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from coordinator.errors import CoordinatorError
from coordinator.jobs.install.manifest import MANIFEST, Manifest, digest, read_manifest

__all__ = ["FileState", "InstallPlan", "PlannedFile", "plan_install"]

OWNER = "coordinator init"


class FileState(Enum):
    """How a file in the user directory stands to what ships now and to what was written before."""

    NEW = "new"
    UNCHANGED = "unchanged"
    UPDATE = "update"
    EDITED = "kept: edited by you, nothing newer ships"
    CONFLICT = "kept: edited by you, a newer one ships"
    FOREIGN = "kept: another file of this name"
    REMOVE = "removed: no longer ships"
    LEFT = "kept: edited by you, no longer ships"


KEPT = {FileState.EDITED, FileState.CONFLICT, FileState.FOREIGN, FileState.LEFT}
CURRENT = {FileState.UNCHANGED, FileState.EDITED}


@dataclass(frozen=True)
class PlannedFile:
    """One file.

    Attributes
    ----------
    name : its place in the user directory
    state : how it stands
    content : what ships; None where nothing does any more
    forced : whether it is replaced (or removed) although it is not ours, after a copy
    """

    name: str
    state: FileState
    content: bytes | None
    forced: bool = False

    @property
    def writes(self) -> bool:
        """Whether carrying it out changes the file."""
        return self.forced or self.state in {FileState.NEW, FileState.UPDATE, FileState.REMOVE}

    @property
    def words(self) -> str:
        """Its state for the table."""
        if not self.forced:
            return self.state.value
        return "removed after a copy" if self.content is None else "replaced after a copy"


@dataclass(frozen=True)
class InstallPlan:
    """What would be done to a user directory."""

    user_data: Path
    files: tuple[PlannedFile, ...]
    manifest: Manifest

    @property
    def writes(self) -> tuple[PlannedFile, ...]:
        """The files that would change."""
        return tuple(file for file in self.files if file.writes)

    @property
    def is_current(self) -> bool:
        """Whether all that ships is there, edits of what still ships aside."""
        return all(file.state in CURRENT for file in self.files)

    @property
    def kept(self) -> tuple[PlannedFile, ...]:
        """The user's own files, left as they are."""
        return tuple(file for file in self.files if file.state in KEPT and not file.forced)


def plan_install(user_data: Path, contents: Mapping[str, bytes], *, force: bool = False) -> InstallPlan:
    """Compare what ships with what is there and with what was written before.

    Parameters
    ----------
    user_data : a user directory of Freqtrade's
    contents : what ships (``contents.shipped_contents``)
    force : whether the user's edits are replaced, after a copy

    Raises
    ------
    CoordinatorError
        Where the directory is none of Freqtrade's, or something stands in the way.
    """
    check_user_data(user_data)
    manifest = read_manifest(user_data)
    files = tuple(_planned(user_data, contents, manifest, force=force))
    for file in files:
        if file.writes:
            check_writable(user_data / file.name)
    if any(file.writes for file in files):
        check_writable(user_data / MANIFEST)
    return InstallPlan(user_data, files, manifest)


def _planned(
    user_data: Path, contents: Mapping[str, bytes], manifest: Manifest, *, force: bool
) -> Iterator[PlannedFile]:
    names = [*contents, *(name for name in sorted(manifest.files) if name not in contents)]
    for name in names:
        content, present = contents.get(name), _read(user_data / name)
        if present is None and content is None:
            continue  # no longer ships, and is gone
        state = _state(content, present, manifest.files.get(name))
        yield PlannedFile(name, state, content, force and state in KEPT)


def _state(content: bytes | None, present: bytes | None, written: str | None) -> FileState:
    if present is None:
        return FileState.NEW
    if content is None:
        return FileState.REMOVE if digest(present) == written else FileState.LEFT
    if present == content:
        return FileState.UNCHANGED
    if written is None:
        return FileState.FOREIGN
    if digest(present) == written:
        return FileState.UPDATE
    return FileState.EDITED if digest(content) == written else FileState.CONFLICT


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        if path.is_symlink():
            raise CoordinatorError(path.name, OWNER, "be a file, not a dangling link", str(path)) from None
        return None
    except NotADirectoryError:
        raise CoordinatorError(path.parent.name, OWNER, "be a directory", str(path.parent)) from None
    except IsADirectoryError:
        raise CoordinatorError(path.name, OWNER, "be a file, not a directory", str(path)) from None
    except OSError as error:
        raise CoordinatorError(path.name, OWNER, f"be readable ({error.strerror})", str(path)) from None


def check_user_data(user_data: Path) -> None:
    """Refuse what is no user directory of Freqtrade's."""
    rule = (
        f"be an existing Freqtrade user directory; `freqtrade create-userdir --userdir {user_data}` makes one"
    )
    if not user_data.is_dir():
        raise CoordinatorError("USER_DATA", OWNER, rule, str(user_data))
    if not (user_data / "strategies").is_dir():
        raise CoordinatorError("USER_DATA", OWNER, rule, f"{user_data}, which has no strategies")


def check_writable(path: Path) -> None:
    """Refuse a file whose folder does not take one, before anything is written."""
    folder = path.parent if path.parent.exists() else path.parent.parent
    if not os.access(folder, os.W_OK | os.X_OK):
        raise CoordinatorError(path.name, OWNER, "be in a directory that you may write to", str(folder))
