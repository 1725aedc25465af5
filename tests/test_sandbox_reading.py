"""What the sandbox tells of its token and its products, as our client reads it."""

import json

import pytest

from tests.sandbox_shop import CATALOG_ID, shop
from wa_products import sandbox
from wa_products.client import Client
from wa_products.errors import AuthError, CloudAPIError
from wa_products.sandbox.transport import InProcess
from wa_products.settings import Settings

DATA = shop()


def test_the_token_may_do_all():
    """The sandbox's token is valid for good and has the permissions that a sender needs."""
    with sandbox.Sandbox(DATA).client() as client:
        facts = client.token_facts()
    assert facts["is_valid"]
    assert facts["expires_at"] == 0
    assert {"whatsapp_business_messaging", "catalog_management"} <= set(facts["scopes"])


def test_another_token_is_not_known():
    """A token that is not the sandbox's may not even ask."""
    settings = Settings(token="other", phone_number_id="1", catalog_id=CATALOG_ID)  # noqa: S106  # made up
    with Client(settings, transport=InProcess(sandbox.app(DATA))) as client, pytest.raises(AuthError):
        client.token_facts()
    with sandbox.Sandbox(DATA).client() as client:
        assert client.get("debug_token", input_token="other")["data"]["is_valid"] is False  # noqa: S106  # made up
        with pytest.raises(CloudAPIError):
            client.get("debug_token")


def test_products_by_their_ids():
    """A filter by retailer ids leaves those products alone, over pages too; another filter is refused."""
    with sandbox.Sandbox(DATA).client() as client:
        wanted = json.dumps({"retailer_id": {"is_any": ["P1", "P3", "P5", "none"]}})
        found = client.pages(f"{CATALOG_ID}/products", filter=wanted, fields="retailer_id,price", limit="2")
        assert [entry["retailer_id"] for entry in found] == ["P1", "P3", "P5"]
        assert len(list(client.pages(f"{CATALOG_ID}/products"))) == len(DATA.catalog)
        with pytest.raises(CloudAPIError, match="filter"):
            client.get(f"{CATALOG_ID}/products", filter='{"name": 1}')


def test_the_limit_of_the_number():
    """The client reads the throughput of the number; a rate that is set goes before it."""
    with sandbox.Sandbox(DATA).client() as client:
        assert client.limit() == 80
        client.rate = "20"
        assert client.limit() == 20
