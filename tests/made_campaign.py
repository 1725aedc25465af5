"""A made-up campaign as the ledger would hand it out: rows, events and the header. Seeded, so each call is the same."""

from decimal import Decimal

import numpy as np
import pandas as pd

from wa_products import arms, frames

START = pd.Timestamp("2026-11-22 09:00", tz="UTC")
PRODUCTS = [
    ("rice-5kg", "Basmati rice 5 kg", "12.50"),
    ("oil-1l", "Olive oil 1 l", "9.80"),
    ("coffee", "Coffee beans 1 kg", "18.00"),
    ("tea-100", "Breakfast tea, 100 bags", "5.40"),
    ("flour", "Flour type 00, 1 kg", "1.90"),
    ("soap", "Castile soap <b>lavender</b> & sage", "4.25"),
    ("honey", "Heather honey 340 g", "7.60"),
]
HEADER = {
    "campaign": "2026-11-reorder",
    "digest": "9f" * 32,
    "approved_by": "R. Lindqvist",
    "created_at": START - pd.Timedelta("30min"),
    "expires_at": START + pd.Timedelta("20h"),
    "holdout": 0.2,
    "waterfall": [
        ("window closed", 518),
        ("opted out", 9),
        ("not sendable: out of stock", 31),
        ("probability too low", 104),
        ("messaged lately", 46),
        ("rejected in review", 12),
    ],
}


def row(customer="ann", product="rice-5kg", **changes):
    """Return one planned customer as a dict, accepted at START unless told otherwise."""
    return {
        "campaign": "spring",
        "customer_id": customer,
        "send_id": f"send-{customer}",
        "product_retailer_id": product,
        "arm": "treated",
        "outcome": "accepted",
        "wamid": f"wamid.{customer}",
        "code": 0,
        "details": "",
        "at": START,
        "kind": "reorder",
        "source": "reorder",
        "probability": 0.3,
        "title": product,
        "price": Decimal("12.50"),
        "currency": "GBP",
        "closes_at": START + pd.Timedelta("20h"),
        **changes,
    }


def rows_of(*made):
    """Return a frame of rows as `Ledger.rows` gives it."""
    return frames.conform(pd.DataFrame(list(made), columns=list(row())), frames.OUTCOMES, "rows").astype(
        {"title": "str", "kind": "str"}
    )


def events_of(*made):
    """Return a frame of events as `Ledger.events` gives it."""
    return frames.conform(pd.DataFrame(list(made), columns=list(frames.EVENTS)), frames.EVENTS, "events")


def status(customer, name, after="1min", **changes):
    """Return one status webhook `after` START."""
    wamid = f"wamid.{customer}"
    at = START + pd.Timedelta(after)
    return {"event_id": f"{wamid}:{name}", "kind": "status", "at": at, "wamid": wamid, "status": name, **changes}


def enquiry(customer, product="rice-5kg", after="1h", **changes):
    """Return one product enquiry `after` START."""
    return {
        "event_id": f"wamid.ask.{customer}.{after}",
        "kind": "enquiry",
        "at": START + pd.Timedelta(after),
        "customer_id": customer,
        "product_retailer_id": product,
        **changes,
    }


def cart(customer, *items, after="2h", name="", **changes):
    """Return the lines of one cart `after` START; an item is (product, quantity, unit price[, currency])."""
    message = f"wamid.cart.{customer}{name}.{after}"
    return [
        {
            "event_id": f"{message}:{number}",
            "kind": "cart",
            "at": START + pd.Timedelta(after),
            "customer_id": customer,
            "product_retailer_id": product,
            "quantity": float(quantity),
            "unit_price": None if price is None else Decimal(price),
            "currency": currency[0] if currency else "GBP",
            **changes,
        }
        for number, (product, quantity, price, *currency) in enumerate(items, start=1)
    ]


def campaign(customers=280, seed=7):
    """Return (rows, events, header) of a believable campaign with failures, enquiries and carts."""
    random = np.random.default_rng(seed)
    ids = pd.Series([f"c{number:06d}" for number in range(customers)], dtype="str")
    kinds = pd.Series(random.choice(["reorder", "recommendation", "request"], customers, p=[0.62, 0.27, 0.11]))
    drawn = arms.assign(HEADER["campaign"], ids, kinds, HEADER["holdout"])
    made, told = [], []
    for customer, kind, arm in zip(ids, kinds, drawn, strict=True):
        product, title, price = PRODUCTS[min(int(random.exponential(1.8)), len(PRODUCTS) - 1)]
        outcome, code = "held out", 0
        if arm == arms.TREATED:
            outcome, code = _outcome(random)
        wamid = f"wamid.{customer}" if outcome == "accepted" else ""
        details = "Products not found in FB Catalog" if code == 131009 else ""
        known = {
            "arm": arm,
            "outcome": outcome,
            "code": code,
            "details": details,
            "wamid": wamid,
            "kind": kind,
            "title": title,
        }
        made.append(row(customer, product, price=Decimal(price), campaign=HEADER["campaign"], **known))
        read = outcome == "accepted" and _statuses(random, customer, told)
        if random.random() < (0.17 if read else 0.05):
            told += _cart(random, customer, product, price)
    for stranger in range(customers // 70):
        told += cart(f"x{stranger}", ("rice-5kg", 1, "12.50"), after=f"{20 + 17 * stranger}h")
    return rows_of(*made), events_of(*told), HEADER


def _outcome(random):
    """Return what became of one request, and its code."""
    chance = random.random()
    if chance < 0.93:
        return "accepted", 0
    if chance < 0.955:
        return "refused", 131009
    return [("refused", 131056), ("window closed", 0), ("unknown", 0)][int((chance - 0.955) // 0.015)]


def _statuses(random, customer, told):
    """Add the webhooks of one accepted message to `told`; return whether it was read."""
    told.append(status(customer, "sent", "4s"))
    if random.random() < 0.07:
        code = int(random.choice([131026, 131047, 131049], p=[0.6, 0.25, 0.15]))
        told.append(status(customer, "failed", "20s", code=code))
        return False
    minutes = random.exponential(40)
    told.append(status(customer, "delivered", f"{minutes:.0f}min"))
    if read := random.random() < 0.66:
        told.append(status(customer, "read", f"{minutes + random.exponential(90):.0f}min"))
    return read


def _cart(random, customer, product, price):
    """Return the events of one shopper who sends a cart, at times after a question."""
    hours = random.exponential(14) + 2.5
    asked = [enquiry(customer, product, f"{hours - 0.4:.2f}h")] if random.random() < 0.3 else []
    others = [item for item in PRODUCTS if item[0] != product]
    extra = others[int(random.integers(len(others)))]
    items = [(product, int(random.integers(1, 4)), price)] if random.random() < 0.7 else []
    items += [(extra[0], 1, extra[2])] if not items or random.random() < 0.5 else []
    return [*asked, *cart(customer, *items, after=f"{hours:.2f}h")]


def spread(rows, events, over="54h"):
    """Return `rows` and `events` sent over some time, with probabilities, sources, opt-outs and an earlier campaign."""
    random = np.random.default_rng(5)
    shifts = pd.Series(np.sort(random.random(len(rows))) * pd.Timedelta(over), index=rows["customer_id"])
    known = events["customer_id"].where(events["customer_id"] != "", events["wamid"].str.removeprefix("wamid."))
    late = shifts.reindex(known).fillna(pd.Timedelta(0)).to_numpy() if len(shifts) else pd.Timedelta(0)
    moved = events.assign(at=events["at"] + late)
    told = rows.assign(
        at=rows["at"] + shifts.to_numpy(),
        probability=random.beta(1.2, 14, len(rows)),
        source=np.where(rows["kind"] == "recommendation", "popular", rows["kind"]),
        outcome=np.where(random.random(len(rows)) < 0.98, rows["outcome"], "skipped"),
    )
    told["details"] = told["details"].where(told["outcome"] != "skipped", "opted out")
    told["wamid"] = told["wamid"].where(told["outcome"] == "accepted", "")
    stops = told[(told["outcome"] == "accepted") & (random.random(len(told)) < 0.02)]
    said = [
        {"event_id": f"stop.{who}", "kind": "preference", "at": at, "customer_id": who, "text": "stop"}
        for who, at in zip(stops["customer_id"], stops["at"] + pd.Timedelta("30h"), strict=True)
    ]
    before = []
    for place, share in enumerate((0.5, 0.25, 0.1), start=1):
        some = told[random.random(len(told)) < share]
        names = "before-" + str(place) + "-" + some["customer_id"]
        at = some["at"] - place * pd.Timedelta("8D")
        before.append(some.assign(campaign=f"c{place}", send_id=names, wamid=names, outcome="accepted", code=0, at=at))
    return told, pd.concat([moved, events_of(*said)], ignore_index=True), pd.concat(before, ignore_index=True)
