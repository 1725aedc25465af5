"""An executed notebook as one HTML file that asks for nothing outside."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import nbformat
from jinja2 import DictLoader
from nbconvert import HTMLExporter

if TYPE_CHECKING:
    from nbformat import NotebookNode

RENDERER = "plotly_mimetype+notebook"  # what plotly must be set to: nbconvert draws no chart from plotly's JSON
_WIDGET = "application/vnd.jupyter.widget-view+json"
_LINKED = re.compile(r"<script[^>]*\ssrc=.https?://[^>]*>\s*</script>", re.IGNORECASE)
_PAGE = """\
{%- extends 'lab/index.html.j2' -%}
{%- block html_head_js -%}{%- endblock -%}
{%- block jupyter_widgets -%}{%- endblock -%}
{%- block html_head_js_mathjax -%}{%- endblock -%}
{%- block html_head_js_mermaidjs -%}{%- endblock -%}
"""


def page(notebook: NotebookNode, title: str) -> str:
    """
    Return the page of a notebook: text, code and outputs; widgets in their plain form, since no kernel answers there.

    Nothing but what is in the notebook is asked for: none of nbconvert's scripts from elsewhere is linked.
    """
    exporter = HTMLExporter(
        extra_loaders=[DictLoader({"offline.html.j2": _PAGE})], template_file="offline.html.j2", embed_images=True
    )
    body, _ = exporter.from_notebook_node(_plain(notebook), resources={"metadata": {"name": title}})
    return str(body)


def _plain(notebook: NotebookNode) -> NotebookNode:
    plain = nbformat.from_dict({**notebook, "metadata": {k: v for k, v in notebook.metadata.items() if k != "widgets"}})
    for output in (output for cell in plain.cells for output in cell.get("outputs", [])):
        data = output.get("data", {})
        if len(data) > 1:
            data.pop(_WIDGET, None)
        if "text/html" in data:  # plotly links MathJax
            data["text/html"] = _LINKED.sub("", data["text/html"])
    return plain
