"""What the messages added, how sure that is, and what the choice of the window does to it."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from plotly.subplots import make_subplots

from wa_products.figures.looks import (
    BLUE,
    GREEN,
    INK,
    MOST_TIMES,
    ORANGE,
    VERMILION,
    band,
    finish,
    name_rows,
    nothing,
    plain,
    room,
)
from wa_products.metrics import ENOUGH
from wa_products.metrics.intervals import EARLY

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from wa_products.metrics import Results
NOBODY = "nobody to compare with"
_HOUR, _LEAST = pd.Timedelta(hours=1), pd.Timedelta(hours=1)
_LEAST_SHOWN, _MOST_SHOWN = 0.01, 1e6  # evidence; beyond it more says no more


def lift(results: Results) -> go.Figure:
    """
    Return treated beside held out, the difference with its 96 % Newcombe interval, and the verdict in words.

    Before the days are over there are no intervals: they are meant for one look, and `monitor` has one for many.
    """
    table, row = results.arms, results.lift.iloc[0]
    figure = make_subplots(rows=2, cols=1, row_heights=[0.6, 0.4], vertical_spacing=0.24)
    shown = table if row["complete"] else table.assign(low=np.nan, high=np.nan)
    for place, (arm, colour) in enumerate((("treated", BLUE), ("holdout", ORANGE))):
        part = shown[shown["arm"] == arm].iloc[0]
        _interval(figure, 1, place, (part["low"], part["rate"], part["high"]), colour)
    labels = [
        f"<b>{arm}</b><br>{with_cart:,} of {customers:,}"
        for arm, customers, with_cart in table[["arm", "customers", "with_cart"]].itertuples(index=False)
    ]
    name_rows(figure, labels, row=1, col=1)
    name_rows(figure, ["<b>difference</b><br>treated less holdout"], row=2, col=1)
    figure.update_xaxes(ticksuffix=" %", range=room(shown[["low", "rate", "high"]]), row=1, col=1)
    if row["complete"] and pd.notna(row["difference"]):
        _difference(figure, row)
    else:
        end = results.started_at + results.horizon
        known = pd.notna(row["difference"])
        _words(figure, f"told when the days are over, on {end.day} {end:%B at %H:%M} UTC" if known else NOBODY)
    words = "<br>".join(textwrap.wrap(plain(results.verdict, width=0), 78))
    figure.update_layout(title={"subtitle": {"text": words, "font": {"size": 13, "color": INK}}})
    return finish(figure, "What the messages added", height=400, top=120)


def _difference(figure: go.Figure, row: pd.Series) -> None:
    ends = row["low"], row["difference"], row["high"]
    _interval(figure, 2, 0, ends, GREEN if row["low"] > 0 else INK)
    figure.add_vline(x=0, line={"color": INK, "width": 1, "dash": "dot"}, row=2, col=1)
    figure.update_xaxes(title={"text": "more in every 100"}, range=room(pd.Series(ends)), row=2, col=1)


def _words(figure: go.Figure, words: str) -> None:
    """Say why there is no difference yet, where it would be."""
    figure.add_annotation(
        x=0.5, xref="x2 domain", y=0.5, yref="y2 domain", text=words, showarrow=False, font={"size": 13}
    )
    figure.add_scatter(x=[], y=[], showlegend=False, row=2, col=1)  # an axis without a trace is not drawn
    figure.update_xaxes(showticklabels=False, showgrid=False, zeroline=False, row=2, col=1)


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


def monitor(results: Results) -> go.Figure:
    """
    Return the evidence that the messages matter as it grew, with the line at which it is enough, at any look.

    Below: how many times as many customers with a cart the treated have, within an interval that holds for all looks
    together.
    """
    table = results.monitor
    if table["evidence"].isna().all():
        return nothing("Evidence while it runs", "Nobody was held out, so there is nothing to compare with.")
    figure = make_subplots(
        rows=2,
        cols=1,
        shared_xaxes=True,
        vertical_spacing=0.14,
        subplot_titles=["evidence, to 1", f"treated over holdout, {100 * (1 - EARLY):.0f} % at all looks"],
    )
    _evidence(figure, table)
    _ratio(figure, table, results.started_at)
    figure.update_xaxes(
        range=[results.started_at, max(table["at"].max(), results.started_at + _LEAST)], nticks=MOST_TIMES
    )
    figure.update_annotations(selector={"yref": "paper"}, x=0, xanchor="left", font={"size": 13})
    figure.update_layout(showlegend=False)
    return finish(figure, "Evidence while it runs", height=450, top=70)


def _evidence(figure: go.Figure, table: pd.DataFrame) -> None:
    """Draw how the evidence grew, and the line at which it is enough."""
    shown = table["evidence"].clip(_LEAST_SHOWN, _MOST_SHOWN)
    figure.add_scatter(
        x=table["at"].tolist(),
        y=shown.tolist(),
        mode="lines",
        line={"color": BLUE, "width": 2.4, "shape": "hv"},
        customdata=table[["treated", "holdout", "evidence"]].to_numpy(),
        hovertemplate="%{customdata[2]:.3~g} to 1 (with a cart: %{customdata[0]:,} treated, "
        "%{customdata[1]:,} held out)<extra></extra>",
        row=1,
        col=1,
    )
    figure.add_hline(y=ENOUGH, line={"color": VERMILION, "width": 1.4, "dash": "dash"}, row=1, col=1)
    figure.add_annotation(
        x=1, xref="x domain", y=np.log10(ENOUGH), text="enough", showarrow=False, xanchor="right", yanchor="bottom",
        font={"color": VERMILION}, row=1, col=1,
    )  # fmt: skip
    span = [float(np.log10(min(shown.min(), 1))) - 0.15, float(np.log10(max(shown.max(), ENOUGH))) + 0.3]
    figure.update_yaxes(type="log", range=span, row=1, col=1, **_decades(span))


def _ratio(figure: go.Figure, table: pd.DataFrame, start: pd.Timestamp) -> None:
    """Draw the interval of the ratio of the arms as it narrowed."""
    known = table[(table["low"] > 0) & np.isfinite(table["high"])]
    if len(known):
        band(figure, known, ("low", "high"), BLUE, x="at", shape="hv", row=2, col=1)
    for end in ("low", "high"):
        ends = table.loc[(table[end] > 0) & np.isfinite(table[end]), ["at", end]]
        figure.add_scatter(
            x=ends["at"].tolist() or [start],
            y=ends[end].tolist() or [None],
            mode="lines",
            line={"color": BLUE, "width": 1.6, "shape": "hv"},
            hovertemplate="%{y:.2f}<extra></extra>",
            row=2,
            col=1,
        )
    figure.add_hline(y=1, line={"color": INK, "width": 1, "dash": "dot"}, row=2, col=1)
    ratios = table[["low", "high"]].to_numpy()
    ratios = ratios[(ratios > 0) & np.isfinite(ratios)]
    least, most = max(min(ratios.min(initial=0.5), 0.5), 0.05), min(max(ratios.max(initial=2), 2), 50)
    span = [np.log10(least) - 0.05, np.log10(most) + 0.05]
    figure.update_yaxes(type="log", range=span, row=2, col=1, **_ratios(span))


def sensitivity(results: Results) -> go.Figure:
    """
    Return what would be told for windows of 1 to 168 hours, with the window that was chosen marked.

    Above: the share of the accepted messages that carts follow, of any rule and of the sure ones alone. Below: the
    difference of the arms. Hollow points are windows that are not over yet.
    """
    table = results.sensitivity
    if not table["accepted"].max():
        return nothing("If the window were another", "No message was accepted yet.")
    table = table.assign(sure=table["certain"] / table["accepted"])
    figure = make_subplots(
        rows=2,
        cols=1,
        shared_xaxes=True,
        vertical_spacing=0.14,
        subplot_titles=["% of messages with a cart by then", "treated less holdout, in every 100"],
    )
    figure.update_annotations(x=0, xanchor="left", font={"size": 13})
    figure.add_hline(y=0, line={"color": INK, "width": 1, "dash": "dot"}, row=2, col=1)
    band(figure, _percent(table, "low", "high"), ("low", "high"), BLUE, x="hours", shape="linear", row=1, col=1)
    _line(figure, table, "rate", "any rule", BLUE, row=1)
    _line(figure, table, "sure", "exact or same item", GREEN, row=1)
    known = _percent(table, "difference", "difference_low", "difference_high").dropna(subset=["difference"])
    if len(known):
        band(figure, known, ("difference_low", "difference_high"), ORANGE, x="hours", shape="linear", row=2, col=1)
    else:
        nobody = {"text": NOBODY, "showarrow": False, "xref": "x domain", "yref": "y domain"}
        figure.add_annotation(**nobody, x=0.5, y=0.75, row=2, col=1)
    _line(figure, table, "difference", "difference", ORANGE, row=2)
    for row, window, y, side in ((1, results.prompt, 1, "top"), (2, results.horizon, 0, "bottom")):
        hours = window / _HOUR
        figure.add_vline(x=hours, line={"color": INK, "width": 1, "dash": "dash"}, row=row, col=1)
        figure.add_annotation(
            x=np.log10(hours), y=y, yref="y domain", text="chosen", showarrow=False,
            xanchor="right", yanchor=side, font={"size": 11, "color": INK}, row=row, col=1,
        )  # fmt: skip
    ticks = [1, 3, 6, 12, 24, 48, 96, 168]
    figure.update_xaxes(type="log", range=[-0.06, np.log10(ticks[-1]) + 0.06])
    figure.update_xaxes(tickmode="array", tickvals=ticks, ticktext=[_hours(tick) for tick in ticks])
    figure.update_xaxes(title={"text": "window"}, row=2, col=1)
    figure.update_yaxes(ticksuffix=" %", rangemode="tozero", row=1, col=1)
    figure.update_layout(legend={"y": -0.14})
    return finish(figure, "If the window were another", height=500, top=70)


def _percent(table: pd.DataFrame, *names: str) -> pd.DataFrame:
    return table.assign(**{name: 100 * table[name] for name in names})


def _line(figure: go.Figure, table: pd.DataFrame, column: str, name: str, colour: str, *, row: int) -> None:
    figure.add_scatter(
        x=table["hours"].tolist(),
        y=(100 * table[column]).tolist(),
        mode="lines+markers",
        name=name,
        line={"color": colour, "width": 2},
        cliponaxis=False,
        marker={"size": 8, "symbol": ["circle" if over else "circle-open" for over in table["is_complete"]]},
        hovertemplate="%{x} h: %{y:.2f}<extra>" + name + "</extra>",
        row=row,
        col=1,
    )


def _hours(hours: int) -> str:
    return f"{hours} h" if hours < 48 else f"{hours // 24} d"  # noqa: PLR2004  # two days read better than 48 hours


def _decades(span: list[float]) -> dict[str, object]:
    """Return the ticks of a log axis of evidence, with that at which it is enough."""
    values = [value for value in (0.01, 0.1, 1, ENOUGH, 1000, _MOST_SHOWN) if span[0] <= np.log10(value) <= span[1]]
    texts = [f"{value:,g}" if value < _MOST_SHOWN else "million" for value in values]
    return {"tickmode": "array", "tickvals": values, "ticktext": texts}


def _ratios(span: list[float]) -> dict[str, object]:
    """Return the ticks of a log axis of ratios."""
    values = [value for value in (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50) if span[0] <= np.log10(value) <= span[1]]
    return {"tickmode": "array", "tickvals": values, "ticktext": [f"{value:g} ×" for value in values]}  # noqa: RUF001  # the sign for times
