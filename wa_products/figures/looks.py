"""
How every chart looks: colours, template, labels.

Colours are those of Okabe and Ito, told apart by the colour-blind; paper is transparent and ink a middle grey, so that
a chart reads on light and dark pages. Text from a catalog stays text: plotly would read tags in it.
"""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

BLUE, ORANGE, GREEN, VERMILION = "#0072B2", "#E69F00", "#009E73", "#D55E00"
PURPLE, SKY, GREY, OLIVE = "#CC79A7", "#56B4E9", "#8A9099", "#A99700"
PALETTE = (BLUE, ORANGE, GREEN, VERMILION, PURPLE, SKY, OLIVE, GREY)
INK, GRID = "#757B84", "rgba(128,134,145,0.25)"
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
AXIS_TITLE = {"title": {"font": {"size": 12}}}
TEMPLATE = go.layout.Template(
    layout={
        "font": {"family": FONT, "size": 13, "color": INK},
        "title": {"font": {"size": 16}, "x": 0, "xanchor": "left", "xref": "container", "y": 1, "yanchor": "top"},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "xaxis": {"gridcolor": GRID, "zerolinecolor": GRID, "linecolor": GRID, "automargin": True, **AXIS_TITLE},
        "yaxis": {"gridcolor": GRID, "zerolinecolor": GRID, "linecolor": GRID, "automargin": True, **AXIS_TITLE},
        "legend": {"orientation": "h", "x": 0, "xanchor": "left", "y": -0.16, "yanchor": "top", "title": {"text": ""}},
        "hoverlabel": {"font": {"family": FONT}},
        "bargap": 0.38,
    }
)
TITLE_WIDTH = 34
MOST_TIMES = 6  # on an axis of time: more of plotly's dates run into each other on a phone
SOFT = 0.6  # so that an interval in middle grey shows on its bar, on any page


def room(ends: pd.DataFrame | pd.Series) -> list[float]:
    """Return the range of an axis in % that holds 0 and all `ends` with room for their caps."""
    values = np.append(100 * np.asarray(ends, dtype="float64").ravel(), 0)
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    pad = 0.06 * (high - low)
    return [low - pad, high + pad] if high > low else [-1, 10]


def name_rows(figure: go.Figure, labels: Iterable[str], **where: int) -> None:
    """Write `labels` beside the bars 0, 1, 2 ... from the top: by place, since two products may share a title."""
    names = list(labels)
    figure.update_yaxes(
        tickmode="array",
        tickvals=list(range(len(names))),
        ticktext=names,
        range=[len(names) - 0.4, -0.6] if names else [0.6, -0.6],
        ticklabelstandoff=6,
        showgrid=False,
        zeroline=False,
        **where,
    )


def whole(most: float) -> dict[str, int]:
    """Return the tick step that keeps the axis of a small count to whole numbers."""
    return {"dtick": 1} if most <= 5 else {}  # noqa: PLR2004  # plotly's own steps are whole above that


def plain(text: str, width: int = TITLE_WIDTH) -> str:
    """Return `text` so that plotly shows it as it is, cut to `width` characters where it is not 0."""
    clean = " ".join("".join(mark if mark.isprintable() else " " for mark in str(text)).split())
    cut = clean if not width or len(clean) <= width else clean[: width - 1].rstrip() + "…"
    return html.escape(cut, quote=False).replace("$", "&#36;")


def nothing(title: str, words: str) -> go.Figure:
    """Return a chart that says in words why there is nothing to draw."""
    figure = go.Figure()
    figure.add_annotation(text=words, x=0.5, y=0.5, xref="paper", yref="paper", showarrow=False, font={"size": 15})
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False)
    return finish(figure, title, height=180)


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


def beside_line(text: str, colour: str) -> dict[str, object]:
    """Return how a vertical line says what it stands for, at its top."""
    return {
        "annotation_text": text,
        "annotation_position": "top left",
        "annotation_font": {"size": 11, "color": colour},
    }


def faint(colour: str, share: float = 0.16) -> str:
    """Return `colour` (as #rrggbb) so thin that lines and a page show through."""
    red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return f"rgba({red},{green},{blue},{share})"


def band(
    figure: go.Figure, table: pd.DataFrame, ends: tuple[str, str], colour: str, *, x: str, shape: str, **where: int
) -> None:
    """Draw the interval between the two columns `ends` of `table` as a band behind a line over its column `x`."""
    places = [*table[x], *table[x].iloc[::-1]]
    low, high = (table[name].tolist() for name in ends)
    if shape == "hv":  # a step holds until the next one begins
        places, low, high = (np.repeat(part, 2).tolist() for part in (table[x].tolist(), low, high))
        places, low, high = places[1:], low[:-1], high[:-1]
        places = [*places, *places[::-1]]
    figure.add_scatter(
        x=places,
        y=[*low, *high[::-1]],
        fill="toself",
        fillcolor=faint(colour),
        line={"width": 0},
        mode="lines",
        hoverinfo="skip",
        showlegend=False,
        **where,
    )
