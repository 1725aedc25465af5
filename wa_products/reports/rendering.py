"""Pages from the templates of this package, with everything in them."""

from __future__ import annotations

from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup


def rendered(template: str, **values: object) -> str:
    """Return the page of a template beside the package, with the style sheet of all pages; what it is given is text."""
    environment = Environment(
        loader=PackageLoader("wa_products", ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style = files("wa_products").joinpath("report.css").read_text(encoding="utf-8")
    return environment.get_template(template).render(style=Markup(style), **values)  # noqa: S704  # our own style sheet
