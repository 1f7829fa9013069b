"""Carrying out an installation: each file whole or not at all, copies of what is replaced, the manifest last."""

from __future__ import annotations

import os
import tempfile
from itertools import count
from pathlib import Path

from coordinator import __version__
from coordinator.errors import CoordinatorError
from coordinator.jobs.install.manifest import MANIFEST, Manifest, digest
from coordinator.jobs.install.plan import OWNER, FileState, InstallPlan, PlannedFile

__all__ = ["carry_out"]


def carry_out(plan: InstallPlan) -> list[Path]:
    """Write what the plan says.

    The manifest comes last: ended before it, the next run finds the files as they ship and takes them for its own.

    Returns
    -------
    list of Path
        Copies of the files that were replaced although the user had edited them.

    Raises
    ------
    CoordinatorError
        Where a file cannot be written; those before it are.
    """
    copies: list[Path] = []
    for file in plan.writes:
        path = plan.user_data / file.name
        try:
            if file.forced:
                copies.append(_copy(path))
            if file.content is None:
                path.unlink()
            else:
                path.parent.mkdir(exist_ok=True)
                _replace(path, file.content)
        except OSError as error:
            raise _refused(path, error) from None
    manifest = Manifest(__version__, dict(_digests(plan)))
    if manifest != plan.manifest:
        try:
            _replace(plan.user_data / MANIFEST, manifest.as_json())
        except OSError as error:
            raise _refused(plan.user_data / MANIFEST, error) from None
    return copies


def _digests(plan: InstallPlan) -> list[tuple[str, str]]:
    """What the manifest is to say: a kept file keeps what was written last, so that the edit stays known as one."""
    found = []
    for file in plan.files:
        known = _digest_after(file, plan.manifest)
        if known is not None:
            found.append((file.name, known))
    return found


def _digest_after(file: PlannedFile, before: Manifest) -> str | None:
    if file.content is not None and (file.writes or file.state is FileState.UNCHANGED):
        return digest(file.content)
    return None if file.writes else before.files.get(file.name)


def _copy(path: Path) -> Path:
    """A copy beside the file, of a name that Freqtrade does not load."""
    for number in count(1):
        copy = path.with_name(f"{path.name}.backup{number}")
        if not copy.exists():
            break
    _replace(copy, path.read_bytes())
    return copy


def _replace(path: Path, content: bytes) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        mode = path.stat().st_mode & 0o777 if path.exists() else 0o666 & ~_umask()
        Path(name).chmod(mode)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _refused(path: Path, error: OSError) -> CoordinatorError:
    return CoordinatorError(path.name, OWNER, f"be writable ({error.strerror})", str(path))
