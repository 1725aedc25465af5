"""
Write a folder of exports as shops really have them: ``python data/make_messy.py [--to FOLDER]``.

Below FOLDER (this folder, if none is named) it writes ``messy/``: Meta's catalog with help in Spanish, products of a
shop in German, orders that a spreadsheet saved again, an older export that overlaps with them, orders of another
system, a log with broken lines. Something is wrong in each. The shop is made up; its numbers are reserved for fiction.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import io
import json
from pathlib import Path

META = (
    *("id", "title", "description", "availability", "condition", "price", "link", "image_link", "brand"),
    *("color", "size"),
)
ORDERS = (
    *("Name", "Email", "Financial Status", "Currency", "Subtotal", "Created at", "Lineitem quantity"),
    *("Lineitem name", "Lineitem price", "Lineitem sku", "Billing Country", "Billing Phone", "Cancelled at"),
    *("Notes", "Id", "Phone"),
)
TEAS = ("Assam", "Darjeeling", "Sencha", "Oolong", "Rooibos", "Mint")
SHOP = "https://tea.example"


def main() -> None:
    """Write everything and print what was written."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument("--to", type=Path, default=Path(__file__).parent, metavar="FOLDER")
    folder = parser.parse_args().to / "messy"
    folder.mkdir(parents=True, exist_ok=True)
    files = {
        "catalog_products.csv": ("\ufeff" + catalog()).encode(),
        "wc-product-export (3).csv": ("\n\t\ufeff" + products()).encode(),
        "orders_export_1.csv": saved_by_a_spreadsheet(),
        "orders_export_2.csv": table(ORDERS, older_orders()).encode(),
        "export.json": json.dumps(rest_orders(), indent=1).encode(),
        "webhooks.jsonl.gz": gzip.compress(log().encode(), mtime=0),
    }
    for name, content in files.items():
        (folder / name).write_bytes(content)
        print(f"{name:28}{len(content):>8,} bytes")


def table(names: tuple[str, ...], rows: list[dict[str, str]], delimiter: str = ",") -> str:
    """Return rows as CSV under a header."""
    text = io.StringIO()
    writer = csv.DictWriter(text, names, restval="", delimiter=delimiter, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def catalog() -> str:
    """Return Meta's catalog: a row of help above the header; of the rows at its end, each has something wrong."""
    rows = [item(f"{n}", tea) for n, tea in enumerate(TEAS, 101)]
    rows += [
        item("", "Chai"),
        item("108", "Jasmine", price="1.234 GBP"),
        item("109", "Gunpowder", availability="bald"),
        item("110", "Earl Grey", price="8.50"),
        item("111", "Lady Grey", image_link="img/111.png"),
        item("112", "Keemun", availability="out of stock"),
        item("101", "Assam second flush", price="11.00 GBP"),
        item("8.80609E+12", "Gift box"),
    ]
    header, _, body = table(META, rows).partition("\n")
    return ",".join(["# Obligatorio | Ver la ayuda"] * len(META)) + f"\n{header}\n{body}"


def item(retailer_id: str, title: str, **change: str) -> dict[str, str]:
    """Return one row of Meta's catalog."""
    return {
        "id": retailer_id,
        "title": f"{title} tea",
        "availability": "in stock",
        "condition": "new",
        "price": "9.00 GBP",
        "link": f"{SHOP}/product/{title.lower().replace(' ', '-')}",
        "image_link": f"{SHOP}/i/{retailer_id or 'x'}.png",
        **change,
    }


def products() -> str:
    """Return WooCommerce's products in German, decimal commas: they fill what Meta's catalog leaves blank."""
    names = ("ID", "Typ", "Artikelnummer", "Name", "Veröffentlicht", "Beschreibung", "Vorrätig?", "Regulärer Preis")
    rows = [
        dict(
            zip(
                names, (str(n), "simple", f"T-{n}", f"{tea} tea", "1", f"<p>{tea}, loose</p>", "1", "9,00"), strict=True
            )
        )
        for n, tea in enumerate([*TEAS, "Lapsang"], 101)
    ]
    return table(names, rows)


def order(number: int, tea: str, phone: str, at: str, **change: str) -> dict[str, str]:
    """Return the first row of an order."""
    return {
        "Name": f"#{number}",
        "Financial Status": "pending",
        "Currency": "GBP",
        "Created at": at,
        "Lineitem quantity": "2",
        "Lineitem name": f"{tea} tea",
        "Lineitem price": "9.00",
        "Billing Country": "GB",
        "Id": f"{5_500_000_000_000 + number}",
        "Phone": phone,
        **change,
    }


def more(first: dict[str, str], tea: str) -> dict[str, str]:
    """Return another line of an order: its own columns are on its first row alone."""
    kept = {name: first[name] for name in ("Name", "Created at", "Lineitem quantity", "Lineitem price")}
    return {**kept, "Lineitem name": f"{tea} tea"}


def older_orders() -> list[dict[str, str]]:
    """Return orders as Shopify wrote them."""
    first = order(1001, "Assam", "+447700900111", "2026-09-01 10:00:00 +0100", Notes="ring\ntwice")
    return [
        first,
        more(first, "Sencha"),
        order(1002, "Mint", "", "2026-09-02 10:00:00 +0100"),
        order(1003, "Oolong", "07700 900113 / 07700 900114", "2026-09-03 10:00:00 +0100"),
        order(
            1004,
            "Rooibos",
            "+447700900115",
            "2026-09-04 10:00:00 +0100",
            **{"Cancelled at": "2026-09-05 09:00:00 +0100"},
        ),
        order(1005, "Tea of the month", "+447700900111", "2026-09-15 10:00:00 +0100", Subtotal="25.00"),
    ]


def saved_by_a_spreadsheet() -> bytes:
    """Return later orders, of which two stand in the older export too, as a spreadsheet saved them again."""
    rows = [
        *({**row, "Created at": row["Created at"]} for row in older_orders()[3:5]),
        order(1006, "Assam", "4,47701E+11", "25/10/2026 11:00", Notes="Tür links"),
        order(1007, "Darjeeling", "07700 900117", "03/11/2026 11:00"),
        order(1008, "Sencha", "07700 900118", "soon"),
        order(1009, "Mint", "07700 900119", "14/11/2026 11:00", **{"Lineitem quantity": "some"}),
        {"Name": "Total", "Lineitem price": "63,00"},
    ]
    comma = [{**row, "Lineitem price": row["Lineitem price"].replace(".", ",")} for row in rows]
    return table(ORDERS, comma, ";").encode("cp1252")


def rest_orders() -> list[dict[str, object]]:
    """Return orders of WooCommerce's API: the products' ids are the shop's, which the crosswalk knows."""
    return [
        {
            "id": 20 + n,
            "status": status,
            "currency": "GBP",
            "date_created": f"2026-11-0{n}T12:00:00",
            "date_created_gmt": f"2026-11-0{n}T12:00:00",
            "total": total,
            "shipping_total": "3.00",
            "total_tax": "0.00",
            "fee_lines": [],
            "customer_id": 0,
            "billing": {"country": "GB", "email": f"buyer{n}@example.com", "phone": phone},
            "line_items": [{"name": f"{tea} tea", "product_id": at, "variation_id": 0, "quantity": 1, "total": "9.00"}],
            "refunds": [],
        }
        for n, (at, tea, phone, status, total) in enumerate(
            [
                (101, "Assam", "07700900111", "completed", "12.00"),
                (107, "Lapsang", "07700900122", "processing", "30.00"),
                (103, "Sencha", "0000000000", "failed", "12.00"),
            ],
            1,
        )
    ]


def log() -> str:
    """Return a log of webhooks: a message twice, a line that is cut off, a time that is none."""
    hello = {"type": "text", "text": {"body": "Is the Assam back?"}}
    messages = [
        {"from": "447700900111", "id": "wamid.1", "timestamp": "1795161600", **hello},
        {"from": "447700900111", "id": "wamid.1", "timestamp": "1795161600", **hello},
        {"from": "447700900117", "id": "wamid.2", "timestamp": "1795165200", **hello},
        {"from": "447700900118", "id": "wamid.3", "timestamp": "asdf", **hello},
    ]
    bodies = [
        {
            "object": "whatsapp_business_account",
            "entry": [{"id": "1", "changes": [{"field": "messages", "value": value}]}],
        }
        for message in messages
        for value in [{"messaging_product": "whatsapp", "metadata": {"phone_number_id": "5"}, "messages": [message]}]
    ]
    lines = [json.dumps(body) for body in bodies]
    return "\n".join([*lines, lines[0][:60]]) + "\n"


if __name__ == "__main__":
    main()
