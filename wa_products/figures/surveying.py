"""All campaigns side by side, over the time at which each began."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
from plotly.subplots import make_subplots

from wa_products import frames
from wa_products.figures.looks import BLUE, GREEN, GREY, INK, MOST_TIMES, VERMILION, finish, nothing, plain
from wa_products.metrics.overviews import ADDED, TOTALS

if TYPE_CHECKING:
    import plotly.graph_objects as go

TITLE = "Campaigns side by side"
_LINES = {"delivered": BLUE, "read": GREEN, "failed": VERMILION}
MOST_MARKED = 60  # campaigns: of more, points and caps would run into each other


def overview(table: pd.DataFrame) -> go.Figure:
    """
    Return how far the messages of each campaign came, and what each added.

    `table` is what `wa_products.campaigns.overview` returns. The difference between the arms has its 96 % interval once
    the days of a campaign are over; until then, or where nobody was held out, it has none.
    """
    found = frames.require(table, [*TOTALS, *ADDED], "the overview")
    if found.empty:
        return nothing(TITLE, "No campaign was sent yet.")
    figure = make_subplots(
        rows=2,
        cols=1,
        shared_xaxes=True,
        vertical_spacing=0.14,
        subplot_titles=["% of the accepted messages", "customers with a cart in 100, treated less held out"],
    )
    for name, colour in _LINES.items():
        _rate(figure, found, name, colour)
    _added(figure, found)
    first, last = found["started_at"].min(), found["started_at"].max()
    pad = max((last - first) * 0.04, pd.Timedelta("6h"))
    figure.update_xaxes(type="date", range=[first - pad, last + pad], nticks=MOST_TIMES)
    figure.update_yaxes(rangemode="tozero", ticksuffix=" %", row=1, col=1)
    figure.update_annotations(x=0, xanchor="left", font={"size": 13})
    if found["difference"].notna().any():
        figure.add_hline(y=0, line={"color": INK, "width": 1, "dash": "dot"}, row=2, col=1)
    else:
        words = {"text": "nobody was held out", "showarrow": False}
        figure.add_annotation(x=0.5, xref="x2 domain", y=0.5, yref="y2 domain", **words)
        figure.update_yaxes(showticklabels=False, row=2, col=1)
        figure.add_scatter(x=[], y=[], showlegend=False, row=2, col=1)  # an axis without a trace is not drawn
    figure.update_layout(legend={"y": -0.1})
    return finish(figure, TITLE, height=470, top=70)


def _rate(figure: go.Figure, found: pd.DataFrame, name: str, colour: str) -> None:
    share = 100 * found[name] / found["accepted"].where(found["accepted"] > 0)
    figure.add_scatter(
        x=found["started_at"].tolist(),
        y=share.tolist(),
        name=name,
        mode="lines+markers" if len(found) <= MOST_MARKED else "lines",
        line={"color": colour, "width": 2},
        text=_names(found),
        customdata=found[[name, "accepted"]].to_numpy(),
        hovertemplate="%{text}: %{customdata[0]:,} of %{customdata[1]:,} accepted, %{y:.1f} %<extra></extra>",
        row=1,
        col=1,
    )


def _added(figure: go.Figure, found: pd.DataFrame) -> None:
    """Draw the differences: those of campaigns whose days are over with their intervals, the others hollow."""
    known = found[found["difference"].notna()]
    done, still = known[known["is_complete"]], known[~known["is_complete"]]
    ends = (100 * (done["high"] - done["difference"])).tolist(), (100 * (done["difference"] - done["low"])).tolist()
    few = len(found) <= MOST_MARKED
    shape = {"color": INK, "thickness": 1.4 if few else 0.7, "width": 4 if few else 0}
    interval = {"type": "data", "symmetric": False, "array": ends[0], "arrayminus": ends[1], **shape}
    size = 8 if few else 4
    filled = {"color": [GREEN if low > 0 else INK for low in done["low"]], "size": size}
    hollow = {"color": GREY, "size": size, "symbol": "circle-open"}
    for part, looks in (
        (done, {"marker": filled, "error_y": interval, "showlegend": False}),
        (still, {"marker": hollow, "name": "days not over yet"}),
    ):
        if len(part):
            figure.add_scatter(
                x=part["started_at"].tolist(),
                y=(100 * part["difference"]).tolist(),
                mode="markers",
                text=_names(part),
                customdata=part[["treated_with_cart", "treated", "holdout_with_cart", "holdout"]].to_numpy(),
                hovertemplate="%{text}: %{customdata[0]:,} of %{customdata[1]:,} treated, %{customdata[2]:,} of "
                "%{customdata[3]:,} held out: %{y:+.1f}<extra></extra>",
                row=2,
                col=1,
                **looks,
            )


def _names(found: pd.DataFrame) -> list[str]:
    return [plain(name) for name in found["campaign"]]
