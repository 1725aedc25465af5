"""Small exports as shops have them, to be written by the tests."""

import csv
import io

META = ("id", "title", "description", "availability", "condition", "price", "link", "image_link", "brand")
SHOPIFY = (
    *("Name", "Email", "Financial Status", "Currency", "Created at", "Lineitem quantity", "Lineitem name"),
    *("Lineitem price", "Lineitem sku", "Billing Country", "Billing Phone", "Shipping Phone", "Cancelled at"),
    *("Payment Method", "Id", "Tags", "Source", "Phone"),
)


def product(number, **changes):
    """Return one row of a Meta catalog."""
    row = {
        "id": f"SKU-{number:03}",
        "title": f"Tea, no. {number}",
        "description": "Green",
        "availability": "in stock",
        "condition": "new",
        "price": f"{number}.50 GBP",
        "link": f"https://shop.example/p/{number}",
        "image_link": f"https://shop.example/i/{number}.png",
        "brand": "Example",
    }
    return {**row, **changes}


def order(name, phone="", *, lines=1, **changes):
    """Return the rows of one Shopify order: the order's own columns on the first alone."""
    first = {
        "Name": name,
        "Financial Status": "pending",
        "Currency": "GBP",
        "Created at": "2026-04-05 21:06:21 +0100",
        "Lineitem quantity": "1",
        "Lineitem name": "Tea, no. 1",
        "Lineitem price": "1.50",
        "Billing Country": "GB",
        "Phone": phone,
        **changes,
    }
    kept = {key: first[key] for key in ("Name", "Created at", "Lineitem quantity", "Lineitem name", "Lineitem price")}
    return [first, *({**kept, "Lineitem name": f"Tea, no. {number}"} for number in range(2, lines + 1))]


def text(rows, names, *, delimiter=",", quoting=csv.QUOTE_MINIMAL, end="\n", header=True):
    """Return rows as CSV text."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, quoting=quoting, lineterminator=end)
    if header:
        writer.writerow(names)
    writer.writerows([[row.get(name, "") for name in names] for row in rows])
    return out.getvalue()


def codes(issues):
    """Return the codes of the issues."""
    return set(issues["code"])
