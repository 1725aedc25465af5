"""The sandbox over real HTTP on loopback: any client, signed webhooks, a clock that ticks."""

import socket
import threading
from contextlib import contextmanager

import httpx
import pytest
import uvicorn

from tests.sandbox_shop import AS_OF, CATALOG_ID, phone, shop
from wa_products import events, sandbox
from wa_products.client import Client
from wa_products.payloads import single_product
from wa_products.sandbox.transport import InProcess
from wa_products.settings import Settings

DATA = shop()
MESSAGE = single_product(to=f"+{phone(0)}", catalog_id=CATALOG_ID, product_retailer_id="P1", opaque="send-1")


@contextmanager
def served(app):
    """Serve an ASGI app on a free port of loopback; yield its address."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off", timeout_graceful_shutdown=1))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


def test_our_client_over_http():
    """Our client sends over HTTP; the clock is moved and the webhooks are read over HTTP too."""
    settings = Settings(token=sandbox.TOKEN, phone_number_id=sandbox.PHONE_NUMBER_ID, catalog_id=CATALOG_ID)
    with served(sandbox.app(DATA)) as url:
        with Client(settings, base_url=url) as client:
            wamid = client.send(MESSAGE).wamid
        with httpx.Client(base_url=url) as http:
            now = http.post("/sandbox/advance", params={"by": "1h"}).json()["now"]
            bodies = http.get("/sandbox/webhooks").json()["data"]
            assert http.get("/sandbox/webhooks").json()["data"] == []
    assert now == "2026-11-20T10:00:00+00:00"
    found = events.to_frame(record for body in bodies for record in events.records(body))
    sent = found[(found["wamid"] == wamid) & (found["status"] == "sent")].iloc[0]
    assert sent["send_id"] == "send-1"
    assert sent["at"] > AS_OF


def test_any_client_over_http():
    """A plain HTTP client gets the same answer as in process, and Meta's refusals with their status."""
    path = f"/v25.0/{sandbox.PHONE_NUMBER_ID}/messages"
    headers = {"authorization": f"Bearer {sandbox.TOKEN}"}
    with served(sandbox.app(DATA)) as url:
        over_http = httpx.post(url + path, json=MESSAGE, headers=headers)
        refused = httpx.post(url + path, json={**MESSAGE, "to": ""}, headers=headers)
        nobody = httpx.post(url + path, json=MESSAGE)
    with httpx.Client(transport=InProcess(sandbox.app(DATA)), base_url="https://sandbox.invalid") as http:
        in_process = http.post(path, json=MESSAGE, headers=headers)
    assert over_http.json() == in_process.json()
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, 100)
    assert nobody.status_code == 401


def test_a_ticking_clock_needs_no_steps():
    """With a timer, time passes by itself: a message's statuses come without `advance`."""
    seconds = [0.0]
    ticking = sandbox.Sandbox(DATA, tick=lambda: seconds[0])
    with ticking.client() as client:
        wamid = client.send(MESSAGE).wamid
    assert ticking.webhooks() == []
    seconds[0] = 7 * 3600.0
    found = events.to_frame(record for body in ticking.webhooks() for record in events.records(body))
    assert wamid in set(found["wamid"])
    assert (ticking.now - AS_OF).total_seconds() == pytest.approx(7 * 3600)


def test_an_app_that_waits_is_not_driven_in_process():
    """The in-process transport says so when an app waits for something other than its request."""

    class Waiting:
        def __await__(self):
            yield

    async def slow(_scope, _receive, _send):
        await Waiting()

    with httpx.Client(transport=InProcess(slow)) as http, pytest.raises(RuntimeError, match="serve it over HTTP"):
        http.get("https://sandbox.invalid/")
