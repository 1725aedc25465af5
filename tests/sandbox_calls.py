"""How the tests of the sandbox call it, and read what it tells."""

import httpx
import pandas as pd

from tests.sandbox_shop import CATALOG_ID, phone
from wa_products import events
from wa_products.payloads import single_product
from wa_products.sandbox import TOKEN
from wa_products.sandbox.transport import InProcess

NUMBER = "100000000000001"
MESSAGES = f"/v25.0/{NUMBER}/messages"
FIRST = f"+{phone(0)}"


def message(to=FIRST, product="P1", catalog_id=CATALOG_ID, **more):
    """Return the single-product message that most tests send or spoil."""
    return single_product(to=to, catalog_id=catalog_id, product_retailer_id=product, **more)


def plain_http(sandbox, token=TOKEN):
    """Return a client that knows nothing of this package, in process."""
    headers = {"authorization": f"Bearer {token}"} if token else {}
    return httpx.Client(transport=InProcess(sandbox.app), base_url="https://sandbox.invalid", headers=headers)


def told(sandbox):
    """Return the events of all webhooks that wait, each once."""
    found = events.to_frame(record for body in sandbox.webhooks() for record in events.records(body))
    return found.drop_duplicates("event_id")


def failed(sandbox):
    """Return the events of failed messages after a minute."""
    found = told(sandbox.advance("1min"))
    return found[found["status"] == "failed"]


def open_thread(sandbox, data, **habits):
    """Return the first open thread with a phone whose shopper has these habits."""
    habits = {"outdated": False, "unreachable": False, **habits}
    people = sandbox.people.set_index("customer_id")
    fits = (people[list(habits)] == pd.Series(habits)).all(axis=1)
    threads = data.threads[data.threads["is_open"] & (data.threads["to"] != "")]
    return next(threads[threads["customer_id"].map(fits)].itertuples())
