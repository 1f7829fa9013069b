"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

__all__ = ["ConfigOption", "Configs", "chosen_configs"]

Configs: TypeAlias = list[Path] | None
ConfigOption = Annotated[
    Configs,
    typer.Option("--config", "-c", help="Freqtrade config, repeat it for overlays [default: config.json]"),
]


def chosen_configs(paths: Configs) -> list[Path]:
    """The configs that were named, else the working directory's."""
    return paths or [Path("config.json")]
