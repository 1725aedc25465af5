"""Three products to suggest to a customer: what they asked for, what is due again, what is new to them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pandas as pd

from wa_products import frames, selection
from wa_products.recommenders import Popular, Reorder, Requested

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wa_products.datasets import Dataset
    from wa_products.recommenders import Recommender
    from wa_products.widgets.shelves import Shelf

OFFERED = 3
QUICK = 0.5  # seconds: a recommender that learns in less does so whenever something was heard, others hourly
HOURLY = 3600.0


class Suggestions:
    """What `recommenders` suggest, by default the requested, the due again and the popular, in that order."""

    def __init__(self, shelf: Shelf, policy: selection.Policy, recommenders: Sequence[Recommender] | None) -> None:
        self._shelf, self._policy = shelf, policy
        usual: list[Recommender] = [Requested(), Reorder(), Popular()]
        self._sources = usual if recommenders is None else list(recommenders)
        self._took: dict[str, tuple[float, float]] = {}

    def learn(self, data: Dataset) -> None:
        """Let the recommenders learn from `data`; those that take long only now and then."""
        for source in self._sources:
            at, took = self._took.get(source.name, (0.0, 0.0))
            begun = time.monotonic()
            if took < QUICK or begun - at > HOURLY:
                source.fit(data)
                self._took[source.name] = begun, time.monotonic() - begun

    def asked(self, customers: Sequence[str]) -> pd.DataFrame:
        """Return what these customers asked for, the first of each alone: rows of the kind ``request``."""
        found = [source.recommend(customers, 1) for source in self._sources]
        rows = pd.concat([frames.conform(each, frames.PROPOSALS, "suggested") for each in found], ignore_index=True)
        return rows[rows["kind"] == "request"].drop_duplicates("customer_id")

    def offer(self, customer: str) -> list[dict[str, Any]]:
        """
        Return up to three products for a customer, fit for a browser: the best of each kind, in the order of the kinds.

        Where a kind has none, the next best of the others stand in.
        """
        found = [source.recommend([customer], OFFERED).assign(source=source.name) for source in self._sources]
        every = pd.concat([frames.conform(each, frames.PROPOSALS, "suggested") for each in found], ignore_index=True)
        every = every.drop_duplicates("product_retailer_id")
        every = every[every["product_retailer_id"].map(lambda product: not self._shelf.why_not(product)).astype("bool")]
        kind = every["kind"].where(every["kind"] != "", "recommendation")
        every = every.assign(kind=kind, turn=every.groupby(kind).cumcount())
        every = every.assign(place=every["kind"].map(list(selection.KINDS).index))
        best = every.sort_values(["turn", "place"], kind="stable").head(OFFERED)
        rows = best.sort_values(["place", "turn"], kind="stable").to_dict("records")
        return [self._offered({str(name): value for name, value in row.items()}) for row in rows]

    def texts(self, kind: str, product: str) -> dict[str, str]:
        """Return the body and footer with which a product of a kind is sent, as the policy has them."""
        facts = self._shelf.products[product]
        title = selection.shorten(" ".join(facts["title"].split()), selection.TITLE_LENGTH)
        body = self._policy.bodies.get(kind, "").format(title=title, price=facts["paid"], currency=facts["currency"])
        return {"body": body, "footer": self._policy.footer}

    def _offered(self, row: dict[str, Any]) -> dict[str, Any]:
        product, probability = row["product_retailer_id"], row["probability"]
        return {
            **self._shelf.facts(product),
            **self.texts(row["kind"], product),
            "kind": row["kind"],
            "source": row["source"],
            "why": row["why"],
            "probability": None if pd.isna(probability) else round(float(probability), 4),
        }
