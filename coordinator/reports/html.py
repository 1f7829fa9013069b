"""Pages as one HTML file that works offline: templates, plotly.js inlined, JSON in a script element."""

from __future__ import annotations

import json
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from plotly.offline import get_plotlyjs

__all__ = ["page_template", "plotly_script", "script_json"]


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


def plotly_script() -> Markup:
    """plotly.js for a script element. Trusted, but it must not end the element it stands in."""
    return Markup(get_plotlyjs().replace("</script", "<\\/script"))


def script_json(value: object) -> Markup:
    """JSON for a script element: no text in it can end the element or open a comment."""
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)
