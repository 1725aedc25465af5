"""Who got a message, and how far the messages came."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go

from wa_products import frames, metrics, selection
from wa_products.figures.looks import BLUE, GREEN, GRID, INK, ORANGE, SOFT, finish, name_rows, plain, whole

if TYPE_CHECKING:
    import pandas as pd

    from wa_products.metrics import Results

_BY_CUSTOMER = frozenset({"enquiry", "cart"})


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
    labels = [f"<b>{plain(step)}</b>" if total else plain(step) for step, _, total in table.itertuples(index=False)]
    name_rows(figure, labels)
    most = float(sizes.max()) if len(table) else 0.0
    figure.update_xaxes(
        range=[-0.14 * max(most, 1), 1.16 * max(most, 1)], showticklabels=False, showgrid=False, zeroline=False
    )
    return finish(figure, "Who got a message, and why the others did not", height=70 + 34 * len(table), bottom=10)


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
    name_rows(figure, labels)
    figure.update_xaxes(title={"text": "customers"}, rangemode="tozero", tickformat=",d", **whole(counts.max()))
    return finish(figure, "How far the messages came", height=90 + 52 * len(table))


def _waterfall_of(chosen_or_results: pd.DataFrame | Results) -> pd.DataFrame:
    if isinstance(chosen_or_results, metrics.Results):
        return chosen_or_results.waterfall
    chosen = frames.require(chosen_or_results, ("customer_id", "decision", "reason"), "the selected rows")
    planned = chosen.loc[chosen["decision"] == selection.SEND, "customer_id"].nunique()
    return metrics.waterfall(selection.waterfall(chosen), planned=planned)


def _step_label(step: str, customers: int, total: int, of: str, rate: float) -> str:
    if step == "planned" or not total:
        return f"<b>{step}</b><br>{customers:,}"
    return f"<b>{step}</b><br>{customers:,} of {total:,} {of} · {rate:.0%}"
