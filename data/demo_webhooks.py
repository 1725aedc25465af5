# ruff: noqa: PLR2004 (the shares of a made-up shop are its data)

"""
The webhook log of the demo shop: one body a line in Meta's envelope, as a receiver would have kept them.

Bodies from before April 2026 know phones only; later ones carry the business-scoped user id as well, and leave the
phone out for customers who hide it behind a username.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from demo_people import AS_OF, NEVER_ORDERED, NEW_NUMBERS, SHOP_PHONE, WITH_PHONE, Person, name, phone

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from demo_catalog import Product

ACCOUNT_ID, OTHER_ACCOUNT_ID, PHONE_NUMBER_ID = "102290120074511", "102290120074527", "106540350093816"
USER_IDS_SINCE = datetime(2026, 4, 2, tzinfo=UTC)
ZONE = ZoneInfo("Europe/London")
NIGHT_ENDS = 6
CLOSED, OPEN, HIDDEN_LATELY, MOVED, STRANGERS = 205, 226, 8, 3, 32
TEXTS = (
    "Hi, is my order on its way?", "Thanks, it came today!", "Can I return the empty bottles next time?",
    "Do you deliver on Saturdays?", "Hello", "Is there a minimum order?", "The lid was loose but nothing leaked",
    "Which one is better for hard water?", "Could you leave it at the back door please", "Is the big one back?",
    "How much is delivery to Wales?", "👍 thank you", "We are nearly out again", "Can I pay when it arrives?",
    "Did you get my message yesterday?", "My dog loves it", "Is it vegan?", "Good morning, are you open today?",
    "Please change my address", "What would you recommend for a small kitchen?",
)  # fmt: skip
ENQUIRIES = (
    "Is this still available?",
    "How long does one last?",
    "Can I order this here?",
    "Is it in the next delivery?",
)
BUTTONS = (("track", "Track my order"), ("reorder", "Order again"), ("help", "Talk to someone"))
RTL_AND_HOSTILE = ("مرحبا، هل يوجد شاي؟", "<img src=x onerror=alert('chat')>", "=1+1", "line one\nline two")

Body = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Writer:
    """Somebody who writes to the shop; `hides` their phone behind a username."""

    name: str
    phone: str
    user_id: str
    hides: bool = False


class Chat:
    """Makes messages and statuses with ids drawn from one seeded generator."""

    def __init__(self, catalog_id: str, shop: list[Product], rng: np.random.Generator) -> None:
        self.catalog_id = catalog_id
        self.shop = shop
        self.rng = rng

    def user_id(self) -> str:
        """Return a new business-scoped user id."""
        return f"GB.{self.rng.integers(10**14, 10**15)}"

    def message_id(self, address: str, direction: int = 0x12) -> str:
        """Return a message id built as Meta builds them: the address inside, base64 outside."""
        nonce = self.rng.bytes(10).hex().upper().encode()
        inner = b"\x1c\x18" + bytes([len(address)]) + address.encode() + b"\x15\x02\x00" + bytes([direction])
        return "wamid." + base64.b64encode(inner + b"\x18\x14" + nonce + b"\x00").decode()

    def value(self, writer: Writer, at: datetime, *contents: Body) -> Body:
        """Return a change's value: the contact and one message for each of `contents`, a minute apart."""
        ids = self._ids(writer, at)
        profile = {"name": writer.name}
        if writer.hides:
            profile["username"] = writer.name.lower().replace(" ", ".")
        keys = {"wa_id": ids.get("from"), "user_id": ids.get("from_user_id")}
        contact = {"profile": profile} | {key: value for key, value in keys.items() if value}
        messages = []
        for number, content in enumerate(contents):
            sent = at - timedelta(minutes=len(contents) - 1 - number)
            message_id = self.message_id(writer.phone or writer.user_id)
            messages.append(ids | {"id": message_id, "timestamp": str(int(sent.timestamp()))} | content)
        return _value(contacts=[contact], messages=messages)

    def _ids(self, writer: Writer, at: datetime) -> dict[str, str]:
        ids = {} if writer.hides else {"from": writer.phone}
        return ids | ({"from_user_id": writer.user_id} if at >= USER_IDS_SINCE else {})

    def text(self, body: str | None = None) -> Body:
        """Return a plain text."""
        return {"type": "text", "text": {"body": body or TEXTS[self.rng.integers(len(TEXTS))]}}

    def enquiry(self, writer: Writer, product_retailer_id: str) -> Body:
        """Return a question asked from a product's page. Its context id is the same for every question of a person."""
        address = (writer.phone or writer.user_id).encode()
        inner = b"\x1c\x18" + bytes([len(address)]) + address + b"\x15\x02\x00\x11\x18\x0fproduct_inquiry\x00"
        product = {"catalog_id": self.catalog_id, "product_retailer_id": product_retailer_id}
        question = ENQUIRIES[self.rng.integers(len(ENQUIRIES))]
        asked = {"from": SHOP_PHONE, "id": f"wamid.{base64.b64encode(inner).decode()}", "referred_product": product}
        return {"context": asked} | self.text(question)

    def cart(self, *products: Product) -> Body:
        """Return a cart sent from the chat."""
        items = [
            {
                "product_retailer_id": product.retailer_id,
                "quantity": int(self.rng.integers(1, 3)),
                "item_price": int(product.price) if product.price.is_integer() else product.price,
                "currency": "GBP",
            }
            for product in products
        ]
        return {"type": "order", "order": {"catalog_id": self.catalog_id, "text": "", "product_items": items}}

    def answer(self, writer: Writer) -> Body:
        """Return a tap on a button or on a row of a list that the shop had sent."""
        key, title = BUTTONS[self.rng.integers(len(BUTTONS))]
        kind = "button_reply" if self.rng.random() < 0.6 else "list_reply"
        context = {"from": SHOP_PHONE, "id": self.message_id(writer.phone or writer.user_id, 0x11)}
        return {
            "context": context,
            "type": "interactive",
            "interactive": {"type": kind, kind: {"id": key, "title": title}},
        }

    def image(self) -> Body:
        """Return a picture with a caption."""
        digest = base64.b64encode(self.rng.bytes(32)).decode()
        media = {"caption": "This one?", "mime_type": "image/jpeg", "sha256": digest}
        return {"type": "image", "image": media | {"id": str(self.rng.integers(10**15, 10**16))}}

    def reaction(self, writer: Writer) -> Body:
        """Return a thumb on a message of the shop; it does not open the window."""
        return {"type": "reaction", "reaction": {"message_id": self.message_id(writer.phone, 0x11), "emoji": "👍"}}

    def anything(self, writer: Writer) -> Body:
        """Return what people mostly send."""
        draw = self.rng.random()
        if draw < 0.05:
            return self.image()
        if draw < 0.12:
            return self.answer(writer)
        return self.text()

    def moved(self, writer: Writer, new: Writer, at: datetime) -> Body:
        """Return Meta's notice that a customer has a new number, and with it a new user id."""
        notice = {"body": f"User {writer.name} changed from {writer.phone} to {new.phone}", "wa_id": new.phone}
        notice["type"] = "user_changed_number"
        if at >= USER_IDS_SINCE:
            notice |= {"user_id": new.user_id, "previous_user_id": writer.user_id}
        ids = self._ids(writer, at) | {"id": self.message_id(writer.phone), "timestamp": str(int(at.timestamp()))}
        return _value(messages=[ids | {"type": "system", "system": notice}])

    def preference(self, writer: Writer, at: datetime, value: str) -> Body:
        """Return a change of the marketing preference, ``stop`` or ``resume``; its timestamp is a number."""
        ids = {"wa_id": writer.phone, "user_id": writer.user_id}
        said = {"category": "marketing_messages", "value": value, "detail": f"User asked to {value} marketing messages"}
        stamped = ids | said | {"timestamp": int(at.timestamp())}
        return _value(contacts=[{"profile": {"name": writer.name}} | ids], user_preferences=[stamped])

    def status(self, writer: Writer, at: datetime, status: str) -> Body:
        """Return the fate of a message that the shop had sent by hand."""
        fate: Body = {
            "id": self.message_id(writer.phone, 0x11),
            "status": status,
            "timestamp": str(int(at.timestamp())),
        }
        fate["recipient_id"] = writer.phone
        if status == "failed":
            closed = {"code": 131047, "title": "Re-engagement message", "message": "Re-engagement message"}
            fate["errors"] = [closed | {"error_data": {"details": "More than 24 hours have passed."}}]
        return _value(statuses=[fate])


def export(
    everyone: list[Person], buyers: set[str], catalog_id: str, shop: list[Product], rng: np.random.Generator
) -> str:
    """Return the log. `buyers` are the phones of those with an order; only they open threads as known customers."""
    chat = Chat(catalog_id, shop, rng)
    known = [person for person in everyone if person.phone and person.phone in buyers]
    keen = {person.phone: rng.random() - (0.6 if person.stays else 0) for person in known}  # who has left writes less
    known.sort(key=lambda person: keen[person.phone])
    queue = iter([(person, Writer(name=person.name, phone=person.phone, user_id=chat.user_id())) for person in known])
    log: list[tuple[datetime, Body]] = []
    log += _open_threads(chat, queue)
    log += _special_cases(chat, queue)
    log += _strangers(chat)
    log += _closed_threads(chat, queue)
    log.sort(key=lambda entry: entry[0])
    bodies = [envelope(value) for _, value in log]
    bodies += [bodies.pop(position) for position in (40, 90, 160)]  # three came late
    bodies.insert(len(bodies) // 2, bodies[len(bodies) // 2 - 1])  # one came twice
    bodies.insert(200, _batch([value for _, value in log[:6]]))  # and six once more in one body
    return "".join(json.dumps(body, separators=(",", ":")) + "\n" for body in bodies)


def _open_threads(chat: Chat, queue: Iterator[tuple[Person, Writer]]) -> list[tuple[datetime, Body]]:
    """Customers who have ordered before and wrote within the last day."""
    log = []
    for number in range(OPEN):
        person, writer = next(queue)
        at = _lately(chat.rng)
        contents = [chat.anything(writer) for _ in range(int(chat.rng.choice([1, 2, 3], p=[0.82, 0.13, 0.05])))]
        if number < 70:
            contents[-1] = chat.enquiry(writer, _asked_about(chat, person))
        elif number < 78:
            contents[-1] = chat.cart(*(chat.shop[i] for i in chat.rng.choice(len(chat.shop), size=2, replace=False)))
        elif number < 81:
            contents[-1] = chat.text(("STOP", "Stop.", "unsubscribe")[number - 78])
        elif number < 85:
            contents[-1] = chat.text(RTL_AND_HOSTILE[number - 81])
        elif number < 87:
            log.append((at, chat.preference(writer, at + timedelta(minutes=2), "stop")))
        log.append((at, chat.value(writer, at, *contents)))
    return log


def _asked_about(chat: Chat, person: Person) -> str:
    """Return mostly a favourite, now and then something that cannot be sent or is not there at all."""
    draw = chat.rng.random()
    if draw < 0.03:
        return "GONE-2024"
    if draw < 0.5 and person.favourites:
        return person.favourites[chat.rng.integers(len(person.favourites))].product.retailer_id
    return chat.shop[chat.rng.integers(len(chat.shop))].retailer_id


def _special_cases(chat: Chat, queue: Iterator[tuple[Person, Writer]]) -> list[tuple[datetime, Body]]:
    """Hidden phones, changed numbers, edges of the window, opt-outs and what does not open it."""
    log = []
    for _ in range(HIDDEN_LATELY):  # once seen with phone and user id, now with the user id alone
        _, writer = next(queue)
        before, at = AS_OF - timedelta(days=float(chat.rng.uniform(40, 150))), _lately(chat.rng)
        log += [(before, chat.value(writer, before, chat.text()))]
        log += [(at, chat.value(replace(writer, hides=True), at, chat.text()))]
    for number in range(NEW_NUMBERS):
        _, writer = next(queue)
        new = replace(writer, phone=phone(981 + number), user_id=chat.user_id())
        moved = AS_OF - (timedelta(hours=3) if number == MOVED else timedelta(days=2 + 80 * number))
        log += [(moved - timedelta(hours=4), chat.value(writer, moved - timedelta(hours=4), chat.text()))]
        log += [(moved, chat.moved(writer, new, moved))]
        if number < MOVED:
            at = _lately(chat.rng)
            log += [(at, chat.value(new, at, chat.text()))]
    for minutes in (24 * 60 - 6, 24 * 60 - 4):  # on either side of the five minutes' margin
        _, writer = next(queue)
        at = AS_OF - timedelta(minutes=minutes)
        log += [(at, chat.value(writer, at, chat.text()))]
    for number in range(8):
        _, writer = next(queue)
        before, at = AS_OF - timedelta(days=20 + 30 * number), _lately(chat.rng)
        log += [(before, chat.value(writer, before, chat.text("START" if number == 5 else None)))]
        log += [(before, chat.status(writer, before, ("delivered", "read", "failed", "sent")[number % 4]))]
        if number in (0, 1):
            log += [(at, chat.value(writer, at, chat.reaction(writer)))]
        elif number in (2, 3, 4):
            log += [(before, chat.preference(writer, before + timedelta(hours=1), "stop"))]
        elif number == 5:
            log += [(before, chat.value(writer, before - timedelta(days=1), chat.text("STOP")))]
        elif number == 6:
            log += [(before, chat.preference(writer, before, "stop"))]
            log += [(before, chat.preference(writer, before + timedelta(days=3), "resume"))]
        else:
            unknown = {"code": 131051, "title": "Message type unknown", "message": "Message type unknown"}
            log += [(at, chat.value(writer, at, {"type": "unsupported", "errors": [unknown]}))]
    return log


def _strangers(chat: Chat) -> list[tuple[datetime, Body]]:
    """Return messages of people who never ordered, most of them today; some are known by a user id only."""
    log = []
    for number in range(NEVER_ORDERED + STRANGERS):
        hides = number >= NEVER_ORDERED
        digits = "" if hides else phone(WITH_PHONE + 1 + number)
        writer = Writer(name=name(chat.rng), phone=digits, user_id=chat.user_id(), hides=hides)
        today = number % 4 != 0 or number % 32 == 0
        at = _lately(chat.rng) if today else AS_OF - timedelta(days=float(chat.rng.uniform(2, 200)))
        product = chat.shop[chat.rng.integers(len(chat.shop))]
        asks = chat.enquiry(writer, product.retailer_id) if number % 3 == 0 else chat.anything(writer)
        log.append((at, chat.value(writer, at, asks)))
    return log


def _closed_threads(chat: Chat, queue: Iterator[tuple[Person, Writer]]) -> list[tuple[datetime, Body]]:
    """Customers who wrote days, months or a year ago."""
    log = []
    for _ in range(CLOSED):
        person, writer = next(queue)
        at = AS_OF - timedelta(days=min(1.05 + float(chat.rng.exponential(110)), 540.0))
        asks = chat.rng.random() < 0.1
        content = chat.enquiry(writer, _asked_about(chat, person)) if asks else chat.anything(writer)
        log.append((at, chat.value(writer, at, content)))
    return log


def _lately(rng: np.random.Generator) -> datetime:
    """Draw a moment of the last 23.8 hours, seldom at night."""
    while True:
        at = AS_OF - timedelta(seconds=int(rng.integers(300, 85_600)))
        if at.astimezone(ZONE).hour >= NIGHT_ENDS or rng.random() < 0.04:
            return at


def _value(**parts: list[Body]) -> Body:
    metadata = {"display_phone_number": SHOP_PHONE, "phone_number_id": PHONE_NUMBER_ID}
    return {"messaging_product": "whatsapp", "metadata": metadata} | parts


def _change(value: Body) -> Body:
    return {"field": "user_preferences" if "user_preferences" in value else "messages", "value": value}


def envelope(value: Body) -> Body:
    """Return a body with one entry and one change."""
    return {"object": "whatsapp_business_account", "entry": [{"id": ACCOUNT_ID, "changes": [_change(value)]}]}


def _batch(values: list[Body]) -> Body:
    """Return one body with two entries and several changes, the first of them with several messages."""
    first = values[0] | {
        "contacts": [contact for value in values[:3] for contact in value.get("contacts", [])],
        "messages": [message for value in values[:3] for message in value.get("messages", [])],
    }
    entries = [
        {"id": ACCOUNT_ID, "changes": [_change(first), _change(values[3])]},
        {"id": OTHER_ACCOUNT_ID, "changes": [_change(value) for value in values[4:]]},
    ]
    return {"object": "whatsapp_business_account", "entry": entries}
