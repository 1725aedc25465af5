"""What failed: how often, when, and for what reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from wa_products.figures.looks import (
    BLUE,
    GREY,
    INK,
    MOST_TIMES,
    ORANGE,
    PALETTE,
    SOFT,
    VERMILION,
    finish,
    name_rows,
    nothing,
    plain,
    whole,
)
from wa_products.metrics.failures import FAILED, REFUSED, SILENT

if TYPE_CHECKING:
    from wa_products.metrics import Results

STAGE_COLOURS = {REFUSED: VERMILION, FAILED: ORANGE, SILENT: GREY}
MOST_FAILURES = 12


def failures(results: Results) -> go.Figure:
    """Return the share of messages that failed, by code, most frequent first, with 95 % Wilson intervals."""
    table = results.failures.head(MOST_FAILURES)
    if table.empty:
        return nothing("Messages that failed", "No message failed.")
    figure = go.Figure()
    for stage, colour in STAGE_COLOURS.items():
        part = table[table["stage"] == stage]
        if len(part):
            figure.add_bar(
                orientation="h",
                name=stage,
                y=part.index.tolist(),
                x=(100 * part["rate"]).tolist(),
                marker={"color": colour, "opacity": SOFT},
                error_x={
                    "type": "data",
                    "symmetric": False,
                    "array": (100 * (part["high"] - part["rate"])).tolist(),
                    "arrayminus": (100 * (part["rate"] - part["low"])).tolist(),
                    "color": INK,
                    "thickness": 1.4,
                    "width": 4,
                },
                customdata=part[["customers", "total", "of"]].to_numpy(),
                hovertemplate="%{customdata[0]} of %{customdata[1]} %{customdata[2]}: %{x:.1f} %<extra></extra>",
            )
    labels = [
        f"<b>{plain(name)}</b>{f' · {code}' if code else ''}<br>{customers:,} of {total:,} {of}"
        for name, code, customers, total, of in table[["class", "code", "customers", "total", "of"]].itertuples(
            index=False
        )
    ]
    name_rows(figure, labels)
    figure.update_xaxes(title={"text": "% of messages"}, rangemode="tozero", ticksuffix=" %")
    figure.update_layout(legend={"y": 1.0, "yanchor": "bottom"}, showlegend=True)
    return finish(figure, "Messages that failed", height=130 + 50 * len(table), top=80)


def failure_rate(results: Results) -> go.Figure:
    """
    Return the failures over time by class, and their rate within the limits that chance alone keeps.

    Points outside the limits (0.135 % on either side) are marked: there something other than chance was at work.
    """
    table = results.failure_rate
    if table.empty:
        return nothing("Failures over time", "Nothing was submitted yet.")
    figure = make_subplots(
        rows=2,
        cols=1,
        shared_xaxes=True,
        vertical_spacing=0.14,
        subplot_titles=["failed, by class and time of sending (UTC)", "% of the submitted, and its limits"],
    )
    classes = [name for name in results.failures["class"].drop_duplicates() if name in table]
    for name, colour in zip(classes, _colours(classes), strict=True):
        figure.add_bar(
            x=table["at"].tolist(), y=table[name].tolist(), name=name, marker={"color": colour}, row=1, col=1
        )
    at, percent = table["at"].tolist(), 100 * table[["lower", "upper", "expected", "rate"]]
    for end in ("lower", "upper"):
        line = {"color": INK, "width": 1.2, "dash": "dot", "shape": "hvh"}
        figure.add_scatter(
            x=at, y=percent[end].tolist(), mode="lines", line=line, name=f"{end} limit", showlegend=False, row=2, col=1
        )
    figure.add_scatter(
        x=at, y=percent["expected"].tolist(), mode="lines", line={"color": INK, "width": 1}, showlegend=False,
        name="whole campaign", row=2, col=1,
    )  # fmt: skip
    figure.add_scatter(
        x=at,
        y=percent["rate"].tolist(),
        mode="lines+markers",
        line={"color": BLUE, "width": 2},
        marker={
            "color": [VERMILION if outside else BLUE for outside in table["is_outside"]],
            "symbol": ["x" if outside else "circle" for outside in table["is_outside"]],
            "size": [11 if outside else 7 for outside in table["is_outside"]],
        },
        customdata=table[["customers", "total"]].to_numpy(),
        hovertemplate="%{customdata[0]:,} of %{customdata[1]:,}: %{y:.1f} %<extra></extra>",
        showlegend=False,
        row=2,
        col=1,
    )
    step = table["at"].diff().min() if len(table) > 1 else pd.Timedelta("1h")
    figure.update_xaxes(range=[table["at"].min() - 0.8 * step, table["at"].max() + 0.8 * step], nticks=MOST_TIMES)
    figure.update_yaxes(rangemode="tozero", tickformat=",d", row=1, col=1, **whole(table["customers"].max()))
    figure.update_yaxes(rangemode="tozero", ticksuffix=" %", row=2, col=1)
    figure.update_annotations(x=0, xanchor="left", font={"size": 13})
    if not classes:
        figure.update_yaxes(range=[0, 1], row=1, col=1)
        figure.add_scatter(x=at[:1], y=[0], mode="markers", marker={"opacity": 0}, hoverinfo="skip", row=1, col=1)
        figure.add_annotation(x=0.5, xref="x domain", y=0.5, yref="y domain", text="none failed", showarrow=False)
    figure.update_layout(barmode="stack", legend={"traceorder": "normal", "y": -0.1}, showlegend=bool(classes))
    return finish(figure, "Failures over time", height=450, top=70)


def failure_hours(results: Results) -> go.Figure:
    """Return the failures by class and hour of sending (UTC), as a share of what was submitted in that hour."""
    table = results.failure_hours
    if table.empty:
        return nothing("Failures by hour", "No message failed.")
    order = table.groupby("class")["customers"].sum().sort_values(ascending=False).index.tolist()
    grid = table.pivot_table(index="class", columns="hour", values=["rate", "customers", "total"]).reindex(order)
    hours = range(24)
    rate, customers, total = (grid[name].reindex(columns=hours) for name in ("rate", "customers", "total"))
    figure = go.Figure(
        go.Heatmap(
            x=list(hours),
            y=list(range(len(order))),
            z=(100 * rate).to_numpy().tolist(),
            customdata=np.dstack([customers.fillna(0), total.fillna(0)]).tolist(),
            colorscale=[[0, "rgba(0,114,178,0.15)"], [1, "rgba(0,114,178,1)"]],
            zmin=0,
            zmax=float(100 * np.nanmax(rate.to_numpy())),
            xgap=2,
            ygap=2,
            colorbar={"ticksuffix": " %", "thickness": 12, "outlinewidth": 0, "title": {"text": ""}},
            hovertemplate="%{x}:00, %{customdata[0]:,} of %{customdata[1]:,} submitted: %{z:.1f} %<extra></extra>",
            hoverongaps=False,
        )
    )
    name_rows(figure, [plain(name) for name in order])
    figure.update_xaxes(
        tickmode="array", tickvals=list(range(0, 24, 3)), ticktext=[f"{hour:02d}:00" for hour in range(0, 24, 3)],
        range=[-0.5, 23.5], showgrid=False, title={"text": "hour of sending (UTC)"},
    )  # fmt: skip
    figure.update_xaxes(ticks="")
    figure.update_yaxes(ticks="")
    return finish(figure, "Failures by hour", height=150 + 40 * len(order))


def _colours(names: list[str]) -> list[str]:
    return [PALETTE[place % len(PALETTE)] for place in range(len(names))]
