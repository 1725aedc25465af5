"""
The report of a campaign: one file with everything in it, which opens without a network.

It holds counts, rates and product titles; no phone number and no customer id.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from markupsafe import Markup
from plotly.offline import get_plotlyjs

from wa_products import figures
from wa_products.reports import tables, texts, words
from wa_products.reports.briefs import brief
from wa_products.reports.contacts import save_contacts
from wa_products.reports.rendering import rendered
from wa_products.reports.writing import replaced

if TYPE_CHECKING:
    import os

    import plotly.graph_objects as go

    from wa_products.metrics import Results

__all__ = ["brief", "page", "report", "save_contacts"]

_ROOM = {
    **dict.fromkeys(("carts", "monitor", "sensitivity", "failure_rate", "fatigue"), 34),
    **dict.fromkeys(("failures", "products", "time_to_cart", "reliability"), 40),
}  # above what is drawn, for headings and legends
_CONFIG = {"displayModeBar": False, "responsive": True}


def report(results: Results, path: str | os.PathLike[str]) -> Path:
    """
    Write the report of `results` to `path`, whole or not at all, and return the path.

    One HTML file of about 5 MB with its charts, style and script inside: it asks no network for anything.
    Raises DataError where `path` is a folder.
    """
    html = page(results)
    return replaced(Path(path), lambda draft: draft.write_text(html, encoding="utf-8"))


def page(results: Results) -> str:
    """Return the report of `results` as the text of one HTML page."""
    return rendered(
        "report.html",
        results=results,
        plotly=Markup(get_plotlyjs()),  # noqa: S704  # the library's own script
        tiles=words.tiles(results),
        charts={name: _chart(name, getattr(figures, name)(results)) for name in _CHARTS},
        tables={name: getattr(tables, name)(results) for name in _TABLES},
        failures=words.failures(results),
        notes=words.notes(results),
        prompt=texts.length(results.prompt),
        horizon=texts.length(results.horizon),
        moment=texts.moment,
    )


_CHARTS = (
    *("waterfall", "funnel", "carts", "lift", "monitor", "sensitivity", "products", "time_to_cart", "fatigue"),
    *("reliability", "failures", "failure_rate", "failure_hours"),
)
_TABLES = (
    *("waterfall", "funnel", "carts", "lift", "monitor", "sensitivity", "products", "time_to_cart", "fatigue"),
    *("reliability", "failure_rate", "suppressed", "spending"),
)


def _chart(name: str, figure: go.Figure) -> Markup:
    """Return the chart as HTML; its title stands in the page, where it can wrap on a phone."""
    room = _ROOM.get(name, 10)
    bare = figure.update_layout(title=None, height=figure.layout.height - figure.layout.margin.t + room)
    bare.update_layout(margin={"t": room})
    drawn = bare.to_html(
        full_html=False, include_plotlyjs=False, include_mathjax=False, config=_CONFIG, div_id=f"chart-{name}"
    )
    return Markup(drawn)  # noqa: S704  # plotly escapes what stands in its JSON, figures what plotly would read as tags
