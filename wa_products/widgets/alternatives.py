"""Another product for a row: one that was proposed to the same customer too, or any that can be sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from wa_products import selection

if TYPE_CHECKING:
    import numpy as np

    from wa_products.widgets.shelves import Shelf

HELD = (
    *("product_retailer_id", "kind", "source", "score", "probability", "horizon_days", "due_at", "why", "rank"),
    *("title", "price", "currency"),
)
BY_HAND = "by hand"


class Alternatives:
    """What a row of `rows` may show in place of its product, and what it holds then."""

    def __init__(self, rows: pd.DataFrame, shelf: Shelf) -> None:
        self._rows, self._shelf = rows, shelf
        self._of_customer: dict[str, np.ndarray] = rows.groupby("customer_id").indices

    def of(self, row: int) -> list[int]:
        """Return the rows of the same customer with another product that can be sent, in the order of their rank."""
        theirs = self._rows.iloc[self._of_customer[self._rows["customer_id"].iloc[row]]].sort_values("rank")
        return [int(each) for each in theirs.index if each != row and not self._shelf.why_not(self._product(each))]

    def values(self, row: int, product: str) -> dict[str, Any]:
        """Return what of `row` changes with `product`: the columns of `HELD`."""
        if (same := self._same(row, product)) is not None:
            return {name: self._rows[name].iloc[same] for name in HELD}
        facts, proposed = self._shelf.products[product], self._rows.iloc[row]
        return {
            "product_retailer_id": product,
            # Still the answer to what was asked: nobody who asked is held out.
            "kind": "request" if proposed["kind"] == "request" else "recommendation",
            "source": BY_HAND,
            "score": float("nan"),
            "probability": float("nan"),
            "horizon_days": float("nan"),
            "due_at": pd.NaT,
            "why": f"chosen by hand in place of {proposed['title'] or proposed['product_retailer_id']}",
            "rank": proposed["rank"],
            "title": facts["title"],
            "price": facts["paid"],
            "currency": facts["currency"],
        }

    def texts(self, row: int, product: str) -> tuple[str, str]:
        """Return the body and footer proposed for `row` with `product`."""
        if (same := self._same(row, product)) is not None and self._rows["body"].iloc[same]:
            return self._rows["body"].iloc[same], self._rows["footer"].iloc[same]
        body, footer = self._rows["body"].iloc[row], self._rows["footer"].iloc[row]
        return renamed(body, self._rows["title"].iloc[row], self._shelf.products[product]["title"]), footer

    def _same(self, row: int, product: str) -> int | None:
        theirs = self._of_customer[self._rows["customer_id"].iloc[row]]
        return next((int(each) for each in theirs if self._product(each) == product), None)

    def _product(self, row: int) -> str:
        return str(self._rows["product_retailer_id"].iloc[row])


def renamed(text: str, before: str, after: str) -> str:
    """Return `text` with one product's title in place of another's, each as a body holds it."""
    old, new = (selection.shorten(" ".join(title.split()), selection.TITLE_LENGTH) for title in (before, after))
    return text.replace(old, new) if old else text
