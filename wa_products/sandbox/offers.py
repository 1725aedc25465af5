"""
Interactive messages that offer products: one, a list, a carousel, the whole catalog. What Meta asks of their form.

What depends on the catalog's state is the `shelves`' matter.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from wa_products.sandbox.refusals import check_length, coded, missing

if TYPE_CHECKING:
    from collections.abc import Callable

KINDS = frozenset(
    {"address_message", "button", "call_permission_request", "carousel", "catalog_message", "cta_url", "flow", "list"}
    | {"location_request_message", "order_details", "order_status", "product", "product_list", "request_contact_info"}
)
BODY, FOOTER, HEADER, SECTION = 1024, 60, 60, 24
SECTIONS, ITEMS, CARDS = (1, 10), (1, 30), (2, 10)


@dataclass(frozen=True)
class Offer:
    """
    What a message shows: its kind, the catalog (``""`` where it names none) and the products by retailer id.

    `all_must_be_there` tells that one product which cannot be shown spoils the message.
    """

    kind: str
    catalog_id: str
    products: tuple[str, ...]
    all_must_be_there: bool = True


def check(interactive: dict[str, Any]) -> None:
    """Raise Refusal unless this is an offer of products in the form that Meta takes."""
    kind = interactive.get("type")
    if not kind:
        raise missing("interactive['type']")
    if kind not in KINDS:
        raise coded(131009, f"Param interactive['type'] must be one of {{{', '.join(sorted(KINDS))}}}")
    if kind not in _CHECKS:
        raise coded(131051, f"Interactive messages of type {kind} are not supported by this sandbox")
    for part, least, most in (("body", 1, BODY), ("footer", 0, FOOTER)):
        if part in interactive:
            check_length(part.title(), _text_of(interactive, part), least, most)
    if not isinstance(interactive.get("action"), dict):
        raise _required("['action']")
    _CHECKS[kind](interactive)


def offer(message: dict[str, Any]) -> Offer | None:
    """Return what a message that was checked offers; None for a text."""
    if message.get("type") != "interactive":
        return None
    interactive = message["interactive"]
    action, kind = interactive["action"], interactive["type"]
    if kind == "product":
        return Offer(kind, action["catalog_id"], (action["product_retailer_id"],))
    if kind == "product_list":
        names = tuple(item["product_retailer_id"] for part in action["sections"] for item in part["product_items"])
        return Offer(kind, action["catalog_id"], names, all_must_be_there=False)
    if kind == "carousel":
        cards = [card["action"] for card in action["cards"]]
        return Offer(kind, cards[0]["catalog_id"], tuple(card["product_retailer_id"] for card in cards))
    shown = (action.get("parameters") or {}).get("thumbnail_product_retailer_id")
    return Offer(kind, "", (shown,) if shown else ())


def _check_product(interactive: dict[str, Any]) -> None:
    if "header" in interactive:
        raise coded(131009, "The parameter interactive['header'] is not allows for product messages.")
    _check_names(interactive["action"], "['action']", "catalog_id", "product_retailer_id")


def _check_product_list(interactive: dict[str, Any]) -> None:
    header, action = interactive.get("header"), interactive["action"]
    if not isinstance(header, dict):
        raise _required("['header']")
    if header.get("type") != "text":
        raise coded(131009, "Param interactive['header']['type'] must be one of {text}")
    check_length("Header", header.get("text"), 1, HEADER)
    _need_body(interactive)
    _check_names(action, "['action']", "catalog_id")
    sections = _entries(action, "sections", "['action']", *SECTIONS)
    for section in sections:
        if len(sections) > 1 or "title" in section:
            check_length("Section title", section.get("title"), 1, SECTION)
        for item in _entries(section, "product_items", "['action']['sections']", 1, ITEMS[1]):
            _check_names(item, "['action']['sections']['product_items']", "product_retailer_id")
    _check_count("Products", sum(len(section["product_items"]) for section in sections), *ITEMS)


def _check_catalog_message(interactive: dict[str, Any]) -> None:
    if "header" in interactive:
        raise coded(131009, "The parameter interactive['header'] is not allows for catalog messages.")
    _need_body(interactive)
    if interactive["action"].get("name") != "catalog_message":
        raise coded(131009, "Param interactive['action']['name'] must be one of {catalog_message}")
    if not isinstance(interactive["action"].get("parameters", {}), dict):
        raise coded(131009, "The parameter interactive['action']['parameters'] must be an object.")


def _check_carousel(interactive: dict[str, Any]) -> None:
    for part in ("header", "footer"):
        if part in interactive:
            raise coded(131009, f"The parameter interactive['{part}'] is not allows for carousel messages.")
    _need_body(interactive)
    cards = _entries(interactive["action"], "cards", "['action']", *CARDS)
    for card in cards:
        if card.get("type") != "product":
            raise coded(131009, "Param interactive['action']['cards']['type'] must be one of {product}")
        if not isinstance(card.get("action"), dict):
            raise _required("['action']['cards']['action']")
        _check_names(card["action"], "['action']['cards']['action']", "catalog_id", "product_retailer_id")
    if sorted(str(card.get("card_index")) for card in cards) != sorted(map(str, range(len(cards)))):
        raise coded(131009, "The parameter interactive['action']['cards']['card_index'] must count from 0.")
    if len({card["action"]["catalog_id"] for card in cards}) > 1:
        raise coded(131009, "All cards of a carousel must be of the same catalog.")


_CHECKS: dict[str, Callable[[dict[str, Any]], None]] = {
    "product": _check_product,
    "product_list": _check_product_list,
    "catalog_message": _check_catalog_message,
    "carousel": _check_carousel,
}


def _need_body(interactive: dict[str, Any]) -> None:
    if "body" not in interactive:
        raise _required("['body']")


def _entries(holder: dict[str, Any], name: str, where: str, least: int, most: int) -> list[dict[str, Any]]:
    entries = holder.get(name)
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise _required(f"{where}['{name}']")
    _check_count(name.replace("_", " ").capitalize(), len(entries), least, most)
    return entries


def _check_count(name: str, count: int, least: int, most: int) -> None:
    if not least <= count <= most:
        raise coded(131009, f"{name} count invalid. Min allowed: {least}, Max allowed: {most}")


def _check_names(holder: dict[str, Any], where: str, *names: str) -> None:
    for name in names:
        if not isinstance(holder.get(name), str) or not holder[name]:
            raise _required(f"{where}['{name}']")


def _required(where: str) -> Exception:
    return coded(131008, f"The parameter interactive{where} is required.")


def _text_of(interactive: dict[str, Any], part: str) -> object:
    if not isinstance(interactive[part], dict) or "text" not in interactive[part]:
        raise missing(f"interactive['{part}']['text']")
    return interactive[part]["text"]
