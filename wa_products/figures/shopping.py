"""The carts: over time, by product, and how often a product brings one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from wa_products.attribution import RULES
from wa_products.figures.looks import (
    BLUE,
    GREEN,
    GREY,
    INK,
    MOST_TIMES,
    OLIVE,
    ORANGE,
    PURPLE,
    SKY,
    VERMILION,
    finish,
    name_rows,
    nothing,
    plain,
    room,
    whole,
)

if TYPE_CHECKING:
    from wa_products.metrics import Results

RULE_COLOURS = dict(zip(RULES, (BLUE, SKY, GREEN, ORANGE, PURPLE, OLIVE, VERMILION, GREY), strict=True))
MOST_PRODUCTS = 10
_HOURLY = pd.Timedelta("3D")


def carts(results: Results) -> go.Figure:
    """Return the carts since the campaign started: all over time above, answers by product below."""
    table = results.carts
    if table.empty:
        return nothing("Carts", "No cart yet.")
    products = _products(results.answers)
    figure = make_subplots(
        rows=2,
        cols=1,
        row_heights=[220, 60 + 34 * max(len(products), 1)],
        vertical_spacing=0.2,
        subplot_titles=["over time (UTC)", "answers to a message"],
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
        full = {"offset": 0, "width": 0.92 * width}
        figure.add_bar(x=over_time.index.tolist(), y=over_time.tolist(), row=1, col=1, **full, **shared)
        answers = results.answers[results.answers["rule"] == rule]
        of_product = answers.loc[answers["product_retailer_id"].isin(products.index), "product_retailer_id"]
        count = of_product.value_counts()
        figure.add_bar(
            x=count.tolist(), y=place[count.index].tolist(), orientation="h", showlegend=False, row=2, col=1, **shared
        )
    name_rows(figure, [plain(title) for title in products], row=2, col=1)
    span = [results.started_at.floor(step), table["at"].max() + pd.Timedelta(1, step)]
    figure.update_xaxes(range=span, nticks=MOST_TIMES, row=1, col=1)
    figure.update_yaxes(rangemode="tozero", tickformat=",d", row=1, col=1, **whole(binned.value_counts().max()))
    figure.update_xaxes(rangemode="tozero", tickformat=",d", row=2, col=1, **whole(_most_of_a_product(results.answers)))
    figure.update_annotations(x=0, xanchor="left", font={"size": 13})
    figure.update_layout(barmode="stack", legend={"traceorder": "normal", "y": -0.08})
    return finish(figure, "Carts", height=440 + 34 * max(len(products), 1), top=70)


def _most_of_a_product(table: pd.DataFrame) -> int:
    """Return the number of carts of the product with the most."""
    named = table.loc[table["product_retailer_id"] != "", "product_retailer_id"]
    return int(named.value_counts().max()) if len(named) else 0


def _products(table: pd.DataFrame) -> pd.Series:
    """Return the titles of the products with the most carts, by product_retailer_id."""
    named = table[table["product_retailer_id"] != ""]
    counts = named.groupby("product_retailer_id").agg(title=("title", "max"), size=("title", "size")).reset_index()
    most = counts.sort_values(["size", "product_retailer_id"], ascending=[False, True]).head(MOST_PRODUCTS)
    most["title"] = most["title"].where(most["title"] != "", most["product_retailer_id"])
    return most.set_index("product_retailer_id")["title"]


def products(results: Results) -> go.Figure:
    """
    Return how often a message about each product was answered by a cart, for the products sent most.

    A ring is the rate of the product alone, a dot the same drawn towards the rate of all by as much as its numbers are
    few, with its 95 % interval; the dotted line is the rate of all.
    """
    table = results.products.head(MOST_PRODUCTS)
    if table.empty:
        return nothing("Carts by product", "No message was accepted yet.")
    overall = 100 * results.products["with_cart"].sum() / results.products["customers"].sum()
    places, percent = list(range(len(table))), 100 * table[["rate", "pooled", "pooled_low", "pooled_high"]]
    told = table[["with_cart", "customers"]].to_numpy()
    figure = go.Figure()
    figure.add_scatter(
        x=percent["pooled"].tolist(),
        y=places,
        mode="markers",
        name="drawn towards all",
        marker={"color": BLUE, "size": 10},
        error_x={
            "type": "data",
            "symmetric": False,
            "array": (percent["pooled_high"] - percent["pooled"]).tolist(),
            "arrayminus": (percent["pooled"] - percent["pooled_low"]).tolist(),
            "color": BLUE,
            "thickness": 1.8,
            "width": 5,
        },
        customdata=100 * table[["pooled_low", "pooled_high"]].to_numpy(),
        hovertemplate="%{x:.1f} % (%{customdata[0]:.1f} to %{customdata[1]:.1f})<extra></extra>",
    )
    figure.add_scatter(
        x=percent["rate"].tolist(),
        y=places,
        mode="markers",
        name="by itself",
        cliponaxis=False,
        marker={"symbol": "circle-open", "color": ORANGE, "size": 12, "line": {"width": 2}},
        customdata=told,
        hovertemplate="%{customdata[0]:,} of %{customdata[1]:,}: %{x:.1f} %<extra></extra>",
    )
    figure.add_vline(x=overall, line={"color": INK, "width": 1, "dash": "dot"})
    names = table["title"].where(table["title"] != "", table["product_retailer_id"])
    labels = [f"{plain(name)}<br>{carts:,} of {sent:,}" for name, (carts, sent) in zip(names, told, strict=True)]
    name_rows(figure, labels)
    span = room(table[["rate", "pooled_low", "pooled_high"]])
    figure.update_xaxes(title={"text": "% of messages that a cart follows"}, range=span, ticksuffix=" %")
    figure.update_layout(legend={"y": 1.0, "yanchor": "bottom"})
    return finish(figure, "Carts by product", height=140 + 46 * len(table), top=80)
