"""The accounts that are known, a file each, so that a stopped evaluation goes on and a killed one loses one account."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

from coordinator.jobs.evaluation.variants import Variant
from coordinator.reports.evaluation.account_run import AccountRun
from coordinator.whole_file import write_whole

__all__ = ["AccountStore"]


class AccountStore:
    """Accounts in a folder.

    Parameters
    ----------
    folder : Path
        Of one problem: its name holds the hash of code, candles and config.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def read(self, variants: Iterable[Variant]) -> dict[str, AccountRun]:
        """The accounts of some variants that are there, by name; one of another definition is none."""
        found = {}
        for variant in variants:
            try:
                lines = self._path(variant).read_text(encoding="utf-8").split("\n", 1)
                if lines[0] == _definition(variant):
                    found[variant.name] = AccountRun.from_json(lines[1])
            except (OSError, ValueError, KeyError, TypeError, IndexError):
                continue
        return found

    def write(self, variant: Variant, account: AccountRun) -> None:
        """Keep an account, whole or not at all."""
        self.folder.mkdir(parents=True, exist_ok=True)
        content = f"{_definition(variant)}\n{account.to_json()}"
        write_whole(self._path(variant), content.encode())

    def _path(self, variant: Variant) -> Path:
        slug = re.sub(r"[^a-z0-9]+", "-", variant.name.lower()).strip("-")
        digest = hashlib.sha256(variant.name.encode()).hexdigest()[:8]
        return self.folder / f"{slug}-{digest}.json"


def _definition(variant: Variant) -> str:
    return json.dumps(asdict(variant), sort_keys=True)
