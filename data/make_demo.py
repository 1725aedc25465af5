"""
Write the made-up demo shop from its seed: ``python data/make_demo.py [--to FOLDER]``.

Below FOLDER (this folder, if none is named) it writes ``demo/`` in the shapes that real shops export, and beside it
``demo_truth.csv``: the reorder periods and next purchases that only the simulation knows. Same seed, same bytes.
"""

from __future__ import annotations

import argparse
import csv
import io
from pathlib import Path

import demo_catalog
import demo_orders
import demo_people
import demo_pictures
import demo_webhooks
import numpy as np
from demo_people import AS_OF, SEED, Person

from wa_products.identities import customer_id

CATALOG_ID = "194836980001507"
SHOP = f"""\
name = "Thistle & Jar Refills"
currency = "GBP"
region = "GB"
timezone = "Europe/London"
catalog_id = "{CATALOG_ID}"
as_of = {AS_OF:%Y-%m-%dT%H:%M:%SZ}
"""
TRUTH = ["customer_id", "product_retailer_id", "period_days", "jitter", "quantity", "purchases", "last_purchase_at",
         "next_purchase_at"]  # fmt: skip


def main() -> None:
    """Write everything and print what was written."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument("--to", type=Path, default=Path(__file__).parent, metavar="FOLDER")
    folder = parser.parse_args().to / "demo"
    folder.mkdir(parents=True, exist_ok=True)
    shop = demo_catalog.products()
    popular = demo_people.popularity(shop, np.random.default_rng([SEED, 1]))
    everyone = demo_people.people(shop, popular, np.random.default_rng([SEED, 2]))
    rng = np.random.default_rng([SEED, 3])
    baskets = [basket for person in everyone for basket in demo_people.visits(person, shop, popular, rng)]
    buyers = {basket.person.phone for basket in baskets}
    files = {
        "shop.toml": SHOP,
        "catalog_products.csv": "\ufeff" + demo_catalog.export(shop),
        "orders_export.csv": demo_orders.export(baskets, shop, np.random.default_rng([SEED, 4])),
        "webhooks.jsonl": demo_webhooks.export(everyone, buyers, CATALOG_ID, shop, np.random.default_rng([SEED, 5])),
        "../demo_truth.csv": truth(everyone),
    }
    for name, text in files.items():
        path = folder / name
        path.write_bytes(text.encode())
        print(f"{path.resolve().name:24}{path.stat().st_size:>10,} bytes")
    (folder / "images").mkdir(exist_ok=True)
    size = sum((folder / "images" / one.image).write_bytes(demo_pictures.picture(one)) for one in shop)
    print(f"{f'{len(shop)} pictures':24}{size:>10,} bytes")


def truth(everyone: list[Person]) -> str:
    """
    Return what the simulation knows of each favourite as CSV.

    ``period_days`` and ``jitter`` (coefficient of variation) are those of the gap between purchases;
    ``next_purchase_at`` is empty for a customer who has left or leaves before it. Times are UTC.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(TRUTH)
    for person in everyone:
        key = customer_id("phone", person.phone) or customer_id("email", person.email)
        for one in person.favourites:
            if one.bought:
                times = [f"{at:%Y-%m-%dT%H:%M:%SZ}" if at else "" for at in (one.bought[-1], one.next_purchase)]
                facts = [f"{one.period:.2f}", one.spread, one.quantity, len(one.bought)]
                writer.writerow([key, one.product.retailer_id, *facts, *times])
    return text.getvalue()


if __name__ == "__main__":
    main()
