"""Pages as one HTML file that works offline: templates, plotly.js inlined, JSON in a script element."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from coordinator.errors import CoordinatorError

__all__ = ["page_template", "plotly_script", "script_json", "write_page"]


def page_template(name: str) -> Any:
    """A page's template, by the name of its file in this folder."""
    environment = Environment(
        loader=PackageLoader("coordinator", "reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(name)


def write_page(text: str, path: Path) -> Path:
    """Write a page; an existing file is replaced.

    Raises
    ------
    CoordinatorError
        If the file cannot be written.
    """
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise CoordinatorError("output", str(path), "be writable", str(error)) from error
    return path


def plotly_script() -> Markup:
    """plotly.js for a script element. Trusted, but it must not end the element it stands in."""
    return Markup(get_plotlyjs().replace("</script", "<\\/script"))


def script_json(value: object) -> Markup:
    """JSON for a script element: no text in it can end the element or open a comment."""
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)
