"""Charts of a backtest: who finds the next purchase how often, and whether probabilities mean what they say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from wa_products import frames
from wa_products.backtests import BESIDE
from wa_products.backtests.tables import TIDY
from wa_products.errors import DataError
from wa_products.figures import looks

if TYPE_CHECKING:
    from collections.abc import Collection

    import pandas as pd

COLOURS = (looks.BLUE, looks.ORANGE, looks.GREEN, looks.VERMILION, looks.PURPLE, looks.SKY)
IN_UNITS = ("revenue of hits", "brier", "ece", "fit seconds", "recommend seconds")


def backtest(scores: pd.DataFrame, metric: str = "hit@1", part: str | None = None) -> go.Figure:
    """
    Return `metric` of each recommender, the highest first, with its 95 % interval, and the difference to the baseline.

    `scores` is what `wa_products.backtest` returns; small marks are the single cutoffs. `part` is the currency where
    there is more than one. Raises DataError where columns are missing or nothing was measured by that name.
    """
    rows, shown, digits = _of_metric(scores, metric, part), 100.0, 1
    if metric in IN_UNITS:
        shown, digits = 1.0, 3
    pooled = rows[rows["cutoff"].isna()].sort_values(["value", "recommender"], ascending=[False, True])
    places = {name: place for place, name in enumerate(pooled["recommender"])}
    figure = make_subplots(
        rows=1,
        cols=2,
        shared_yaxes=True,
        horizontal_spacing=0.06,
        column_widths=[0.58, 0.42],
        subplot_titles=[_unit(metric, part), f"less {looks.plain(pooled['baseline'].iloc[0])}"],
    )
    single = rows[rows["cutoff"].notna() & rows["value"].notna()]
    figure.add_scatter(
        x=(single["value"] * shown).tolist(),
        y=[places[name] + 0.26 for name in single["recommender"]],
        mode="markers",
        marker={"color": looks.GREY, "size": 5, "opacity": 0.7},
        text=[f"{cutoff:%Y-%m-%d}" for cutoff in single["cutoff"]],
        hovertemplate=f"%{{text}}: %{{x:.{digits}f}}<extra></extra>",
        showlegend=False,
        row=1,
        col=1,
    )
    for column, names in ((1, ("value", "low", "high")), (2, ("difference", "difference_low", "difference_high"))):
        for own, colour in ((True, looks.BLUE), (False, looks.INK)):
            part_of = pooled[pooled["recommender"].isin(BESIDE) != own]
            marks = (part_of[list(names)] * shown).set_axis(["middle", "low", "high"], axis=1)
            _marks(
                figure, marks, [places[name] for name in part_of["recommender"]], colour, digits=digits, column=column
            )
    figure.add_vline(x=0, line={"color": looks.INK, "width": 1, "dash": "dot"}, row=1, col=2)
    looks.name_rows(figure, [f"<b>{looks.plain(name)}</b>" for name in places], row=1, col=1)
    looks.name_rows(figure, [""] * len(places), row=1, col=2)
    figure.update_annotations(font={"size": 13})
    cutoffs = single["cutoff"].nunique()
    words = f"{int(pooled['customers'].max()):,} answers at {cutoffs} cutoff{'' if cutoffs == 1 else 's'}"
    words += "; bars hold 95 % of the draws of customers"
    return looks.finish(figure, f"Backtest: {metric}", words, height=130 + 42 * len(places), top=96)


def calibration(scores: pd.DataFrame, recommenders: Collection[str] | None = None) -> go.Figure:
    """
    Return what was said against what happened, a mark a bin of probabilities: on the line they mean what they say.

    `scores` is what `wa_products.backtest` returns; `recommenders` narrows it to some. The larger the mark, the more
    answers it stands for; bars are 95 % intervals. Raises DataError where columns are missing or a name is unknown.
    """
    frames.require(scores, TIDY, "the scores of a backtest")
    pooled = scores[scores["cutoff"].isna()]
    if unknown := sorted(set(recommenders or ()) - set(pooled["recommender"])):
        raise DataError(f"the backtest has no {unknown[0]!r}; it has {', '.join(pooled['recommender'].unique())}")
    rows = pooled[(pooled["metric"] == "calibration") & (pooled["customers"] > 0)]
    if recommenders is not None:
        rows = rows[rows["recommender"].isin(recommenders)]
    title = "Calibration: what was said, and what happened"
    if rows.empty:
        return looks.nothing(title, "No probability whose days are over.")
    errors = pooled[pooled["metric"] == "ece"].set_index("recommender")["value"]
    figure = go.Figure()
    diagonal = {"color": looks.INK, "width": 1, "dash": "dot"}
    figure.add_scatter(x=[0, 100], y=[0, 100], mode="lines", line=diagonal, showlegend=False, hoverinfo="skip")
    most = rows["customers"].max()
    for number, (name, own) in enumerate(rows.groupby("recommender", sort=False)):
        colour = COLOURS[number % len(COLOURS)]
        figure.add_scatter(
            x=(100 * own["said"]).tolist(),
            y=(100 * own["value"]).tolist(),
            name=f"{looks.plain(name)} (calibration error {errors[name]:.3f})",
            mode="lines+markers",
            line={"color": colour, "width": 1.5},
            marker={"color": colour, "size": (6 + 14 * (own["customers"] / most) ** 0.5).tolist()},
            error_y=_bars((100 * own[["value", "low", "high"]]).set_axis(["middle", "low", "high"], axis=1), colour),
            customdata=own["customers"].tolist(),
            hovertemplate="said %{x:.1f} %, happened %{y:.1f} % of %{customdata:,}<extra></extra>",
        )
    top = 104 * float(max(rows["said"].max(), rows["high"].max()))
    figure.update_xaxes(title={"text": "said"}, ticksuffix=" %", range=[0, top])
    figure.update_yaxes(title={"text": "bought"}, ticksuffix=" %", range=[0, top])
    return looks.finish(figure, title, height=460, bottom=60)


def _of_metric(scores: pd.DataFrame, metric: str, part: str | None) -> pd.DataFrame:
    frames.require(scores, TIDY, "the scores of a backtest")
    known = scores[scores["metric"] != "calibration"]
    rows = known[known["metric"] == metric]
    if rows.empty:
        raise DataError(f"the backtest did not measure {metric!r}; it has {', '.join(known['metric'].unique())}")
    parts = list(rows["part"].unique())
    if part is None and len(parts) > 1:
        raise DataError(f"{metric} comes in {', '.join(parts)}: choose one as part")
    if part not in (None, *parts):
        raise DataError(f"{metric} comes in {', '.join(parts)}, not in {part!r}")
    return rows if part is None else rows[rows["part"] == part]


def _unit(metric: str, part: str | None) -> str:
    if metric not in IN_UNITS:
        return "in every 100"
    return looks.plain(part) if part else {"fit seconds": "seconds", "recommend seconds": "seconds"}.get(metric, "")


def _marks(figure: go.Figure, marks: pd.DataFrame, places: list[int], colour: str, *, digits: int, column: int) -> None:
    """Draw middles with their bars, each at its place."""
    known, sign = marks["middle"].notna().to_numpy(), "+" if column > 1 else ""
    figure.add_scatter(
        x=marks.loc[known, "middle"].tolist(),
        y=[place for place, here in zip(places, known, strict=True) if here],
        mode="markers+text",
        marker={"color": colour, "size": 11},
        text=[f"<b>{value:{sign}.{digits}f}</b>".replace("-", "−") for value in marks.loc[known, "middle"]],  # noqa: RUF001  # a minus sign is what stands in print
        textposition="top center",
        textfont={"color": colour},
        error_x=_bars(marks[known], colour),
        hovertemplate=f"%{{x:.{digits}f}}<extra></extra>",
        showlegend=False,
        cliponaxis=False,
        row=1,
        col=column,
    )


def _bars(marks: pd.DataFrame, colour: str) -> dict[str, Any]:
    """Return error bars from the middle to low and high; none where they are unknown."""
    return {
        "type": "data",
        "symmetric": False,
        "array": (marks["high"] - marks["middle"]).clip(lower=0).fillna(0).tolist(),
        "arrayminus": (marks["middle"] - marks["low"]).clip(lower=0).fillna(0).tolist(),
        "color": colour,
        "thickness": 2,
        "width": 5,
    }
