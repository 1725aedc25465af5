import hashlib
import hmac
import json
from decimal import Decimal

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wa_products import events, frames, windows
from wa_products.identities import customer_id

WA_ID, USER = "447700900123", "GB.9912087x"
AT = pd.Timestamp("2026-11-22 08:00", tz="UTC")
SECONDS = str(int(AT.timestamp()))


def envelope(*, field="messages", **value):
    """Return a webhook body of one change."""
    value = {"messaging_product": "whatsapp", "metadata": {"phone_number_id": "1067"}, **value}
    return {
        "object": "whatsapp_business_account",
        "entry": [{"id": "9", "changes": [{"field": field, "value": value}]}],
    }


def message(**more):
    """Return an inbound text with changes."""
    return {"from": WA_ID, "id": "wamid.A", "timestamp": SECONDS, "type": "text", "text": {"body": "hello"}, **more}


def only(body):
    """Return the one event of a body."""
    found = events.parse(body)
    assert len(found) == 1
    return found.iloc[0]


def test_a_text():
    """A text of the shape before 2026 becomes one inbound event of its sender."""
    event = only(envelope(messages=[message()], contacts=[{"profile": {"name": "A"}, "wa_id": WA_ID}]))
    assert event[["event_id", "kind", "wa_id", "user_id", "wamid", "status", "text", "phone_number_id"]].tolist() == [
        *["wamid.A", "inbound", WA_ID, "", "wamid.A", "text", "hello", "1067"]
    ]
    assert event["at"] == AT
    assert event["customer_id"] == customer_id("phone", WA_ID)


@pytest.mark.parametrize(
    ("sender", "contact"),
    [
        ({"from_user_id": USER}, {}),
        ({"from": USER}, {}),
        ({}, {"user_id": USER}),
        ({"from": USER, "from_user_id": USER}, {"user_id": USER}),
    ],
)
def test_a_customer_without_a_phone(sender, contact):
    """A customer known only by a business-scoped user id is found wherever the id stands."""
    sent = {key: value for key, value in message(**sender).items() if key != "from" or "from" in sender}
    event = only(envelope(messages=[sent], contacts=[contact] if contact else []))
    assert (event["wa_id"], event["user_id"]) == ("", USER)
    assert event["customer_id"] == customer_id("user", USER)


def test_contacts_of_a_batch_are_not_mixed_up():
    """In a batch each message gets the ids of its own contact and never another customer's."""
    contacts = [{"wa_id": "447700900001", "user_id": "GB.1"}, {"wa_id": "447700900002", "user_id": "GB.2"}]
    sent = [message(**{"from": "447700900002", "id": "w2"}), message(**{"from": "447700900003", "id": "w3"})]
    found = events.parse(envelope(messages=sent, contacts=contacts))
    assert found["user_id"].tolist() == ["GB.2", ""]


def test_every_part_of_a_batch():
    """All entries, changes, messages and statuses of a body are there, not the first alone."""
    body = envelope(messages=[message(id="a"), message(id="b")], statuses=[{"id": "w", "status": "read"}])
    body["entry"] = [{**body["entry"][0], "changes": body["entry"][0]["changes"] * 2}] * 3
    assert len(events.parse(body)) == 3 * 2 * 3


def test_a_cart():
    """Each cart line is a row with its price in major units, exact, whether numbers came as numbers or as text."""
    items = [
        {"product_retailer_id": "0012", "quantity": 2, "item_price": 7.99, "currency": "EUR"},
        {"product_retailer_id": "B", "quantity": "1", "item_price": "30", "currency": "EUR"},
    ]
    order = {"catalog_id": "1", "text": "after 6 pm please", "product_items": items}
    body = envelope(messages=[message(type="order", id="wamid.O", order=order, context={"id": "wamid.SENT"})])
    found = events.parse(json.dumps(body).encode())
    assert found["event_id"].tolist() == ["wamid.O:1", "wamid.O:2"]
    assert found["kind"].tolist() == ["cart", "cart"]
    assert found["product_retailer_id"].tolist() == ["0012", "B"]
    assert found["quantity"].tolist() == [2, 1]
    assert found["unit_price"].tolist() == [Decimal("7.99"), Decimal(30)]
    assert found["context_id"].tolist() == ["wamid.SENT"] * 2
    assert found["text"].tolist() == ["after 6 pm please"] * 2
    pd.testing.assert_frame_equal(found, events.parse(body))


def test_a_cart_as_orders_and_as_inbound():
    """A cart is order lines for proposals and attribution, and one message of its customer for the window."""
    items = [{"product_retailer_id": "A", "quantity": 1, "item_price": 1, "currency": "EUR"}] * 2
    found = events.parse(envelope(messages=[message(type="order", order={"product_items": items})]))
    orders = events.orders(pd.concat([found, found], ignore_index=True))
    assert orders[["order_id", "line_no", "status", "is_purchase"]].to_numpy().tolist() == [
        ["wamid.A", 1, "cart", True],
        ["wamid.A", 2, "cart", True],
    ]
    inbound = events.inbound(found)
    assert inbound[["message_id", "kind"]].to_numpy().tolist() == [["wamid.A", "order"]]


@pytest.mark.parametrize("order", [None, {}, {"product_items": []}, "broken"])
def test_an_order_without_lines_is_still_a_message(order):
    """An order whose lines cannot be read opens the window like any message, and counts as no cart."""
    event = only(envelope(messages=[message(type="order", order=order)]))
    assert (event["kind"], event["status"]) == ("inbound", "order")


@pytest.mark.parametrize("kind", ["text", "button", "image", "interactive"])
def test_an_enquiry(kind):
    """A referred product makes an enquiry of a message of any type."""
    context = {"from": "1", "id": "wamid.P", "referred_product": {"catalog_id": "1", "product_retailer_id": "S7"}}
    event = only(envelope(messages=[message(type=kind, context=context)]))
    assert (event["kind"], event["product_retailer_id"], event["context_id"]) == ("enquiry", "S7", "wamid.P")


def test_the_context_of_a_reply():
    """The quoted message is kept, except on a forwarded message, which quotes nothing of ours."""
    assert only(envelope(messages=[message(context={"id": "wamid.P"})]))["context_id"] == "wamid.P"
    for flag in ("forwarded", "frequently_forwarded"):
        assert only(envelope(messages=[message(context={flag: True, "id": "wamid.P"})]))["context_id"] == ""


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ({"type": "button", "button": {"text": "Unsubscribe", "payload": "x"}}, "Unsubscribe"),
        ({"type": "interactive", "interactive": {"type": "button_reply", "button_reply": {"title": "Yes"}}}, "Yes"),
        ({"type": "interactive", "interactive": {"type": "list_reply", "list_reply": {"title": "Red"}}}, "Red"),
        ({"type": "interactive"}, ""),
        ({"type": "image", "image": {"id": "1", "caption": "this one?"}}, "this one?"),
        ({"type": "reaction", "reaction": {"message_id": "w", "emoji": "👍"}}, "👍"),
        ({"type": "reaction", "reaction": {"message_id": "w"}}, ""),
    ],
)
def test_what_the_customer_said(sent, words):
    """The words of a message are found in whatever place its type keeps them."""
    assert only(envelope(messages=[{**message(), "text": None, **sent}]))["text"] == words


def test_a_preference():
    """A preference is an event of its customer whose text opts out, with its integer timestamp."""
    said = {"wa_id": WA_ID, "user_id": USER, "category": "marketing_messages", "value": "stop", "detail": "asked"}
    body = envelope(field="user_preferences", user_preferences=[{**said, "timestamp": int(SECONDS)}])
    found = events.parse(body)
    assert found[["kind", "text", "details", "user_id"]].to_numpy().tolist() == [["preference", "stop", "asked", USER]]
    thread = windows.threads(events.inbound(found), AT).iloc[0]
    assert thread["opted_out"]
    assert not thread["is_open"]


@pytest.mark.parametrize(
    "notice",
    [
        {"type": "user_changed_number", "wa_id": "447700900999", "body": "A changed from +44 7700 900123"},
        {"type": "customer_changed_number", "new_wa_id": "447700900999"},
        {"type": "customer_changed_number", "new_wa_id": "447700900999", "customer": WA_ID},
    ],
)
def test_a_changed_number(notice):
    """A changed number names the new and the previous one, in old and new field names, and repeats no words."""
    event = only(envelope(messages=[message(type="system", text=None, system=notice)]))
    assert (event["kind"], event["wa_id"], event["previous_wa_id"]) == ("system", "447700900999", WA_ID)
    assert event["customer_id"] == customer_id("phone", "447700900999")
    assert event["text"] == ""


def test_a_changed_user_id():
    """A changed business-scoped user id names the previous one."""
    notice = {"type": "user_changed_user_id", "user_id": "GB.2", "previous_user_id": "GB.1"}
    event = only(envelope(messages=[{"type": "system", "id": "w", "timestamp": SECONDS, "system": notice}]))
    assert (event["user_id"], event["previous_user_id"], event["previous_wa_id"]) == ("GB.2", "GB.1", "")


def test_a_status():
    """A status carries the send id that it echoes, and both ids of its recipient."""
    status = {"id": "wamid.S", "status": "delivered", "timestamp": SECONDS, "recipient_id": WA_ID}
    status |= {"recipient_user_id": USER, "biz_opaque_callback_data": "send-1"}
    event = only(envelope(statuses=[status]))
    assert event[["event_id", "kind", "wamid", "send_id", "status", "wa_id", "user_id"]].tolist() == [
        *["wamid.S:delivered", "status", "wamid.S", "send-1", "delivered", WA_ID, USER]
    ]


def test_a_failed_status_without_contacts():
    """A failed status, which has no contacts, gives the code and the details of its errors."""
    error = {"code": 131047, "title": "Re-engagement message", "error_data": {"details": "more than 24 hours"}}
    status = {"id": "wamid.S", "status": "failed", "timestamp": SECONDS, "recipient_id": WA_ID, "errors": [error]}
    event = only(envelope(statuses=[status]))
    assert (event["code"], event["details"]) == (131047, "more than 24 hours")


@pytest.mark.parametrize("data", [None, "more than 24 hours", {"details": "more than 24 hours"}, []])
def test_error_data_of_any_shape(data):
    """Error data may be absent, text or an object; the words are found or the title stands in."""
    error = {"code": "131047", "title": "Re-engagement message", "error_data": data}
    event = only(envelope(statuses=[{"id": "w", "status": "failed", "errors": [error]}]))
    assert event["code"] == 131047
    assert event["details"] in ("more than 24 hours", "Re-engagement message")


def test_group_messages_are_kept_apart():
    """A group message is kept but opens no window; statuses of a group stay apart a member."""
    sent = message(group_id="g")
    assert only(envelope(messages=[sent]))["kind"] == "unsupported"
    status = {"id": "w", "status": "read", "recipient_type": "group", "recipient_id": "123456789"}
    found = events.parse(
        envelope(statuses=[{**status, "recipient_participant_id": f"44770090000{n}"} for n in range(2)])
    )
    assert found["event_id"].nunique() == 2
    assert "7700" not in "".join(found["event_id"])


@pytest.mark.parametrize("kind", ["unsupported", "unknown", "request_welcome", "revoke", "surprise", None])
def test_types_that_open_no_window(kind):
    """A message of a type not known to open the window is kept as unsupported, with its type and its customer."""
    event = only(envelope(messages=[message(type=kind)]))
    assert (event["kind"], event["status"]) == ("unsupported", kind or "")
    assert events.inbound(events.parse(envelope(messages=[message(type=kind)])))["kind"].tolist() == ["unsupported"]


@pytest.mark.parametrize(
    ("stamp", "at"),
    [
        (SECONDS, AT),
        (int(SECONDS), AT),
        (int(SECONDS) * 1000, AT),
        (f"{SECONDS}.5", AT + pd.Timedelta("500ms")),
        *[(garbage, pd.NaT) for garbage in ("soon", "", None, -5, 0, 1e300, "1e99999999999999999999", [], True)],
    ],
)
def test_timestamps(stamp, at):
    """Seconds and milliseconds are told apart, as number or text; garbage is an unknown time."""
    event = only(envelope(messages=[message(timestamp=stamp)]))
    assert (event["at"] is pd.NaT) if at is pd.NaT else (event["at"] == at)


@pytest.mark.parametrize("price", ["seven", None, "", "NaN", float("inf"), "1e9999999", True, [], {}])
def test_garbage_prices(price):
    """A price that is no finite number is an unknown price."""
    order = {"product_items": [{"product_retailer_id": "A", "item_price": price, "quantity": price}]}
    event = only(envelope(messages=[message(type="order", order=order)]))
    assert event["unit_price"] is None
    assert pd.isna(event["quantity"])


@pytest.mark.parametrize(
    "body",
    [
        *(
            b"",
            b"\xff\xfe\x00",
            "not json",
            "{",
            b"[" * 100_000,
            "[]",
            "{}",
            "null",
            "7",
            '"x"',
            {"entry": []},
            [{}, {}],
        ),
        *({"entry": [{}]}, {"entry": [{"changes": [{}]}]}, {"entry": {"changes": {"value": "x"}}}, {1: object()}),
    ],
)
def test_what_is_no_webhook(body):
    """What is no webhook, or no JSON at all, is kept as unsupported rows with a reason, one at least."""
    found = events.parse(body)
    assert len(found) >= 1
    assert set(found["kind"]) == {"unsupported"}
    assert (found["details"] != "").all()
    assert (found["event_id"] != "").all()


def test_other_fields_are_kept():
    """A webhook of another field is one unsupported row that names the field."""
    event = only(envelope(field="smb_message_echoes", message_echoes=[message()]))
    assert (event["kind"], event["status"]) == ("unsupported", "smb_message_echoes")


def test_errors_of_a_value():
    """Errors at the level of the value are kept with code and words."""
    event = only(envelope(errors=[{"code": 131000, "message": "Unsupported webhook payload"}]))
    assert (event["kind"], event["code"], event["details"]) == ("unsupported", 131000, "Unsupported webhook payload")


@pytest.mark.parametrize("wrapped", ["entry", "changes", "value", "bare"])
def test_bodies_without_their_wrapping(wrapped):
    """Logs that stored only the inner part of a body are read as well."""
    body = envelope(messages=[message()])
    inner = {"entry": body, "changes": body["entry"][0], "value": body["entry"][0]["changes"][0]}
    found = only(inner.get(wrapped, body["entry"][0]["changes"][0]["value"]))
    assert (found["event_id"], found["kind"]) == ("wamid.A", "inbound")


def test_signature():
    """Only the HMAC of the very bytes under the app secret verifies."""
    raw, secret = b'{"a":"\\u00e9"}', "app-secret"
    right = "sha256=" + hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()
    assert events.verify(raw, right, secret)
    assert events.verify(raw, right.upper().replace("SHA256", "sha256"), secret)
    for wrong in (right[:-1], right[7:], "", None, "sha256=", "sha256=é" + "0" * 63, "sha1=" + right[7:]):
        assert not events.verify(raw, wrong, secret)
    assert not events.verify(raw + b" ", right, secret)
    assert not events.verify(raw, "sha256=" + hmac.new(b"", raw, hashlib.sha256).hexdigest(), "")


KEYS = """entry changes value field messages statuses contacts user_preferences errors id from type order product_items
system context timestamp metadata referred_product error_data code text item_price wa_id"""
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["order", "system", USER]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=3), inner, max_size=3)
        | st.fixed_dictionaries(
            {},
            optional=dict.fromkeys(
                KEYS.split(),
                inner,
            ),
        )
    ),
    max_leaves=25,
)


@given(JSON)
def test_any_json_gives_events(value):
    """Any JSON value gives at least one row of the events shape, whether it comes as a value, as text or as bytes."""
    found = events.parse(value if isinstance(value, dict) else json.dumps(value))
    assert len(found) >= 1
    assert {column: str(dtype) for column, dtype in found.dtypes.items()} == {
        column: frames.DTYPES[kind] for column, kind in frames.EVENTS.items()
    }
    assert set(found["kind"]) <= {"inbound", "status", "cart", "enquiry", "preference", "system", "unsupported"}
    events.inbound(found)
    events.orders(found)
    pd.testing.assert_frame_equal(found, events.parse(json.dumps(value).encode()))


@given(st.fixed_dictionaries({"entry": st.just([]) | st.lists(st.fixed_dictionaries({"changes": JSON}))}))
def test_any_envelope_gives_events(value):
    """An envelope around anything gives at least one row."""
    assert len(events.parse(value)) >= 1


@given(st.lists(st.sampled_from(["messages", "statuses", "user_preferences"]), min_size=1), st.data())
def test_nothing_is_dropped(parts, data):
    """There are at least as many rows as there are messages, statuses and preferences, whatever they hold."""
    value = {part: data.draw(st.lists(JSON, min_size=1, max_size=3)) for part in parts}
    assert len(events.parse(envelope(**value))) >= sum(len(part) for part in value.values())
