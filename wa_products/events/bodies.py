"""From the body down to the single message. Each level answers for its own part, so nothing falls through."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from wa_products import frames
from wa_products.events.values import a_dict, a_list, content_id, digits, json_of, moment, number, text_of
from wa_products.identities import customer_id
from wa_products.payloads import USER_ID

if TYPE_CHECKING:
    from collections.abc import Iterator

Event = dict[str, Any]

FIELDS = frozenset({"", "messages", "standby", "user_preferences"})
TYPES = frozenset(
    {"text", "image", "audio", "voice", "video", "document", "sticker", "location", "contacts"}
    | {"interactive", "button", "order", "reaction"}
)
BLANK: Event = dict.fromkeys(frames.EVENTS, "") | {"at": None, "code": 0, "quantity": math.nan, "unit_price": None}


def of_bodies(value: object) -> list[Event]:
    """Return the events of a decoded body, or of a list of them; at least one."""
    bodies = value if isinstance(value, list) else [value]
    return [event for body in bodies for event in _of_body(body)] or [unsupported(value, "an empty list")]


def _of_body(body: object) -> list[Event]:
    if not isinstance(body, dict):
        return [unsupported(body, "not a JSON object")]
    if "entry" in body:
        found = [event for entry in a_list(body["entry"]) for event in _of_entry(entry)]
    elif "changes" in body:
        found = _of_entry(body)
    elif "value" in body:
        found = _of_change(body)
    else:
        found = _of_change({"value": body})
    return found or [unsupported(body, "a body without entries")]


def _of_entry(entry: object) -> list[Event]:
    changes = a_list(a_dict(entry).get("changes"))
    return [event for change in changes for event in _of_change(change)] or [
        unsupported(entry, "an entry without changes")
    ]


def _of_change(change: object) -> list[Event]:
    field, value = text_of(a_dict(change).get("field")), a_dict(a_dict(change).get("value"))
    if field not in FIELDS:
        return [unsupported(change, f"a webhook of the field {field[:60]}", status=field)]
    metadata = text_of(a_dict(value.get("metadata")).get("phone_number_id"))
    found = list(_of_value(value))
    for event in found:
        event["phone_number_id"] = metadata
    return found or [unsupported(change, "a change without messages, statuses or preferences", status=field)]


def _of_value(value: dict[str, Any]) -> Iterator[Event]:
    for status in a_list(value.get("statuses")):
        yield _status(status, value)
    for message in a_list(value.get("messages")):
        yield from _message(message, value)
    for preference in a_list(value.get("user_preferences")):
        yield _preference(preference, value)
    for error in a_list(value.get("errors")):
        code, details = _error([error])
        yield unsupported(error, details or "an error without words", code=code)


def _status(status: object, value: dict[str, Any]) -> Event:
    if not isinstance(status, dict):
        return unsupported(status, "a status that is not a JSON object")
    wamid, name = text_of(status.get("id")), text_of(status.get("status"))
    parent = status.get("recipient_parent_user_id") or status.get("parent_recipient_user_id")
    group = text_of(status.get("recipient_type")) == "group"
    phone = status.get("recipient_participant_id") if group else status.get("recipient_id")
    user = status.get("recipient_user_id") or status.get("recipient_participant_user_id") or parent
    person = _person(phone, user, value, "statuses")
    code, details = _error(a_list(status.get("errors")))
    member = f":{person['customer_id']}" if group else ""
    return {
        **BLANK,
        **person,
        "event_id": f"{wamid}:{name}{member}" if wamid else content_id(status),
        "kind": "status",
        "at": moment(status.get("timestamp")),
        "wamid": wamid,
        "send_id": text_of(status.get("biz_opaque_callback_data")),
        "status": name,
        "code": code,
        "details": details,
    }


def _message(message: object, value: dict[str, Any]) -> Iterator[Event]:
    if not isinstance(message, dict):
        yield unsupported(message, "a message that is not a JSON object")
        return
    wamid, kind = text_of(message.get("id")), text_of(message.get("type"))
    user = message.get("from_user_id") or message.get("from_parent_user_id")
    context = a_dict(message.get("context"))
    product = text_of(a_dict(context.get("referred_product")).get("product_retailer_id"))
    forwarded = bool(context.get("forwarded") or context.get("frequently_forwarded"))
    code, details = _error(a_list(message.get("errors")))
    event = {
        **BLANK,
        **_person(message.get("from"), user, value, "messages"),
        "event_id": wamid or content_id(message),
        "kind": _kind(message, kind, product),
        "at": moment(message.get("timestamp")),
        "wamid": wamid,
        "status": kind,
        "code": code,
        "details": "a group message" if message.get("group_id") else details,
        "text": _words(message, kind),
        "product_retailer_id": product,
        "context_id": "" if forwarded else text_of(context.get("id")),
    }
    if event["kind"] == "unsupported":
        event["raw"] = json_of(message)
        event["details"] = event["details"] or f"a message of the type {kind[:60] or 'unknown'}"
    if event["kind"] == "system":
        yield {**event, **_system(message, event)}
    elif event["kind"] == "cart":
        yield from _cart(message, event)
    else:
        yield event


def _kind(message: dict[str, Any], kind: str, product: str) -> str:
    if message.get("group_id") or (kind not in TYPES and kind != "system"):
        return "unsupported"
    if kind == "system":
        return "system"
    if kind == "order" and a_list(a_dict(message.get("order")).get("product_items")):
        return "cart"
    return "enquiry" if product else "inbound"


def _cart(message: dict[str, Any], event: Event) -> Iterator[Event]:
    for n, item in enumerate(a_list(message["order"]["product_items"]), start=1):
        line = a_dict(item)
        quantity = number(line.get("quantity"))
        yield {
            **event,
            "event_id": f"{event['event_id']}:{n}",
            "product_retailer_id": text_of(line.get("product_retailer_id")),
            "quantity": math.nan if quantity is None else float(quantity),
            "unit_price": number(line.get("item_price")),
            "currency": text_of(line.get("currency")),
            "details": event["details"] if isinstance(item, dict) else "a cart line that is not a JSON object",
        }


def _system(message: dict[str, Any], event: Event) -> Event:
    """Return who the customer is now and who they were; the notice's own words hold phone numbers and are left out."""
    notice = a_dict(message.get("system"))
    phone = digits(notice.get("wa_id")) or digits(notice.get("new_wa_id")) or event["wa_id"]
    before = event["wa_id"] or digits(notice.get("customer"))
    user = text_of(notice.get("user_id")) or event["user_id"]
    user_before = (
        text_of(notice.get("previous_user_id")) or text_of(message.get("previous_user_id")) or event["user_id"]
    )
    parent_before = text_of(notice.get("previous_parent_user_id"))
    return {
        "status": text_of(notice.get("type")) or "system",
        "wa_id": phone,
        "user_id": user,
        "customer_id": _customer(phone, user),
        "previous_wa_id": before if before != phone else "",
        "previous_user_id": user_before if user_before != user else (parent_before if parent_before != user else ""),
    }


def _preference(preference: object, value: dict[str, Any]) -> Event:
    if not isinstance(preference, dict):
        return unsupported(preference, "a preference that is not a JSON object")
    said = text_of(preference.get("value")).strip().casefold()
    user = preference.get("user_id") or preference.get("parent_user_id")
    return {
        **BLANK,
        **_person(preference.get("wa_id"), user, value, "user_preferences"),
        "event_id": content_id(preference),
        "kind": "preference",
        "at": moment(preference.get("timestamp")),
        "status": said,
        "text": said,
        "details": text_of(preference.get("detail")),
    }


def unsupported(part: object, why: str, status: str = "", code: int = 0) -> Event:
    """Return the row of what was not understood, with the reason in words and the part itself."""
    return {
        **BLANK,
        "event_id": content_id(part),
        "kind": "unsupported",
        "status": status,
        "code": code,
        "details": why,
        "raw": json_of(part),
    }


# Who: the message's own ids first, then the contact that belongs to it.


def _person(sender: object, user: object, value: dict[str, Any], part: str) -> Event:
    wa_id, user_id = digits(sender), text_of(user)
    if not user_id and not wa_id and USER_ID.fullmatch(text_of(sender)):
        user_id = text_of(sender)
    contact = {} if wa_id and user_id else _contact(wa_id, user_id, value, part)
    wa_id = wa_id or digits(contact.get("wa_id"))
    user_id = user_id or text_of(contact.get("user_id")) or text_of(contact.get("parent_user_id"))
    return {"wa_id": wa_id, "user_id": user_id, "customer_id": _customer(wa_id, user_id)}


def _contact(wa_id: str, user_id: str, value: dict[str, Any], part: str) -> dict[str, Any]:
    contacts = [a_dict(contact) for contact in a_list(value.get("contacts"))]
    alone = len(contacts) == 1 and len(a_list(value.get(part))) == 1
    for contact in contacts:
        known = ((wa_id, digits(contact.get("wa_id"))), (user_id, text_of(contact.get("user_id"))))
        if any(mine and theirs and mine != theirs for mine, theirs in known):
            continue
        if alone or any(mine and mine == theirs for mine, theirs in known):
            return contact
    return {}


def _customer(wa_id: str, user_id: str) -> str:
    return customer_id("phone", wa_id) or customer_id("user", user_id)


def _words(message: dict[str, Any], kind: str) -> str:
    """Return what the customer said or tapped, ``""`` where the message has no words."""
    content = a_dict(message.get(kind))
    reply = a_dict(content.get("button_reply")) or a_dict(content.get("list_reply")) or a_dict(content.get("nfm_reply"))
    key = {"text": "body", "button": "text", "order": "text", "reaction": "emoji"}.get(kind, "caption")
    return text_of(reply.get("title")) or text_of(reply.get("body")) or text_of(content.get(key))


def _error(errors: list[Any]) -> tuple[int, str]:
    """Return the code of the first error and the details of all, told once each."""
    if not errors:
        return 0, ""
    told = []
    for error in map(a_dict, errors):
        data = error.get("error_data")
        details = text_of(data) or text_of(a_dict(data).get("details"))
        told.append(details or text_of(error.get("message")) or text_of(error.get("title")))
    code = number(a_dict(errors[0]).get("code"))
    return int(code or 0), "; ".join(dict.fromkeys(filter(None, told)))
