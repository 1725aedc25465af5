"""
What the sandbox costs: `python benchmarks/sandbox.py [--customers 10000] [--days 30] [--messages 5000]`.

It simulates a month of a shop with that many customers, of whom one in twenty is messaged each day, and
sends product messages in process as fast as one thread can. Beside it runs a bare Starlette app that answers each
message with a constant, through the same client and transport: what no checks and no customers would cost.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from tests.sandbox_shop import CATALOG_ID, shop
from wa_products.client import Client
from wa_products.payloads import single_product
from wa_products.sandbox import Sandbox
from wa_products.sandbox.transport import InProcess

NEEDED_SECONDS, NEEDED_RATE = 60.0, 1000.0


def main():
    """Measure and print."""
    asked = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    asked.add_argument("--customers", type=int, default=10_000)
    asked.add_argument("--days", type=int, default=30)
    asked.add_argument("--messages", type=int, default=5_000)
    options = asked.parse_args()
    data = shop(options.customers)
    seconds, counts = simulate(data, options.days)
    print(f"{options.customers:,} customers for {options.days} days: {seconds:.1f} s of CPU")
    print(f"  {counts}")
    print(f"  {seconds / NEEDED_SECONDS:.2f} of the {NEEDED_SECONDS:g} s that it may take")
    messages = addressed(data, options.messages)
    ours, bare = rate(Sandbox(data).client(), messages), rate(constant(), messages)
    print(f"accepted in process: {ours:,.0f} messages a second of CPU; a bare app that checks nothing: {bare:,.0f}")
    print(f"  ratio {ours / bare:.2f}; {ours / NEEDED_RATE:.1f} of the {NEEDED_RATE:,.0f} that it must take")


def simulate(data, days):
    """Return the seconds of CPU of a simulated month, and what happened in it."""
    started = time.process_time()
    sandbox = Sandbox(data)
    a_day = len(data.threads) // 20
    bodies = []
    with sandbox.client() as client:
        for day in range(days):
            for message in addressed(data, a_day, start=day * a_day):
                client.send(message)
            bodies += sandbox.advance("1D").webhooks()
    passed = time.process_time() - started
    carts = sum(body.count(b'"type":"order"') for body in bodies)
    return passed, f"{a_day * days:,} messages, {len(bodies):,} webhook bodies, {carts:,} carts"


def addressed(data, count, start=0):
    """Return that many messages to customers in turn."""
    phones = data.threads.loc[data.threads["to"] != "", "to"].tolist()
    product = {"catalog_id": CATALOG_ID, "product_retailer_id": "P1"}
    return [single_product(to=phones[(start + n) % len(phones)], **product, opaque=f"s-{n}") for n in range(count)]


def rate(client, messages):
    """Return how many messages are accepted a second of CPU."""
    with client:
        started = time.process_time()
        for message in messages:
            client.send(message)
        return len(messages) / (time.process_time() - started)


def constant():
    """Return a client of an app that accepts anything."""

    async def answer(request):
        await request.body()
        return JSONResponse({"messages": [{"id": "wamid.X"}], "contacts": [{"wa_id": "1"}]})

    app = Starlette(routes=[Route("/{version}/{node}/messages", answer, methods=["POST"])])
    return Client(Sandbox(shop(1)).settings, transport=InProcess(app))


if __name__ == "__main__":
    main()
