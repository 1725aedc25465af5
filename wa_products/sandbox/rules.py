"""
Whether a message is one that the Cloud API takes, judged by its content alone; raises `Refusal` where it is not.

What depends on the customer, the clock or the catalog's state is `world`'s.
"""

from __future__ import annotations

import re
from typing import Any

from wa_products.sandbox import offers
from wa_products.sandbox.refusals import Refusal, check_length, coded, missing

TYPES = (
    "AUDIO, BUTTON, CONTACTS, DOCUMENT, IMAGE, INTERACTIVE, LOCATION, ORDER, REACTION, STICKER, TEMPLATE, TEXT, VIDEO"
)
TEXT, OPAQUE = 4096, 512
_PHONE = re.compile(r"\+?[0-9]{5,15}")


def check(message: Any) -> None:  # noqa: ANN401  # whatever JSON was posted
    """Raise Refusal unless `message` is a text or an offer of products in the form that Meta takes."""
    if not isinstance(message, dict):
        raise Refusal(400, 100, "(#100) Invalid parameter")
    if message.get("messaging_product") != "whatsapp":
        raise missing("messaging_product") if "messaging_product" not in message else _one_of("messaging_product")
    if not message.get("to") and not message.get("recipient"):
        raise missing("to")
    _check_address(message)
    check_length("biz_opaque_callback_data", message.get("biz_opaque_callback_data", ""), 0, OPAQUE)
    kind = str(message.get("type", "text"))
    if kind.upper() not in TYPES.split(", "):
        raise Refusal(400, 100, f'(#100) Param type must be one of {{{TYPES}}} - got "{kind}".')
    if kind not in {"text", "interactive"}:
        raise coded(131051)
    if not isinstance(message.get(kind), dict):
        raise missing(kind)
    (_check_text if kind == "text" else offers.check)(message[kind])


def check_reading(message: dict[str, Any]) -> None:
    """Raise Refusal unless `message` marks an inbound one as read, with a typing indicator where it has one."""
    if message.get("messaging_product") != "whatsapp":
        raise missing("messaging_product")
    if not message.get("message_id"):
        raise missing("message_id")
    typing = message.get("typing_indicator", {"type": "text"})
    if not isinstance(typing, dict) or typing.get("type") != "text":
        raise coded(131009, "Param typing_indicator['type'] must be one of {text}")


def digits(to: object) -> str:
    """Return the digits of a phone as Meta reads it: without plus, spaces, hyphens and parentheses."""
    return re.sub(r"[\s()+-]", "", str(to))


def _check_address(message: dict[str, Any]) -> None:
    to = message.get("to")
    if to and not _PHONE.fullmatch(re.sub(r"[\s()-]", "", str(to))):
        raise coded(131009, "to is not a valid phone number")
    if message.get("recipient_type", "individual") != "individual":
        raise Refusal(400, 130501, "(#130501) Message type is not currently supported for groups")
    context = message.get("context")
    if context is not None and (not isinstance(context, dict) or not context.get("message_id")):
        raise missing("context['message_id']")


def _check_text(text: dict[str, Any]) -> None:
    if not text.get("body"):
        raise missing("text['body']")
    check_length("text['body']", text["body"], 1, TEXT)


def _one_of(name: str) -> Refusal:
    return Refusal(400, 100, f"(#100) Param {name} must be one of {{WHATSAPP}}")
