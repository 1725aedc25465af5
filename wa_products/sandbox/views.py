"""What the page shows of a world, as plain JSON: chats as a phone would, carts, webhooks. Phones are masked."""

from __future__ import annotations

from heapq import nlargest
from typing import TYPE_CHECKING, Any

from wa_products.sandbox.clocks import micros, moment

if TYPE_CHECKING:
    from wa_products.sandbox.desk import Message
    from wa_products.sandbox.journals import Heard, Posted
    from wa_products.sandbox.world import World

CHATS, CARTS, WEBHOOKS, LINES, PAST = 100, 50, 50, 200, 20
_OFFERS = {"product": "Product", "product_list": "Products", "carousel": "Carousel", "catalog_message": "Catalog"}


def state(world: World, *, chat: str = "", search: str = "") -> dict[str, Any]:
    """Return what the page shows: the chats whose name holds `search`, the one that is open, carts and webhooks."""
    with world.held():
        shelf, journal = world.shelf, world.journal
        return {
            "now": _time(world.clock.now),
            "ticks": world.clock.ticks,
            "shape": world.shape,
            "visible": shelf.is_catalog_visible,
            "cart": shelf.is_cart_enabled,
            "counts": {
                "messages": len(world.desk.messages),
                "carts": len(journal.carts),
                "webhooks": len(journal.posted),
            },
            "chats": _chats(world, search),
            "chat": _chat(world, chat) if chat in world.addresses.people else None,
            "carts": [_cart(world, heard) for heard in journal.carts[: -CARTS - 1 : -1]],
            "webhooks": [_posted(posted) for posted in journal.posted[: -WEBHOOKS - 1 : -1]],
            "faults": world.faults.told(),
        }


def _chats(world: World, search: str) -> list[dict[str, Any]]:
    last = {who: world.desk.wrote.get(who, 0) for who in world.addresses.people}
    for who, heard in world.journal.heard.items():
        last[who] = max(last[who], heard[-1].at)
    for message in world.desk.messages:
        if message.customer_id:
            last[message.customer_id] = max(last[message.customer_id], message.at)
    wanted = search.casefold()
    found = [who for who in last if wanted in world.addresses.people[who].name.casefold() or wanted == who]
    return [_head(world, who, last[who]) for who in nlargest(CHATS, found, key=lambda who: (last[who], who))]


def _head(world: World, who: str, at: int) -> dict[str, Any]:
    heard, sent = world.journal.heard.get(who, [])[-1:], world.desk.sent_to(who)[-1:]
    if sent and not (heard and heard[0].at > sent[0].at):
        last = _shown_of(world, sent[0])
    else:
        past = "" if heard else _last_past(world, who)
        last = _words(heard[0].content) if heard else past
    return {
        "id": who,
        "name": world.addresses.people[who].name,
        "at": _time(at) if at else "",
        "last": last,
        "is_open": world.desk.is_open(who, world.clock.now),
    }


def _chat(world: World, who: str) -> dict[str, Any]:
    person, now, desk = world.addresses.told(who, world.clock.now), world.clock.now, world.desk
    entries = [(heard.at, _heard(world, heard)) for heard in world.journal.heard.get(who, [])]
    entries += [(message.at, _sent(world, message)) for message in desk.sent_to(who)]
    lines = [*_past(world, who), *(entry for _, entry in sorted(entries, key=lambda entry: entry[0]))]
    return {
        "id": who,
        "name": person.name,
        "phone": f"+{person.wa_id[:2]} ··· {person.wa_id[-2:]}" if person.wa_id else "known by a user id",
        "closes_at": _time(desk.closes(who)) if desk.is_open(who, now) else "",
        "is_typing": world.journal.typing.get(who, 0) > now,
        "is_blocked": who in desk.blocked,
        "is_blocking": who in desk.blocking,
        "is_stopped": who in desk.stopped,
        "lines": lines[-LINES:],
    }


def _past(world: World, who: str) -> list[dict[str, Any]]:
    """Return what the customer wrote before the world began."""
    rows = world.data.inbound.iloc[world.written_before.get(who, [])[-PAST:]]
    return [
        {
            "from": "customer",
            "at": _time(micros(row.received_at)),
            "text": row.text or f"({row.kind})",
            "is_read": True,
            "products": [_product(world, row.product_retailer_id)] if row.product_retailer_id else [],
        }
        for row in rows.itertuples()
    ]


def _last_past(world: World, who: str) -> str:
    where = world.written_before.get(who, [])[-1:]
    return "".join(row.text or f"({row.kind})" for row in world.data.inbound.iloc[where].itertuples())


def _heard(world: World, heard: Heard) -> dict[str, Any]:
    content, context = heard.content, heard.content.get("context", {})
    named = context.get("referred_product", {}).get("product_retailer_id")
    line = {"from": "customer", "at": _time(heard.at), "id": heard.id, "is_read": heard.id in world.journal.read}
    line |= {"text": _words(content), "is_forwarded": bool(context.get("forwarded"))}
    line["products"] = [_product(world, named)] if named else []
    return {**line, "cart": _cart(world, heard)} if content["type"] == "order" else line


def _sent(world: World, message: Message) -> dict[str, Any]:
    steps = world.journal.steps.get(message.wamid, [])
    names = [step.name for step in steps]
    status = next((name for name in ("failed", "read", "delivered", "sent") if name in names), "accepted")
    content = message.content.get("interactive", {})
    text = content.get("body", {}).get("text", "") or message.content.get("text", {}).get("body", "")
    return {
        "from": "business",
        "at": _time(message.at),
        "id": message.wamid,
        "text": text,
        "header": content.get("header", {}).get("text", ""),
        "footer": content.get("footer", {}).get("text", ""),
        "kind": _OFFERS.get(content.get("type", ""), ""),
        "products": [_product(world, name) for name in message.shown],
        "status": status,
        "code": message.code if status == "failed" else 0,
    }


def _shown_of(world: World, message: Message) -> str:
    line = _sent(world, message)
    return line["text"] or ", ".join(product["title"] for product in line["products"])


def _words(content: dict[str, Any]) -> str:
    kind = content["type"]
    if kind == "text":
        return str(content["text"]["body"])
    if kind == "order":
        return "Cart"
    if kind == "preference":
        return "Stopped marketing messages" if content["value"] == "stop" else "Wants marketing messages again"
    return "Changed the phone number"


def _cart(world: World, heard: Heard) -> dict[str, Any]:
    order = heard.content["order"]
    return {
        "id": heard.customer_id,
        "name": world.addresses.people[heard.customer_id].name,
        "at": _time(heard.at),
        "note": order["text"],
        "is_quoting": "context" in heard.content,
        "lines": [
            {**_product(world, item["product_retailer_id"]), "quantity": item["quantity"]}
            | {"price": f"{item['item_price']:.2f} {item['currency']}"}
            for item in order["product_items"]
        ],
        "total": f"{sum(item['item_price'] * item['quantity'] for item in order['product_items']):.2f} "
        + "/".join(sorted({item["currency"] for item in order["product_items"]})),
    }


def _product(world: World, name: str) -> dict[str, Any]:
    if name not in world.shelf.products:
        return {"product": name, "title": name, "price": ""}
    node = world.shelf.node(name)
    shown = {"product": name, "title": node["name"], "price": node["price"], "is_out": bool(node["errors"])}
    return {**shown, "has_picture": name in world.data.pictures}


def _posted(posted: Posted) -> dict[str, Any]:
    return {
        "number": posted.number,
        "at": _time(posted.at),
        "body": posted.body.decode(),
        "attempts": [{"at": _time(at), "answer": answer} for at, answer in posted.attempts],
    }


def _time(at: int) -> str:
    return moment(at).isoformat()
