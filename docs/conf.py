"""The documentation site: `make docs` builds it without a network, every warning an error."""

from __future__ import annotations

import re
from importlib.metadata import version as installed
from typing import TYPE_CHECKING

from pygments.lexers.special import TextLexer

if TYPE_CHECKING:
    from sphinx.application import Sphinx

project = "wa_products"
project_copyright = "the authors of wa_products"
version = release = installed("wa-products")

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx_copybutton"]
exclude_patterns = ["_site"]
myst_heading_anchors = 4
smartquotes = False  # they would make a dash of the two in an option
default_role = "py:obj"  # docstrings put names into single backticks: a link where the name is known
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
python_maximum_signature_line_length = 100
python_display_short_literal_types = True

html_theme = "furo"
pygments_dark_style = "github-dark"
html_title = "wa_products"
html_static_path = ["_static"]
html_css_files, html_js_files = ["site.css"], ["site.js"]
html_copy_source = False
html_show_sourcelink = False
html_show_sphinx = False
html_theme_options = {"navigation_with_keys": True}

CHAPTERS = {
    "Start": ["live", "notebooks", "questions"],
    "How to": [
        "exports",
        "propose",
        "review",
        "send",
        "receive",
        "measure",
        "desk",
        "recommender",
        "backtest",
        "sandbox",
        "scheduling",
        "scaling",
    ],
    "Explained": ["statistics", "privacy", "troubleshooting", "divergences", "glossary"],
    "Reference": [
        "reference/python",
        "reference/commands",
        "reference/settings",
        "reference/tables",
        "reference/formats",
        "reference/errors",
    ],
}


def add_chapters(_app: Sphinx, docname: str, content: list[str]) -> None:
    """Add the table of contents to the first page: here, so that the page is plain Markdown elsewhere, too."""
    if docname == "index":
        content[0] += "".join(
            f"\n```{{toctree}}\n:hidden:\n:caption: {caption}\n\n" + "\n".join(pages) + "\n```\n"
            for caption, pages in CHAPTERS.items()
        )


CODES = re.compile(r"^\| code \|.*\n(?:\|.*\n)+", re.MULTILINE)


def index_codes(_app: Sphinx, docname: str, content: list[str]) -> None:
    """Let the search find error codes: of numbers it looks through the index alone."""
    if docname == "reference/errors":
        content[0] = CODES.sub(_indexed, content[0])


def _indexed(table: re.Match[str]) -> str:
    found = re.findall(r"^\| (\d+)", table[0], re.MULTILINE)
    return "".join(f"```{{index}} single: {code}\n```\n" for code in dict.fromkeys(found)) + "\n" + table[0]


def setup(app: Sphinx) -> None:
    """Join in where pages are read."""
    app.add_lexer("cron", TextLexer)
    app.connect("source-read", add_chapters)
    app.connect("source-read", index_codes)
