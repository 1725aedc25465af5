import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from wa_products import events, windows
from wa_products.events.bodies import BLANK
from wa_products.ledger import people
from wa_products.ledger.schema import micros

START = pd.Timestamp("2026-11-20", tz="UTC")
EVER = pd.Timestamp("9000-01-01", tz="UTC")
TEXTS = ["", "hello", "Stop!", " STOP ", "start", "resume.", "Arrêt", "stop it", "signup", "stop", "\nstop", "\nstart"]
KINDS = ["inbound", "enquiry", "cart", "preference", "system", "unsupported"]


@st.composite
def said(draw):
    """Return one event of the customer, of any kind, at one of few moments so that some coincide."""
    minutes, number = draw(st.integers(0, 3)), draw(st.integers(0, 9))
    kind = draw(st.sampled_from(KINDS))
    return {
        **BLANK,
        "event_id": f"wamid.{number}" + (f":{draw(st.integers(1, 3))}" if kind == "cart" else ""),
        "customer_id": "c1",
        "kind": kind,
        "at": draw(st.sampled_from([START + pd.Timedelta(minutes=minutes), None])) if number else START,
        "status": draw(st.sampled_from(["text", "reaction", "image", "system"])),
        "text": draw(st.sampled_from(TEXTS)),
        "previous_wa_id": draw(st.sampled_from(["", "", "", "447700900999"])),
    }


def by_id(told):
    """Return the events with one of each id, and one text a cart, as the ledger holds them."""
    once = {}
    for event in told:
        message_id = event["event_id"].partition(":")[0]
        first = next((other for key, other in once.items() if key.partition(":")[0] == message_id), event)
        if (first["kind"], event["kind"]) == ("cart", "cart"):
            once[event["event_id"]] = {**event, **{name: first[name] for name in ("at", "text", "previous_wa_id")}}
        elif first is event:
            once[event["event_id"]] = event
    return list(once.values())


@given(st.lists(said(), min_size=1, max_size=12).map(by_id))
def test_one_customer_as_all(told):
    """What stands between a customer and a message is the same, whether read one by one or by the frame of threads."""
    thread = windows.threads(events.inbound(events.to_frame(told)), EVER).set_index("customer_id")
    heard = [
        people.Said(**{name: event[name] for name in people.Said._fields} | {"at": micros(event["at"])})
        for event in told
    ]
    wrote_at, opted_out = people.last_words(heard)
    assert wrote_at == micros(thread["last_inbound_at"].get("c1", pd.NaT))
    assert opted_out == bool(thread["opted_out"].get("c1", default=False))
