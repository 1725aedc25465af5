"""
The single-product message as the dict that the Cloud API takes, its limits checked before it leaves.

Source: Meta, "Single-product messages" and its OpenAPI description: no header, body up to 1,024, footer up to 60,
opaque callback data up to 512 characters. Meta does not say what it counts; code points are counted here, and a
warning tells where the UTF-16 length, which some of its clients count, is past the limit.
"""

from __future__ import annotations

import re
import warnings
from typing import Any

from wa_products.errors import DataError

BODY, FOOTER, OPAQUE = 1024, 60, 512
E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_SURROGATE = re.compile("[\ud800-\udfff]")
USER_ID = re.compile(r"[A-Z]{2}\.(?:ENT\.)?[A-Za-z0-9]{1,128}")


def single_product(
    *,
    to: str | None = None,
    recipient: str | None = None,
    catalog_id: str,
    product_retailer_id: str,
    body: str | None = None,
    footer: str | None = None,
    reply_to: str | None = None,
    opaque: str | None = None,
) -> dict[str, Any]:
    """
    Return the request body of one single-product message.

    Give either `to` (a phone, ``+`` and country code first: without the ``+`` Meta may add the business's own country
    code and write to a stranger) or `recipient` (a business-scoped user id). `reply_to` is the id of a message to
    quote; `opaque` comes back in the status webhooks. Raises DataError naming the field that breaks its limit.

    >>> message = single_product(to="+447700900123", catalog_id="1", product_retailer_id="SKU-7", body="Running low?")
    >>> message["interactive"]["action"]
    {'catalog_id': '1', 'product_retailer_id': 'SKU-7'}
    """
    interactive: dict[str, Any] = {"type": "product"}
    if body is not None:
        interactive["body"] = {"text": _within("body", body, BODY)}
    if footer is not None:
        interactive["footer"] = {"text": _within("footer", footer, FOOTER)}
    interactive["action"] = {
        "catalog_id": _filled("catalog_id", catalog_id),
        "product_retailer_id": _filled("product_retailer_id", product_retailer_id),
    }
    message = {"messaging_product": "whatsapp", "recipient_type": "individual", **_address(to, recipient)}
    if reply_to is not None:
        message["context"] = {"message_id": _filled("reply_to", reply_to)}
    if opaque is not None:
        message["biz_opaque_callback_data"] = _within("opaque", opaque, OPAQUE)
    return {**message, "type": "interactive", "interactive": interactive}


def _address(to: str | None, recipient: str | None) -> dict[str, Any]:
    # The values stay out of the messages: they are somebody's phone number.
    if (to is None) == (recipient is None):
        raise DataError("give exactly one address: to (a phone) or recipient (a business-scoped user id)")
    if to is not None:
        if not isinstance(to, str) or not E164.fullmatch(to):
            raise DataError("to must be a phone number in E.164 form: + and country code, then digits only")
        return {"to": to}
    if not isinstance(recipient, str) or not USER_ID.fullmatch(recipient):
        raise DataError("recipient must be a business-scoped user id: two capital letters, a dot, then letters, digits")
    return {"recipient": recipient}


def _filled(field: str, value: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise DataError(f"{field} must be text and not blank")
    if _SURROGATE.search(value):
        raise DataError(f"{field} holds half of a character (a lone surrogate), which no request can carry")
    return value


def _within(field: str, value: str, limit: int) -> str:
    if len(_filled(field, value)) > limit:
        raise DataError(f"{field} has {len(value):,} characters; at most {limit:,} are allowed")
    units = len(value.encode("utf-16-le")) // 2
    if units > limit:
        warnings.warn(
            f"{field} has {len(value):,} characters but {units:,} UTF-16 units, past {limit:,}: "
            f"emoji count double there, and Meta does not say which it counts",
            stacklevel=4,
        )
    return value
