"""Pages from the templates of this package, with everything in them."""

from __future__ import annotations

from importlib.resources import files

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup


def rendered(template: str, **values: object) -> str:
    """Return the page of a template beside the package, with the style sheet of all pages; what it is given is text."""
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    style = Markup(_beside("report.css"))  # noqa: S704  # our own style sheet
    return environment.from_string(_beside(template)).render(style=style, **values)


def _beside(name: str) -> str:
    return files("wa_products").joinpath(name).read_text(encoding="utf-8")
