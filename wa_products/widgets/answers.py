"""One product sent to one customer by hand: a plan of one row, through the same ledger and checks as a campaign."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd

from wa_products.campaigns import send
from wa_products.errors import DataError
from wa_products.limits import Limits
from wa_products.plans import Plan
from wa_products.widgets.decisions import fault
from wa_products.widgets.moments import told
from wa_products.widgets.shops import SENT

if TYPE_CHECKING:
    from wa_products.client import Client
    from wa_products.ledger import Ledger
    from wa_products.widgets.shelves import Shelf
    from wa_products.widgets.shops import Shop

CAMPAIGN = "desk"


class Answer(NamedTuple):
    """What an agent sends to a customer."""

    customer_id: str
    product: str
    body: str
    footer: str
    kind: str = "request"
    source: str = "desk"


def closed(customer: str, shop: Shop, ledger: Ledger, now: pd.Timestamp) -> str:
    """Return in words why nothing may be sent to `customer` now, ``""`` where it may."""
    found = shop.threads[shop.threads["customer_id"] == customer]
    if found.empty:
        raise DataError("this customer has never written")
    thread = found.iloc[0]
    timezone = shop.data.timezone
    if thread["opted_out"]:
        return "They asked for no more messages (STOP)."
    if not thread["to"] and not thread["recipient"]:
        return "No address of theirs is known."
    standing = ledger.standings([{"customer_id": customer, "to": thread["to"]}], now).get(customer)
    if standing and standing.blocked:
        return f"The ledger says: {standing.blocked}."
    if not thread["is_open"]:
        at = told(thread["closes_at"], timezone)
        when = f"closed {at}" if thread["closes_at"] <= now else f"closes {at}, too soon to be sure"
        return f"The customer service window {when}: nothing can be sent until they write again."
    return ""


def answer(
    chosen: Answer, shop: Shop, shelf: Shelf, ledger: Ledger, client: Client, *, by: str
) -> tuple[dict[str, Any], list[str]]:
    """
    Send `chosen` and return its row of the outcomes with what was warned of.

    The same product goes out at most once after each message of the customer: a second click sends nothing. Raises
    DataError, in words for the agent, where nothing may be sent.
    """
    now = client.now()
    if why := closed(chosen.customer_id, shop, ledger, now) or shelf.why_not(chosen.product):
        raise DataError(f"Not sent. {why}")
    if why := fault(chosen.body, chosen.footer):
        raise DataError(f"Not sent: {why}.")
    thread = shop.threads.set_index("customer_id").loc[chosen.customer_id]
    theirs = shop.sends[(shop.sends["customer_id"] == chosen.customer_id) & shop.sends["outcome"].isin(SENT)]
    again = theirs[(theirs["product_retailer_id"] == chosen.product) & (theirs["at"] >= thread["last_inbound_at"])]
    if len(again):
        at = told(again["at"].max(), shop.data.timezone)
        raise DataError(f"Not sent: this very product went to them {at}, and they have not written since.")
    plan = _plan(chosen, thread, shop, shelf, by=by, now=now)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        outcomes = send(plan, ledger=ledger, client=client, dry_run=False, progress=False)
    row = {str(name): value for name, value in outcomes.iloc[0].to_dict().items()}
    return row, [str(each.message) for each in caught if issubclass(each.category, UserWarning)]


def _plan(chosen: Answer, thread: pd.Series, shop: Shop, shelf: Shelf, *, by: str, now: pd.Timestamp) -> Plan:
    facts = shelf.products[chosen.product]
    row = {
        **chosen._asdict(),
        "product_retailer_id": chosen.product,
        "to": thread["to"],
        "recipient": thread["recipient"],
        "last_inbound_at": thread["last_inbound_at"],
        "closes_at": thread["closes_at"],
        "title": facts["title"],
        "price": facts["paid"],
        "currency": facts["currency"],
        "probability": float("nan"),
    }
    return Plan.make(
        pd.DataFrame([row]),
        campaign=_campaign(chosen.customer_id, shop, now),
        catalog_id=shop.data.catalog_id,
        approved_by=by,
        created_at=now,
        holdout=0.0,
        limits=Limits(),
    )


def _campaign(customer: str, shop: Shop, now: pd.Timestamp) -> str:
    """Return the campaign of the day in which this customer has had nothing yet: a campaign has one message each."""
    name = f"{CAMPAIGN} {now.tz_convert(shop.data.timezone):%Y-%m-%d}"
    theirs = shop.sends[(shop.sends["customer_id"] == customer) & shop.sends["outcome"].isin([*SENT, "refused"])]
    used = set(theirs["campaign"])
    number = next(n for n in range(1, len(used) + 2) if (name if n == 1 else f"{name} #{n}") not in used)
    return name if number == 1 else f"{name} #{number}"
