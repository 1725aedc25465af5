"""When carts come, and what a second and third message do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from wa_products.figures.looks import (
    GREEN,
    INK,
    ORANGE,
    PALETTE,
    VERMILION,
    band,
    beside_line,
    finish,
    nothing,
    plain,
    room,
)

if TYPE_CHECKING:
    from wa_products.metrics import Results

_WHAT = {"cart": ("a cart follows", GREEN), "opted out": ("opted out", ORANGE), "failed": ("failed", VERMILION)}
_HOUR = pd.Timedelta(hours=1)
_KINDS = ("reorder", "recommendation", "request")


def time_to_cart(results: Results) -> go.Figure:
    """
    Return the share of messages with a cart within so many hours of delivery, by kind, with 95 % bands.

    Kaplan and Meier: a message counts for as long as it was watched. The dashed line is the end of a prompt answer.
    """
    table = results.time_to_cart
    if table.empty:
        return nothing("Time to cart", "No message can have been seen yet.")
    figure = go.Figure()
    known = [kind for kind in _KINDS if kind in set(table["kind"])]
    kinds = [*known, *sorted(set(table["kind"]) - set(known))]
    for kind, colour in zip(kinds, (PALETTE * len(kinds))[: len(kinds)], strict=True):
        mine = table[table["kind"] == kind]
        mine = mine.assign(**{name: 100 * mine[name] for name in ("share", "low", "high")})
        band(figure, mine, ("low", "high"), colour, x="hours", shape="hv")
        figure.add_scatter(
            x=mine["hours"].tolist(),
            y=mine["share"].tolist(),
            mode="lines",
            name=plain(kind) or "no kind",
            line={"color": colour, "width": 2.4, "shape": "hv"},
            customdata=mine[["carts", "waiting"]].to_numpy(),
            hovertemplate="%{x:.1f} h: %{y:.1f} % (%{customdata[0]:,} carts, %{customdata[1]:,} still watched)"
            "<extra></extra>",
        )
    line = {"color": INK, "width": 1, "dash": "dash"}
    figure.add_vline(x=results.prompt / _HOUR, line=line, **beside_line("prompt", INK))
    longest = max(float(table["hours"].max()), 1.0)
    figure.update_xaxes(title={"text": "hours since delivery"}, range=[0, longest], **_days(longest))
    figure.update_yaxes(title={"text": "% with a cart"}, rangemode="tozero", ticksuffix=" %")
    figure.update_layout(showlegend=True, legend={"y": 1.04, "yanchor": "bottom"})
    return finish(figure, "Time to cart", height=400, top=84)


def fatigue(results: Results) -> go.Figure:
    """Return carts, opt-outs and failures by the customer's nth message within 30 days, with 95 % Wilson intervals."""
    table = results.fatigue
    if table.empty:
        return nothing("Fatigue", "No message was accepted yet.")
    figure = make_subplots(
        rows=1, cols=3, horizontal_spacing=0.09, subplot_titles=[f"% {words}" for words, _ in _WHAT.values()]
    )
    for column, (what, (words, colour)) in enumerate(_WHAT.items(), start=1):
        mine = table[table["what"] == what]
        percent = 100 * mine[["rate", "low", "high"]]
        figure.add_scatter(
            x=mine["nth"].tolist(),
            y=percent["rate"].tolist(),
            mode="lines+markers",
            name=words,
            line={"color": colour, "width": 1.6, "dash": "dot"},
            marker={"size": 11, "color": colour},
            cliponaxis=False,
            error_y={
                "type": "data",
                "symmetric": False,
                "array": (percent["high"] - percent["rate"]).tolist(),
                "arrayminus": (percent["rate"] - percent["low"]).tolist(),
                "color": colour,
                "thickness": 2,
                "width": 6,
            },
            customdata=mine[["customers", "total"]].to_numpy(),
            hovertemplate="%{customdata[0]:,} of %{customdata[1]:,}: %{y:.1f} %<extra></extra>",
            row=1,
            col=column,
        )
    most = max(int(table["nth"].max()), 2)
    names = ["1st", "2nd", "3rd", "later"][:most]
    figure.update_xaxes(tickmode="array", tickvals=list(range(1, most + 1)), ticktext=names, range=[0.5, most + 0.5])
    for column, what in enumerate(_WHAT, start=1):
        ends = room(table.loc[table["what"] == what, ["rate", "high"]])
        figure.update_yaxes(range=ends, ticksuffix=" %", row=1, col=column)
    figure.update_annotations(font={"size": 13})
    figure.update_layout(showlegend=False)
    return finish(figure, "The nth message within 30 days", height=320, top=80)


def _days(hours: float) -> dict[str, float]:
    """Return a tick step in whole days where an axis spans some."""
    return {"dtick": 24.0} if 72 <= hours <= 24 * 14 else {}  # noqa: PLR2004  # from three days to two weeks


def reliability(results: Results) -> go.Figure:
    """
    Return what was said of customers against what they did: on the dotted line, probabilities mean what they say.

    Each mark is a group of customers of like probability, the larger the more of them, with its 95 % interval.
    """
    table = results.reliability
    if table.empty:
        return nothing("What was said, and what happened", "No probability was told.")
    figure, percent = go.Figure(), 100 * table[["said", "happened", "low", "high"]]
    span = room(table[["said", "high"]])
    figure.add_scatter(
        x=[0, span[1]], y=[0, span[1]], mode="lines", line={"color": INK, "width": 1, "dash": "dot"}, showlegend=False,
        hoverinfo="skip",
    )  # fmt: skip
    sources = sorted(set(table["source"]))
    for source, colour in zip(sources, (PALETTE * len(sources))[: len(sources)], strict=True):
        own, size = percent[table["source"] == source], table.loc[table["source"] == source, "customers"]
        figure.add_scatter(
            x=own["said"].tolist(),
            y=own["happened"].tolist(),
            name=plain(source) or "no source",
            mode="lines+markers",
            cliponaxis=False,
            line={"color": colour, "width": 1.4},
            marker={
                "color": colour,
                "size": (6 + 8 * (size / table["customers"].max()) ** 0.5).tolist(),
                "line": {"width": 0},
            },
            error_y={
                "type": "data",
                "symmetric": False,
                "array": (own["high"] - own["happened"]).tolist(),
                "arrayminus": (own["happened"] - own["low"]).tolist(),
                "color": colour,
                "thickness": 1.6,
                "width": 4,
            },
            customdata=size.tolist(),
            hovertemplate="said %{x:.1f} %, happened %{y:.1f} % of %{customdata:,}<extra></extra>",
        )
    figure.update_xaxes(title={"text": "said"}, ticksuffix=" %", range=span)
    figure.update_yaxes(title={"text": "sent a cart with the product"}, ticksuffix=" %", range=span)
    figure.update_layout(showlegend=True, legend={"y": 1.04, "yanchor": "bottom"})
    return finish(figure, "What was said, and what happened", height=440, top=84)
