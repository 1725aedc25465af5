"""
Webhook bodies as Meta sends them: contents, envelopes, batches, repeats and signatures.

Two shapes: ``2026`` names the business-scoped user id everywhere and puts `contacts` beside statuses (except failed
ones); ``2025`` has neither, and a `conversation` with its statuses. A customer known only by a user id has no phone
and is always told of in the shape of 2026.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import dataclass
from typing import Any, Literal

from wa_products.sandbox import chance

Shape = Literal["2025", "2026"]
REPEATED, BATCH_GOES_ON, MERGED, LATE = 0.04, 0.7, 0.4, 0.02
_SECOND, _HOUR = 1_000_000, 3_600_000_000
TOGETHER, LARGEST = 5 * _SECOND, 1000
_PRICING = {"billable": False, "pricing_model": "PMP", "type": "free_customer_service", "category": "service"}


@dataclass(frozen=True)
class Sender:
    """The business as webhooks name it."""

    business_account_id: str
    phone_number_id: str
    display_phone_number: str


@dataclass(frozen=True, repr=False)
class Person:
    """One customer as webhooks name them; `wa_id` or `user_id` is ``""`` where Meta does not tell it."""

    wa_id: str
    user_id: str
    name: str

    @property
    def address(self) -> str:
        """The phone where there is one, else the user id."""
        return self.wa_id or self.user_id


@dataclass(frozen=True, repr=False)
class Item:
    """One update: the `value` of a change and its field, ready to go out at `at` (microseconds since 1970)."""

    id: str
    at: int
    field: str
    value: dict[str, Any]


def status(
    person: Person,
    shape: Shape,
    wamid: str,
    at: int,
    name: str,
    *,
    opaque: str = "",
    error: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Return the value of one status change, without its metadata."""
    shape = _shape(person, shape)
    entry: dict[str, Any] = {"id": wamid, "status": name, "timestamp": str(at // _SECOND)}
    if person.wa_id:
        entry["recipient_id"] = person.wa_id
    if shape == "2026" and (error is None or not person.wa_id):
        entry["recipient_user_id"] = person.user_id
    if opaque:
        entry["biz_opaque_callback_data"] = opaque
    if error:
        return {"statuses": [{**entry, "errors": [error]}]}
    if name != "read":
        entry["pricing"] = dict(_PRICING)
        if shape == "2025":
            entry["conversation"] = {
                "id": hashlib.sha256(wamid.encode()).hexdigest()[:32],
                "origin": {"type": "service"},
            }
    return {"statuses": [entry]} if shape == "2025" else {"contacts": [contact(person, shape)], "statuses": [entry]}


def message(person: Person, shape: Shape, message_id: str, at: int, content: dict[str, Any]) -> dict[str, Any]:
    """Return the value of one inbound message, without its metadata; `content` has its type and what belongs to it."""
    shape = _shape(person, shape)
    entry: dict[str, Any] = {"from": person.wa_id} if person.wa_id else {}
    if shape == "2026":
        entry["from_user_id"] = person.user_id
    entry |= {"id": message_id, "timestamp": str(at // _SECOND), **content}
    if content["type"] == "system":
        return {"messages": [entry]}
    return {"contacts": [contact(person, shape)], "messages": [entry]}


def preference(person: Person, shape: Shape, at: int, value: str) -> dict[str, Any]:
    """Return the value of a changed preference for marketing messages: ``stop`` or ``resume``."""
    ids = {key: text for key, text in contact(person, shape).items() if key != "profile"}
    told = {**ids, "category": "marketing_messages", "value": value, "timestamp": at // _SECOND}
    told["detail"] = f"User requested to {value} marketing messages"
    return {"contacts": [contact(person, shape)], "user_preferences": [told]}


def contact(person: Person, shape: Shape) -> dict[str, Any]:
    """Return the contact block of a customer."""
    block: dict[str, Any] = {"profile": {"name": person.name}}
    if person.wa_id:
        block["wa_id"] = person.wa_id
    if _shape(person, shape) == "2026":
        block["user_id"] = person.user_id
    return block


def arrivals(seed: int, item: Item) -> list[tuple[int, str, Item]]:
    """Return when an item arrives: some seconds on, now and then hours, and a second time where it is repeated."""

    def draw(purpose: str) -> float:
        return chance.share(seed, item.id, purpose)

    late = int(6 * _HOUR * draw("late by")) if draw("late") < LATE else 0
    found = [(item.at + int(draw("delay") * 20 * _SECOND) + late, item.id, item)]
    if draw("again") < REPEATED:
        found.append((item.at + int(_HOUR * draw("again by")), f"{item.id}:again", item))
    return found


def goes_out(arrival: int) -> int:
    """Return when the body goes out that an update arriving then is in: those of a few seconds go together."""
    return (arrival // TOGETHER + 1) * TOGETHER


def bodies(seed: int, sender: Sender, arrived: list[tuple[int, str, Item]]) -> list[tuple[int, bytes]]:
    """
    Return `arrived` (sorted) as bodies of one or more updates: when each goes out, and the raw bytes of its POST.

    Which updates share a body depends on nothing but them, however often and when bodies are asked for.
    """
    batches: list[tuple[int, list[Item]]] = []
    for arrival, name, item in arrived:
        at = goes_out(arrival)
        together = batches and batches[-1][0] == at and len(batches[-1][1]) < LARGEST
        if together and chance.share(seed, name, "batch") < BATCH_GOES_ON:
            batches[-1][1].append(item)
        else:
            batches.append((at, [item]))
    return [
        (at, _body(sender, batch, merge=chance.share(seed, batch[0].id, "merge") < MERGED)) for at, batch in batches
    ]


def signature(body: bytes, app_secret: str) -> str:
    """Return the value of the ``X-Hub-Signature-256`` header for the raw bytes of a body."""
    return "sha256=" + hmac.new(app_secret.encode(), body, hashlib.sha256).hexdigest()


def _shape(person: Person, shape: Shape) -> Shape:
    return shape if person.wa_id else "2026"


def _body(sender: Sender, batch: list[Item], *, merge: bool) -> bytes:
    metadata = {"display_phone_number": sender.display_phone_number, "phone_number_id": sender.phone_number_id}
    head = {"messaging_product": "whatsapp", "metadata": metadata}
    changes: list[dict[str, Any]] = []
    for item in batch:
        last = changes[-1] if changes else None
        if merge and last and last["field"] == item.field and last["value"].keys() == head.keys() | item.value.keys():
            for key, entries in item.value.items():
                last["value"][key] = [*last["value"][key], *entries]
        else:
            changes.append({"value": {**head, **item.value}, "field": item.field})
    entry = {"id": sender.business_account_id, "changes": changes}
    # Meta writes what is not ASCII as \u escapes: the signature is of these bytes.
    return json.dumps({"object": "whatsapp_business_account", "entry": [entry]}, separators=(",", ":")).encode()
