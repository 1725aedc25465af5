"""
Charts of a campaign: a frame or `Results` in, a plain plotly Figure out.

Colours are those of Okabe and Ito, told apart by the colour-blind; paper is transparent and ink a middle grey, so that
a chart reads on light and dark pages. Text from a catalog stays text: plotly would read tags in it.
"""

from __future__ import annotations

import html
import textwrap
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from wa_products import frames, metrics, selection
from wa_products.attribution import RULES
from wa_products.figures.ranking import backtest as backtest
from wa_products.figures.ranking import calibration as calibration
from wa_products.metrics.failures import FAILED, REFUSED, SILENT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from wa_products.metrics import Results

BLUE, ORANGE, GREEN, VERMILION = "#0072B2", "#E69F00", "#009E73", "#D55E00"
PURPLE, SKY, GREY = "#CC79A7", "#56B4E9", "#8A9099"
INK, GRID = "#757B84", "rgba(128,134,145,0.25)"
RULE_COLOURS = dict(zip(RULES, (BLUE, SKY, GREEN, ORANGE, PURPLE, VERMILION, GREY), strict=True))
STAGE_COLOURS = {REFUSED: VERMILION, FAILED: ORANGE, SILENT: GREY}
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
MOST_PRODUCTS, MOST_FAILURES, TITLE_WIDTH = 10, 12, 34
SOFT = 0.6  # so that an interval in middle grey shows on its bar, on any page
_BY_CUSTOMER = frozenset({"enquiry", "cart"})
_HOURLY = pd.Timedelta("3D")


def waterfall(chosen_or_results: pd.DataFrame | Results) -> go.Figure:
    """
    Return the way from the customers looked at down to those who got a message, with the reason for each loss.

    Takes the rows of `select` (before sending) or `Results` (after). Raises DataError where columns are missing.
    """
    table = _waterfall_of(chosen_or_results)
    sizes = table["customers"].abs()
    figure = go.Figure(
        go.Waterfall(
            orientation="h",
            y=list(range(len(table))),
            x=table["customers"].tolist(),
            measure=["absolute", *np.where(table["is_total"], "total", "relative")[1:]],
            text=[f"{'' if total else '−'}{size:,}" for size, total in zip(sizes, table["is_total"], strict=True)],  # noqa: RUF001  # a minus sign is what stands in print
            textposition="outside",
            cliponaxis=False,
            connector={"line": {"color": GRID, "width": 1}},
            totals={"marker": {"color": BLUE}},
            decreasing={"marker": {"color": ORANGE}},
            increasing={"marker": {"color": GREEN}},
            hovertemplate="%{text} customers<extra></extra>",
        )
    )
    labels = [f"<b>{_plain(step)}</b>" if total else _plain(step) for step, _, total in table.itertuples(index=False)]
    _name_bars(figure, labels)
    most = float(sizes.max()) if len(table) else 0.0
    figure.update_xaxes(
        range=[-0.14 * max(most, 1), 1.16 * max(most, 1)], showticklabels=False, showgrid=False, zeroline=False
    )
    return _finish(figure, "Who got a message, and why the others did not", height=70 + 34 * len(table), bottom=10)


def funnel(results: Results) -> go.Figure:
    """Return how many customers came to each step, with 95 % Wilson intervals; each step names its denominator."""
    table = results.funnel[results.funnel["step"] != "held out"]
    counts = table["customers"]
    figure = go.Figure(
        go.Bar(
            orientation="h",
            y=list(range(len(table))),
            x=counts.tolist(),
            marker={"color": [GREEN if step in _BY_CUSTOMER else BLUE for step in table["step"]], "opacity": SOFT},
            error_x={
                "type": "data",
                "symmetric": False,
                "array": (table["high"] * table["total"] - counts).fillna(0).clip(lower=0).tolist(),
                "arrayminus": (counts - table["low"] * table["total"]).fillna(0).clip(lower=0).tolist(),
                "color": INK,
                "thickness": 1.4,
                "width": 4,
                "visible": True,
            },
            customdata=table[["rate", "low", "high"]].to_numpy(),
            hovertemplate="%{x:,} customers, %{customdata[0]:.1%} (%{customdata[1]:.1%} to %{customdata[2]:.1%})"
            "<extra></extra>",
        )
    )
    if len(table):  # what was planned is known, not estimated
        for side in ("array", "arrayminus"):
            figure.data[0].error_x[side] = (0, *figure.data[0].error_x[side][1:])
    labels = [_step_label(*row) for row in table[["step", "customers", "total", "of", "rate"]].itertuples(index=False)]
    _name_bars(figure, labels)
    figure.update_xaxes(title={"text": "customers"}, rangemode="tozero", tickformat=",d", **_whole(counts.max()))
    return _finish(figure, "How far the messages came", height=90 + 52 * len(table))


def failures(results: Results) -> go.Figure:
    """Return the share of messages that failed, by code, most frequent first, with 95 % Wilson intervals."""
    table = results.failures.head(MOST_FAILURES)
    if table.empty:
        return _nothing("Messages that failed", "No message failed.")
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
        f"<b>{_plain(name)}</b>{f' · {code}' if code else ''}<br>{customers:,} of {total:,} {of}"
        for name, code, customers, total, of in table[["class", "code", "customers", "total", "of"]].itertuples(
            index=False
        )
    ]
    _name_bars(figure, labels)
    figure.update_xaxes(title={"text": "% of messages"}, rangemode="tozero", ticksuffix=" %")
    figure.update_layout(legend={"y": 1.0, "yanchor": "bottom"}, showlegend=True)
    return _finish(figure, "Messages that failed", height=130 + 50 * len(table), top=80)


def carts(results: Results) -> go.Figure:
    """Return the carts since the campaign started: all over time above, answers by product below."""
    table = results.carts
    if table.empty:
        return _nothing("Carts", "No cart yet.")
    products = _products(results.answers)
    figure = make_subplots(
        rows=2,
        cols=1,
        row_heights=[220, 60 + 34 * max(len(products), 1)],
        vertical_spacing=0.16,
        subplot_titles=["over time (UTC)", "that follow from a message"],
    )
    step = "h" if table["at"].max() - results.started_at <= _HOURLY else "D"
    width = pd.Timedelta(1, step) / pd.Timedelta("1ms")
    binned = table["at"].dt.floor(step)
    place = pd.Series(range(len(products)), index=products.index)
    for rule, colour in RULE_COLOURS.items():
        mine = table["rule"] == rule
        if not mine.any():
            continue
        over_time = binned[mine].value_counts().sort_index()
        shared = {"name": rule, "legendgroup": rule, "marker": {"color": colour}}
        whole = {"offset": 0, "width": 0.92 * width}
        figure.add_bar(x=over_time.index.tolist(), y=over_time.tolist(), row=1, col=1, **whole, **shared)
        answers = results.answers[results.answers["rule"] == rule]
        of_product = answers.loc[answers["product_retailer_id"].isin(products.index), "product_retailer_id"]
        count = of_product.value_counts()
        figure.add_bar(
            x=count.tolist(), y=place[count.index].tolist(), orientation="h", showlegend=False, row=2, col=1, **shared
        )
    _name_bars(figure, [_plain(title) for title in products], row=2, col=1)
    figure.update_xaxes(range=[results.started_at.floor(step), table["at"].max() + pd.Timedelta(1, step)], row=1, col=1)
    figure.update_yaxes(rangemode="tozero", tickformat=",d", row=1, col=1, **_whole(binned.value_counts().max()))
    figure.update_xaxes(
        rangemode="tozero", tickformat=",d", row=2, col=1, **_whole(_most_of_a_product(results.answers))
    )
    figure.update_annotations(x=0, xanchor="left", font={"size": 13})
    figure.update_layout(barmode="stack", legend={"traceorder": "normal", "y": -0.08})
    return _finish(figure, "Carts", height=460 + 34 * max(len(products), 1), top=90)


def lift(results: Results) -> go.Figure:
    """Return treated beside held out, the difference with its 95 % Newcombe interval, and the verdict in words."""
    table, row = results.arms, results.lift.iloc[0]
    figure = make_subplots(rows=2, cols=1, row_heights=[0.6, 0.4], vertical_spacing=0.24)
    for place, (arm, colour) in enumerate((("treated", BLUE), ("holdout", ORANGE))):
        part = table[table["arm"] == arm].iloc[0]
        _interval(figure, 1, place, (part["low"], part["rate"], part["high"]), colour)
    _interval(figure, 2, 0, (row["low"], row["difference"], row["high"]), GREEN if row["low"] > 0 else INK)
    labels = [
        f"<b>{arm}</b><br>{with_cart:,} of {customers:,}"
        for arm, customers, with_cart in table[["arm", "customers", "with_cart"]].itertuples(index=False)
    ]
    _name_bars(figure, labels, row=1, col=1)
    _name_bars(figure, ["<b>difference</b><br>treated less holdout"], row=2, col=1)
    figure.add_vline(x=0, line={"color": INK, "width": 1, "dash": "dot"}, row=2, col=1)
    figure.update_xaxes(ticksuffix=" %", range=_room(table[["low", "rate", "high"]]), row=1, col=1)
    span = _room(row[["low", "difference", "high"]])
    figure.update_xaxes(title={"text": "more in every 100"}, range=span, row=2, col=1)
    words = "<br>".join(textwrap.wrap(_plain(results.verdict, width=0), 78))
    figure.update_layout(title={"subtitle": {"text": words, "font": {"size": 13, "color": INK}}})
    return _finish(figure, "What the messages added", height=400, top=120)


def _most_of_a_product(table: pd.DataFrame) -> int:
    """Return the number of carts of the product with the most."""
    named = table.loc[table["product_retailer_id"] != "", "product_retailer_id"]
    return int(named.value_counts().max()) if len(named) else 0


def _waterfall_of(chosen_or_results: pd.DataFrame | Results) -> pd.DataFrame:
    if isinstance(chosen_or_results, metrics.Results):
        return chosen_or_results.waterfall
    chosen = frames.require(chosen_or_results, ("customer_id", "decision", "reason"), "the selected rows")
    planned = chosen.loc[chosen["decision"] == selection.SEND, "customer_id"].nunique()
    return metrics.waterfall(selection.waterfall(chosen), planned=planned)


def _products(table: pd.DataFrame) -> pd.Series:
    """Return the titles of the products with the most carts, by product_retailer_id."""
    named = table[table["product_retailer_id"] != ""]
    counts = named.groupby("product_retailer_id").agg(title=("title", "max"), size=("title", "size")).reset_index()
    most = counts.sort_values(["size", "product_retailer_id"], ascending=[False, True]).head(MOST_PRODUCTS)
    most["title"] = most["title"].where(most["title"] != "", most["product_retailer_id"])
    return most.set_index("product_retailer_id")["title"]


def _step_label(step: str, customers: int, total: int, of: str, rate: float) -> str:
    if step == "planned" or not total:
        return f"<b>{step}</b><br>{customers:,}"
    return f"<b>{step}</b><br>{customers:,} of {total:,} {of} · {rate:.0%}"


def _interval(figure: go.Figure, row: int, place: int, ends: tuple[float, float, float], colour: str) -> None:
    low, middle, high = (100 * value for value in ends)
    known = not np.isnan(middle)
    figure.add_scatter(
        x=[middle] if known else [],
        y=[place] if known else [],
        mode="markers+text",
        marker={"color": colour, "size": 13},
        text=[f"<b>{middle:.1f}</b>"],
        textposition="top center",
        error_x={
            "type": "data",
            "symmetric": False,
            "array": [high - middle if not np.isnan(high) else 0],
            "arrayminus": [middle - low if not np.isnan(low) else 0],
            "color": colour,
            "thickness": 2.5,
            "width": 7,
        },
        hovertemplate=f"{middle:.1f} ({low:.1f} to {high:.1f})<extra></extra>",
        showlegend=False,
        cliponaxis=False,
        row=row,
        col=1,
    )


def _room(ends: pd.DataFrame | pd.Series) -> list[float]:
    """Return the range of an axis in % that holds 0 and all `ends` with room for their caps."""
    values = np.append(100 * np.asarray(ends, dtype="float64").ravel(), 0)
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    pad = 0.06 * (high - low)
    return [low - pad, high + pad] if high > low else [-1, 10]


def _name_bars(figure: go.Figure, labels: Iterable[str], **where: int) -> None:
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


def _whole(most: float) -> dict[str, int]:
    """Return the tick step that keeps the axis of a small count to whole numbers."""
    return {"dtick": 1} if most <= 5 else {}  # noqa: PLR2004  # plotly's own steps are whole above that


def _plain(text: str, width: int = TITLE_WIDTH) -> str:
    """Return `text` so that plotly shows it as it is, cut to `width` characters where it is not 0."""
    clean = " ".join("".join(mark if mark.isprintable() else " " for mark in str(text)).split())
    cut = clean if not width or len(clean) <= width else clean[: width - 1].rstrip() + "…"
    return html.escape(cut, quote=False).replace("$", "&#36;")


def _nothing(title: str, words: str) -> go.Figure:
    figure = go.Figure()
    figure.add_annotation(text=words, x=0.5, y=0.5, xref="paper", yref="paper", showarrow=False, font={"size": 15})
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False)
    return _finish(figure, title, height=180)


def _finish(figure: go.Figure, title: str, *, height: int, top: int = 60, bottom: int = 48) -> go.Figure:
    return figure.update_layout(
        template=TEMPLATE,
        title={"text": title, "pad": {"t": 10}},
        height=height,
        margin={"l": 8, "r": 16, "t": top, "b": bottom},
    )
