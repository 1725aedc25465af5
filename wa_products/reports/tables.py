"""The tables of a report, as text."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from wa_products.attribution import EXPLANATIONS, RULES
from wa_products.metrics.intervals import ALPHA
from wa_products.reports.texts import amount, between, length, percent, plain, span, whole

if TYPE_CHECKING:
    from wa_products.metrics import Results

Columns = dict[str, tuple[str, Callable[[Any], str]]]
MOST_ROWS = 40
_NUMBER = r"\+?\d[\d ()-]{5,}\d"  # of somebody: a report shows none


class Table(NamedTuple):
    """A table of the report: `text` columns stand left and the others right; a row that begins with ``*`` is strong."""

    header: list[str]
    rows: list[list[str]]
    text: int = 1


def waterfall(results: Results) -> Table:
    """Return the way from those looked at to the accepted."""
    rows = [
        [f"*{step}" if is_total else step, f"{customers:,}".replace("-", "−")]  # noqa: RUF001  # a minus sign in print
        for step, customers, is_total in results.waterfall.itertuples(index=False)
    ]
    return Table(["step", "customers"], rows)


def funnel(results: Results) -> Table:
    """Return how far the messages came."""
    rows = [
        [
            row["step"],
            f"{row['customers']:,} of {row['total']:,}",
            percent(row["rate"]),
            between(row) if place else "",
        ]
        for place, (_, row) in enumerate(results.funnel.iterrows())
    ]
    return Table(["step", "customers", "rate", "95 % interval"], rows)


def carts(results: Results) -> Table:
    """Return the carts by rule, and what they hold."""
    spans = {"prompt": length(results.prompt), "lookback": length(results.horizon)}
    brought = results.placebo.set_index("rule")["by_message"]
    by_message = {"exact": "all", **{rule: f"{share:.0%}" for rule, share in brought.items() if pd.notna(share)}}
    rows = []
    for rule, confidence in RULES.items():
        carts, money = results.carts["rule"].eq(rule).sum(), results.money[results.money["rule"] == rule]
        values = [
            " · ".join(amount(value, currency) for value, currency in zip(money[name], money["currency"], strict=True))
            for name in ("attributed_value", "rest_value")
        ]
        rows.append(
            [rule, EXPLANATIONS[rule].format(**spans), confidence, f"{carts:,}", by_message.get(rule, ""), *values]
        )
    header = ["rule", "what it says", "confidence", "carts", "by the message", "product sent", "other products"]
    return Table(header, rows, text=3)


def lift(results: Results) -> Table:
    """Return both arms and what lies between them; the intervals once the days are over, as they are for one look."""
    found = results.lift.iloc[0]
    rows = [
        [row["arm"], f"{row['with_cart']:,} of {row['customers']:,}", percent(row["rate"]), between(row)]
        for _, row in results.arms.iterrows()
    ]
    more = "" if pd.isna(found["difference"]) else f"{100 * found['difference']:+.1f}"
    if not found["complete"]:
        return Table(["arm", "with a cart", "rate so far"], [row[:3] for row in [*rows, ["*difference", "", more]]])
    ends = "" if pd.isna(found["low"]) else f"{100 * found['low']:+.1f} to {100 * found['high']:+.1f}"
    rows.append(["*difference", "", more, ends])
    if pd.notna(found["ratio"]):
        rows.append(["in times", "", f"{found['ratio']:.2f}", span(found["ratio_low"], found["ratio_high"])])
    if pd.notna(found["per_delivered"]) and ends:
        low, high = 100 * found[["per_delivered_low", "per_delivered_high"]]
        rows.append(["a delivered message", "", f"{100 * found['per_delivered']:+.1f}", span(low, high, "+.1f")])
    if ends:
        carts = f"{found['carts']:+,.0f}"
        rows.append(["in customers", carts, "", f"{found['carts_low']:+,.0f} to {found['carts_high']:+,.0f}"])
    return Table(["arm", "with a cart", "rate", "interval: 95 %, between the arms 96 %"], rows)


def monitor(results: Results) -> Table:
    """Return the evidence at the end of each day, or at each step of a short campaign."""
    told = results.monitor
    daily = told.groupby(told["at"].dt.floor("D")).last() if told["at"].nunique() > MOST_ROWS else told
    columns: Columns = {
        "at": ("at (UTC)", lambda at: f"{at:%d %b %H:%M}"),
        "treated": ("treated with a cart", whole),
        "holdout": ("held out with a cart", whole),
        "evidence": ("evidence, to 1", lambda value: f"{value:,.3g}"),
        "low": ("ratio at least", plain),
        "high": ("at most", plain),
    }
    return of_frame(daily, columns)


def sensitivity(results: Results) -> Table:
    """Return what other windows would tell."""
    table = results.sensitivity.assign(
        sure=results.sensitivity["certain"], between=[_ends(row) for _, row in results.sensitivity.iterrows()]
    )
    columns: Columns = {
        "hours": ("window", lambda hours: length(pd.Timedelta(hours=hours))),
        "certain": ("exact or same item", whole),
        "answered": ("any rule", whole),
        "rate": ("of accepted", percent),
        "difference": ("treated less holdout", lambda value: "" if pd.isna(value) else f"{100 * value:+.1f}"),
        "between": ("96 % interval", str),
    }
    return of_frame(table, columns)


def time_to_cart(results: Results) -> Table:
    """Return the share with a cart at a few times, by kind."""
    told, rows = results.time_to_cart, []
    for kind, curve in told.groupby("kind", sort=False):
        for hours in (1, 6, 24, 72, 168):
            if hours <= curve["hours"].max() + 1e-9:
                row = curve[curve["hours"] <= hours].iloc[-1]
                share = row.rename({"share": "rate"})
                rows.append([str(kind), f"{hours} h", percent(row["share"]), between(share), f"{row['waiting']:,}"])
    return Table(["kind", "within", "with a cart", "95 % interval", "watched"], rows, text=2)


def fatigue(results: Results) -> Table:
    """Return what became of the nth message."""
    table = results.fatigue.assign(between=[between(row) for _, row in results.fatigue.iterrows()])
    columns: Columns = {
        "nth": ("message", lambda nth: {1: "1st", 2: "2nd", 3: "3rd"}.get(nth, "later")),
        "what": ("what", str),
        "customers": ("customers", whole),
        "total": ("of", whole),
        "rate": ("rate", percent),
        "between": ("95 % interval", str),
    }
    return of_frame(table, columns, text=2)


def products(results: Results) -> Table:
    """Return the cart rate of each product, by itself and drawn towards that of all."""
    table = results.products
    pooled = [
        f"{100 * low:.1f} to {100 * high:.1f} %"
        for low, high in zip(table["pooled_low"], table["pooled_high"], strict=True)
    ]
    columns: Columns = {
        "name": ("product", str),
        "customers": ("messages", whole),
        "with_cart": ("with a cart", whole),
        "rate": ("by itself", percent),
        "pooled": ("drawn towards all", percent),
        "between": ("95 % interval", str),
        "differs": ("unlike the rest", str),
    }
    named = table["title"].where(table["title"] != "", table["product_retailer_id"])
    few = ["too few" if few else "no" for few in table["few"]]
    differs = np.where(table["q_value"] < ALPHA, "yes", few)
    return of_frame(table.assign(name=named, between=pooled, differs=differs), columns)


def reliability(results: Results) -> Table:
    """Return what was said and what happened."""
    table = results.reliability.assign(between=[between(row) for _, row in results.reliability.iterrows()])
    columns: Columns = {
        "source": ("source", str),
        "customers": ("customers", whole),
        "said": ("said", percent),
        "happened": ("happened", percent),
        "between": ("95 % interval", str),
    }
    return of_frame(table, columns)


def failure_rate(results: Results) -> Table:
    """Return the failures over time; a star stands at what chance alone hardly explains."""
    table = results.failure_rate
    ends = zip(table["lower"], table["upper"], strict=True)
    limits = [f"{span(100 * low, 100 * high, '.1f')} %" for low, high in ends]
    columns: Columns = {
        "at": ("sent (UTC)", lambda at: f"{at:%d %b %H:%M}"),
        "customers": ("failed", whole),
        "total": ("submitted", whole),
        "rate": ("rate", percent),
        "limits": ("limits", str),
        "outside": ("outside", str),
    }
    outside = table["is_outside"].map({True: "yes", False: ""})
    return of_frame(table.assign(limits=limits, outside=outside), columns)


def suppressed(results: Results) -> Table:
    """Return what the sender left out by itself."""
    told = results.suppressed.assign(reason=results.suppressed["reason"].str.replace(_NUMBER, "…", regex=True))
    return of_frame(told, {"reason": ("reason", str), "customers": ("customers", whole)})


def spending(results: Results) -> Table:
    """Return orders and money a customer, arm beside arm, with and without what was bought before."""
    columns: Columns = {
        "name": ("a customer", str),
        "treated": ("treated", plain),
        "holdout": ("holdout", plain),
        "difference": ("difference", lambda value: f"{value:+.3f}"),
        "plain": ("95 % interval", str),
        "adjusted": ("adjusted", lambda value: f"{value:+.3f}"),
        "narrow": ("95 % interval", str),
        "variance_cut": ("variance taken out", percent),
    }
    table = results.spending
    name = table["measure"].where(table["currency"] == "", table["currency"])
    ends = {
        "plain": [span(low, high, "+.3f") for low, high in zip(table["low"], table["high"], strict=True)],
        "narrow": [
            span(low, high, "+.3f") for low, high in zip(table["adjusted_low"], table["adjusted_high"], strict=True)
        ],
    }
    return of_frame(table.assign(name=name, **ends), columns)


def of_frame(frame: pd.DataFrame, columns: Columns, text: int = 1) -> Table:
    """Return the `columns` of a frame (name: header, how to write a value) as a table, its first `MOST_ROWS` rows."""
    written = [[write(value) for value in frame[name].head(MOST_ROWS)] for name, (_, write) in columns.items()]
    return Table([header for header, _ in columns.values()], [list(row) for row in zip(*written, strict=True)], text)


def _ends(row: pd.Series) -> str:
    low, high = row["difference_low"], row["difference_high"]
    return "" if pd.isna(low) else span(100 * low, 100 * high, "+.1f")
