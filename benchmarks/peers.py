"""What others would do, to stand beside: bare HTTP clients without a ledger, bare SQL without a library, sleeping."""

import asyncio
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
from planned import SETTINGS

from wa_products.payloads import single_product

PATH = f"/{SETTINGS.graph_version}/{SETTINGS.phone_number_id}/messages"
HEADERS = {"Authorization": f"Bearer {SETTINGS.token}"}


def payloads(plan):
    """Return the messages of a plan, each with an id of its own."""
    return [
        single_product(
            to=row.to,
            catalog_id=plan.catalog_id,
            product_retailer_id=row.product_retailer_id,
            body=row.body,
            opaque=row.customer_id,
        )
        for row in plan.rows.itertuples()
    ]


def bare_httpx(plan, url, connections=8):
    """Post a plan's messages with httpx and threads; nothing is written down."""
    limits = httpx.Limits(max_connections=connections, max_keepalive_connections=connections)
    with httpx.Client(base_url=url, headers=HEADERS, limits=limits) as http, ThreadPoolExecutor(connections) as pool:
        list(pool.map(lambda payload: http.post(PATH, json=payload).json()["messages"], payloads(plan)))


def bare_aiohttp(plan, url, connections=64):
    """Post a plan's messages with aiohttp; nothing is written down."""
    import aiohttp  # noqa: PLC0415  # of the extra

    async def all_of_it():
        waiting = iter(payloads(plan))

        async def worker():
            for payload in waiting:
                async with session.post(url + PATH, json=payload) as answer:
                    assert (await answer.json())["messages"]  # noqa: S101  # an answer is part of what is timed

        connector = aiohttp.TCPConnector(limit=connections)
        async with aiohttp.ClientSession(connector=connector, headers=HEADERS) as session:
            await asyncio.gather(*(worker() for _ in range(connections)))

    asyncio.run(all_of_it())


def sleeping(plan, url, rate):
    """Post a plan's messages with a sleep of 1 / `rate` after each, which is how a loop is usually paced."""
    with httpx.Client(base_url=url, headers=HEADERS) as http:
        for payload in payloads(plan):
            http.post(PATH, json=payload)
            time.sleep(1 / rate)


def bare_sqlite(plan, path, batch):
    """Write an intent, an attempt and an outcome a customer as SQL by hand would, in as many and as safe commits."""
    base = sqlite3.connect(path, isolation_level=None)
    base.execute("PRAGMA journal_mode=WAL")
    base.execute("PRAGMA synchronous=FULL")
    base.execute(
        "CREATE TABLE intents (send_id TEXT PRIMARY KEY, campaign TEXT, customer TEXT, UNIQUE (campaign, customer))"
    )
    base.execute("CREATE TABLE attempts (send_id TEXT, n INTEGER, at INTEGER, PRIMARY KEY (send_id, n))")
    base.execute("CREATE TABLE outcomes (send_id TEXT, n INTEGER, outcome TEXT, wamid TEXT, at INTEGER)")
    customers, done = list(plan.rows["customer_id"]), []
    for start in range(0, len(customers) + batch, batch):
        base.execute("BEGIN IMMEDIATE")
        base.executemany("INSERT INTO outcomes VALUES (?, 1, 'accepted', ?, 0)", done)
        fresh = [(f"send {customer}", plan.campaign, customer) for customer in customers[start : start + batch]]
        base.executemany("INSERT INTO intents VALUES (?, ?, ?)", fresh)
        base.executemany("INSERT INTO attempts VALUES (?, 1, 0)", [(send_id,) for send_id, _, _ in fresh])
        base.execute("COMMIT")
        done = [(send_id, f"wamid.{send_id}") for send_id, _, _ in fresh]
    base.close()
