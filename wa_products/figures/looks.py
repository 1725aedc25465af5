"""
How charts look: colours of Okabe and Ito, told apart by the colour-blind; paper transparent and ink a middle grey.

So a chart reads on light and dark pages. Text from a shop stays text: plotly would read tags in it.
"""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

import plotly.graph_objects as go

if TYPE_CHECKING:
    from collections.abc import Iterable

BLUE, ORANGE, GREEN, VERMILION = "#0072B2", "#E69F00", "#009E73", "#D55E00"
PURPLE, SKY, GREY = "#CC79A7", "#56B4E9", "#8A9099"
INK, GRID = "#757B84", "rgba(128,134,145,0.25)"
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
TITLE_WIDTH = 34
_AXIS = {
    "gridcolor": GRID,
    "zerolinecolor": GRID,
    "linecolor": GRID,
    "automargin": True,
    "title": {"font": {"size": 12}},
}
TEMPLATE = go.layout.Template(
    layout={
        "font": {"family": FONT, "size": 13, "color": INK},
        "title": {"font": {"size": 16}, "x": 0, "xanchor": "left", "xref": "container", "y": 1, "yanchor": "top"},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "xaxis": _AXIS,
        "yaxis": _AXIS,
        "legend": {"orientation": "h", "x": 0, "xanchor": "left", "y": -0.16, "yanchor": "top", "title": {"text": ""}},
        "hoverlabel": {"font": {"family": FONT}},
        "bargap": 0.38,
    }
)


def finish(
    figure: go.Figure, title: str, words: str = "", *, height: int, top: int = 60, bottom: int = 48
) -> go.Figure:
    """Return `figure` with its title, `words` below it, and the house's looks."""
    told = {"subtitle": {"text": plain(words, width=0), "font": {"size": 13, "color": INK}}} if words else {}
    return figure.update_layout(
        template=TEMPLATE,
        title={"text": title, "pad": {"t": 10}, **told},
        height=height,
        margin={"l": 8, "r": 16, "t": top, "b": bottom},
    )


def nothing(title: str, words: str) -> go.Figure:
    """Return a chart that says in words why there is nothing to draw."""
    figure = go.Figure()
    figure.add_annotation(text=words, x=0.5, y=0.5, xref="paper", yref="paper", showarrow=False, font={"size": 15})
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False)
    return finish(figure, title, height=180)


def name_rows(figure: go.Figure, labels: Iterable[str], **where: int) -> None:
    """Write `labels` beside the rows 0, 1, 2 ... from the top."""
    names = list(labels)
    figure.update_yaxes(
        tickmode="array",
        tickvals=list(range(len(names))),
        ticktext=names,
        range=[len(names) - 0.4, -0.6],
        ticklabelstandoff=6,
        showgrid=False,
        zeroline=False,
        **where,
    )


def plain(text: str, width: int = TITLE_WIDTH) -> str:
    """Return `text` so that plotly shows it as it is, cut to `width` characters where it is not 0."""
    clean = " ".join("".join(mark if mark.isprintable() else " " for mark in str(text)).split())
    cut = clean if not width or len(clean) <= width else clean[: width - 1].rstrip() + "…"
    return html.escape(cut, quote=False).replace("$", "&#36;")
