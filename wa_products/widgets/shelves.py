"""The catalog as a widget shows it: a product's facts, its picture, and the search for it."""

from __future__ import annotations

from base64 import b64encode
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from babel import Locale, UnknownLocaleError
from babel.languages import get_official_languages
from babel.numbers import format_currency

if TYPE_CHECKING:
    from decimal import Decimal

    from wa_products.datasets import Dataset

PICTURE_BYTES = 3_000_000
FOUND = 12
_SIGNATURES = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg", b"GIF8": "image/gif"}
_COLUMNS = ("title", "price", "sale_price", "currency", "availability", "image_link", "brand", "product_type")
_LAW = ("sendable", "not_sendable_reason")


class Shelf:
    """The products of `data`; all that is returned for a browser is text or a number."""

    def __init__(self, data: Dataset) -> None:
        self._data = data

    @cached_property
    def products(self) -> dict[str, dict[str, Any]]:
        """The products by id as the catalog has them, and ``paid``, what a customer pays."""
        unique = self._data.catalog.drop_duplicates("product_retailer_id").set_index("product_retailer_id")
        found: dict[str, dict[str, Any]] = unique[[*_COLUMNS, *_LAW]].to_dict("index")
        return {name: {**each, "paid": _paid(each)} for name, each in found.items()}

    def why_not(self, product: str) -> str:
        """Return why `product` cannot be sent, ``""`` where it can."""
        known = self.products.get(product)
        if known is None:
            return "not in the catalog"
        return "" if known["sendable"] else known["not_sendable_reason"] or "not sendable"

    def title(self, product: str) -> str:
        """Return the title of `product`, ``""`` where it is not in the catalog."""
        return str(self.products[product]["title"]) if product in self.products else ""

    def facts(self, product: str) -> dict[str, Any]:
        """Return what a browser shows of `product` beside its picture."""
        known = self.products.get(product)
        if known is None:
            return {"product": product, "title": "", "price": "", "was": "", "currency": "", "link": "", "not": "gone"}
        before = known["price"] if known["paid"] is not None and known["price"] is not None else None
        return {
            "product": product,
            "title": known["title"],
            "price": amount(known["paid"]),
            "was": amount(before) if before is not None and before > known["paid"] else "",
            "currency": known["currency"],
            "stock": known["availability"],
            "link": secure(known["image_link"]),
            "not": self.why_not(product),
        }

    def picture(self, product: str) -> str:
        """Return the picture that lies beside the export as a data URI; ``""`` without one, or for anything else."""
        content = self._data.pictures.get(product, b"")
        kinds = [kind for start, kind in _SIGNATURES.items() if content.startswith(start)]
        if not kinds or len(content) > PICTURE_BYTES:
            return ""
        return f"data:{kinds[0]};base64,{b64encode(content).decode()}"

    def search(self, text: str) -> list[dict[str, Any]]:
        """Return the products in which every word of `text` stands, those that can be sent first, by title."""
        words = text.casefold().split()
        found = [product for product, told in self._told.items() if all(word in told for word in words)]
        order = sorted(found, key=lambda name: (self.why_not(name) != "", self.products[name]["title"].casefold()))
        return [self.facts(product) for product in order[:FOUND]]

    @cached_property
    def _told(self) -> dict[str, str]:
        return {
            name: f"{each['title']}\n{name}\n{each['brand']}\n{each['product_type']}".casefold()
            for name, each in self.products.items()
        }


def amount(price: Decimal | None) -> str:
    """Return a price as its exact text, ``""`` for an unknown one."""
    return "" if price is None else str(price)


def priced(price: Decimal | None, currency: str, region: str) -> str:
    r"""
    Return a price as it is written in `region` (ISO 3166); ``""`` for an unknown one.

    >>> from decimal import Decimal
    >>> priced(Decimal("5.5"), "GBP", "GB"), priced(Decimal("5.5"), "EUR", "DE")
    ('£5.50', '5,50\xa0€')
    """
    if price is None:
        return ""
    return format_currency(price, currency, locale=_locale(region)) if currency else str(price)


def secure(link: str) -> str:
    """Return an image link where it is https and could be loaded on request, else ``""``."""
    try:
        parts = urlsplit(link)
    except ValueError:
        return ""
    return link if parts.scheme == "https" and parts.hostname else ""


def _locale(region: str) -> Locale:
    for language in (*get_official_languages(region)[:1], "en"):
        try:
            return Locale.parse(f"{language}_{region}")
        except (UnknownLocaleError, ValueError):
            continue
    return Locale("en")


def _paid(product: dict[str, Any]) -> Decimal | None:
    return next((product[name] for name in ("sale_price", "price") if product[name] is not None), None)
