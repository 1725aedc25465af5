"""Webhooks as they come, and then damaged: what is read of them is never less than what they hold."""

import json
from copy import deepcopy

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from wa_products import events
from wa_products.ledger import Ledger

PHONE, USER, AT = "447700900123", "GB.9912087x", "1795334400"
ITEM = {"product_retailer_id": "S7", "quantity": 2, "item_price": 7.99, "currency": "GBP"}
ASKED = {"from": "15555550100", "id": "wamid.P", "referred_product": {"catalog_id": "1", "product_retailer_id": "S7"}}
ERROR = {"code": 131026, "title": "Undeliverable", "error_data": {"details": "Message undeliverable."}}
OLD = {"from": PHONE, "timestamp": AT}  # the shape of 2025: a phone, everything text
NEW = {"from_user_id": USER, "timestamp": AT}  # of 2026: a user id, and perhaps no phone
TO_OLD = {"timestamp": AT, "recipient_id": PHONE, "conversation": {"id": "c", "origin": {"type": "service"}}}
TO_NEW = {"timestamp": AT, "recipient_user_id": USER, "biz_opaque_callback_data": "send-1"}
MESSAGES = [
    {**OLD, "id": "wamid.1", "type": "text", "text": {"body": "hello"}},
    {**NEW, "id": "wamid.2", "type": "text", "text": {"body": "where is it?"}, "context": ASKED},
    {**OLD, "id": "wamid.3", "type": "order", "order": {"catalog_id": "1", "text": "", "product_items": [ITEM, ITEM]}},
    {**NEW, "id": "wamid.4", "type": "order", "order": {"product_items": [{**ITEM, "quantity": "1"}]}},
    {**OLD, "id": "wamid.5", "type": "system", "system": {"type": "user_changed_number", "wa_id": "447700900124"}},
    {**NEW, "id": "wamid.6", "type": "system", "system": {"type": "user_changed_user_id", "user_id": "GB.2"}},
    {**NEW, "id": "wamid.7", "type": "unsupported", "errors": [{"code": 131051}], "unsupported": {"type": "product"}},
    {**OLD, "id": "wamid.8", "type": "button", "button": {"text": "Stop"}, "context": {"forwarded": True}},
]
STATUSES = [
    {**TO_OLD, "id": "wamid.S", "status": "delivered", "pricing": {"billable": False, "category": "service"}},
    {**TO_NEW, "id": "wamid.S", "status": "read"},
    {**TO_NEW, "id": "wamid.S", "status": "failed", "errors": [ERROR, ERROR]},
]
STOP = {"wa_id": PHONE, "user_id": USER, "value": "stop", "detail": "asked", "timestamp": int(AT)}
CONTACTS = [{"profile": {"name": "A"}, "wa_id": PHONE}, {"profile": {"name": "B"}, "user_id": USER}]
NUMBER = {"messaging_product": "whatsapp", "metadata": {"phone_number_id": "1067"}, "contacts": CONTACTS}
GOOD = {
    "object": "whatsapp_business_account",
    "entry": [
        {"id": "9", "changes": [{"field": "messages", "value": {**NUMBER, "messages": MESSAGES}}]},
        {
            "id": "9",
            "changes": [
                {"field": "messages", "value": {**NUMBER, "statuses": STATUSES, "errors": [ERROR]}},
                {"field": "user_preferences", "value": {**NUMBER, "user_preferences": [STOP]}},
                {"field": "account_update", "value": {"event": "VERIFIED_ACCOUNT"}},
            ],
        },
    ],
}
PARTS = ("messages", "statuses", "user_preferences", "errors")
ODD = st.sampled_from(
    [None, True, "", "x", 0, -1, 10**40, 1e308, "9" * 400, "\x00\ud800", [], {}, [[]], [{}], {"": {}}, "1e999", 1.5]
)
STAMPS = st.sampled_from(["soon", "-5", "99999999999999999", 1795334400.25, "1795334400000", [AT], {"at": AT}])


def places(value, place=()):
    """Yield where each part of a JSON value lies."""
    if place:
        yield place
    for key, part in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from places(part, (*place, key))


@st.composite
def damaged(draw):
    """Return the good body with some parts cut out, replaced, nested, doubled or given another time."""
    body = deepcopy(GOOD)
    for _ in range(draw(st.integers(1, 6))):
        where = draw(st.sampled_from(sorted(places(body), key=str)))
        holder = body
        for key in where[:-1]:
            holder = holder[key]
        part = holder[where[-1]]
        match draw(st.sampled_from(["cut", "replace", "nest", "wrap", "double", "time"])):
            case "cut":
                del holder[where[-1]]
            case "replace":
                holder[where[-1]] = deepcopy(draw(ODD))  # it may be damaged again
            case "nest":
                holder[where[-1]] = {"x": part}
            case "wrap":
                holder[where[-1]] = [part]
            case "double":
                holder[where[-1]] = [part, deepcopy(part)]
            case "time" if isinstance(part, dict):
                part["timestamp"] = deepcopy(draw(STAMPS))
        if not body:
            break
    return body


@st.composite
def torn(draw):
    """Return the text of a damaged body with a key told twice, cut off, or with a byte that is wrong."""
    raw = json.dumps(draw(damaged())).encode("utf-8", "surrogatepass")
    place = draw(st.integers(0, len(raw)))
    match draw(st.sampled_from(["as it is", "key", "end", "byte"])):
        case "key":
            return raw.replace(b'"id": ', b'"id": "wamid.first", "id": ')
        case "end":
            return raw[:place]
        case "byte":
            return raw[:place] + bytes([draw(st.integers(0, 255))]) + raw[place + 1 :]
    return raw


def listed(value):
    """Return what a webhook means by a list: nothing, one thing, or several."""
    return value if isinstance(value, list) else [] if value is None else [value]


def owed(body):
    """Yield every entry, change and part of a body of which something must be told, each without those inside it."""
    for entry in listed(body.get("entry")):
        changes = listed(entry.get("changes")) if isinstance(entry, dict) else []
        yield from [] if changes else [entry]
        for change in changes:
            value = change.get("value") if isinstance(change, dict) else None
            parts = [part for name in PARTS for part in listed(value.get(name))] if isinstance(value, dict) else []
            known = isinstance(change, dict) and change.get("field") in ("messages", "user_preferences", None)
            yield from parts if parts and known else [change]


def test_the_good_body_is_understood():
    """Undamaged, everything in the body is read as what it is."""
    found = events.parse(GOOD)
    kinds = [*("inbound", "enquiry", "cart", "cart", "cart", "system", "system", "unsupported", "inbound")]
    kinds += [*["status"] * 3, "unsupported", "preference", "unsupported"]
    assert found["kind"].tolist() == kinds
    assert found.loc[found["code"] == 131026, "details"].str.startswith("Message undeliverable.").all()


@settings(max_examples=100)
@given(damaged())
def test_nothing_of_a_damaged_body_is_lost(body):
    """Each entry, change, message, status and preference is told of: by its id, or as it came."""
    found = events.parse(body)
    parts = list(owed(body)) if "entry" in body else []
    assert len(found) >= max(len(parts), 1)
    told = [*found["wamid"], *found["raw"]]
    for part in parts:
        wamid = part.get("id") if isinstance(part, dict) else None
        if isinstance(wamid, str) and wamid.startswith("wamid."):
            assert any(wamid in each for each in told)


@settings(max_examples=100)
@example(b'{"entry": ["", {}]}')
@given(torn())
def test_no_text_is_too_torn(raw):
    """Whatever the text of a body, some event comes of it, and what is not understood says why and what came."""
    found = events.parse(raw)
    assert len(found) >= 1
    assert (found["event_id"] != "").all()
    odd = found[found["kind"] == "unsupported"]
    assert (odd["details"] != "").all()
    assert (odd["raw"] != "").all() or not raw.strip(b"\xef\xbb\xbf")


@pytest.fixture(scope="module")
def ledger():
    """Return a ledger for all damaged bodies."""
    with Ledger("sqlite://") as made:
        yield made


@settings(max_examples=40)
@given(torn())
def test_the_ledger_keeps_the_body_and_what_it_says(ledger, raw):
    """However torn, the very bytes are stored, and all that `parse` says of them; again changes nothing."""
    ledger.store([raw])
    assert raw in set(ledger.webhooks())
    known = ledger.events()
    said = events.parse(raw)
    assert set(said["event_id"]) <= set(known["event_id"])
    assert ledger.store([raw]) == 0
