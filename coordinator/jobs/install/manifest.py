"""What was written into a user directory: each file with its SHA-256, so that the user's own edits are known."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from coordinator.errors import CoordinatorError
from coordinator.jobs.install.contents import FOLDERS, OVERLAY

__all__ = ["MANIFEST", "Manifest", "digest", "read_manifest"]

MANIFEST: Final = "coordinator.manifest.json"
# A manifest is the user's to edit, and files are removed by it: nothing but our own kind of file may stand in it.
_FILE: Final = re.compile(rf"({'|'.join(FOLDERS.values())})/[A-Za-z_]\w*\.py|{re.escape(OVERLAY)}")
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Manifest:
    """The version of the pack that wrote last, and the digest of each file as it was written."""

    version: str = ""
    files: dict[str, str] = field(default_factory=dict)

    def as_json(self) -> bytes:
        """Its file's content."""
        content = {"version": self.version, "files": dict(sorted(self.files.items()))}
        return (json.dumps(content, indent=2) + "\n").encode()


def digest(content: bytes) -> str:
    """SHA-256 in hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def read_manifest(user_data: Path) -> Manifest:
    """The manifest of a user directory; an empty one where there is none.

    Raises
    ------
    CoordinatorError
        Where it cannot be read, is not JSON, or names a file that this command never writes.
    """
    path = user_data / MANIFEST
    try:
        content: Any = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Manifest()
    except (OSError, ValueError) as error:
        raise CoordinatorError(MANIFEST, str(user_data), "be readable JSON", str(error)) from None
    files = content.get("files") if isinstance(content, dict) else None
    if not isinstance(files, dict):
        rule = 'hold "files", an object of digests'
        raise CoordinatorError(MANIFEST, str(user_data), rule, type(content).__name__)
    for name, value in files.items():
        if not _FILE.fullmatch(name) or not isinstance(value, str) or not _DIGEST.fullmatch(value):
            rule = "name only files of the pack, with their SHA-256"
            raise CoordinatorError(MANIFEST, str(user_data), rule, name)
    return Manifest(str(content.get("version", "")), dict(files))
