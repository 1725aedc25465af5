"""The catalog as Meta serves it: which products can be shown, at what price, and what customers put into a cart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from wa_products.sandbox import chance
from wa_products.sandbox.refusals import NOT_FOUND, NOT_LINKED, coded

if TYPE_CHECKING:
    from decimal import Decimal

    from wa_products.sandbox.offers import Offer

SHOWN_REVIEWS = frozenset({"", "approved", "no_review", "no review", "unknown"})
HIDDEN = frozenset({"hidden", "staging"})
FAVOURITES = 20
TOO, TWICE, OTHER_INSTEAD = 0.35, 0.2, 0.08


class Shelf:
    """The catalog, its commerce settings, and the tastes of the customers in it."""

    def __init__(self, catalog: pd.DataFrame, tastes: pd.DataFrame, catalog_id: str) -> None:
        self.catalog_id = catalog_id
        self.is_catalog_visible = True
        self.is_cart_enabled = True
        self.products = {str(row["product_retailer_id"]): row for row in catalog.to_dict("records")}
        self.names = {self.item_id(name): name for name in self.products}
        sold = [name for name, row in self.products.items() if _is_shown(row) and row["availability"] != "out of stock"]
        self._sold = frozenset(sold)
        liked = tastes[tastes["product_retailer_id"].isin(self._sold) & (tastes["weight"] > 0)]
        best = liked.groupby("customer_id").head(FAVOURITES)
        self._liked = {str(who): list(rows) for who, rows in best.groupby("customer_id")["product_retailer_id"]}
        popular = liked.groupby("product_retailer_id")["weight"].sum().sort_values(ascending=False, kind="stable")
        self._popular = list(popular.index[:FAVOURITES]) or sorted(sold)[:FAVOURITES]

    def show(self, offer: Offer) -> tuple[str, ...]:
        """
        Return the products of an offer that customers will see. Raises Refusal where they can see none.

        Of a list those that cannot be shown are left out; of all others each must be there.
        """
        if not self.is_catalog_visible or (offer.catalog_id or self.catalog_id) != self.catalog_id:
            raise coded(131009, NOT_LINKED)
        if not offer.all_must_be_there:
            shown = tuple(name for name in offer.products if name in self.products and _is_shown(self.products[name]))
            if not shown:
                raise coded(131009, NOT_FOUND)
            return shown
        for name in offer.products:
            self._check(name)
        return offer.products

    def lead(self, customer_id: str, offer: Offer, shown: tuple[str, ...]) -> str:
        """Return the product of an offer that tempts a customer most: one they like, else the first."""
        liked = self._liked.get(customer_id, [])
        if offer.kind == "catalog_message":
            return next(iter([*liked, *shown, *self._popular]), "")
        return next((name for name in liked if name in shown), shown[0])

    def _check(self, product_retailer_id: str) -> None:
        product = self.products.get(product_retailer_id)
        if product is None:
            words = f"product not found for product_retailer_id, {product_retailer_id}"
            raise coded(131009, f"{words}, in catalog_id, {self.catalog_id}")
        if not _is_shown(product):
            raise coded(131009, NOT_FOUND)

    def fill(self, seed: int, customer_id: str, occasion: str, sent: str = "") -> list[tuple[str, int]]:
        """
        Return the products and quantities of a cart; none where nothing can be bought.

        `sent` is the product of the message that the cart answers. Mostly it is in the cart, now and then another
        is there instead, and often one of the customer's favourites, or the shop's, lies with it.
        """
        favourites = [*self._liked.get(customer_id, []), *self._popular]

        def draw(what: str) -> float:
            return chance.share(seed, customer_id, occasion, what)

        def favourite(what: str) -> str:
            # The square draws the first ones more often.
            return favourites[int(draw(what) ** 2 * len(favourites))] if favourites else ""

        first = sent if sent in self._sold and draw("instead") >= OTHER_INSTEAD else favourite("first")
        names = [first, *[favourite(f"too {n}") for n in range(3) if draw(f"more {n}") < TOO]]
        return [(name, 2 if draw(f"twice {name}") < TWICE else 1) for name in dict.fromkeys(names) if name]

    def line(self, product_retailer_id: str, quantity: int) -> dict[str, Any]:
        """Return one entry of `product_items`: the price in major units, a whole number where it is one."""
        product = self.products[product_retailer_id]
        price = _price(product)
        amount = int(price) if price == int(price) else float(price)
        line = {"product_retailer_id": product_retailer_id, "quantity": quantity, "item_price": amount}
        return {**line, "currency": product["currency"]}

    def node(self, product_retailer_id: str) -> dict[str, Any]:
        """Return a product as the Graph API tells it."""
        row = self.products[product_retailer_id]
        review = (row["review"] or "approved").upper().replace(" ", "_")
        return {
            "id": self.item_id(product_retailer_id),
            "retailer_id": product_retailer_id,
            "name": row["title"],
            "description": row["description"],
            "price": f"{_price(row)} {row['currency']}".strip(),
            "currency": row["currency"],
            "availability": row["availability"],
            "visibility": row["visibility"] or "published",
            "review_status": review.lower(),
            "capability_to_review_status": [{"key": "WHATSAPP", "value": review}],
            "image_url": row["image_link"],
            "url": row["link"],
            "brand": row["brand"],
            "retailer_product_group_id": row["item_group_id"],
            "product_type": row["product_type"],
            "errors": _faults(row),
        }

    def item_id(self, product_retailer_id: str) -> str:
        """Return Meta's own id of a product."""
        return str(int(chance.token(0, self.catalog_id, product_retailer_id, size=6), 16))


def _is_shown(product: dict[Any, Any]) -> bool:
    return product["review"].casefold() in SHOWN_REVIEWS and product["visibility"].casefold() not in HIDDEN


def _faults(product: dict[Any, Any]) -> list[dict[str, str]]:
    """Return the entries of a product's `errors`."""
    found = {
        "ITEM_NOT_APPROVED": product["review"].casefold() not in SHOWN_REVIEWS,
        "PRODUCT_ITEM_NOT_VISIBLE": product["visibility"].casefold() in HIDDEN,
        "PRODUCT_OUT_OF_STOCK": product["availability"] == "out of stock",
    }
    return [
        {"error_type": kind, "error_priority": "HIGH", "title": kind.replace("_", " ").capitalize(), "description": ""}
        for kind, holds in found.items()
        if holds
    ]


def _price(product: dict[Any, Any]) -> Decimal | int:
    price = next((product[name] for name in ("sale_price", "price") if not pd.isna(product[name])), None)
    return 0 if price is None else price
