"""Writes docs/settings.md and docs/cli.md from the code: `python docs/reference.py`. A test keeps them current."""

from __future__ import annotations

import json
import re
import types
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

import click
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from typer.cli import get_docs_for_click
from typer.main import get_command

from coordinator.cli import app
from coordinator.settings import Settings

DOCS = Path(__file__).resolve().parent
SHIPPED = json.loads((DOCS.parent / "config.json").read_text(encoding="utf-8"))["coordinator"]
HEAD = "| Key | Default | Shipped | Values | What it is |\n|---|---|---|---|---|\n"
INTRODUCTION = (
    'Every key of the "coordinator" section of config.json, made from the code by `python docs/reference.py`. Default '
    'is what an absent key means, "Shipped" what config.json of this repository sets instead. `coordinator settings '
    "check` checks a config, `coordinator settings schema` prints the JSON schema. Unknown keys are errors."
)
BOUNDS = (("ge", "≥"), ("gt", ">"), ("le", "≤"), ("lt", "<"))


def settings_page() -> str:
    """Every key of the "coordinator" section, section by section."""
    parts = ["# Settings", INTRODUCTION]
    for name, field in Settings.model_fields.items():
        section = field.annotation
        if isinstance(section, type) and issubclass(section, BaseModel):
            parts += [
                f"## {name}",
                _sentence(section),
                HEAD + "".join(_rows(section, "", SHIPPED.get(name, {}))),
            ]
        else:
            parts += [f"## {name}", _cell(field.description or "")]
    return re.sub(r"\n{3,}", "\n\n", "\n\n".join(parts)).rstrip() + "\n"


def _sentence(section: type[BaseModel]) -> str:
    return " ".join((section.__doc__ or "").split("\n\n")[0].split())


def _rows(section: type[BaseModel], prefix: str, shipped: dict[str, Any]) -> list[str]:
    rows = []
    for name, field in section.model_fields.items():
        own = shipped.get(name) if isinstance(shipped, dict) else None
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            rows += _rows(field.annotation, f"{prefix}{name}.", own or {})
            continue
        default = _json(field.get_default(call_default_factory=True))
        changed = "" if own is None or _json(own) == default else f"`{_json(own)}`"
        words = _cell(field.description or "")
        rows.append(
            f"| `{prefix}{name}` | `{_cell(default)}` | {changed} | {_cell(_values(field))} | {words} |\n"
        )
    return rows


def _json(value: Any) -> str:
    return json.dumps(value, default=lambda one: list(one) if isinstance(one, tuple) else dict(one))


def _values(field: FieldInfo) -> str:
    """Type and range of a key."""
    metadata = [*field.metadata]
    for part in get_args(field.annotation):  # of an optional number the bounds are its part's
        metadata += getattr(part, "__metadata__", ())
        for inner in getattr(part, "__metadata__", ()):
            metadata += getattr(inner, "metadata", ())
    bounds = [
        f"{sign} {getattr(one, name):g}" for one in metadata for name, sign in BOUNDS if hasattr(one, name)
    ]
    return ", ".join([_type(field.annotation), *dict.fromkeys(bounds)])


def _type(annotation: Any) -> str:
    if annotation is type(None):
        return "null"
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return " / ".join(_json(value) for value in arguments)
    if origin in (Union, types.UnionType):
        return " or ".join(_type(part) for part in arguments)
    if origin is tuple:
        return f"list of {_type(arguments[0])}"
    if origin is not None and arguments and hasattr(annotation, "__metadata__"):
        return _type(arguments[0])
    if origin is not None:
        return "object"
    return {"float": "number", "int": "whole number", "bool": "true / false", "str": "text"}.get(
        getattr(annotation, "__name__", ""), "object"
    )


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def cli_page() -> str:
    """Every command with its options, as Typer documents them."""
    command = get_command(app)
    text = get_docs_for_click(obj=command, ctx=click.Context(command), name="coordinator")
    text = re.sub(
        r"^# `coordinator`", "# Commands\n\nMade from the code by `python docs/reference.py`.", text
    )
    return re.sub(r"\n{3,}", "\n\n", text).rstrip() + "\n"


PAGES = {"settings.md": settings_page, "cli.md": cli_page}


def main() -> None:
    """Write the pages."""
    for name, make in PAGES.items():
        (DOCS / name).write_text(make(), encoding="utf-8")


if __name__ == "__main__":
    main()
