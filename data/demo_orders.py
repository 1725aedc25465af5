# ruff: noqa: PLR2004 (the shares of a made-up shop are its data)

"""
The order history of the demo shop as a Shopify orders export: one row a line, order columns on the first row only.

Columns that nothing needs are blank, to keep the file small.
"""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

from demo_people import AS_OF, FIRST_DAY, SHOP_PHONE, Basket, Person, phone

if TYPE_CHECKING:
    from datetime import datetime

    import numpy as np
    from demo_catalog import Product

ZONE = ZoneInfo("Europe/London")
ADDRESS = ("Name", "Street", "Address1", "Address2", "Company", "City", "Zip", "Province", "Country", "Phone")
COLUMNS = [
    "Name", "Email", "Financial Status", "Paid at", "Fulfillment Status", "Fulfilled at", "Accepts Marketing",
    "Currency", "Subtotal", "Shipping", "Taxes", "Total", "Discount Code", "Discount Amount", "Shipping Method",
    "Created at", "Lineitem quantity", "Lineitem name", "Lineitem price", "Lineitem compare at price", "Lineitem sku",
    "Lineitem requires shipping", "Lineitem taxable", "Lineitem fulfillment status",
    *(f"Billing {part}" for part in ADDRESS), *(f"Shipping {part}" for part in ADDRESS),
    "Notes", "Note Attributes", "Cancelled at", "Payment Method", "Payment Reference", "Refunded Amount", "Vendor",
    "Outstanding Balance", "Employee", "Location", "Device ID", "Id", "Tags", "Risk Level", "Source",
    "Lineitem discount", *(f"Tax {n} {part}" for n in range(1, 6) for part in ("Name", "Value")), "Phone",
    "Receipt Number", "Duties", "Billing Province Name", "Shipping Province Name",
]  # fmt: skip
NOTES = (
    "Please leave with neighbour\nat the blue door",
    "Ring twice.\n\nThe bell is slow.",
    "Gift wrap, please; no invoice",
    'Says "no plastic", again',
    "Empty bottles are in the porch\n3 x 1 L\n1 x 5 L",
    "After 6 pm",
)
HOSTILE_NOTES = (
    "<script>alert('note')</script>",
    '=HYPERLINK("https://shop.example","click")',
    "'; DROP TABLE orders; --",
    "{{7*7}} ${7*7} %(name)s",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "\u202egpj.exe\u200b hidden",
    '#9999,fake@example.com,paid,\n#9998,"never closed',
)
UNKNOWN_LINES = (
    ("Tip", 2.0),
    ("Shipping Protection", 0.98),
    ("Gift Card - £10", 10.0),
    ("Spice Coffee - 250 g", 7.99),
)
PRICE_RISE = FIRST_DAY + timedelta(days=255)
STRANGER = phone(998)  # somebody else's number in a billing column
CASH, PAYPAL = 0.16, 0.25


class Order(NamedTuple):
    """One order before it becomes rows."""

    at: datetime
    head: dict[str, str]
    lines: list[dict[str, str]]


def export(baskets: list[Basket], shop: list[Product], rng: np.random.Generator) -> str:
    """Return the text of the orders export, newest order first as Shopify writes it."""
    orders = [_order(basket, rng) for basket in baskets] + _at_the_till(shop, rng) + _tests(shop, rng)
    orders.sort(key=lambda order: (order.at, order.head["Phone"], order.head["Email"]))
    rows: list[dict[str, str]] = []
    for number, order in reversed(list(enumerate(orders, start=1001))):
        rows += _rows(number, order)
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _rows(number: int, order: Order) -> list[dict[str, str]]:
    """Return the order's rows: the first has all, the others only what Shopify repeats."""
    every = {"Name": f"#{number}", "Created at": stamp(order.at)}
    repeated = every | {"Email": order.head["Email"], "Phone": order.head["Phone"]}
    first = every | order.head | {"Currency": "GBP", "Id": str(6_140_000_000_000 + 32_771 * number)}
    return [first | order.lines[0], *(repeated | line for line in order.lines[1:])]


def stamp(at: datetime) -> str:
    """Return a moment as Shopify writes it, in the shop's zone with its offset."""
    return f"{at.astimezone(ZONE):%Y-%m-%d %H:%M:%S %z}"


def _order(basket: Basket, rng: np.random.Generator) -> Order:
    lines = [_line(product, quantity, basket.at, rng) for product, quantity in basket.lines]
    if rng.random() < 0.025:
        title, price = UNKNOWN_LINES[rng.integers(len(UNKNOWN_LINES))]
        lines.append({"Lineitem quantity": "1", "Lineitem name": title, "Lineitem price": f"{price:.2f}"})
    total = sum(float(line["Lineitem price"]) * int(line["Lineitem quantity"]) for line in lines)
    head = _phones(basket.person, rng) | {"Email": basket.person.email, "Total": f"{total:.2f}"}
    head |= _money(basket, total, rng)
    draw = rng.random()
    if draw < 0.012:
        head["Notes"] = NOTES[rng.integers(len(NOTES))]
    elif draw < 0.015:
        head["Notes"] = HOSTILE_NOTES[rng.integers(len(HOSTILE_NOTES))]
    return Order(basket.at, head, lines)


def _line(product: Product, quantity: int, at: datetime, rng: np.random.Generator) -> dict[str, str]:
    price = product.price if at >= PRICE_RISE else round(product.price * 0.96, 1) - 0.01
    return {
        "Lineitem quantity": str(quantity),
        "Lineitem name": product.line_name,
        "Lineitem price": f"{price:.2f}",
        "Lineitem sku": _sku(product, rng),
    }


def _sku(product: Product, rng: np.random.Generator) -> str:
    """Return the SKU: the Pantry shelf never had any, the others have them on and off, some from an old warehouse."""
    draw = rng.random()
    if product.shelf == "pantry" or draw < 0.62:
        return ""
    return product.retailer_id if draw < 0.95 else f"W{sum(product.retailer_id.encode()):04}"


def _money(basket: Basket, total: float, rng: np.random.Generator) -> dict[str, str]:
    """Return status, payment and what went wrong. Cash on delivery stays ``pending`` for ever, as it does."""
    cash = rng.random() < CASH
    money = {
        "Financial Status": "pending" if cash else "paid",
        "Payment Method": "Cash on Delivery (COD)" if cash else "PayPal" if rng.random() < PAYPAL else "",
        "Fulfillment Status": "fulfilled" if cash and basket.at < AS_OF - timedelta(days=2) else "",
    }
    later = stamp(basket.at + timedelta(hours=float(rng.uniform(1, 40))))
    if basket.fate == "cancelled":
        return money | {"Cancelled at": later, "Fulfillment Status": "unfulfilled"}
    if basket.fate == "voided":
        return money | {"Financial Status": "voided", "Cancelled at": later, "Fulfillment Status": "unfulfilled"}
    if basket.fate == "refunded":
        return money | {"Financial Status": "refunded", "Refunded Amount": f"{total:.2f}"}
    draw = rng.random()
    if draw < 0.012 and not cash and len(basket.lines) > 1:
        return money | {"Financial Status": "partially_refunded", "Refunded Amount": f"{total / 3:.2f}"}
    if draw > 0.998:
        return money | {"Financial Status": "authorized", "Fulfillment Status": "unfulfilled"}
    return money


def _phones(person: Person, rng: np.random.Generator) -> dict[str, str]:
    """
    Return the three phone columns; ``Phone`` is right where it is filled, the others are as people type.

    Whoever has a phone can be found by at least one column of every order.
    """
    found = {"Phone": "", "Billing Phone": "", "Shipping Phone": "", "Billing Country": "GB"}
    if not person.phone:
        return found
    if rng.random() < 0.2:
        found["Phone"] = f"+{person.phone}"
        draw = rng.random()
        if draw < 0.01:
            found["Billing Phone"] = "4.47701E+11"
        elif draw < 0.02:
            found["Billing Phone"] = _typed(STRANGER, rng)
        elif draw < 0.3:
            found["Billing Phone"] = _typed(person.phone, rng)
    else:
        found["Billing Phone" if rng.random() < 0.8 else "Shipping Phone"] = _typed(person.phone, rng)
        if rng.random() < 0.1:
            found["Shipping Phone"] = _typed(person.phone, rng)
    return found


def _typed(digits: str, rng: np.random.Generator) -> str:
    """Return a British mobile as somebody typed it."""
    area, rest = digits[2:6], digits[6:]
    ways = (
        f"0{area} {rest}", f"0{area}{rest}", f"+44 {area} {rest}", f"+44{area}{rest}", f"+44 0 {area} {rest}",
        f"44{area}{rest}", f"'+44{area}{rest}", f"(0{area}) {rest[:3]}-{rest[3:]}", f"0044 {area} {rest}",
    )  # fmt: skip
    return ways[rng.choice(len(ways), p=[0.24, 0.22, 0.14, 0.12, 0.08, 0.08, 0.05, 0.03, 0.04])]


def _at_the_till(shop: list[Product], rng: np.random.Generator) -> list[Order]:
    """Return sales over the counter: nobody's phone, nobody's e-mail."""
    orders = []
    for _ in range(30):
        at = FIRST_DAY + timedelta(days=int(rng.integers(0, 540)), seconds=int(rng.integers(34_000, 60_000)))
        lines = [_line(shop[rng.integers(len(shop))], 1, at, rng)]
        head = _nobody() | {"Financial Status": "paid", "Source": "pos", "Total": lines[0]["Lineitem price"]}
        orders.append(Order(at, head | {"Payment Method": "Cash"}, lines))
    return orders


def _tests(shop: list[Product], rng: np.random.Generator) -> list[Order]:
    """Return the orders with which the shop tried its checkout."""
    orders = []
    for number in range(9):
        at = FIRST_DAY + timedelta(days=60 * number, seconds=int(rng.integers(34_000, 60_000)))
        lines = [_line(shop[rng.integers(len(shop))], 99, at, rng)]
        head = _nobody() | {"Email": "checkout-test@example.com", "Phone": f"+{SHOP_PHONE}", "Financial Status": "paid"}
        head |= {"Payment Method": "(for testing) Bogus Gateway", "Tags": "test" if number % 2 else "", "Total": "1.00"}
        orders.append(Order(at, head, lines))
    return orders


def _nobody() -> dict[str, str]:
    return {"Phone": "", "Email": "", "Billing Country": "GB"}
