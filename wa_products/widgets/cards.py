"""What a review shows of a row: a line of the list, the card with its chat and payload, the picture."""

from __future__ import annotations

import json
import warnings
from base64 import b64encode
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pandas as pd

from wa_products import payloads
from wa_products.errors import DataError

if TYPE_CHECKING:
    import numpy as np

    from wa_products.datasets import Dataset
    from wa_products.widgets.decisions import Decisions

MESSAGES = 4
PICTURE_BYTES = 3_000_000
_SIGNATURES = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg", b"GIF8": "image/gif"}
_SILENT = frozenset({"system", "preference"})
_TEXT_LENGTH = 600


class Cards:
    """Draws the rows of `decisions` with what `data` knows; every value is plain text or a number, fit for JSON."""

    def __init__(self, decisions: Decisions, data: Dataset) -> None:
        self._decisions = decisions
        self._rows: pd.DataFrame = decisions.rows
        self._data = data

    def line(self, row: int) -> dict[str, Any]:
        """Return what the list shows of `row`."""
        values = self._rows.iloc[row]
        return {
            "row": row,
            "customer": values["customer_id"],
            "product": values["product_retailer_id"],
            "title": values["title"],
            "price": _amount(values["price"]),
            "currency": values["currency"],
            "kind": values["kind"],
            "reason": values["reason"],
            "why": values["why"],
            **self.mark(row),
        }

    def mark(self, row: int) -> dict[str, Any]:
        """Return what a person made of `row`."""
        mark = self._decisions.marks[row]
        sendable = self._decisions.sendable[row]
        edited = self._decisions.edited(row)
        return {"row": row, "state": mark.state if sendable else "skipped", "edited": edited}

    def card(self, row: int, *, picture: bool) -> dict[str, Any]:
        """Return all that is shown of `row`; the picture, as a data URI, only where `picture` asks for it."""
        values, mark = self._rows.iloc[row], self._decisions.marks[row]
        product = self._catalog.get(values["product_retailer_id"])
        return {
            **self.line(row),
            "body": mark.body,
            "footer": mark.footer,
            "by": mark.by if mark.state else "",
            "at": mark.at if mark.state else "",
            "was": self._price_before(values, product),
            "picture": self._picture(values["product_retailer_id"]) if picture else "",
            "link": _host(product),
            "source": values["source"],
            "probability": None if pd.isna(values["probability"]) else round(float(values["probability"]), 4),
            "horizon": None if pd.isna(values["horizon_days"]) else float(values["horizon_days"]),
            "due": self._moment(values["due_at"]),
            "closes": self._moment(values["closes_at"]),
            "left": _duration(values["closes_at"] - self._data.as_of),
            "messages": self._messages(values["customer_id"]),
            **self._payload(values, mark.body, mark.footer),
        }

    @cached_property
    def _catalog(self) -> dict[str, dict[str, Any]]:
        unique = self._data.catalog.drop_duplicates("product_retailer_id")
        columns = ["price", "currency", "image_link", "title"]
        return unique.set_index("product_retailer_id")[columns].to_dict("index")

    @cached_property
    def _threads(self) -> dict[str, dict[str, str]]:
        return self._data.threads.set_index("customer_id")[["to", "recipient"]].to_dict("index")

    @cached_property
    def _inbound(self) -> dict[str, np.ndarray]:
        return self._data.inbound.reset_index(drop=True).groupby("customer_id").indices

    def _price_before(self, values: pd.Series, product: dict[str, Any] | None) -> str:
        """Return the price without the sale, ``""`` where there is no sale."""
        if product is None or product["price"] is None or values["price"] is None:
            return ""
        return _amount(product["price"]) if product["price"] > values["price"] else ""

    def _picture(self, product_retailer_id: str) -> str:
        content = self._data.pictures.get(product_retailer_id, b"")
        kinds = [kind for start, kind in _SIGNATURES.items() if content.startswith(start)]
        if not kinds or len(content) > PICTURE_BYTES:
            return ""
        return f"data:{kinds[0]};base64,{b64encode(content).decode()}"

    def _moment(self, at: pd.Timestamp) -> str:
        return "" if pd.isna(at) else f"{at.tz_convert(self._data.timezone):%a %d %b %H:%M %Z}"

    def _messages(self, customer_id: str) -> list[dict[str, str]]:
        """Return the customer's last messages, oldest first, as known at ``as_of``."""
        theirs = self._data.inbound.iloc[self._inbound.get(customer_id, [])]
        known = theirs[(theirs["received_at"] <= self._data.as_of) & ~theirs["kind"].isin(_SILENT)]
        last = known.sort_values("received_at", kind="stable").tail(MESSAGES)
        return [
            {
                "text": message.text[:_TEXT_LENGTH],
                "kind": message.kind,
                "about": self._catalog.get(message.product_retailer_id, {}).get("title", ""),
                "at": self._moment(message.received_at),
            }
            for message in last.itertuples()
        ]

    def _payload(self, values: pd.Series, body: str, footer: str) -> dict[str, str]:
        """Return the request body as indented JSON, its address masked, and what speaks against it."""
        address = self._threads.get(values["customer_id"], {"to": "", "recipient": ""})
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                message = payloads.single_product(
                    to=address["to"] or None,
                    recipient=None if address["to"] else address["recipient"] or None,
                    catalog_id=self._data.catalog_id,
                    product_retailer_id=values["product_retailer_id"],
                    body=body or None,
                    footer=footer or None,
                )
            except DataError as error:
                return {"payload": "", "problem": str(error)}
        shown = {name: masked(value) if name in ("to", "recipient") else value for name, value in message.items()}
        return {
            "payload": json.dumps(shown, indent=2, ensure_ascii=False),
            "problem": "; ".join(str(w.message) for w in caught),
        }


def masked(address: str) -> str:
    """
    Return `address` with all but its first two and last two characters hidden.

    >>> masked("+447700900123")
    '+4•••••••••23'
    """
    return address[:2] + "•" * (len(address) - 4) + address[-2:]


def _amount(price: object) -> str:
    return "" if price is None else str(price)


def _host(product: dict[str, Any] | None) -> str:
    """Return the image link where it is https and could be loaded on request, else ``""``."""
    link = "" if product is None else str(product["image_link"])
    try:
        return link if urlsplit(link).scheme == "https" and urlsplit(link).hostname else ""
    except ValueError:
        return ""


def _duration(left: pd.Timedelta) -> str:
    if pd.isna(left):
        return ""
    minutes = int(left.total_seconds() // 60)
    return "closed" if minutes < 0 else f"{minutes // 60} h {minutes % 60:02d} min left"
