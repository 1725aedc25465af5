"""The sandbox as others' clients see it: an independent library of the Cloud API with its base URL set, over HTTP."""

import asyncio

import pytest
from kapso_whatsapp import WhatsAppClient
from kapso_whatsapp.exceptions import AuthenticationError, WhatsAppAPIError

from tests.sandbox_calls import NUMBER, told
from tests.sandbox_shop import CATALOG_ID, phone, shop
from tests.test_sandbox_http import served
from wa_products.sandbox import TOKEN, Sandbox

DATA = shop()
TO = {"phone_number_id": NUMBER, "to": f"+{phone(0)}"}
PRODUCT = {"catalog_id": CATALOG_ID, "product_retailer_id": "P1"}


def called(sandbox, ask, token=TOKEN):
    """Return what `ask` gets of the peer's client, which is told nothing but the base URL."""

    async def session(url):
        async with WhatsAppClient(access_token=token, base_url=url, graph_version="v25.0", max_retries=0) as client:
            return await ask(client)

    with served(sandbox.app) as url:
        return asyncio.run(session(url))


def test_it_sends_every_kind_of_offer():
    """A text, a product, a list and the catalog sent with the peer's methods are accepted; their statuses come."""
    sandbox = Sandbox(DATA)
    section = {"title": "Tea", "product_items": [{"product_retailer_id": "P1"}, {"product_retailer_id": "P2"}]}

    async def ask(client):
        send = client.messages
        return [
            await send.send_text(**TO, body="Hello"),
            await send.send_interactive_product(**TO, **PRODUCT, body_text="Hi", biz_opaque_callback_data="s-1"),
            await send.send_interactive_product_list(
                **TO, catalog_id=CATALOG_ID, header_text="New", body_text="For you", sections=[section]
            ),
            await send.send_interactive_catalog(**TO, body_text="All", thumbnail_product_retailer_id="P1"),
        ]

    answers = called(sandbox, ask)
    assert [answer.contacts[0].wa_id for answer in answers] == [phone(0)] * 4
    found = told(sandbox.advance("7h"))
    assert {answer.messages[0].id for answer in answers} <= set(found["wamid"])
    assert "s-1" in set(found["send_id"])


def test_it_marks_as_read():
    """What a customer wrote is marked as read with the peer's method."""
    sandbox = Sandbox(DATA)
    seen = sandbox.act(DATA.threads["customer_id"].iloc[0], "write", text="Hello")
    answer = called(sandbox, lambda client: client.messages.mark_read(phone_number_id=NUMBER, message_id=seen))
    assert answer == {"success": True}


def test_it_reads_the_account():
    """The catalog and the commerce settings are read with the peer's plain requests."""
    sandbox = Sandbox(DATA)

    async def ask(client):
        settings = await client.request("GET", f"{NUMBER}/whatsapp_commerce_settings")
        return settings, await client.request("GET", f"{CATALOG_ID}/products", params={"limit": 5})

    settings, products = called(sandbox, ask)
    assert settings["data"][0]["is_cart_enabled"] is True
    assert len(products["data"]) == 5


@pytest.mark.parametrize(
    ("product", "token", "kind", "code"),
    [("P-NONE", TOKEN, WhatsAppAPIError, 131009), ("P1", "old", AuthenticationError, 190)],
)
def test_it_understands_refusals(product, token, kind, code):
    """Refusals arrive as the peer's own errors, with their code."""

    async def ask(client):
        return await client.messages.send_interactive_product(**TO, **{**PRODUCT, "product_retailer_id": product})

    with pytest.raises(kind) as caught:
        called(Sandbox(DATA), ask, token)
    assert int(caught.value.error_code) == code
