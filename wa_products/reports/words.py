"""The key numbers of a report, what to do about failures, and what a reader must know to defend the numbers."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pandas as pd

from wa_products.attribution import ANSWERS, total
from wa_products.metrics.verdicts import UNLIKELY
from wa_products.reports.texts import amount, between, moment, percent, some

if TYPE_CHECKING:
    from wa_products.metrics import Results

NOTHING = "nothing"


def tiles(results: Results) -> list[tuple[str, str, str]]:
    """Return the key numbers: name, number, and what it is out of."""
    funnel, row = results.funnel.set_index("step"), results.lift.iloc[0]
    delivered, cart = funnel.loc["delivered or read"], funnel.loc["cart"]
    sure = not results.verdict.startswith("Cannot tell")
    added = f"{100 * row['difference']:+.1f} in 100" if sure else "Cannot tell"
    points = _points(row["low"], row["high"]) if row["complete"] else f"the interval comes on {moment(_end(results))}"
    return [
        (
            "Delivered",
            f"{delivered['customers']:,}",
            _of_accepted(delivered["total"], percent(delivered["rate"])),
        ),
        ("Customers with a cart", f"{cart['customers']:,}", _of_accepted(cart["total"], _rate(cart))),
        ("Those carts hold", _worth(results, "attributed_value", "rest_value"), _worth_note(results)),
        ("Added by the messages", added, points),
    ]


def _worth(results: Results, *columns: str) -> str:
    """Return what the carts that follow from a message hold, each currency by itself."""
    mine = results.money[results.money["rule"].isin(ANSWERS)]
    sums = {
        currency: sum((total(part[column]) or Decimal(0) for column in columns), Decimal(0))
        for currency, part in mine.groupby("currency")
    }
    return " · ".join(amount(value, str(currency)) for currency, value in sums.items()) or NOTHING


def _worth_note(results: Results) -> str:
    product = _worth(results, "attributed_value")
    return "" if product == NOTHING else f"{product} of it the product sent"


def failures(results: Results) -> list[dict[str, Any]]:
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


def notes(results: Results) -> list[str]:
    """Return what a reader must know to defend the numbers of this very campaign."""
    forwarded, unpriced = results.carts["rule"].eq("forwarded").sum(), results.money["without_price"].sum()
    repeats, elsewhere = results.carts["repeats"].sum(), results.carts["rule"].eq("other campaign").sum()
    odd, changed = results.sends["anomaly"].ne("").sum(), len(results.prices)
    counted = {
        f"{some(forwarded, 'cart')} came from people the campaign did not plan for, with a product that it sent: "
        "perhaps forwarded. No rate counts them.": forwarded,
        f"In {some(changed, 'cart')} the product had another price than when it was sent.": changed,
        f"{some(unpriced, 'cart line')} came without a price, which adds nothing to the sums.": unpriced,
        f"{some(odd, 'message')} had statuses that contradict each other; the furthest point counts.": odd,
        f"{some(repeats, 'cart')} repeated another of the same customer within minutes, as from a second device, and "
        "adds nothing to the sums.": repeats,
        f"{some(elsewhere, 'cart')} belongs to a message of another campaign.": elsewhere,
        f"Statuses of {some(results.orphans, 'message')} that this campaign did not send came in as well, "
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


def _rate(row: pd.Series) -> str:
    return "" if pd.isna(row["rate"]) else f"{percent(row['rate'])} ({between(row)})"


def _end(results: Results) -> pd.Timestamp:
    return results.started_at + results.horizon


def _points(low: float, high: float) -> str:
    if pd.isna(low):
        return "nobody was held out to compare with"
    return f"between {100 * low:+.1f} and {100 * high:+.1f} customers with a cart in 100"


def _of_accepted(number: int, rate: str) -> str:
    return f"of {number:,} accepted" + (f", {rate}" if rate else "")
