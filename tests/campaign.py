"""A campaign to send in tests: planned rows, a clock that can be moved, webhooks."""

import threading
from decimal import Decimal

import pandas as pd

from wa_products.client import Client
from wa_products.identities import customer_id
from wa_products.plans import Plan
from wa_products.settings import Settings

NOW = pd.Timestamp("2026-11-22 08:00", tz="UTC")
CATALOG = "194836987003835"
SETTINGS = Settings(token="EAAB-secret-token", phone_number_id="1067", catalog_id=CATALOG)  # noqa: S106  # made up


def phone(n):
    """Return the digits of the n-th number reserved for fiction."""
    return f"447700900{n:03d}" if n < 1000 else f"1555{n // 100:03d}01{n % 100:02d}"


def plan(size=5, *, holdout=0.0, campaign="c1", now=NOW, limits=None, approved_by="me", **changes):
    """Return an approved plan for customers 0 to `size`; `changes` replace columns, with one value or one a row."""
    rows = pd.DataFrame(
        {
            "customer_id": [customer_id("phone", phone(n)) for n in range(size)],
            "to": [f"+{phone(n)}" for n in range(size)],
            "recipient": "",
            "product_retailer_id": "S7",
            "kind": "reorder",
            "source": "reorder",
            "probability": 0.25,
            "last_inbound_at": now - pd.Timedelta("4h"),
            "closes_at": now + pd.Timedelta("20h"),
            "title": "Coffee beans",
            "price": Decimal("18.00"),
            "currency": "GBP",
            "body": "Running low?",
            "footer": "",
        }
    )
    frozen = rows.assign(**changes)
    named = {"campaign": campaign, "catalog_id": CATALOG, "approved_by": approved_by, "limits": limits}
    return Plan.make(frozen, created_at=now, holdout=holdout, **named)


class Clock:
    """A time that passes only by sleeping; `naps` are the sleeps so far."""

    def __init__(self, now=NOW):
        self.at, self.naps, self._lock = now, [], threading.Lock()

    def now(self):
        """Return the moment."""
        return self.at

    def sleep(self, seconds):
        """Let `seconds` pass at once."""
        with self._lock:
            self.naps.append(seconds)
            self.at += pd.Timedelta(seconds=seconds)


def client(server, clock=None):
    """Return a client of a faulty server that goes by a clock of the tests, so that only answers hold it up."""
    made = Client(SETTINGS, base_url=server.url, clock=clock or Clock())
    made.workers = 8
    return made


def says(n, text, at=NOW, **more):
    """Return the webhook of a message that the n-th customer wrote."""
    stamp = str(int(at.timestamp()))
    sent = {"from": phone(n), "id": f"wamid.in{n}{text}{stamp}", "timestamp": stamp, "type": "text"}
    return hook(messages=[{**sent, "text": {"body": text}, **more}])


def status(send_id, name="delivered", wamid="wamid.X", at=NOW, **more):
    """Return the webhook of a status that echoes a send id."""
    told = {"id": wamid, "status": name, "timestamp": str(int(at.timestamp())), "biz_opaque_callback_data": send_id}
    return hook(statuses=[{**told, **more}])


def hook(**value):
    """Return a webhook body of one change."""
    return {
        "entry": [{"changes": [{"field": "messages", "value": {"metadata": {"phone_number_id": "1067"}, **value}}]}]
    }
