"""The sender that most people write first: select who was not sent to, post, retry what fails, mark what went well."""

import sqlite3
import time

import httpx
from planned import SETTINGS

from wa_products.payloads import single_product

TRIES = 3


def send(plan, *, path, url):
    """Send to everybody who is not marked yet."""
    with sqlite3.connect(path, timeout=60) as marks, httpx.Client(base_url=url, timeout=1.0) as http:
        marks.execute("CREATE TABLE IF NOT EXISTS sent (customer TEXT)")
        done = {customer for (customer,) in marks.execute("SELECT customer FROM sent")}
        for row in plan.rows[~plan.rows["customer_id"].isin(done)].itertuples():
            if _posted(http, plan, row):
                marks.execute("INSERT INTO sent VALUES (?)", [row.customer_id])
                marks.commit()


def _posted(http, plan, row):
    payload = single_product(
        to=row.to, catalog_id=plan.catalog_id, product_retailer_id=row.product_retailer_id, opaque=row.customer_id
    )
    for _ in range(TRIES):
        try:
            answer = http.post(f"/{SETTINGS.graph_version}/{SETTINGS.phone_number_id}/messages", json=payload)
            answer.raise_for_status()
            return bool(answer.json()["messages"])
        except (httpx.HTTPError, ValueError, LookupError):
            time.sleep(0.05)
    return False
