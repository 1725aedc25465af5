"""
Whether a message is one that the Cloud API takes, judged by its content alone; raises `Refusal` where it is not.

What depends on the customer, the clock or the catalog's state is `world`'s.
"""

from __future__ import annotations

import re
from typing import Any

from wa_products.sandbox.refusals import Refusal, coded, missing

TYPES = (
    "AUDIO, BUTTON, CONTACTS, DOCUMENT, IMAGE, INTERACTIVE, LOCATION, ORDER, REACTION, STICKER, TEMPLATE, TEXT, VIDEO"
)
INTERACTIVE = frozenset(
    {"address_message", "button", "call_permission_request", "carousel", "catalog_message", "cta_url", "flow", "list"}
    | {"location_request_message", "order_details", "order_status", "product", "product_list", "request_contact_info"}
)
BODY, FOOTER, TEXT, OPAQUE = 1024, 60, 4096, 512
_PHONE = re.compile(r"\+?[0-9]{5,15}")


def check(message: Any) -> None:  # noqa: ANN401  # whatever JSON was posted
    """Raise Refusal unless `message` is a text or a single-product message in the form that Meta takes."""
    if not isinstance(message, dict):
        raise Refusal(400, 100, "(#100) Invalid parameter")
    if message.get("messaging_product") != "whatsapp":
        raise missing("messaging_product") if "messaging_product" not in message else _one_of("messaging_product")
    if not message.get("to") and not message.get("recipient"):
        raise missing("to")
    _check_address(message)
    _check_length("biz_opaque_callback_data", message.get("biz_opaque_callback_data", ""), 0, OPAQUE)
    kind = str(message.get("type", "text"))
    if kind.upper() not in TYPES.split(", "):
        raise Refusal(400, 100, f'(#100) Param type must be one of {{{TYPES}}} - got "{kind}".')
    if kind not in {"text", "interactive"}:
        raise coded(131051)
    if not isinstance(message.get(kind), dict):
        raise missing(kind)
    (_check_text if kind == "text" else _check_interactive)(message[kind])


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
    _check_length("text['body']", text["body"], 1, TEXT)


def _check_interactive(interactive: dict[str, Any]) -> None:
    kind = interactive.get("type")
    if not kind:
        raise missing("interactive['type']")
    if kind not in INTERACTIVE:
        raise coded(131009, f"Param interactive['type'] must be one of {{{', '.join(sorted(INTERACTIVE))}}}")
    if kind != "product":
        raise coded(131051, f"Interactive messages of type {kind} are not supported by this sandbox")
    if "header" in interactive:
        raise coded(131009, "The parameter interactive['header'] is not allows for product messages.")
    for part, least, most in (("body", 1, BODY), ("footer", 0, FOOTER)):
        if part in interactive:
            _check_length(part.title(), _text_of(interactive, part), least, most)
    action = interactive.get("action")
    if not isinstance(action, dict):
        raise coded(131008, "The parameter interactive['action'] is required.")
    for name in ("catalog_id", "product_retailer_id"):
        if not isinstance(action.get(name), str) or not action[name]:
            raise coded(131008, f"The parameter interactive['action']['{name}'] is required.")


def _text_of(interactive: dict[str, Any], part: str) -> object:
    if not isinstance(interactive[part], dict) or "text" not in interactive[part]:
        raise missing(f"interactive['{part}']['text']")
    return interactive[part]["text"]


def _check_length(name: str, value: object, least: int, most: int) -> None:
    if not isinstance(value, str):
        raise coded(131009, f"{name} must be a string.")
    if not least <= len(value) <= most:
        raise coded(131009, f"{name} text length invalid. Min length: {least}, Max length: {most}")


def _one_of(name: str) -> Refusal:
    return Refusal(400, 100, f"(#100) Param {name} must be one of {{WHATSAPP}}")
