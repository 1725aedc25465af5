"""What a review shows of a row: a line of the list, the card with its chat, reasons and request."""

from __future__ import annotations

import json
import warnings
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pandas as pd

from wa_products import payloads
from wa_products.errors import DataError
from wa_products.widgets.moments import duration, millis, told
from wa_products.widgets.shelves import amount

if TYPE_CHECKING:
    import numpy as np

    from wa_products.datasets import Dataset
    from wa_products.widgets.decisions import Decisions
    from wa_products.widgets.shelves import Shelf

MESSAGES = 4
SEND_ID = "(the id of the send)"
_SILENT = frozenset({"system", "preference"})
_TEXT_LENGTH = 600


class Cards:
    """Draws the rows of `decisions` with what `data` knows; every value is plain text or a number, fit for JSON."""

    def __init__(self, decisions: Decisions, data: Dataset, shelf: Shelf) -> None:
        self._decisions, self._data, self._shelf = decisions, data, shelf

    def line(self, row: int) -> dict[str, Any]:
        """Return what the list shows of `row`."""
        columns = self._decisions.columns
        product = columns["product_retailer_id"][row]
        return {
            "row": row,
            "customer": columns["customer_id"][row],
            "product": product,
            "title": columns["title"][row],
            "price": amount(columns["price"][row]),
            "currency": columns["currency"][row],
            "kind": columns["kind"][row],
            "reason": columns["reason"][row],
            "why": columns["why"][row],
            "closes": millis(columns["closes_at"][row]),
            **self.mark(row),
        }

    def mark(self, row: int) -> dict[str, Any]:
        """Return what a person made of `row`."""
        mark = self._decisions.marks[row]
        sendable = self._decisions.sendable[row]
        edited, swapped = self._decisions.edited(row), bool(mark.product)
        return {"row": row, "state": mark.state if sendable else "skipped", "edited": edited, "swapped": swapped}

    def group(self, group: dict[str, Any]) -> dict[str, Any]:
        """Return what the list shows of a product with several rows."""
        facts = self.line(group["row"])
        return {name: facts[name] for name in ("product", "title", "price", "currency")} | {"group": True, **group}

    def card(self, row: int, *, picture: bool) -> dict[str, Any]:
        """Return all that is shown of `row`; the picture, as a data URI, only where `picture` asks for it."""
        columns, mark = self._decisions.columns, self._decisions.marks[row]
        product, closes = columns["product_retailer_id"][row], columns["closes_at"][row]
        facts = self._shelf.facts(product)
        probability, horizon = columns["probability"][row], columns["horizon_days"][row]
        return {
            **self.line(row),
            "body": mark.body,
            "footer": mark.footer,
            "by": mark.by if mark.at else "",
            "at": mark.at,
            "was": facts["was"],
            "picture": self._shelf.picture(product) if picture else "",
            "link": facts["link"],
            "source": columns["source"][row],
            "probability": None if pd.isna(probability) else round(float(probability), 4),
            "horizon": None if pd.isna(horizon) else float(horizon),
            "due": told(columns["due_at"][row], self._data.timezone),
            "closing": told(closes, self._data.timezone),
            "left": duration(closes - self._data.as_of),
            "messages": self._messages(columns["customer_id"][row]),
            "others": [self._other(other) for other in self._decisions.alternatives.of(row)],
            "proposed": self._decisions.rows["product_retailer_id"].iloc[row],
            **self._request(row),
        }

    def _other(self, row: int) -> dict[str, Any]:
        values = self._decisions.rows.iloc[row]
        return {**self._shelf.facts(values["product_retailer_id"]), "kind": values["kind"], "why": values["why"]}

    @cached_property
    def _threads(self) -> dict[str, dict[str, str]]:
        return self._data.threads.set_index("customer_id")[["to", "recipient"]].to_dict("index")

    @cached_property
    def _inbound(self) -> dict[str, np.ndarray]:
        return self._data.inbound.reset_index(drop=True).groupby("customer_id").indices

    def _messages(self, customer_id: str) -> list[dict[str, str]]:
        """Return the customer's last messages, oldest first, as known at ``as_of``."""
        theirs = self._data.inbound.iloc[self._inbound.get(customer_id, [])]
        known = theirs[(theirs["received_at"] <= self._data.as_of) & ~theirs["kind"].isin(_SILENT)]
        last = known.sort_values("received_at", kind="stable").tail(MESSAGES)
        return [
            {
                "text": message.text[:_TEXT_LENGTH],
                "kind": message.kind,
                "about": self._shelf.title(message.product_retailer_id),
                "at": told(message.received_at, self._data.timezone),
            }
            for message in last.itertuples()
        ]

    def _request(self, row: int) -> dict[str, str]:
        columns, mark = self._decisions.columns, self._decisions.marks[row]
        address = self._threads.get(columns["customer_id"][row], {"to": "", "recipient": ""})
        product = columns["product_retailer_id"][row]
        return request(address, self._data.catalog_id, product, mark.body, mark.footer)


def request(address: dict[str, str], catalog_id: str, product: str, body: str, footer: str) -> dict[str, str]:
    """
    Return the request of a message as indented JSON, as it is sent but for its address, and what speaks against it.

    The address is hidden; in place of the id that each send gets when it is sent stands `SEND_ID`.
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            message = payloads.single_product(
                to=address["to"] or None,
                recipient=None if address["to"] else address["recipient"] or None,
                catalog_id=catalog_id,
                product_retailer_id=product,
                body=body or None,
                footer=footer or None,
                opaque=SEND_ID,
            )
        except DataError as error:
            return {"payload": "", "problem": str(error)}
    shown = {name: masked(value) if name in ("to", "recipient") else value for name, value in message.items()}
    payload = json.dumps(shown, indent=2, ensure_ascii=False)
    return {"payload": payload, "problem": "; ".join(str(each.message) for each in caught)}


def masked(address: str) -> str:
    """
    Return `address` with all but its first two and last two characters hidden.

    >>> masked("+447700900123")
    '+4•••••••••23'
    """
    return address[:2] + "•" * (len(address) - 4) + address[-2:]
