"""
The report of a campaign: one file with everything in it, which opens without a network.

It holds counts, rates and product titles; no phone number and no customer id.
"""

from __future__ import annotations

from decimal import Decimal
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import uuid4

import pandas as pd
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from wa_products import figures
from wa_products.attribution import ANSWERS, EXPLANATIONS, RULES, total
from wa_products.errors import DataError
from wa_products.metrics.tables import UNLIKELY

if TYPE_CHECKING:
    import os

    import plotly.graph_objects as go

    from wa_products.metrics import Results

NOTHING = "nothing"
_CONFIG = {"displayModeBar": False, "responsive": True}
_DECIMALS = {
    **dict.fromkeys(("CLP", "ISK", "JPY", "KRW", "PYG", "UGX", "VND", "XAF", "XOF"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "OMR", "TND"), 3),
}


class Table(NamedTuple):
    """A table of the report: `text` columns stand left and the others right; a row that begins with ``*`` is strong."""

    header: list[str]
    rows: list[list[str]]
    text: int = 1


def report(results: Results, path: str | os.PathLike[str]) -> Path:
    """
    Write the report of `results` to `path`, whole or not at all, and return the path.

    One HTML file of about 5 MB with its charts, style and script inside: it asks no network for anything.
    Raises DataError where `path` is a folder.
    """
    target = Path(path)
    if target.is_dir():
        raise DataError(f"{target} is a folder: name a file in it, for example {target / 'report.html'}")
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(f".{target.name}.{uuid4().hex}")
    try:
        draft.write_text(page(results), encoding="utf-8")
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)
    return target


def page(results: Results) -> str:
    """Return the report of `results` as the text of one HTML page."""
    template = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    ).from_string(_beside("report.html"))
    return template.render(
        results=results,
        plotly=Markup(get_plotlyjs()),  # noqa: S704  # the library's own script
        style=Markup(_beside("report.css")),  # noqa: S704  # our own style sheet
        tiles=_tiles(results),
        charts={name: _chart(name, getattr(figures, name)(results)) for name in _CHARTS},
        tables={
            "waterfall": _waterfall(results),
            "funnel": _funnel(results),
            "carts": _carts(results),
            "lift": _lift(results),
        },
        failures=_failures(results),
        notes=_notes(results),
        prompt=_length(results.prompt),
        horizon=_length(results.horizon),
        moment=_moment,
    )


_CHARTS = ("waterfall", "funnel", "carts", "lift", "failures")


def _beside(name: str) -> str:
    return files("wa_products").joinpath(name).read_text(encoding="utf-8")


def _chart(name: str, figure: go.Figure) -> Markup:
    """Return the chart as HTML; its title stands in the page, where it can wrap on a phone."""
    room = 34 if name in {"carts", "failures"} else 10
    bare = figure.update_layout(title=None, height=figure.layout.height - figure.layout.margin.t + room)
    bare.update_layout(margin={"t": room})
    drawn = bare.to_html(
        full_html=False, include_plotlyjs=False, include_mathjax=False, config=_CONFIG, div_id=f"chart-{name}"
    )
    return Markup(drawn)  # noqa: S704  # plotly escapes what stands in its JSON, figures what plotly would read as tags


def _tiles(results: Results) -> list[tuple[str, str, str]]:
    """Return the key numbers: name, number, and what it is out of."""
    funnel, row = results.funnel.set_index("step"), results.lift.iloc[0]
    delivered, cart = funnel.loc["delivered or read"], funnel.loc["cart"]
    sure = not (pd.isna(row["low"]) or row["low"] <= 0 <= row["high"] or results.verdict.startswith("Cannot tell"))
    added = f"{100 * row['difference']:+.1f} in 100" if sure else "Cannot tell"
    return [
        (
            "Delivered",
            f"{delivered['customers']:,}",
            _of_accepted(delivered["total"], _percent(delivered["rate"])),
        ),
        ("Customers with a cart", f"{cart['customers']:,}", _of_accepted(cart["total"], _rate(cart))),
        ("Those carts hold", _worth(results, "attributed_value", "rest_value"), _worth_note(results)),
        ("Added by the messages", added, _points(row["low"], row["high"])),
    ]


def _worth(results: Results, *columns: str) -> str:
    """Return what the carts that follow from a message hold, each currency by itself."""
    mine = results.money[results.money["rule"].isin(ANSWERS)]
    sums = {
        currency: sum((total(part[column]) or Decimal(0) for column in columns), Decimal(0))
        for currency, part in mine.groupby("currency")
    }
    return " · ".join(_amount(value, str(currency)) for currency, value in sums.items()) or NOTHING


def _worth_note(results: Results) -> str:
    product = _worth(results, "attributed_value")
    return "" if product == NOTHING else f"{product} of it the product sent"


def _waterfall(results: Results) -> Table:
    rows = [
        [f"*{step}" if is_total else step, f"{customers:,}".replace("-", "−")]  # noqa: RUF001  # a minus sign in print
        for step, customers, is_total in results.waterfall.itertuples(index=False)
    ]
    return Table(["step", "customers"], rows)


def _funnel(results: Results) -> Table:
    rows = [
        [
            row["step"],
            f"{row['customers']:,} of {row['total']:,}",
            _percent(row["rate"]),
            _between(row) if place else "",
        ]
        for place, (_, row) in enumerate(results.funnel.iterrows())
    ]
    return Table(["step", "customers", "rate", "95 % interval"], rows)


def _carts(results: Results) -> Table:
    spans = {"prompt": _length(results.prompt), "lookback": _length(results.horizon)}
    rows = []
    for rule, confidence in RULES.items():
        carts, money = results.carts["rule"].eq(rule).sum(), results.money[results.money["rule"] == rule]
        values = [
            " · ".join(_amount(value, currency) for value, currency in zip(money[name], money["currency"], strict=True))
            for name in ("attributed_value", "rest_value")
        ]
        rows.append([rule, EXPLANATIONS[rule].format(**spans), confidence, f"{carts:,}", *values])
    return Table(["rule", "what it says", "confidence", "carts", "product sent", "other products"], rows, text=3)


def _lift(results: Results) -> Table:
    rows = [
        [row["arm"], f"{row['with_cart']:,} of {row['customers']:,}", _percent(row["rate"]), _between(row)]
        for _, row in results.arms.iterrows()
    ]
    found = results.lift.iloc[0]
    more = "" if pd.isna(found["difference"]) else f"{100 * found['difference']:+.1f}"
    ends = "" if pd.isna(found["low"]) else f"{100 * found['low']:+.1f} to {100 * found['high']:+.1f}"
    rows.append(["*difference", "", more, ends])
    if ends:
        carts = f"{found['carts']:+,.0f}"
        rows.append(["in customers", carts, "", f"{found['carts_low']:+,.0f} to {found['carts_high']:+,.0f}"])
    return Table(["arm", "with a cart", "rate", "95 % interval"], rows)


def _failures(results: Results) -> list[dict[str, Any]]:
    """Return the failures by class: how many, with which codes, and what to do."""
    return [
        {
            "name": name,
            "customers": f"{part['customers'].sum():,}",
            "codes": [_code(row) for _, row in part.iterrows()],
            "what_to_do": part["what_to_do"].iloc[0],
        }
        for name, part in results.failures.groupby("class", sort=False)
    ]


def _code(row: pd.Series) -> str:
    code = f" (code {row['code']})" if row["code"] else ""
    return f"{row['meaning']}{code}: {row['customers']:,} of {row['total']:,} {row['of']}, {row['stage']}"


def _notes(results: Results) -> list[str]:
    """Return what a reader must know to defend the numbers of this very campaign."""
    forwarded, unpriced = results.carts["rule"].eq("forwarded").sum(), results.money["without_price"].sum()
    odd, changed = results.sends["anomaly"].ne("").sum(), _price_changes(results)
    counted = {
        f"{_some(forwarded, 'cart')} came from people the campaign did not plan for, with a product that it sent: "
        "perhaps forwarded. No rate counts them.": forwarded,
        f"In {_some(changed, 'cart')} the product had another price than when it was sent.": changed,
        f"{_some(unpriced, 'cart line')} came without a price, which adds nothing to the sums.": unpriced,
        f"{_some(odd, 'message')} had statuses that contradict each other; the furthest point counts.": odd,
        f"Statuses of {_some(results.orphans, 'message')} that this campaign did not send came in as well, "
        "and were left out.": results.orphans,
    }
    return [*_power(results.lift.iloc[0]), *(note for note, number in counted.items() if number)]


def _power(row: pd.Series) -> list[str]:
    notes = []
    if pd.notna(row["detectable"]):
        notes.append(
            f"A campaign of this size shows, four times in five, a rise of {100 * row['detectable']:.1f} or more "
            "customers in every 100. Smaller effects stay hidden, present or not."
        )
    if row["sample_ratio"] < UNLIKELY:
        notes.append("The arms do not have the sizes that were drawn: find out why before any use of the comparison.")
    elif pd.notna(row["sample_ratio"]):
        notes.append(
            "The arms have the sizes that were drawn: a split at least this uneven comes in "
            f"{100 * row['sample_ratio']:.0f} % of draws."
        )
    return notes


def _some(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _price_changes(results: Results) -> int:
    """Return in how many carts the product had another price than at the time it was sent."""
    pairs = zip(results.carts["price_at_send"], results.carts["price_in_cart"], strict=True)
    return sum(sent is not None and paid is not None and sent != paid for sent, paid in pairs)


def _amount(value: Decimal | None, currency: str) -> str:
    return "unknown" if value is None else f"{currency} {value:,.{_DECIMALS.get(currency, 2)}f}".strip()


def _percent(share: float) -> str:
    return "" if pd.isna(share) else f"{100 * share:.1f} %"


def _between(row: pd.Series) -> str:
    return "" if pd.isna(row["low"]) else f"{100 * row['low']:.1f} to {100 * row['high']:.1f} %"


def _rate(row: pd.Series) -> str:
    return "" if pd.isna(row["rate"]) else f"{_percent(row['rate'])} ({_between(row)})"


def _points(low: float, high: float) -> str:
    if pd.isna(low):
        return "nobody was held out to compare with"
    return f"between {100 * low:+.1f} and {100 * high:+.1f} customers with a cart in 100"


def _of_accepted(number: int, rate: str) -> str:
    return f"of {number:,} accepted" + (f", {rate}" if rate else "")


def _length(span: pd.Timedelta) -> str:
    """Return a span in words: 24 hours, 7 days."""
    hours = span / pd.Timedelta("1h")
    number, noun = (hours / 24, "day") if hours > 24 and hours % 24 == 0 else (hours, "hour")  # noqa: PLR2004  # hours a day
    return f"{number:g} {noun}{'' if number == 1 else 's'}"


def _moment(at: pd.Timestamp) -> str:
    return f"{at.day} {at:%B %Y, %H:%M} UTC"
