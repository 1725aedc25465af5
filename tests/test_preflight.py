"""What is found before sending: each fault of account, catalog and products by name, and no more than there is."""

import json
import re
from dataclasses import replace
from decimal import Decimal

import httpx
import pandas as pd
import pytest

from tests import campaign, sandbox_shop
from tests.campaign import CATALOG, NOW, Clock
from wa_products.client import Client
from wa_products.errors import PlanError
from wa_products.preflight import check
from wa_products.sandbox import Sandbox
from wa_products.settings import Settings

TOKEN = "EAAB-secret-token"  # noqa: S105  # made up
SETTINGS = Settings(token=TOKEN, phone_number_id="1067", business_account_id="77", catalog_id=CATALOG)
BEANS = {
    "id": "1",
    "retailer_id": "S7",
    "name": "Coffee beans",
    "price": "£18.00",
    "currency": "GBP",
    "availability": "in stock",
    "visibility": "published",
    "capability_to_review_status": [{"key": "WHATSAPP", "value": "APPROVED"}],
}
SOUND = {
    "debug_token": {"data": {"is_valid": True, "expires_at": 0, "scopes": ["whatsapp_business_messaging",
        "whatsapp_business_management", "catalog_management"]}},
    "1067": {"status": "CONNECTED", "quality_rating": "GREEN", "throughput": {"level": "STANDARD"},
        "health_status": {"can_send_message": "AVAILABLE"}},
    "1067/whatsapp_commerce_settings": {"data": [{"is_cart_enabled": True, "is_catalog_visible": True}]},
    "77/product_catalogs": {"data": [{"id": CATALOG}]},
    f"{CATALOG}/products": {"data": [BEANS]},
}  # fmt: skip


def refusal(code, status=400, message="no"):
    """Return the answer that refuses with a code."""
    return status, {"error": {"code": code, "message": message}}


def found(changes=None, plan=None, data=None, settings=SETTINGS):
    """Check a sound account with `changes` by path; return the findings by name."""
    answers = {**SOUND, **(changes or {})}

    def answer(request):
        told = answers.get(request.url.path.removeprefix("/v25.0/"), (404, None))
        if isinstance(told, Exception):
            raise told
        status, body = told if isinstance(told, tuple) else (200, told)
        return httpx.Response(status, text="not here") if body is None else httpx.Response(status, json=body)

    with Client(settings, transport=httpx.MockTransport(answer), clock=Clock()) as client:
        table = check(client, plan, data)
    assert list(table.columns) == ["name", "state", "what", "what_to_do"]
    assert TOKEN not in table.to_csv()
    assert (table.loc[table["state"] != "ok", "what_to_do"] != "").all()
    return table.set_index("name")


def states(table):
    """Return the state of each finding by name."""
    return table["state"].to_dict()


def test_a_sound_account():
    """Where nothing is wrong every finding is ok, with the pace of the number."""
    table = found(plan=campaign.plan(3))
    assert set(table["state"]) == {"ok"}
    assert list(table.index) == [
        "plan", "token", "permission", "number", "health", "catalog visible", "cart", "catalog linked", "pace",
        "products",
    ]  # fmt: skip
    assert table.loc["pace", "what"] == "3 messages at 80 a second, all in time"


def test_the_sandbox_is_sound():
    """The sandbox passes its own check, with the plan and the export of its shop."""
    data = sandbox_shop.shop()
    sandbox = Sandbox(data)
    made = campaign.plan(2, now=sandbox.now, product_retailer_id="P1", price=Decimal(6), currency="EUR")
    object.__setattr__(made, "catalog_id", data.catalog_id)
    made = campaign.Plan.make(made.rows, campaign="c", catalog_id=data.catalog_id, approved_by="me",
        created_at=sandbox.now, holdout=0)  # fmt: skip
    with sandbox.client() as client:
        for given in ({}, {"plan": made}, {"data": data}, {"plan": made, "data": data}):
            table = check(client, **given)
            assert set(table["state"]) == {"ok"}, table.to_string()


TOKEN_FACTS = SOUND["debug_token"]["data"]


@pytest.mark.parametrize(
    ("answer", "name", "state"),
    [
        ({"data": {**TOKEN_FACTS, "is_valid": False}}, "token", "fail"),
        ({"data": {**TOKEN_FACTS, "expires_at": int(NOW.timestamp()) - 60}}, "token", "fail"),
        ({"data": {**TOKEN_FACTS, "expires_at": int(NOW.timestamp()) + 60}}, "token", "warn"),
        ({"data": {**TOKEN_FACTS, "scopes": ["catalog_management"]}}, "permission", "fail"),
        ({"data": {**TOKEN_FACTS, "scopes": ["whatsapp_business_messaging"]}}, "permission", "warn"),
        ({"data": {"is_valid": True}}, "permission", "warn"),
        (refusal(190, 401), "token", "fail"),
        (refusal(190, 401, f"Malformed access token {TOKEN}"), "token", "fail"),
        (refusal(100), "token", "warn"),
        ((404, None), "token", "warn"),
        ((403, None), "token", "warn"),
    ],
    ids=str,
)
def test_the_token(answer, name, state):
    """A bad, expired or powerless token fails; where a provider does not tell of it, it is a warning and no more."""
    table = found({"debug_token": answer}, campaign.plan(3))
    assert states(table)[name] == state
    if state == "warn":
        assert "fail" not in set(table["state"])


def test_a_refused_token_is_said_once():
    """With a token that is refused nothing else is asked, and there is one thing to do."""
    table = found({"debug_token": refusal(190, 401)})
    assert list(table.index) == ["token"]


def test_no_connection():
    """Without any answer there is one finding, which names the connection."""
    table = found({"debug_token": httpx.ConnectError("refused")})
    assert states(table) == {"connection": "fail"}


@pytest.mark.parametrize(
    ("changes", "name", "state", "word"),
    [
        ({"1067": {"status": "DISCONNECTED"}}, "number", "fail", "DISCONNECTED"),
        ({"1067": {"status": "CONNECTED", "quality_rating": "RED"}}, "number", "warn", "quality"),
        ({"1067": refusal(100)}, "number", "fail", "cannot be read"),
        ({"1067": (404, None)}, "number", "warn", "cannot be read here"),
        ({"1067": {"health_status": {"can_send_message": "BLOCKED", "entities": [{"errors": [
            {"error_description": "no payment", "possible_solution": "pay"}]}]}}}, "health", "fail", "no payment"),
        ({"1067": {"health_status": {"can_send_message": "LIMITED", "entities": [
            {"additional_info": ["name not approved"]}]}}}, "health", "warn", "name not approved"),
        ({"1067/whatsapp_commerce_settings": {"data": [{"is_cart_enabled": True, "is_catalog_visible": False}]}},
            "catalog visible", "fail", "hidden"),
        ({"1067/whatsapp_commerce_settings": {"data": []}}, "catalog visible", "fail", "hidden"),
        ({"1067/whatsapp_commerce_settings": {"data": [{"is_cart_enabled": False, "is_catalog_visible": True}]}},
            "cart", "warn", "cart is off"),
        ({"1067/whatsapp_commerce_settings": refusal(10, 403)}, "catalog visible", "warn", "cannot be read"),
        ({"77/product_catalogs": {"data": [{"id": "5"}]}}, "catalog linked", "fail", "5"),
        ({"77/product_catalogs": {"data": []}}, "catalog linked", "fail", "none"),
        ({"77/product_catalogs": refusal(200, 403)}, "catalog linked", "warn", "cannot be read"),
        ({f"{CATALOG}/products": (500, None)}, "products", "warn", "cannot be read"),
    ],
    ids=str,
)  # fmt: skip
def test_the_account(changes, name, state, word):
    """Each fault of the account is found under its name, with Meta's reasons, and nothing else fails for it."""
    table = found(changes, campaign.plan(3))
    assert states(table)[name] == state
    assert word in table.loc[name, "what"]
    assert set(table.drop(name)["state"]) <= {"ok", "warn"}


def test_without_the_business_account():
    """Without its id the linked catalog cannot be asked for, which is a warning."""
    table = found(settings=replace(SETTINGS, business_account_id=""))
    assert states(table)["catalog linked"] == "warn"
    assert "WA_BUSINESS_ACCOUNT_ID" in table.loc["catalog linked", "what"]


@pytest.mark.parametrize(
    ("change", "state", "words"),
    [
        (None, "fail", "not in Meta's catalog at Meta now; 3 of 3 messages"),
        ({"availability": "out of stock"}, "fail", "out of stock at Meta now; 3 of 3"),
        ({"visibility": "staging"}, "fail", "hidden at Meta now"),
        ({"capability_to_review_status": [{"key": "WHATSAPP", "value": "OUTDATED"}]}, "fail", "review not approved"),
        ({"price": "£19.50"}, "warn", "18 GBP when planned, 19.5 GBP at Meta now; 3 of 3"),
        ({"sale_price": "£15.00"}, "warn", "18 GBP when planned, 15 GBP at Meta now"),
        ({"price": "$18.00", "currency": "USD"}, "fail", "currency differs at Meta now"),
        ({"price": "18.00"}, "ok", "1 products are at Meta as they were planned"),
        ({"capability_to_review_status": [{"key": "WHATSAPP", "value": "NO_REVIEW"}]}, "ok", "1 products"),
    ],
)
def test_a_product_as_meta_has_it_now(change, state, words):
    """A planned product that Meta has otherwise is named with both sides and how many messages show it."""
    items = [] if change is None else [{**BEANS, **change}]
    table = found({f"{CATALOG}/products": {"data": items}}, campaign.plan(3))
    name = "products" if state == "ok" else "product S7"
    assert states(table)[name] == state
    assert words in table.loc[name, "what"]


def test_one_bad_product_of_many_is_a_warning():
    """A product that few of the messages show does not keep the others from being sent."""
    tea = {**BEANS, "id": "2", "retailer_id": "S8", "availability": "discontinued"}
    made = campaign.plan(10, product_retailer_id=["S8", *["S7"] * 9])
    table = found({f"{CATALOG}/products": {"data": [BEANS, tea]}}, made)
    assert states(table)["product S8"] == "warn"
    assert "1 of 10 messages" in table.loc["product S8", "what"]
    assert "product S7" not in table.index


def test_stock_as_the_export_had_it():
    """With the export at hand a change of stock that does not stop a message is told too."""
    data = sandbox_shop.shop()
    catalog = data.catalog.assign(
        product_retailer_id=["S7", *data.catalog["product_retailer_id"].iloc[1:]], availability="preorder"
    )
    table = found(plan=campaign.plan(3), data=replace(data, catalog=catalog))
    assert table.loc["product S7", "what"].startswith("preorder in the export, in stock at Meta now")


def test_many_products_are_asked_for_in_parts():
    """Hundreds of products are read in requests of fifty, each once."""
    asked = []

    def answer(request):
        path = request.url.path.removeprefix("/v25.0/")
        if path == f"{CATALOG}/products":
            wanted = json.loads(request.url.params["filter"])["retailer_id"]["is_any"]
            asked.append(wanted)
            items = [{**BEANS, "id": name, "retailer_id": name} for name in wanted]
            return httpx.Response(200, json={"data": items})
        return httpx.Response(200, json=SOUND[path])

    made = campaign.plan(120, product_retailer_id=[f"S{n}" for n in range(120)])
    with Client(SETTINGS, transport=httpx.MockTransport(answer), clock=Clock()) as client:
        table = check(client, made)
    assert [len(wanted) for wanted in asked] == [50, 50, 20]
    assert set(table["state"]) == {"ok"}


def test_too_slow_for_the_plan():
    """When windows close before their turn the check says how many, at the pace of the number."""
    closes = [NOW + pd.Timedelta("5min") + pd.Timedelta("1s")] * 100
    table = found(plan=campaign.plan(100, closes_at=closes))
    assert states(table)["pace"] == "warn"
    told = re.fullmatch(
        r"(\d+) of 100 windows close before their turn at 80 messages a second", table.loc["pace", "what"]
    )
    assert 19 <= int(told[1]) <= 23


def test_the_plan_itself():
    """An expired plan, and one for another catalog, fail before anything is sent."""
    expired = campaign.plan(2, closes_at=NOW)
    with pytest.raises(PlanError):
        expired.check(NOW)
    assert states(found(plan=expired))["plan"] == "fail"
    other = found(plan=campaign.plan(2), settings=replace(SETTINGS, catalog_id="5"))
    assert states(other)["plan"] == "fail"
