"""
What customers do when their time has come: they write, ask, fill carts, pass messages on, say STOP, block.

Each act has a name of its own, from which all that is left open in it is drawn (`chance`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from wa_products.identities import customer_id
from wa_products.sandbox import chance, shoppers, webhooks
from wa_products.sandbox.clocks import SECOND
from wa_products.sandbox.desk import Message
from wa_products.sandbox.journals import Heard
from wa_products.sandbox.refusals import failure
from wa_products.windows import NOT_OPENING

if TYPE_CHECKING:
    from wa_products.sandbox.world import World

CONTEXT_IN_CART, NOTE_IN_CART, STOP_AS_PREFERENCE, THEN_BLOCKS = 0.05, 0.15, 0.5, 0.2
OTHER_DEVICE, FRIEND_BUYS, FRIEND_ASKS = 0.5, 0.4, 0.3
NOTES = ("After 6 pm please", "Can you deliver on Friday?", "Same address as last time", "Leave it <at> the door", "✅")
QUESTIONS = ("Is this still available?", "How long does delivery take?", "Do you have it in another size?")
HELLOS = ("Hello", "Are you open today?", "Where is my order?", "Do you deliver on Saturdays?", "Thank you!")
FORWARDED = ("A friend sent me this", "Look what I got", "Is this from you?")
NO_MESSAGE = Message("", "", webhooks.Person("", "", ""), "", 0, 0)
REST = int(shoppers.REST / pd.Timedelta(microseconds=1))
_HOUR = 3600 * SECOND


@dataclass(frozen=True)
class Act:
    """Something that will happen: `what` names the function of `Acts` that does it; `product` is what it is about."""

    what: str
    customer_id: str = ""
    message: Message = NO_MESSAGE
    detail: str = ""
    product: str = ""


class Acts:
    """The acts of one world, each called with its time, its name and what it is about."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._bought: dict[str, int] = {}

    def status(self, at: int, name: str, act: Act) -> None:
        """Tell the business what became of a message."""
        message, world = act.message, self._world
        error = failure(message.code, message.details) if message.code else None
        world.journal.step(message.wamid, act.detail, at, message.code)
        person = message.person if message.person.name else self._as_addressed(message, at)
        value = webhooks.status(person, world.shape, message.wamid, at, act.detail, opaque=message.opaque, error=error)
        world.send(webhooks.Item(name, at, "messages", value))

    def cart(self, at: int, name: str, act: Act) -> None:
        """Submit a cart, unless one was submitted of late or carts are off; at times one more from a second device."""
        world, who, message = self._world, act.customer_id, act.message
        second = act.detail == "second device"
        if not world.shelf.is_cart_enabled or not (second or at - self._bought.get(who, at - REST) >= REST):
            return
        lines = world.shelf.fill(world.seed, who, name, message.product_retailer_id or act.product)
        if not lines:
            return
        if not second:
            self._bought[who] = at
        note = self._pick(name, "note", NOTES) if self._draw(name, "notes") < NOTE_IN_CART else ""
        quoted = message.wamid if message.wamid and self._draw(name, "context") < CONTEXT_IN_CART else ""
        self.hear(at, name, who, self.order(lines, note, quoted))
        if not second and world.has_two_devices(who) and self._draw(name, "other device") < OTHER_DEVICE:
            later = at + int(_HOUR * self._draw(name, "other device at"))
            again = Act("cart", who, message, "second device", act.product)
            world.later(later, f"{name}:second device", again)

    def ask(self, at: int, name: str, act: Act) -> None:
        """Ask about the product of a message."""
        self.hear(at, name, act.customer_id, self.enquiry(act.customer_id, name, act.message.product_retailer_id))

    def write(self, at: int, name: str, act: Act) -> None:
        """Write a line that is about nothing in particular."""
        self.hear(at, name, act.customer_id, text(self._pick(name, "hello", HELLOS)))

    def stop(self, at: int, name: str, act: Act) -> None:
        """Say STOP in words, or stop marketing messages in the app; some then block the business."""
        who = act.customer_id
        if self._draw(name, "how") >= STOP_AS_PREFERENCE:
            self.hear(at, name, who, text("STOP"))
        else:
            self.prefer(at, name, who, "stop")
        if self._draw(name, "blocks") < THEN_BLOCKS:
            self._world.later(at + 60 * SECOND, f"{name}:block", Act("block", who))

    def block(self, _at: int, _name: str, act: Act) -> None:
        """Block the business, which is told nothing."""
        self._world.desk.blocking.add(act.customer_id)

    def pass_on(self, at: int, name: str, act: Act) -> None:
        """Forward a product to a friend, who was never written to: they buy, ask, or show what they were sent."""
        who, world = act.customer_id, self._world
        friend = self._friend(who)
        product, how = act.message.product_retailer_id, self._draw(name, "friend")
        later = at + int(6 * _HOUR * self._draw(name, "friend at"))
        if how < FRIEND_BUYS:
            world.later(later, f"{name}:friend", Act("cart", friend, product=product))
        elif how < FRIEND_BUYS + FRIEND_ASKS:
            world.later(later, f"{name}:friend", Act("ask", friend, Message("", "", NO_MESSAGE.person, product, 0, 0)))
        else:
            world.later(later, f"{name}:friend", Act("forward", friend))

    def forward(self, at: int, name: str, act: Act) -> None:
        """Send on a message that came from somebody else."""
        said = text(self._pick(name, "forwarded", FORWARDED))
        self.hear(at, name, act.customer_id, {**said, "context": {"forwarded": True}})

    def hear(self, at: int, name: str, who: str, content: dict[str, Any], person: webhooks.Person | None = None) -> str:
        """Let the business hear from a customer; return the id of the message."""
        world = self._world
        known = world.addresses.people[who]
        person = person or world.addresses.told(who, at)
        message_id = chance.wamid(world.seed, known.address, "in", name)
        if content["type"] not in NOT_OPENING:
            world.desk.wrote[who] = max(at, world.desk.wrote.get(who, at))
        world.desk.line.charge("", at)
        world.journal.hear(Heard(at, who, message_id, content))
        value = webhooks.message(person, world.shape, message_id, at, content)
        world.send(webhooks.Item(name, at, "messages", value))
        return message_id

    def prefer(self, at: int, name: str, who: str, value: str) -> None:
        """Let a customer stop or resume marketing messages."""
        world = self._world
        (world.desk.stopped.add if value == "stop" else world.desk.stopped.discard)(who)
        told = webhooks.preference(world.addresses.told(who, at), world.shape, at, value)
        world.journal.hear(Heard(at, who, name, {"type": "preference", "value": value}))
        world.send(webhooks.Item(name, at, "user_preferences", told))

    def order(self, lines: list[tuple[str, int]], note: str, quoted: str) -> dict[str, Any]:
        """Return the content of a cart with these products and quantities."""
        shelf = self._world.shelf
        items = [shelf.line(product, quantity) for product, quantity in lines]
        order = {"catalog_id": shelf.catalog_id, "text": note, "product_items": items}
        return {"type": "order", "order": order, **self._quoting(quoted)}

    def enquiry(self, who: str, name: str, product: str, words: str = "") -> dict[str, Any]:
        """Return the content of a question about a product. Its context names no message, but the same id each time."""
        world = self._world
        named = {"catalog_id": world.shelf.catalog_id, "product_retailer_id": product}
        inquiry = chance.wamid(0, world.addresses.people[who].address, "product_inquiry")
        context = {"from": world.sender.display_phone_number, "id": inquiry, "referred_product": named}
        return {**text(words or self._pick(name, "question", QUESTIONS)), "context": context}

    def _quoting(self, wamid: str) -> dict[str, Any]:
        return {"context": {"from": self._world.sender.display_phone_number, "id": wamid}} if wamid else {}

    def _friend(self, who: str) -> str:
        """Return the customer id of somebody's friend, known by a user id alone; they appear when first needed."""
        world = self._world
        country = world.addresses.people[who].user_id.partition(".")[0]
        user_id = f"{country}.{int(chance.token(world.seed, 'friend', who, size=7), 16)}"
        friend = customer_id("user", user_id)
        if friend not in world.addresses.people:
            row = shoppers.stranger(friend, user_id, world.seed)
            world.addresses.join(friend, webhooks.Person("", user_id, row["name"].iloc[0]))
            world.welcome(row)
        return friend

    def _as_addressed(self, message: Message, at: int) -> webhooks.Person:
        """The customer under the address that was written to, with the name that webhooks tell."""
        people = self._world.addresses
        if message.customer_id not in people.people:
            return message.person
        known = people.told(message.customer_id, at)
        return webhooks.Person(message.person.wa_id, known.user_id, known.name)

    def _draw(self, name: str, purpose: str) -> float:
        return chance.share(self._world.seed, name, purpose)

    def _pick(self, name: str, purpose: str, choices: tuple[str, ...]) -> str:
        return choices[int(self._draw(name, purpose) * len(choices))]


def text(body: str) -> dict[str, Any]:
    """Return the content of a text message."""
    return {"type": "text", "text": {"body": body}}
