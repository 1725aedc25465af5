"""A log of webhooks in both shapes, told change by change, so that it can be batched, repeated and shuffled at will."""

import pandas as pd

from tests.campaign import NOW, phone

USER = "GB.99120{n:04d}x"


def stamp(after):
    """Return the seconds of a webhook, as text, so long after NOW."""
    return str(int((NOW + pd.Timedelta(after)).timestamp()))


def said(n, kind="text", after="1h", *, shape="2026", **content):
    """Return the change of a message from the n-th customer."""
    entry = {"from": phone(n), "id": f"wamid.{kind}.{n}.{after}", "timestamp": stamp(after), "type": kind, **content}
    contact = {"profile": {"name": f"Customer {n}"}, "wa_id": phone(n)}
    if shape == "2026":
        entry["from_user_id"] = contact["user_id"] = USER.format(n=n)
    return changed({"contacts": [contact], "messages": [entry]})


def told(wamid, name, after, *, n=0, send_id="", shape="2026", error=0):
    """Return the change of a status of the n-th customer's message."""
    entry = {"id": wamid, "status": name, "timestamp": stamp(after), "recipient_id": phone(n)}
    if send_id:
        entry["biz_opaque_callback_data"] = send_id
    if error:
        return changed({"statuses": [{**entry, "errors": [{"code": error, "title": "refused"}]}]})
    if shape == "2025":
        return changed({"statuses": [{**entry, "conversation": {"id": "c"}}]})
    user = USER.format(n=n)
    return changed(
        {"contacts": [{"wa_id": phone(n), "user_id": user}], "statuses": [{**entry, "recipient_user_id": user}]}
    )


def cart(n, after, *, shape="2026", price=7.99):
    """Return the change of a cart of two lines."""
    items = [
        {"product_retailer_id": id_, "quantity": 1, "item_price": price, "currency": "GBP"} for id_ in ("S7", "S8")
    ]
    return said(n, "order", after, shape=shape, order={"catalog_id": "1", "text": "", "product_items": items})


def changed(value, field="messages"):
    """Return one change of a body."""
    metadata = {"display_phone_number": "447700900000", "phone_number_id": "1067"}
    return {"field": field, "value": {"messaging_product": "whatsapp", "metadata": metadata, **value}}


def body(changes):
    """Return the body of these changes, an entry each two."""
    entries = [{"id": "1", "changes": changes[start : start + 2]} for start in range(0, len(changes), 2)]
    return {"object": "whatsapp_business_account", "entry": entries}


def log(sends):
    """
    Return what came of a campaign, change by change; `sends` are its rows of customers 0, 1, 2, ...

    Some things are told twice in other words: by an older and a newer shape, or with and without an error's details.
    """
    ids = list(zip(sends["send_id"], sends["wamid"], strict=True))
    moved = {"type": "user_changed_number", "wa_id": phone(900)}
    asked = {"from": "447700900000", "referred_product": {"catalog_id": "1", "product_retailer_id": "S7"}}
    stop = {"wa_id": phone(3), "category": "marketing_messages", "value": "stop", "timestamp": int(stamp("5h"))}
    return [
        told(ids[0][1], "sent", "1min", send_id=ids[0][0]),
        told(ids[0][1], "delivered", "2min", send_id=ids[0][0]),
        told(ids[0][1], "read", "3min", send_id=ids[0][0]),
        told(ids[1][1], "read", "9min", n=1, shape="2025"),
        told(ids[2][1], "delivered", "4min", n=2, send_id=ids[2][0]),
        told(ids[2][1], "failed", "5min", n=2, send_id=ids[2][0], error=131026),
        told(ids[2][1], "failed", "5min", n=2, send_id=ids[2][0], error=131047),
        told(ids[3][1] or "wamid.lost", "sent", "1min", n=3, send_id=ids[3][0]),
        told(ids[4][1], "failed", "6min", n=4, send_id=ids[4][0], error=131026),
        told("wamid.of.another.tool", "read", "1h", n=77),
        said(0, "text", "30min", text={"body": "is it ground?"}, context=asked),
        said(0, "text", "30min", text={"body": "is it ground?"}, context=asked, shape="2025"),
        cart(0, "1h"),
        cart(1, "2h", shape="2025"),
        cart(1, "2h"),
        cart(60, "3h", price="5"),
        said(2, "text", "4h", text={"body": "STOP"}),
        said(5, "system", "5h", system=moved),
        said(900, "text", "6h", text={"body": "it is me"}, shape="2025"),
        said(6, "reaction", "6h", reaction={"message_id": ids[0][1], "emoji": "\N{THUMBS UP SIGN}"}),
        said(7, "hologram", "7h"),
        changed({"user_preferences": [stop]}, "user_preferences"),
        changed({"errors": [{"code": 131000, "title": "Something went wrong"}]}),
        {"field": "account_update", "value": {"event": "VERIFIED_ACCOUNT"}},
    ]
